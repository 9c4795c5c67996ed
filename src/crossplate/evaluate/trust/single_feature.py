"""Whether one feature alone does what the model does."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_auc_score

from crossplate.evaluate.scores import Labels
from crossplate.evaluate.trust.check import NO_PROBA, NO_Z, TrustCheck
from crossplate.evaluate.trust.ranks import feature_auc
from crossplate.evaluate.trust.units import (
    Floats,
    Ints,
    codes_of_columns,
    fewest_subjects,
    finite_rows,
    folds,
    units_of,
)

NAME = "single_feature"
FIGURE = "cross-validated source AUC of the best single feature, minus the model's"
LOOK_DIFFERENCE = -0.02
"""What a model has to gain over one feature to be worth its other features."""
LEAST_AUC = 0.7
"""A single feature below suffices for nothing, whatever the model's AUC."""
N_SPLITS = 5

__all__ = ["check_single_feature", "single_feature_auc"]


def check_single_feature(
    z: pd.DataFrame | ArrayLike | None,
    proba: pd.DataFrame | None,
    target: NDArray[np.bool_],
    batch: Labels,
    label: Labels,
    subject: Labels | None = None,
    *,
    random_state: int = 0,
) -> TrustCheck:
    """Check whether the best single feature separates the source as well as the model does.

    Both are judged on subjects not learned from. "look": the feature's AUC is at least
    `LEAST_AUC` and less than 0.02 below the model's. There is no "stop": one good marker may well
    be the truth, but it has to be known.

    Parameters
    ----------
    z
        Measurements standardised within each batch, shape (n, p), no missing value; a DataFrame
        gives the features their names. None: there are none.
    proba
        Class probabilities, shape (n, K), columns named by class; source rows from
        cross-validation. None: there are none.
    target
        True for rows of the target, shape (n,).
    batch, label, subject
        Of each row, shape (n,). Labels of target rows are not read.
    random_state
        Seed of the folds in which features are chosen.

    Returns
    -------
    TrustCheck
        Not applicable without measurements or source probabilities, or without two subjects of
        two classes.

    Raises
    ------
    InputError
        If shapes do not fit, values are missing, or a label is none of the columns of ``proba``.
    """
    if z is None or proba is None:
        return TrustCheck.not_applicable(NAME, FIGURE, NO_Z if z is None else NO_PROBA)
    codes = codes_of_columns(proba, label, ~target)
    values = finite_rows(z, len(codes), "z")
    p = proba.to_numpy(np.float64)
    rows = np.flatnonzero(np.isfinite(p).all(axis=1) & (codes >= 0))
    units = units_of(batch, subject, codes, rows)
    present, known = np.unique(codes[rows][units.first], return_inverse=True)
    if fewest_subjects(known, units.subject) < 2:
        reason = (
            "There are no cross-validated predictions of two source subjects in each of two "
            "classes, so a single feature has nothing to be compared with."
        )
        return TrustCheck.not_applicable(NAME, FIGURE, reason)
    x = units.mean(values[rows])
    model = _auc(units.shares(p[rows])[:, present], known)
    single, best = single_feature_auc(x, known, units.subject, random_state=random_state)
    feature = str(z.columns[best]) if isinstance(z, pd.DataFrame) else str(best)
    difference = single - model
    details = {"feature": feature, "single_feature_auc": single, "model_auc": model}
    if single >= LEAST_AUC and difference >= LOOK_DIFFERENCE:
        advice = (
            f"Feature {feature} alone reaches an AUC of {single:.2f}, the model {model:.2f}: ask "
            "whether it is a marker or gives the label away, and report it beside the model."
        )
        return TrustCheck(NAME, "look", difference, FIGURE, LOOK_DIFFERENCE, advice, details)
    advice = (
        f"No single feature does what the model does (AUC {single:.2f} against {model:.2f}): "
        "nothing to do."
    )
    return TrustCheck(NAME, "ok", difference, FIGURE, LOOK_DIFFERENCE, advice, details)


def single_feature_auc(
    x: Floats, codes: Ints, subject: Ints, *, random_state: int = 0
) -> tuple[float, int]:
    """Cross-validated AUC of the best single feature.

    In each fold the feature is chosen on the other folds; its values there turn those of the
    fold into quantiles, so that folds of different features can be ranked together. Choosing on
    all rows would favour the luckiest of many features.

    Parameters
    ----------
    x
        Measurements, shape (n, p).
    codes
        Classes 0 to K - 1, each present, shape (n,).
    subject
        Subject numbers, shape (n,); a subject's rows stay in one fold.
    random_state
        Seed of the folds.

    Returns
    -------
    The AUC (more than two classes: mean of one against the rest) and the column that is best on
    all rows.
    """
    k = int(codes.max()) + 1
    ranked = np.empty((len(codes), k))
    for learned, tested in folds(codes, subject, N_SPLITS, random_state):
        auc = feature_auc(x[learned], codes[learned], k)
        best = _best(auc)
        column = np.sort(x[learned, best])
        quantile = np.searchsorted(column, x[tested, best]) / len(column)
        ranked[tested] = np.where(auc[:, best] >= 0.5, quantile[:, None], 1.0 - quantile[:, None])
    return _auc(ranked, codes), _best(feature_auc(x, codes, k))


def _best(auc: Floats) -> int:
    return int(np.argmax(np.maximum(auc, 1.0 - auc).mean(axis=0)))


def _auc(scores: Floats, codes: Ints) -> float:
    """Mean over classes of one-against-rest AUC; two classes: of the second."""
    columns = [1] if scores.shape[1] == 2 else range(scores.shape[1])
    return float(np.mean([roc_auc_score(codes == k, scores[:, k]) for k in columns]))
