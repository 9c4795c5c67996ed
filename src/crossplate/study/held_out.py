"""Predictions of the source by networks that had not learned from it, at a bearable price."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crossplate.joint.classifier import JointClassifier
from crossplate.joint.minibatches import plan
from crossplate.joint.protocols import predict_held_out
from crossplate.table import SampleTable

FloatArray = npt.NDArray[np.float64]

N_SPLITS = 10
"""Folds. With five, networks learn from a fifth less than the model does, and how far calls can be
trusted depends more on which subjects share a fold."""
QUICK_SHARE = 0.15
"""Epochs of a quick network, as a share of the model's."""
LEAST_PROBABILITY = 1e-9

__all__ = ["N_SPLITS", "held_out", "quick_held_out", "unfitted"]


def held_out(
    model: JointClassifier, table: SampleTable, labels: npt.NDArray[np.object_], seed: int
) -> pd.DataFrame:
    """Cross-validated probabilities, with a committee of the model's settings for each fold.

    Parameters
    ----------
    model
        The study's model.
    table
        All samples.
    labels
        Labels of the source's samples, None elsewhere, shape (n,).
    seed
        Of folds and networks.

    Returns
    -------
    One row a sample, NaN for those without a label here; one column a class.

    Raises
    ------
    InputError
        A class has one subject only.
    """
    return _cross_validated(unfitted(model, random_state=seed), table, labels)


def quick_held_out(
    model: JointClassifier, table: SampleTable, labels: npt.NDArray[np.object_], seed: int
) -> pd.DataFrame:
    """Cross-validated probabilities at about a fifth of the price of the model's training.

    A fold has one member, without reconstructors and with 0.15 of the epochs. In a small study it
    is linear, as most of the model's members are, and solved exactly. In a large one it is a
    network, which tells the classes about as well as the model's own but is far too sure. Log-odds
    are therefore multiplied by the factor that brings those of its like, trained on the whole
    source, closest to the model's on the target (least squares; no labels).

    Parameters
    ----------
    model, table, labels, seed
        As in :func:`held_out`; the model is fitted.

    Raises
    ------
    InputError
        A class has one subject only.
    """
    sizes = table.batch.value_counts(sort=False).tolist()
    planned = plan(model.settings_, sizes).epochs
    epochs = max(1, round(QUICK_SHARE * planned))
    quick = unfitted(model, random_state=seed, n_members=1, alpha=0.0, epochs=epochs)
    found = _cross_validated(quick, table, labels)
    quick.fit(table.features, labels, batch=table.batch, subject=table.subject)
    target = pd.isna(labels)
    rows, batch = table.features.loc[target], table.batch.loc[target]
    own, its = (_log_odds(one.predict_proba(rows, batch=batch)) for one in (model, quick))
    squares = float((its**2).sum())
    # Networks that disagree, or say nothing, are left as sure as they are.
    factor = float((own * its).sum()) / squares if squares > 0 else 1.0
    stretched = np.exp((factor if factor > 0 else 1.0) * _log_odds(found.to_numpy()))
    stretched /= stretched.sum(axis=1, keepdims=True)
    return pd.DataFrame(stretched, found.index, found.columns)


def unfitted(model: JointClassifier, **changes: Any) -> JointClassifier:
    """An estimator of the same settings that tells no progress, with changes.

    A model that was loaded does not know its seed: give ``random_state`` among the changes.
    """
    return JointClassifier(**model.get_params(deep=False) | {"progress": None} | changes)


def _cross_validated(
    model: JointClassifier, table: SampleTable, labels: npt.NDArray[np.object_]
) -> pd.DataFrame:
    classes, found = predict_held_out(
        model,
        table.features,
        labels,
        batch=table.batch,
        subject=table.subject,
        n_splits=N_SPLITS,
    )
    return pd.DataFrame(found, table.features.index, [str(name) for name in classes])


def _log_odds(proba: FloatArray) -> FloatArray:
    """Logarithms of probabilities less their mean over classes, shape (n, C)."""
    logs = np.log(np.maximum(proba, LEAST_PROBABILITY))
    return np.asarray(logs - logs.mean(axis=1, keepdims=True))
