"""Is one method better than another, or was it these subjects? Bootstrap and sign flips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Key = tuple[str, str]

N_RESAMPLES = 2000
"""Bootstrap resamples: the ends of a 95% interval rest on 50 of them each."""
N_FLIPS = 9999
"""Sign flips: the least p-value is 0.0001."""
_AT_ONCE = 250
_ROUNDING = 1e-12

__all__ = ["N_FLIPS", "N_RESAMPLES", "Contrast", "PairCalls", "contrasts"]


@dataclass(frozen=True)
class PairCalls:
    """What the methods called the samples (or subjects) of one target.

    Parameters
    ----------
    target
        The target batch.
    truth
        True class of each row, shape (n,).
    unit
        What is resampled, by name, shape (n,): the row's subject, or the row.
    correct
        (method, classifier) → share of its runs that are right, for each row, shape (n,).
    """

    target: str
    truth: npt.NDArray[np.object_]
    unit: npt.NDArray[np.object_]
    correct: Mapping[Key, FloatArray]


@dataclass(frozen=True)
class Contrast:
    """Balanced accuracy of one method minus that of another, mean over pairs of batches.

    Parameters
    ----------
    one, other
        The two (method, classifier).
    difference
        Mean over the pairs that both answered; NaN without one.
    low, high
        95% interval: percentiles over resamples of the target's subjects.
    p_value
        Two-sided: share of random exchanges of the two methods' calls, subject by subject, that
        give as large a difference.
    n_pairs
        Pairs that both answered.
    """

    one: Key
    other: Key
    difference: float
    low: float
    high: float
    p_value: float
    n_pairs: int


def contrasts(
    pairs: Sequence[PairCalls], wanted: Sequence[tuple[Key, Key]], *, random_state: int = 0
) -> list[Contrast]:
    """Contrast methods on the same rows.

    The interval tells how much the difference would change with other subjects on the same
    plates: subjects (samples where there are none) are drawn anew within each class and batch, a
    subject with all its samples, in all batches that it is in, for all methods alike. Seeds are
    averaged before. Other plates are not in it: with few batches that is the larger unknown.

    Of n subjects of a class and batch, n - 1 are drawn and weighted with n / (n - 1)
    [RaoWu1988]_: with three of each, as in small studies, the plain bootstrap would give intervals
    a fifth too narrow. Where few calls differ the p-value, which is exact, is the safer of the two.

    Parameters
    ----------
    pairs
        Calls of every pair of batches.
    wanted
        Which (method, classifier) to contrast with which other.
    random_state
        Seed of resamples and flips.

    References
    ----------
    .. [RaoWu1988] Rao J. N. K., Wu C. F. J. Resampling inference with complex survey data. Journal
       of the American Statistical Association 83, 231-241 (1988).
       doi:10.1080/01621459.1988.10478591
    """
    keys = sorted({key for both in wanted for key in both})
    place = {key: number for number, key in enumerate(keys)}
    design = _Design.of(pairs, keys)
    observed = design.scores(np.ones((1, design.n_units)))
    rng = np.random.default_rng(random_state)
    drawn = np.concatenate([design.scores(weights) for weights in design.resamples(rng)])
    ones = [place[one] for one, _ in wanted]
    others = [place[other] for _, other in wanted]
    differences, resampled = (
        _mean_difference(observed, ones, others),
        _mean_difference(drawn, ones, others),
    )
    both = ~np.isnan(observed[0][:, ones] - observed[0][:, others])
    p_values = design.flipped(ones, others, both, rng)
    low, high = np.percentile(resampled, [2.5, 97.5], axis=0)
    return [
        Contrast(
            *wanted[at],
            float(differences[0, at]),
            float(low[at]),
            float(high[at]),
            float(p_values[at]),
            int(both[:, at].sum()),
        )
        for at in range(len(wanted))
    ]


def _mean_difference(scores: FloatArray, ones: list[int], others: list[int]) -> FloatArray:
    """Mean over pairs, shape (draws, contrasts); NaN where no pair has both."""
    differences = scores[:, :, ones] - scores[:, :, others]
    known = ~np.isnan(differences)
    count = known.sum(axis=1)
    total = np.where(known, differences, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


@dataclass(frozen=True)
class _Class:
    """The rows of one class of one pair: how many each unit has, and how many are right."""

    units: npt.NDArray[np.intp]
    rows: FloatArray  # (units,)
    correct: FloatArray  # (units, keys)


@dataclass(frozen=True)
class _Design:
    """All pairs as sums over units."""

    n_units: int
    strata: tuple[npt.NDArray[np.intp], ...]
    pairs: tuple[tuple[_Class, ...], ...]

    @classmethod
    def of(cls, pairs: Sequence[PairCalls], keys: Sequence[Key]) -> _Design:
        names = np.concatenate([pair.unit for pair in pairs]).astype(str)
        units, numbers = np.unique(names, return_inverse=True)
        batches: list[set[str]] = [set() for _ in units]
        classes: list[str] = [""] * len(units)
        sums, start = [], 0
        for pair in pairs:
            its = numbers[start : start + len(pair.unit)]
            start += len(pair.unit)
            for unit, label in zip(its, pair.truth, strict=True):
                batches[unit].add(pair.target)
                classes[unit] = str(label)
            sums.append(_classes(pair, its, keys))
        groups: dict[tuple[str, str], list[int]] = {}
        for unit, (label, where) in enumerate(zip(classes, batches, strict=True)):
            several = next(iter(where)) if len(where) == 1 else ""
            groups.setdefault((label, several), []).append(unit)
        strata = tuple(np.array(members, dtype=np.intp) for members in groups.values())
        return cls(len(units), strata, tuple(sums))

    def resamples(self, rng: np.random.Generator) -> Iterator[FloatArray]:
        """Weight of each unit, shape (some draws, units), for [RaoWu1988]_'s rescaled bootstrap."""
        for _ in range(N_RESAMPLES // _AT_ONCE):
            weights = np.ones((_AT_ONCE, self.n_units))
            for members in self.strata:
                size = len(members)
                if size > 1:  # a unit alone in its stratum cannot tell how it would vary
                    drawn = rng.multinomial(size - 1, np.full(size, 1 / size), _AT_ONCE)
                    weights[:, members] = drawn * (size / (size - 1))
            yield weights

    def scores(self, weights: FloatArray) -> FloatArray:
        """Balanced accuracy of each pair and key, shape (draws, pairs, keys)."""
        scores = []
        for classes in self.pairs:
            recalls = []
            for each in classes:
                drawn = weights[:, each.units]
                size = (drawn @ each.rows)[:, None]
                share = drawn @ each.correct / np.maximum(size, _ROUNDING)
                recalls.append(np.where(size > 0, share, np.nan))
            present = [~np.isnan(recall) for recall in recalls]
            total = sum(np.where(known, r, 0.0) for known, r in zip(present, recalls, strict=True))
            count = np.sum(present, axis=0)
            scores.append(np.where(count > 0, total / np.maximum(count, 1), np.nan))
        return np.stack(scores, axis=1)

    def flipped(
        self,
        ones: list[int],
        others: list[int],
        both: npt.NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> FloatArray:
        """p-value of each contrast: signs of the units' parts in the difference at random."""
        parts = np.zeros((self.n_units, len(ones)))
        for number, classes in enumerate(self.pairs):
            for each in classes:
                gain = each.correct[:, ones] - each.correct[:, others]
                gain = np.where(both[number], gain, 0.0)
                np.add.at(parts, each.units, gain / (each.rows.sum() * len(classes)))
        observed = np.abs(parts.sum(axis=0))
        moving = parts[(parts != 0.0).any(axis=1)]
        as_large = np.zeros(len(ones))
        left = N_FLIPS
        while left:
            signs = rng.choice([-1.0, 1.0], (min(left, _AT_ONCE), len(moving)))
            as_large += (np.abs(signs @ moving) >= observed - _ROUNDING).sum(axis=0)
            left -= len(signs)
        return np.where(both.any(axis=0), (1 + as_large) / (1 + N_FLIPS), np.nan)


def _classes(
    pair: PairCalls, units: npt.NDArray[np.intp], keys: Sequence[Key]
) -> tuple[_Class, ...]:
    nothing = np.full(len(pair.truth), np.nan)
    correct = np.column_stack([pair.correct.get(key, nothing) for key in keys])
    found = []
    for label in dict.fromkeys(pair.truth):
        rows = np.flatnonzero(pair.truth == label)
        members, places = np.unique(units[rows], return_inverse=True)
        right = np.zeros((len(members), len(keys)))
        np.add.at(right, places, correct[rows])
        found.append(_Class(members, np.bincount(places).astype(float), right))
    return tuple(found)
