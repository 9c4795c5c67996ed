"""Scores of predicted class probabilities against known labels."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    matthews_corrcoef,
    recall_score,
    roc_auc_score,
)

from crossplate.errors import InputError

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Labels = ArrayLike | Sequence[Any]  # the second for lists with None among the texts

# Probabilities of single-precision networks add to one only to about 1e-6.
_SUM_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Scores:
    """What predictions are worth on the rows whose label is known.

    Attributes
    ----------
    n
        Rows scored.
    n_unlabelled
        Rows left out because their true label is missing.
    n_unknown_class
        Rows left out because their true label is none of ``classes``. The classifier cannot get
        them right, so every score below is too good by their share: report the number.
    classes
        Classes in the order of the probability columns and of the confusion matrix.
    counts, predicted_counts
        Scored rows by true class and by predicted class, in the order of ``classes``.
    accuracy
        Share of rows whose predicted class is the true one.
    balanced_accuracy
        Mean recall of the classes present in the true labels.
    f1
        Two classes: F1 of ``positive_class``; more: unweighted mean over the classes that are
        present or predicted. None where the positive class is neither present nor predicted.
    f1_average
        ``"binary"`` or ``"macro"``: which of the two ``f1`` is.
    positive_class
        Two classes: the second of the sorted classes; more: None.
    mcc
        Matthews' correlation coefficient; 0 where all true or all predicted labels are alike.
    roc_auc
        Area under the ROC curve, from the probabilities and not from the predicted classes. More
        than two classes: unweighted mean of one class against the rest, over the classes present.
        None where fewer than two classes are present.
    brier
        Two classes: mean of (p − y)² of the positive class, from 0 to 1; more: mean over rows of
        the squared errors summed over classes, from 0 to 2.
    confusion
        Rows counted by true class (rows) and predicted class (columns).
    collapsed
        All rows, labelled or not, are predicted to be one class and there is more than one row.
    """

    n: int
    n_unlabelled: int
    n_unknown_class: int
    classes: tuple[Any, ...]
    counts: tuple[int, ...]
    predicted_counts: tuple[int, ...]
    accuracy: float
    balanced_accuracy: float
    f1: float | None
    f1_average: str
    positive_class: Any | None
    mcc: float
    roc_auc: float | None
    brier: float
    confusion: tuple[tuple[int, ...], ...]
    collapsed: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the scores as plain values that ``json.dumps`` accepts."""
        names = [str(name) for name in self.classes]
        return {
            "n": self.n,
            "n_unlabelled": self.n_unlabelled,
            "n_unknown_class": self.n_unknown_class,
            "counts": dict(zip(names, self.counts, strict=True)),
            "predicted_counts": dict(zip(names, self.predicted_counts, strict=True)),
            "accuracy": self.accuracy,
            "balanced_accuracy": self.balanced_accuracy,
            "f1": self.f1,
            "f1_average": self.f1_average,
            "positive_class": self.positive_class,
            "mcc": self.mcc,
            "roc_auc": self.roc_auc,
            "brier": self.brier,
            "confusion_matrix": {
                "classes": list(self.classes),
                "rows_true_columns_predicted": [list(row) for row in self.confusion],
            },
            "collapsed": self.collapsed,
        }


def score(y_true: Labels, proba: ArrayLike, classes: Iterable[Hashable]) -> Scores:
    """Score class probabilities against true labels.

    The predicted class of a row is the one of highest probability; of equal ones the first.

    Parameters
    ----------
    y_true
        True labels, shape (n,). Missing ones (None, NaN, NA) are left out and counted.
    proba
        Class probabilities, shape (n, K), rows adding to 1, columns in the order of ``classes``.
    classes
        The K ≥ 2 distinct classes, of one type that can be sorted.

    Raises
    ------
    InputError
        If the shapes do not fit, the probabilities are none, or no row has a label to score.
    """
    names = _checked_classes(classes)
    p = checked_proba(proba, len(names))
    labels = np.array(pd.Series(y_true, dtype=object), dtype=object)
    if labels.shape != (len(p),):
        raise InputError(
            f"y_true has {len(labels)} labels and proba {len(p)} rows; give one label a row."
        )
    unlabelled = np.asarray(pd.isna(labels), dtype=bool)
    codes = np.full(len(labels), -1, dtype=np.intp)
    codes[~unlabelled] = pd.Index(names, dtype=object).get_indexer(labels[~unlabelled])
    known = codes >= 0
    if not known.any():
        raise InputError(
            f"None of the {len(labels)} rows carries a label out of {_listed(names)}, "
            "so there is nothing to score; leave the scores out or give labels."
        )
    predicted = np.argmax(p, axis=1)
    return _scores_of_codes(
        codes[known],
        predicted[known],
        p[known],
        names,
        n_unlabelled=int(unlabelled.sum()),
        n_unknown_class=int((~known & ~unlabelled).sum()),
        collapsed=len(predicted) > 1 and len(np.unique(predicted)) == 1,
    )


def _scores_of_codes(
    true: Codes,
    predicted: Codes,
    p: Floats,
    classes: tuple[Any, ...],
    *,
    n_unlabelled: int,
    n_unknown_class: int,
    collapsed: bool,
) -> Scores:
    n_classes = len(classes)
    binary = n_classes == 2
    positive = classes.index(sorted(classes)[1]) if binary else None
    confusion = confusion_matrix(true, predicted, labels=np.arange(n_classes))
    return Scores(
        n=len(true),
        n_unlabelled=n_unlabelled,
        n_unknown_class=n_unknown_class,
        classes=classes,
        counts=tuple(int(count) for count in confusion.sum(axis=1)),
        predicted_counts=tuple(int(count) for count in confusion.sum(axis=0)),
        accuracy=float(accuracy_score(true, predicted)),
        balanced_accuracy=_balanced_accuracy(true, predicted),
        f1=_f1(true, predicted, positive),
        f1_average="binary" if binary else "macro",
        positive_class=None if positive is None else classes[positive],
        mcc=_mcc(true, predicted),
        roc_auc=_roc_auc(true, p, positive),
        brier=_brier(true, p, positive),
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
        collapsed=collapsed,
    )


def _balanced_accuracy(true: Codes, predicted: Codes) -> float:
    # balanced_accuracy_score is the same number but warns of classes predicted and not present.
    present = np.unique(true)
    return float(recall_score(true, predicted, labels=present, average="macro", zero_division=0))


def _f1(true: Codes, predicted: Codes, positive: int | None) -> float | None:
    if positive is None:
        return float(f1_score(true, predicted, average="macro", zero_division=0))
    value = f1_score(true == positive, predicted == positive, pos_label=True, zero_division=np.nan)
    return None if np.isnan(value) else float(value)


def _mcc(true: Codes, predicted: Codes) -> float:
    if len(np.unique(true)) == 1 or len(np.unique(predicted)) == 1:
        return 0.0
    return float(matthews_corrcoef(true, predicted))


def _roc_auc(true: Codes, p: Floats, positive: int | None) -> float | None:
    present = np.unique(true)
    if len(present) < 2:
        return None
    columns = present if positive is None else [positive]
    return float(np.mean([roc_auc_score(true == column, p[:, column]) for column in columns]))


def _brier(true: Codes, p: Floats, positive: int | None) -> float:
    if positive is None:
        truth = np.eye(p.shape[1])[true]
        return float(np.mean(np.sum((p - truth) ** 2, axis=1)))
    return float(np.mean((p[:, positive] - (true == positive)) ** 2))


def _checked_classes(classes: Iterable[Hashable]) -> tuple[Any, ...]:
    names = tuple(name.item() if isinstance(name, np.generic) else name for name in classes)
    if len(names) < 2 or len(set(names)) < len(names):
        raise InputError(
            f"classes must be at least two distinct classes; these were given: {_listed(names)}."
        )
    return names


def checked_proba(proba: ArrayLike, n_classes: int) -> Floats:
    """Return class probabilities as floats, shape (n, n_classes).

    Raises
    ------
    InputError
        If the shape does not fit or a row is not finite, not negative and adding to 1.
    """
    p = np.asarray(proba, dtype=np.float64)
    if p.ndim != 2 or p.shape[1] != n_classes:
        raise InputError(
            f"proba has shape {p.shape}; give one row a sample and {n_classes} columns, "
            "one a class."
        )
    wrong = ~np.isfinite(p).all(axis=1)
    wrong |= (p < 0).any(axis=1) | (np.abs(p.sum(axis=1) - 1) > _SUM_TOLERANCE)
    if wrong.any():
        raise InputError(
            f"{wrong.sum()} of {len(p)} rows of proba (the first is row {np.argmax(wrong)}) are "
            "no probabilities that add to 1; find out why the classifier returned them."
        )
    return p


def _listed(names: Sequence[Any]) -> str:
    return ", ".join(repr(name) for name in names) or "none"
