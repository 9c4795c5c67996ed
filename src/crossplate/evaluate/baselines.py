"""Simple methods that a result is shown beside, and must beat.

All take measurements that were standardised within each batch (``z``: usually logarithms first,
see `crossplate.scaling`), learn from the labelled rows that are not ``target`` and return class
probabilities of the ``target`` rows. Labels of target rows are never read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from crossplate.errors import InputError
from crossplate.evaluate.scores import Labels

Floats = NDArray[np.float64]


# Least steepness of a single feature's probabilities: they keep the feature's order even where
# the logistic regression finds nothing in it.
_LEAST_SLOPE = 0.01


@dataclass(frozen=True)
class SingleFeature:
    """The one feature that separates the labelled source best, used as a classifier.

    Attributes
    ----------
    name
        Name of the feature (its column number where ``z`` had no names).
    source_auc
        Area under its ROC curve in the labelled source, 0.5 to 1, whichever direction; more than
        two classes: mean over classes of one against the rest.
    higher_class
        Two classes: the class in which the feature is higher in the source; more: None.
    threshold
        Two classes: value of ``z`` (standard deviations of the batch) above which
        ``higher_class`` is predicted; more: None.
    proba
        Class probabilities of the target rows, as from `fit_predict`.
    """

    name: str
    source_auc: float
    higher_class: Any | None
    threshold: float | None
    proba: pd.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """Return what was chosen, without the probabilities, as plain values for JSON."""
        return {
            "name": self.name,
            "source_auc": self.source_auc,
            "higher_class": self.higher_class,
            "threshold_sd": self.threshold,
        }


def fit_predict(
    estimator: Any, z: pd.DataFrame | ArrayLike, y: Labels, target: ArrayLike
) -> pd.DataFrame:
    """Teach a classifier on the labelled source and return its probabilities on the target.

    Parameters
    ----------
    estimator
        Classifier with ``fit(X, y)`` and ``predict_proba(X)`` in scikit-learn's manner. A clone
        is fitted; the classes it sees are numbered 0 to K − 1 in sorted order.
    z
        Standardised measurements, shape (n, p), no missing value. A DataFrame's index and names
        are kept.
    y
        Labels, shape (n,), missing (None, NaN, NA) for unlabelled rows.
    target
        Rows to predict, boolean, shape (n,). Their labels are not read.

    Returns
    -------
    pandas.DataFrame
        One row a target row (index of ``z``, or row numbers), one column a class, classes sorted.

    Raises
    ------
    InputError
        If shapes do not fit, ``z`` has missing or infinite values, there is no target row, or
        the labelled source rows have fewer than two classes.
    """
    frame, codes, classes, rows = _split(z, y, target)
    return _probabilities(_fitted(estimator, frame, codes), frame, classes, rows)


def zscore_logistic_regression(
    z: pd.DataFrame | ArrayLike, y: Labels, target: ArrayLike, *, C: float = 0.1
) -> pd.DataFrame:
    """Per-batch z-score and logistic regression, the method that must be beaten.

    Parameters
    ----------
    z, y, target
        As in `fit_predict`.
    C
        Inverse strength of the ridge penalty. Fixed, because a choice by cross-validation within
        a batch says little about another batch.

    Returns
    -------
    pandas.DataFrame
        Class probabilities of the target rows, as from `fit_predict`.

    Raises
    ------
    InputError
        As `fit_predict`.
    """
    return fit_predict(LogisticRegression(C=C, max_iter=10_000), z, y, target)


def best_single_feature(z: pd.DataFrame | ArrayLike, y: Labels, target: ArrayLike) -> SingleFeature:
    """Choose the best single feature on the labelled source and predict the target with it.

    The feature is the one of highest AUC in the labelled source rows (more than two classes:
    highest mean over classes of one-against-rest AUC; of equal ones the first).

    Two classes: the direction is that of the AUC, the threshold the cut of highest balanced
    accuracy in the same rows, which unlike a fitted curve is not moved by values far from it. The
    probability is the logistic function of the distance to the threshold, as steep as a logistic
    regression on that feature. More than two classes: a logistic regression on that feature.

    Parameters
    ----------
    z, y, target
        As in `fit_predict`; ``z`` as a DataFrame gives the feature its name.

    Raises
    ------
    InputError
        As `fit_predict`.
    """
    frame, codes, classes, rows = _split(z, y, target)
    source = codes >= 0
    auc = _feature_auc(frame.to_numpy()[source], codes[source], len(classes))
    separation = np.maximum(auc, 1.0 - auc).mean(axis=0)
    best = int(np.argmax(separation))
    chosen = frame.iloc[:, [best]]
    # One feature needs no penalty to speak of; a weak one keeps perfect separation finite.
    model = _fitted(LogisticRegression(C=10.0, max_iter=10_000), chosen, codes)
    name, source_auc = str(frame.columns[best]), float(separation[best])
    if len(classes) > 2:
        proba = _probabilities(model, chosen, classes, rows)
        return SingleFeature(name, source_auc, None, None, proba)
    sign = 1.0 if auc[1, best] >= 0.5 else -1.0
    oriented = sign * chosen.iloc[:, 0].to_numpy()
    cut = _best_cut(oriented[source], codes[source] == 1)
    slope = max(sign * float(model.coef_[0, 0]), _LEAST_SLOPE)
    second = expit(slope * (oriented[rows] - cut))
    return SingleFeature(
        name=name,
        source_auc=source_auc,
        higher_class=classes[1] if sign > 0 else classes[0],
        threshold=sign * cut,
        proba=pd.DataFrame(
            np.column_stack([1.0 - second, second]),
            index=frame.index[rows],
            columns=pd.Index(classes),
        ),
    )


def _best_cut(values: Floats, positive: NDArray[np.bool_]) -> float:
    """Cut between two values with the highest balanced accuracy of "above: positive".

    Of equally good cuts the middle one.
    """
    distinct, place = np.unique(values, return_inverse=True)
    if len(distinct) == 1:
        return float(distinct[0])
    below_positive = np.cumsum(np.bincount(place[positive], minlength=len(distinct)))[:-1]
    below_negative = np.cumsum(np.bincount(place[~positive], minlength=len(distinct)))[:-1]
    gain = below_negative / (~positive).sum() - below_positive / positive.sum()
    ties = np.flatnonzero(gain >= gain.max() - 1e-12)
    at = ties[len(ties) // 2]
    return float((distinct[at] + distinct[at + 1]) / 2)


def _fitted(estimator: Any, frame: pd.DataFrame, codes: NDArray[np.intp]) -> Any:
    source = codes >= 0
    return clone(estimator).fit(frame.to_numpy()[source], codes[source])


def _probabilities(
    model: Any, frame: pd.DataFrame, classes: list[Any], rows: NDArray[np.bool_]
) -> pd.DataFrame:
    return pd.DataFrame(
        np.asarray(model.predict_proba(frame.to_numpy()[rows]), dtype=np.float64),
        index=frame.index[rows],
        columns=pd.Index(classes),
    )


def _feature_auc(z: Floats, codes: NDArray[np.intp], n_classes: int) -> Floats:
    """AUC of every feature for each class against the rest (Mann and Whitney), shape (K, p)."""
    ranks = pd.DataFrame(z).rank(axis=0).to_numpy()
    auc = np.empty((n_classes, z.shape[1]))
    for code in range(n_classes):
        inside = codes == code
        n_in = int(inside.sum())
        wins = ranks[inside].sum(axis=0) - n_in * (n_in + 1) / 2
        auc[code] = wins / (n_in * (len(codes) - n_in))
    return auc


def _split(
    z: pd.DataFrame | ArrayLike, y: Labels, target: ArrayLike
) -> tuple[pd.DataFrame, NDArray[np.intp], list[Any], NDArray[np.bool_]]:
    """Return z, class codes (−1: not to learn from), sorted classes and the target rows."""
    frame = z if isinstance(z, pd.DataFrame) else pd.DataFrame(np.asarray(z))
    frame = frame.astype(np.float64)
    labels = np.array(pd.Series(y, dtype=object), dtype=object)
    rows = np.asarray(target)
    if rows.dtype != np.bool_ or not len(frame) == len(labels) == len(rows):
        raise InputError(
            f"z has {len(frame)} rows, y {len(labels)} and target {len(rows)} of type "
            f"{rows.dtype}; give one label and one boolean a row."
        )
    if not rows.any():
        raise InputError(f"None of the {len(rows)} rows is a target row; mark those to predict.")
    wrong = ~np.isfinite(frame.to_numpy())
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise InputError(
            f"{wrong.sum()} values of z are missing or infinite (the first in row "
            f"{frame.index[row]!r}, feature {frame.columns[column]!r}); impute them first."
        )
    source = ~rows & ~np.asarray(pd.isna(labels), dtype=bool)
    classes = sorted(set(labels[source]))
    if len(classes) < 2:
        raise InputError(
            f"The {source.sum()} labelled source rows have {len(classes)} classes; give labelled "
            "rows of at least two."
        )
    codes = np.full(len(labels), -1, dtype=np.intp)
    codes[source] = pd.Index(classes, dtype=object).get_indexer(labels[source])
    return frame, codes, classes, rows
