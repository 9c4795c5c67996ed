"""Size of a batch effect: MMD between batches beside MMD inside a batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from crossplate.errors import InputError
from crossplate.evaluate.scores import Labels
from crossplate.kernels import median_bandwidths, mmd2_biased, mmd2_unbiased

Floats = NDArray[np.float64]
RowPairs = Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]

# Two halves of two rows each: the unbiased estimate needs two rows a sample.
_FEWEST_ROWS = 4


@dataclass(frozen=True)
class MmdSummary:
    """Mean and standard deviation of MMD over draws of rows.

    Attributes
    ----------
    root_biased, root_biased_sd
        √(biased MMD²). Above 0 even without a batch effect, the more so the fewer rows are
        drawn: read it beside the in-batch value of the same number of rows.
    unbiased, unbiased_sd
        Unbiased MMD², about 0 (and as often negative) without a batch effect.
    """

    root_biased: float
    root_biased_sd: float
    unbiased: float
    unbiased_sd: float

    def to_dict(self) -> dict[str, float]:
        """Return the figures as plain values that ``json.dumps`` accepts."""
        return {
            "root_biased": self.root_biased,
            "root_biased_sd": self.root_biased_sd,
            "unbiased": self.unbiased,
            "unbiased_sd": self.unbiased_sd,
        }


@dataclass(frozen=True)
class PairEffect:
    """MMD of two batches.

    Attributes
    ----------
    batches
        The two batches, in order of appearance.
    n_rows
        Rows drawn from each side: the same number across and in batch.
    across
        One sample from either batch.
    in_batch
        Two samples without common rows from one batch, the draws of both batches taken together:
        what ``across`` would be without a batch effect.
    """

    batches: tuple[str, str]
    n_rows: int
    across: MmdSummary
    in_batch: MmdSummary

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values that ``json.dumps`` accepts."""
        return {
            "batches": list(self.batches),
            "n_rows": self.n_rows,
            "across": self.across.to_dict(),
            "in_batch": self.in_batch.to_dict(),
        }


@dataclass(frozen=True)
class BatchEffect:
    """MMD of all pairs of batches in one space.

    Attributes
    ----------
    pairs
        One entry a pair of batches, in order of appearance; empty when fewer than two batches
        have four rows.
    across, in_batch
        Mean over the pairs, in each draw, then mean and standard deviation over draws; None
        without a pair.
    bandwidths
        Gaussian widths σ, in units of the input; the kernels are summed, and the same widths
        serve all pairs, across and in batch.
    n_draws
        Draws of rows a pair.
    too_small
        Batches of fewer than four rows, which are left out.
    """

    pairs: tuple[PairEffect, ...]
    across: MmdSummary | None
    in_batch: MmdSummary | None
    bandwidths: tuple[float, ...]
    n_draws: int
    too_small: tuple[str, ...]

    def pair(self, one: str, other: str) -> PairEffect | None:
        """Return the entry of two batches, in either order; None where there is none."""
        wanted = {one, other}
        return next((pair for pair in self.pairs if set(pair.batches) == wanted), None)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values that ``json.dumps`` accepts."""
        return {
            "statistic": "MMD, sum of Gaussian kernels exp(-d^2 / (2 sigma^2))",
            "bandwidths": list(self.bandwidths),
            "n_draws": self.n_draws,
            "across": None if self.across is None else self.across.to_dict(),
            "in_batch": None if self.in_batch is None else self.in_batch.to_dict(),
            "pairs": [pair.to_dict() for pair in self.pairs],
            "too_small": list(self.too_small),
        }


def batch_effect(
    x: ArrayLike,
    batch: Labels,
    *,
    bandwidths: ArrayLike | None = None,
    n_rows: int = 500,
    n_draws: int = 10,
    random_state: int = 0,
) -> BatchEffect:
    """Measure how far batches lie apart, beside how far halves of one batch do.

    For two batches of n and m rows, each draw takes min(n_rows, ⌊n/2⌋, ⌊m/2⌋) rows on either
    side, without replacement. The in-batch draws take as many twice from one batch, so that the
    biased MMD, whose floor depends on the number of rows, can be compared. Equal seeds draw equal
    rows whatever ``x`` is: measured before and after a correction, the figures differ by the
    correction alone. MMD in different spaces has different units; compare each with its own
    in-batch value.

    Parameters
    ----------
    x
        Samples in rows, shape (n, p), features on one scale, no missing value.
    batch
        Batch of each row, shape (n,).
    bandwidths
        Gaussian widths σ in units of ``x``; default from the median distance of all rows.
    n_rows
        Most rows drawn from a batch; 500 as in [Niu2022].
    n_draws
        Draws a pair; 10 as in [Niu2022].
    random_state
        Seed of the draws and of the rows the default bandwidths come from.

    Raises
    ------
    InputError
        If shapes do not fit, values are missing or infinite, or a number is out of range.
    """
    values, names = _checked(x, batch)
    if n_rows < 2 or n_draws < 2:
        raise InputError(f"n_rows is {n_rows} and n_draws {n_draws}; take at least 2 of each.")
    widths = _widths(values, bandwidths, random_state)
    order = list(dict.fromkeys(names.tolist()))
    rows = {name: np.flatnonzero(names == name) for name in order}
    kept = [name for name in order if len(rows[name]) >= _FEWEST_ROWS]
    pairs, across, in_batch = [], [], []
    for position, (one, other) in enumerate(combinations(kept, 2)):
        size = min(n_rows, len(rows[one]) // 2, len(rows[other]) // 2)
        rng = np.random.default_rng([random_state, position])
        between = _draws(values, _cross_rows(rows[one], rows[other], size, n_draws, rng), widths)
        within = np.concatenate(
            [
                _draws(values, _half_rows(rows[name], size, n_draws, rng), widths)
                for name in (one, other)
            ]
        )
        across.append(between)
        in_batch.append(within)
        pairs.append(PairEffect((one, other), size, _summary(between), _summary(within)))
    return BatchEffect(
        pairs=tuple(pairs),
        across=_summary(np.mean(across, axis=0)) if pairs else None,
        in_batch=_summary(np.mean(in_batch, axis=0)) if pairs else None,
        bandwidths=tuple(float(width) for width in widths),
        n_draws=n_draws,
        too_small=tuple(name for name in order if name not in kept),
    )


def _cross_rows(
    one: NDArray[np.intp],
    other: NDArray[np.intp],
    size: int,
    n_draws: int,
    rng: np.random.Generator,
) -> RowPairs:
    for _ in range(n_draws):
        yield rng.choice(one, size, replace=False), rng.choice(other, size, replace=False)


def _half_rows(
    rows: NDArray[np.intp], size: int, n_draws: int, rng: np.random.Generator
) -> RowPairs:
    for _ in range(n_draws):
        drawn = rng.choice(rows, 2 * size, replace=False)
        yield drawn[:size], drawn[size:]


def _draws(values: Floats, row_pairs: RowPairs, widths: Floats) -> Floats:
    """√(biased MMD²) and unbiased MMD² of each draw, shape (draws, 2)."""
    return np.array(
        [
            (
                np.sqrt(mmd2_biased(values[left], values[right], widths)),
                mmd2_unbiased(values[left], values[right], widths),
            )
            for left, right in row_pairs
        ]
    )


def _summary(draws: Floats) -> MmdSummary:
    mean = draws.mean(axis=0)
    sd = draws.std(axis=0, ddof=1)
    return MmdSummary(float(mean[0]), float(sd[0]), float(mean[1]), float(sd[1]))


def _widths(values: Floats, bandwidths: ArrayLike | None, random_state: int) -> Floats:
    if bandwidths is None:
        chosen = median_bandwidths(values, random_state=random_state)
    else:
        chosen = np.atleast_1d(np.asarray(bandwidths, dtype=np.float64))
    widths = np.asarray(chosen, dtype=np.float64)
    if widths.ndim != 1 or len(widths) == 0 or not (np.isfinite(widths) & (widths > 0)).all():
        raise InputError(f"Bandwidths must be positive numbers; these were given: {bandwidths!r}.")
    return widths


def _checked(x: ArrayLike, batch: Labels) -> tuple[Floats, NDArray[np.object_]]:
    values = np.asarray(x, dtype=np.float64)
    names = np.array(pd.Series(batch, dtype=object), dtype=object)
    if values.ndim != 2 or len(values) == 0 or names.shape != (len(values),):
        raise InputError(
            f"x has shape {values.shape} and batch {len(names)} entries; give samples in rows and "
            "one batch a row."
        )
    if pd.isna(names).any():
        raise InputError(
            f"{pd.isna(names).sum()} of {len(names)} rows have no batch; name the batch of each."
        )
    wrong = ~np.isfinite(values)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise InputError(
            f"{wrong.sum()} values are missing or infinite (the first in row {row}, column "
            f"{column}); impute them before measuring the batch effect."
        )
    # MMD does not move with the origin, and distances lose fewer digits near it.
    return values - values.mean(axis=0), names.astype(str).astype(object)
