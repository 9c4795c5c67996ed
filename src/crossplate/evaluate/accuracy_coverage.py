"""How much more often calls are right when the least sure are left out."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from crossplate.errors import InputError
from crossplate.evaluate.scores import Floats, Labels, checked_proba, score

COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
"""Shares of rows called; fewer than a tenth say little about any but large studies."""

__all__ = ["COVERAGES", "AccuracyCoverage", "CoveragePoint", "accuracy_coverage"]


@dataclass(frozen=True)
class CoveragePoint:
    """The surest rows.

    Attributes
    ----------
    coverage
        Share of rows that was asked for.
    n
        Rows that come closest to it, at least one.
    accuracy
        Share of them whose predicted class is the true one.
    """

    coverage: float
    n: int
    accuracy: float

    def to_dict(self) -> dict[str, Any]:
        """Return the point as plain values that ``json.dumps`` accepts."""
        return {"coverage": self.coverage, "n": self.n, "accuracy": self.accuracy}


@dataclass(frozen=True)
class AccuracyCoverage:
    """Accuracy of the surest rows, by how many of all rows they are.

    Attributes
    ----------
    n
        Rows with a known label.
    aurc
        Area under the risk-coverage curve: the share of wrong calls among the surest k rows, mean
        over k = 1 … n. 0 is perfect; without any order by sureness it is ``error``.
    error
        Share of wrong calls among all rows.
    curve
        Points in the order of the coverages asked for.
    """

    n: int
    aurc: float
    error: float
    curve: tuple[CoveragePoint, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values that ``json.dumps`` accepts."""
        return {
            "n": self.n,
            "aurc": self.aurc,
            "error": self.error,
            "curve": [one.to_dict() for one in self.curve],
        }

    def to_frame(self) -> pd.DataFrame:
        """One row a point; columns ``coverage, n, accuracy``."""
        return pd.DataFrame([one.to_dict() for one in self.curve])


def accuracy_coverage(
    y_true: Labels,
    proba: ArrayLike,
    classes: Iterable[Hashable],
    *,
    coverages: Sequence[float] = COVERAGES,
) -> AccuracyCoverage:
    """Accuracy when only the surest rows are called [ElYaniv2010]_.

    A row is the surer the higher the probability of its predicted class. Rows of equal sureness
    that a coverage divides count with their mean accuracy.

    Parameters
    ----------
    y_true, proba, classes
        As in `crossplate.evaluate.score`. Rows without a label, or of a class that is none of
        ``classes``, are left out.
    coverages
        Shares of rows to call, above 0 and up to 1.

    Raises
    ------
    InputError
        As `crossplate.evaluate.score`; or a coverage out of range.

    References
    ----------
    .. [ElYaniv2010] R. El-Yaniv, Y. Wiener, On the foundations of noise-free selective
       classification, Journal of Machine Learning Research 11:1605, 2010.
    """
    wrong = [share for share in coverages if not 0 < share <= 1]
    if wrong:
        raise InputError(f"coverages holds {wrong[0]!r}; give shares above 0 and up to 1.")
    names = list(score(y_true, proba, classes).classes)
    codes = pd.Index(names, dtype=object).get_indexer(
        np.array(pd.Series(y_true, dtype=object), dtype=object)
    )
    known = codes >= 0
    p = checked_proba(proba, len(names))[known]
    right = _right_by_sureness(p.max(axis=1), p.argmax(axis=1) == codes[known])
    n = len(right)
    accuracy = np.cumsum(right) / np.arange(1, n + 1)
    numbers = [max(1, round(share * n)) for share in coverages]
    return AccuracyCoverage(
        n=n,
        aurc=float(1 - accuracy.mean()),
        error=float(1 - accuracy[-1]),
        curve=tuple(
            CoveragePoint(float(share), k, float(accuracy[k - 1]))
            for share, k in zip(coverages, numbers, strict=True)
        ),
    )


def _right_by_sureness(confidence: Floats, right: NDArray[np.bool_]) -> Floats:
    """Whether each row is right, the surest first; rows of equal sureness share their mean."""
    levels, places = np.unique(-confidence, return_inverse=True)
    share = np.bincount(places, weights=right) / np.bincount(places, minlength=len(levels))
    return np.asarray(share[np.sort(places)])
