"""Scores where each subject counts a number of times, for many such countings at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossplate.evaluate.scores import Floats

__all__ = ["SubjectSums", "subject_sums", "weighted_scores"]


@dataclass(frozen=True)
class _Ranked:
    """Rows in the order of one class's probability; equal ones make one group."""

    subject: NDArray[np.intp]
    inside: Floats
    starts: NDArray[np.intp]


@dataclass(frozen=True)
class SubjectSums:
    """What the scores are made of, subject by subject.

    Attributes
    ----------
    confusion
        Rows of each subject, true and predicted class, shape (subjects, K, K).
    squared_error
        Sum of each subject's squared errors of the probabilities, shape (subjects,).
    ranked
        Rows in the order of a class's probability, for each class whose ROC AUC counts.
    positive
        Code of the positive class; None with more than two classes.
    """

    confusion: Floats
    squared_error: Floats
    ranked: tuple[_Ranked, ...]
    positive: int | None


def subject_sums(
    codes: NDArray[np.intp],
    p: Floats,
    who: NDArray[np.intp],
    n_subjects: int,
    positive: int | None,
) -> SubjectSums:
    """Gather what the scores are made of.

    Parameters
    ----------
    codes
        Class code of each row, none missing, shape (n,).
    p
        Class probabilities, shape (n, K).
    who
        Subject number of each row, 0 to ``n_subjects`` - 1, shape (n,).
    n_subjects
        Subjects.
    positive
        Code of the positive class; None with more than two classes.
    """
    n_classes = p.shape[1]
    confusion = np.zeros((n_subjects, n_classes, n_classes))
    np.add.at(confusion, (who, codes, p.argmax(axis=1)), 1.0)
    if positive is None:
        error = ((p - np.eye(n_classes)[codes]) ** 2).sum(axis=1)
    else:
        error = (p[:, positive] - (codes == positive)) ** 2
    present = np.unique(codes)
    columns = present if positive is None else [positive]
    ranked = [_ranked(codes == k, p[:, k], who) for k in columns] if len(present) > 1 else []
    squared_error = np.bincount(who, weights=error, minlength=n_subjects).astype(np.float64)
    return SubjectSums(confusion, squared_error, tuple(ranked), positive)


def _ranked(inside: NDArray[np.bool_], p: Floats, who: NDArray[np.intp]) -> _Ranked:
    order = np.argsort(p, kind="stable")
    in_order = p[order]
    starts = np.flatnonzero(np.r_[True, in_order[1:] != in_order[:-1]])
    return _Ranked(who[order], inside[order].astype(np.float64), starts)


def weighted_scores(sums: SubjectSums, weights: Floats) -> dict[str, Floats]:
    """Scores of `crossplate.evaluate.Scores`, subjects counted as often as ``weights`` says.

    Parameters
    ----------
    sums
        Of the subjects.
    weights
        How often each subject counts, shape (countings, subjects).

    Returns
    -------
    Name to scores of shape (countings,), NaN where a score does not exist.
    """
    confusion = np.tensordot(weights, sums.confusion, axes=1)
    rows = confusion.sum(axis=(1, 2))
    true, predicted = confusion.sum(axis=2), confusion.sum(axis=1)
    right = np.einsum("bkk->bk", confusion)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = np.where(true > 0, right / true, np.nan)
        f1 = np.where(true + predicted > 0, 2 * right / (true + predicted), np.nan)
        return {
            "accuracy": right.sum(axis=1) / rows,
            "balanced_accuracy": np.nanmean(recall, axis=1),
            "f1": np.nanmean(f1, axis=1) if sums.positive is None else f1[:, sums.positive],
            "mcc": _mcc(rows, true, predicted, right.sum(axis=1)),
            "roc_auc": _roc_auc(sums.ranked, weights),
            "brier": weights @ sums.squared_error / rows,
        }


def _mcc(rows: Floats, true: Floats, predicted: Floats, right: Floats) -> Floats:
    """Matthews' coefficient of K classes; 0 where all true or all predicted labels are alike."""
    covariance = right * rows - (true * predicted).sum(axis=1)
    spread = (rows**2 - (true**2).sum(axis=1)) * (rows**2 - (predicted**2).sum(axis=1))
    mcc: Floats = np.where(spread > 0, covariance / np.sqrt(spread), 0.0)
    return mcc


def _roc_auc(ranked: tuple[_Ranked, ...], weights: Floats) -> Floats:
    """Mean over classes of the weighted share of pairs in the right order, ties counted half."""
    areas = np.full((max(len(ranked), 1), len(weights)), np.nan)
    for place, one in enumerate(ranked):
        w = weights[:, one.subject]
        all_rows = np.add.reduceat(w, one.starts, axis=1)
        inside = np.add.reduceat(w * one.inside, one.starts, axis=1)
        outside = all_rows - inside
        below = np.cumsum(outside, axis=1) - 0.5 * outside
        areas[place] = (inside * below).sum(axis=1) / (inside.sum(axis=1) * outside.sum(axis=1))
    known = np.isfinite(areas)
    mean: Floats = np.where(known, areas, 0.0).sum(axis=0) / known.sum(axis=0)
    return mean
