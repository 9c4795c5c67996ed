"""A model's scores on the target beside those of the simple methods, on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crossplate.evaluate.baselines import best_single_feature, zscore_logistic_regression
from crossplate.evaluate.scores import score
from crossplate.evaluate.subjects import score_subjects
from crossplate.scaling import PlateScaler
from crossplate.table import SampleTable

__all__ = ["scores_at_both_levels", "scores_beside_baselines"]


def scores_beside_baselines(
    table: SampleTable, source: NDArray[np.bool_], proba: pd.DataFrame
) -> dict[str, Any]:
    """Scores of a model and of the simple methods on the target rows.

    The simple methods learn from the labels of the source rows only, on logs (where they help)
    standardised within each batch.

    Parameters
    ----------
    table
        Source and target samples; the target's labels are used for scoring alone.
    source
        True for rows of the source, shape (n,).
    proba
        The model's class probabilities of the target rows, columns named by class.

    Returns
    -------
    ``sample_level`` and ``subject_level`` (None without subjects): method → scores, ready for
    JSON. The methods are ``crossplate``, ``zscore_logistic_regression`` and
    ``best_single_feature``, which also names its feature.
    """
    labels = table.labels_of(source)
    values, batch = table.features.to_numpy(), table.batch.to_numpy(dtype=str)
    scaler = PlateScaler().fit(values, batch, pd.notna(labels))
    z = pd.DataFrame(scaler.scale(values, batch), table.features.index, table.features.columns)
    single = best_single_feature(z, labels, ~source)
    methods = {
        "crossplate": proba,
        "zscore_logistic_regression": zscore_logistic_regression(z, labels, ~source),
        "best_single_feature": single.proba,
    }
    scores = scores_at_both_levels(table.select(~source), methods)
    for level in scores.values():
        if level is not None:
            chosen = {"feature": single.name, "source_auc": single.source_auc}
            level["best_single_feature"] |= chosen
    return scores


def scores_at_both_levels(
    table: SampleTable, methods: Mapping[str, pd.DataFrame]
) -> dict[str, Any]:
    """Scores of several methods on the labelled samples of a table, and on its subjects.

    Parameters
    ----------
    table
        Samples, at least one of them labelled.
    methods
        Name → class probabilities of the samples, columns named by class.

    Returns
    -------
    ``sample_level`` and ``subject_level`` (None without subjects): method → scores.
    """
    label, subject = table.label, table.subject
    assert label is not None
    samples = {
        name: score(label, proba, list(proba.columns)).to_dict() for name, proba in methods.items()
    }
    subjects = None
    if subject is not None:
        subjects = {
            name: score_subjects(proba, subject, label).to_dict() for name, proba in methods.items()
        }
    return {"sample_level": samples, "subject_level": subjects}
