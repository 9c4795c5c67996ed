"""Whether there are enough subjects for an accuracy of the precision that is claimed."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crossplate.evaluate.scores import Labels
from crossplate.evaluate.trust.check import NO_PROBA, TrustCheck, Verdict, graded
from crossplate.evaluate.trust.units import Floats, codes_of_columns, units_of

NAME = "precision"
FIGURE = "expected width of the 95 % interval of the source's balanced accuracy"
LOOK_WIDTH = 0.15
STOP_WIDTH = 0.30

__all__ = ["check_precision", "expected_width"]


def expected_width(recall: Floats, subjects: Floats) -> float:
    """Width of the 95 % interval of the balanced accuracy, from numbers of subjects.

    Normal approximation with two successes and two failures added to each class [Agresti1998]_,
    so that a class all right in a handful of subjects is not taken for certain.

    Parameters
    ----------
    recall
        Share of each class's subjects called right, shape (K,).
    subjects
        Subjects of each class, shape (K,).

    References
    ----------
    .. [Agresti1998] A. Agresti, B. A. Coull, Approximate is better than "exact" for interval
       estimation of binomial proportions, The American Statistician 52, 1998.
    """
    n = subjects + 4.0
    p = (recall * subjects + 2.0) / n
    return float(2 * 1.96 * np.sqrt((p * (1 - p) / n).sum()) / len(n))


def check_precision(
    proba: pd.DataFrame | None,
    target: NDArray[np.bool_],
    batch: Labels,
    label: Labels,
    subject: Labels | None = None,
) -> TrustCheck:
    """Check whether there are subjects enough to claim an accuracy.

    The interval is the one to expect from the number of labelled source subjects of each class
    and their recalls in cross-validation. "look" from a width of `LOOK_WIDTH` on (0.80 to 0.95,
    say), "stop" from `STOP_WIDTH`, or with fewer than two subjects of a class.

    Parameters
    ----------
    proba
        Class probabilities, shape (n, K), columns named by class; source rows from
        cross-validation. None: there are none.
    target
        True for rows of the target, shape (n,).
    batch, label, subject
        Of each row, shape (n,). Labels of target rows are not read.

    Returns
    -------
    TrustCheck
        Not applicable without source probabilities.

    Raises
    ------
    InputError
        If a label is none of the columns of ``proba``.
    """
    if proba is None:
        return TrustCheck.not_applicable(NAME, FIGURE, NO_PROBA)
    codes = codes_of_columns(proba, label, ~target)
    p = proba.to_numpy(np.float64)
    rows = np.flatnonzero(np.isfinite(p).all(axis=1) & (codes >= 0))
    if not len(rows):
        return TrustCheck.not_applicable(NAME, FIGURE, NO_PROBA)
    units = units_of(batch, subject, codes, rows)
    known = codes[rows][units.first]
    right = units.shares(p[rows]).argmax(axis=1) == known
    counts = np.array([(known == code).sum() for code in range(p.shape[1])], dtype=np.float64)
    recall = np.array([right[known == code].mean() if (known == code).any() else 0.5
                       for code in range(p.shape[1])])  # fmt: skip
    width = expected_width(recall, counts)
    needed = int(np.ceil(counts.sum() * (width / LOOK_WIDTH) ** 2))
    details = {
        "subjects": {str(name): int(n) for name, n in zip(proba.columns, counts, strict=True)},
        "balanced_accuracy": float(recall.mean()),
        "subjects_needed": needed,
    }
    verdict: Verdict = "stop" if counts.min() < 2 else graded(width, LOOK_WIDTH, STOP_WIDTH)
    if verdict == "ok":
        advice = f"{counts.sum():.0f} subjects give an interval {width:.2f} wide: nothing to do."
    else:
        advice = (
            f"{counts.sum():.0f} subjects leave the accuracy uncertain by {width:.2f} (95 % "
            f"interval): claim no more than that, or label about {needed} in all."
        )
    return TrustCheck(NAME, verdict, width, FIGURE, LOOK_WIDTH, advice, details)
