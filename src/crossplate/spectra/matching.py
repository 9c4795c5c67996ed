"""Features of two tables that are the same ion, found by their m/z."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from crossplate.errors import InputError
from crossplate.table import SampleTable

__all__ = ["Matching", "feature_mz", "match_features", "match_tables"]

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

_PPM = 1e6
# Shifts up to this multiple of the tolerance are looked for.
_LARGEST_SHIFT = 5.0
# Pairs whose median is the shift at one m/z; with fewer than twice as many the shift is constant.
_NEIGHBOURS = 51
# Each round follows a varying shift some way further; few shifts take more than five.
_MOST_ROUNDS = 30
_NAME = re.compile(r"\D*?(\d+(?:\.\d+)?)\D*")


@dataclass(frozen=True, eq=False)
class Matching:
    """Pairs of features, one of each list, that are the same ion.

    Attributes
    ----------
    pairs
        Places in the two lists, shape (k, 2), in the order of m/z; no place stands twice.
    shift
        How much higher the second list reads than the first, in ppm, at each pair, shape (k,).
    error
        What is left of the difference of each pair without the shift, in ppm, shape (k,).
    ambiguous
        Whether one of the pair had another partner within the tolerance, shape (k,).
    unmatched_a, unmatched_b
        Places in the lists that are in no pair.
    """

    pairs: Integers
    shift: Floats
    error: Floats
    ambiguous: NDArray[np.bool_]
    unmatched_a: Integers
    unmatched_b: Integers

    def to_frame(self, names_a: Sequence[str], names_b: Sequence[str]) -> pd.DataFrame:
        """One row a pair: both names, shift and error in ppm, whether it is ambiguous."""
        return pd.DataFrame(
            {
                "feature_a": [names_a[at] for at in self.pairs[:, 0]],
                "feature_b": [names_b[at] for at in self.pairs[:, 1]],
                "shift_ppm": self.shift,
                "error_ppm": self.error,
                "ambiguous": self.ambiguous,
            }
        )


def match_features(mz_a: ArrayLike, mz_b: ArrayLike, ppm: float = 10.0) -> Matching:
    """Pair the m/z of two lists, each with the one that is nearest on either side.

    First the shift between the lists is estimated: a constant one where most differences agree,
    then, if there are at least 102 pairs, the running median of the differences of 51 neighbours
    along m/z. Two m/z are a pair if, without the shift, they are nearest to one another and not
    further apart than the tolerance.

    Parameters
    ----------
    mz_a, mz_b
        m/z in any order, shapes (n,) and (m,), above 0, none twice in a list.
    ppm
        Tolerance, in ppm of m/z. The default is that of a well calibrated time-of-flight
        instrument. Shifts up to five times as large are found.

    Raises
    ------
    InputError
        If a list is empty, a value is not above 0, stands twice, or the tolerance is not above 0.
    """
    if not ppm > 0:
        raise InputError(f"the tolerance is {ppm:g} ppm; it must be above 0")
    a, b = _checked(mz_a, "first"), _checked(mz_b, "second")
    order_a, order_b = np.argsort(a), np.argsort(b)
    log_a, log_b = np.log(a[order_a]), np.log(b[order_b])
    tolerance = np.log1p(ppm / _PPM)
    shift = np.full(len(log_b), _constant_shift(log_a, log_b, tolerance))
    at_a, at_b = _mutual_nearest(log_a, log_b - shift, tolerance)
    for _ in range(_MOST_ROUNDS):
        before = at_b
        shift = _smooth_shift(log_b, at_b, log_b[at_b] - log_a[at_a], shift)
        at_a, at_b = _mutual_nearest(log_a, log_b - shift, tolerance)
        if np.array_equal(before, at_b):
            break
    ambiguous = _has_rival(log_a, log_b - shift, at_a, at_b, tolerance)
    error = log_b[at_b] - shift[at_b] - log_a[at_a]
    return Matching(
        pairs=np.column_stack([order_a[at_a], order_b[at_b]]),
        shift=np.expm1(shift[at_b]) * _PPM,
        error=np.expm1(error) * _PPM,
        ambiguous=ambiguous,
        unmatched_a=np.setdiff1d(np.arange(len(a)), order_a[at_a]),
        unmatched_b=np.setdiff1d(np.arange(len(b)), order_b[at_b]),
    )


def match_tables(
    tables: Sequence[SampleTable], ppm: float = 10.0
) -> tuple[list[SampleTable], list[Matching]]:
    """Give the same ions of several tables the same names: those of the first table.

    Each further table is matched with the first. Kept are the features that all tables have.

    Parameters
    ----------
    tables
        At least two, whose feature names are m/z (see `feature_mz`).
    ppm
        As in `match_features`.

    Returns
    -------
    tables
        The tables with their common features only, named and ordered as in the first.
    matchings
        The matching of each further table with the first; places are those of the features in
        the tables as they were given.

    Raises
    ------
    InputError
        As `feature_mz` and `match_features`, or if no feature is common to all tables.
    """
    if len(tables) < 2:
        raise InputError("there is only one table, and matching takes at least two")
    first, *others = tables
    mz = feature_mz(first.features.columns, _describe(first))
    matchings = [
        match_features(mz, feature_mz(table.features.columns, _describe(table)), ppm)
        for table in others
    ]
    counts = Counter(int(at) for matching in matchings for at in matching.pairs[:, 0])
    common = np.array([at for at in range(len(mz)) if counts[at] == len(others)], dtype=np.intp)
    if not common.size:
        raise InputError(
            f"no feature of {_describe(first)} is found within {ppm:g} ppm in all other tables; "
            "check the feature names, or allow more with --ppm"
        )
    names = first.features.columns[common]
    matched = [replace(first, features=first.features.iloc[:, common])]
    for table, matching in zip(others, matchings, strict=True):
        partner = dict(matching.pairs.tolist())
        places = [partner[at] for at in common.tolist()]
        features = table.features.iloc[:, places].set_axis(names, axis=1)
        matched.append(replace(table, features=features))
    return matched, matchings


def feature_mz(names: Sequence[str] | pd.Index, source: str = "the table") -> Floats:
    """m/z that feature names hold, such as ``mz_123.4``, ``X123.4`` or ``123.4 Da``, shape (p,).

    Parameters
    ----------
    names
        Feature names; each must hold exactly one number.
    source
        How error messages call the table.

    Raises
    ------
    InputError
        If a name holds no number, several numbers or 0, or two names hold the same.
    """
    numbers = np.empty(len(names))
    for at, name in enumerate(names):
        found = _NAME.fullmatch(str(name))
        if found is None or float(found[1]) == 0:
            raise InputError(
                f"{source}: the feature name '{name}' is no m/z; features to be matched are named "
                "by one number, such as 123.4 or mz_123.4, and other columns of numbers are named "
                "with --metadata"
            )
        numbers[at] = float(found[1])
    values, counts = np.unique(numbers, return_counts=True)
    if (counts > 1).any():
        value = values[counts > 1][0]
        raise InputError(
            f"{source}: {counts.max()} feature names hold m/z {value:.9g}; write the names with "
            "more decimals, each m/z once"
        )
    return numbers


def _describe(table: SampleTable) -> str:
    names = table.batches
    return f"batch {names[0]}" if len(names) == 1 else f"batches {', '.join(names[:3])}"


def _checked(mz: ArrayLike, which: str) -> Floats:
    values = np.asarray(mz, dtype=np.float64)
    if values.ndim != 1 or not values.size:
        raise InputError(f"the {which} list of m/z is empty or no list; give at least one m/z")
    if not (np.isfinite(values) & (values > 0)).all():
        raise InputError(f"an m/z of the {which} list is missing or not above 0; leave it out")
    if len(np.unique(values)) < len(values):
        raise InputError(f"an m/z stands twice in the {which} list; keep it once")
    return values


def _constant_shift(log_a: Floats, log_b: Floats, tolerance: float) -> float:
    """Shift on which most differences agree within the tolerance, by their median.

    Of shifts with equally many, the smallest: where nothing speaks for a shift there is none.
    """
    reach = _LARGEST_SHIFT * tolerance
    begin = np.searchsorted(log_b, log_a - reach)
    end = np.searchsorted(log_b, log_a + reach, side="right")
    parts = [log_b[i:j] - x for x, i, j in zip(log_a, begin, end, strict=True)]
    differences = np.sort(np.concatenate(parts))
    if not differences.size:
        return 0.0
    low = np.searchsorted(differences, differences - tolerance / 2)
    high = np.searchsorted(differences, differences + tolerance / 2, side="right")
    most = np.flatnonzero(high - low == (high - low).max())
    best = most[np.argmin(np.abs(differences[most]))]
    return float(np.median(differences[low[best] : high[best]]))


def _mutual_nearest(a: Floats, b: Floats, tolerance: float) -> tuple[Integers, Integers]:
    """Places of the pairs that are nearest to one another, not further than the tolerance.

    Both lists are sorted or nearly so: a shift that varies may swap neighbours in ``b``.
    """
    near_b, near_a = _nearest(a, b), _nearest(b, a)
    at_a = np.flatnonzero(near_a[near_b] == np.arange(len(a)))
    at_b = near_b[at_a]
    close = np.abs(b[at_b] - a[at_a]) <= tolerance
    return at_a[close], at_b[close]


def _nearest(values: Floats, among: Floats) -> Integers:
    """Place of the nearest of ``among`` for each value."""
    order = np.argsort(among, kind="stable")
    line = among[order]
    right = np.clip(np.searchsorted(line, values), 1, max(len(line) - 1, 1))
    if len(line) == 1:
        return np.zeros(len(values), dtype=np.intp)
    left_is_nearer = values - line[right - 1] <= line[right] - values
    return order[right - left_is_nearer]


def _smooth_shift(log_b: Floats, at_b: Integers, differences: Floats, before: Floats) -> Floats:
    """Shift along m/z from the differences of pairs: their median, running if there are many."""
    if not len(at_b):
        return before
    if len(at_b) < 2 * _NEIGHBOURS:
        return np.full(len(log_b), np.median(differences))
    order = np.argsort(at_b)
    at_b, differences = at_b[order], differences[order]
    windows = np.lib.stride_tricks.sliding_window_view(differences, _NEIGHBOURS)
    middle = log_b[at_b][_NEIGHBOURS // 2 : -(_NEIGHBOURS // 2)]
    return np.interp(log_b, middle, np.median(windows, axis=1))


def _has_rival(
    a: Floats, b: Floats, at_a: Integers, at_b: Integers, tolerance: float
) -> NDArray[np.bool_]:
    """Whether another partner lies within the tolerance of one of a pair."""

    def within(values: Floats, among: Floats) -> Integers:
        line = np.sort(among)
        low = np.searchsorted(line, values - tolerance)
        return np.searchsorted(line, values + tolerance, side="right") - low

    rivals: NDArray[np.bool_] = (within(a[at_a], b) > 1) | (within(b[at_b], a) > 1)
    return rivals
