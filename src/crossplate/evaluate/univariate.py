"""Each feature by itself: does it differ between classes, how much, and which way."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, kruskal, mannwhitneyu

from crossplate.evaluate.scores import Floats

__all__ = ["FeatureTests", "univariate_tests"]


@dataclass(frozen=True)
class FeatureTests:
    """Tests and effects of all features, of shape (p,) but for ``deltas``.

    Attributes
    ----------
    p
        P-value of Mann and Whitney's test, two-sided; more than two classes: Kruskal and Wallis's.
        NaN where a class has no value, 1 where all values are equal.
    q
        P-values adjusted for the number of features by Benjamini and Hochberg's rule.
    effect
        Cliff's delta of ``effect_class`` against the other classes: the probability that its value
        is the higher one, less that it is the lower one; −1 to 1.
    effect_class
        Code of the class that ``effect`` is about: two classes, the second; more, the one that
        is farthest from the rest.
    deltas
        Cliff's delta of each class against the others, shape (K, p).
    """

    p: Floats
    q: Floats
    effect: Floats
    effect_class: NDArray[np.intp]
    deltas: Floats


def univariate_tests(x: Floats, codes: NDArray[np.intp]) -> FeatureTests:
    """Test every feature between classes.

    Parameters
    ----------
    x
        One row a subject, shape (m, p); NaN is missing.
    codes
        Class of each row, 0 to K − 1, K at least 2.
    """
    p = _p_values(x, codes)
    tested = np.isfinite(p)
    q = np.full(len(p), np.nan)
    if tested.any():
        q[tested] = false_discovery_control(p[tested], method="bh")
    deltas = _cliffs_delta(x, codes)
    farthest = np.argmax(np.abs(np.nan_to_num(deltas)), axis=0)
    about = np.ones_like(farthest) if len(deltas) == 2 else farthest
    return FeatureTests(p, q, deltas[about, np.arange(x.shape[1])], about, deltas)


def _p_values(x: Floats, codes: NDArray[np.intp]) -> Floats:
    groups = [x[codes == code] for code in range(int(codes.max()) + 1)]
    test: Any = mannwhitneyu if len(groups) == 2 else kruskal
    complete = np.isfinite(x).all(axis=0)
    p = np.full(x.shape[1], np.nan)
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        # Constant features and classes without a value are dealt with below.
        warnings.simplefilter("ignore")
        # Gaps take scipy column by column, so only the columns that have any are given so.
        for columns, policy in ((complete, "propagate"), (~complete, "omit")):
            if columns.any():
                some = [group[:, columns] for group in groups]
                p[columns] = test(*some, axis=0, nan_policy=policy).pvalue
    measured = np.array([np.isfinite(group).any(axis=0) for group in groups]).all(axis=0)
    equal = ~(np.fmax.reduce(x, axis=0) > np.fmin.reduce(x, axis=0))
    found: Floats = np.where(measured, np.where(equal, 1.0, p), np.nan)
    return found


def _cliffs_delta(x: Floats, codes: NDArray[np.intp]) -> Floats:
    """Cliff's delta of each class against the rest, shape (K, p)."""
    ranks = pd.DataFrame(x).rank(axis=0).to_numpy()
    present = np.isfinite(x)
    deltas = np.empty((int(codes.max()) + 1, x.shape[1]))
    for code in range(len(deltas)):
        inside = codes == code
        n_in, n_out = present[inside].sum(axis=0), present[~inside].sum(axis=0)
        wins = np.nansum(ranks[inside], axis=0) - n_in * (n_in + 1) / 2
        with np.errstate(invalid="ignore", divide="ignore"):
            deltas[code] = 2 * wins / (n_in * n_out) - 1
    return deltas
