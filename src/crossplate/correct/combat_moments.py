"""Moments of a batch's features, from tiles of the table.

A tile is small enough to stay in the processor's cache and lies close together in memory, so that
no array of the table's size is made beside it. Moments of tiles are merged as in [Chan1983]_,
counted from one value of the feature. NaN is a missing value everywhere.

References
----------
.. [Chan1983] Chan, Golub and LeVeque (1983), Algorithms for computing the sample variance,
   The American Statistician 37:242-247.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossplate.errors import InputError

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]

TILE_CELLS = 2**17
"""Values handled at a time (1 MB)."""

__all__ = ["Moments", "batch_moments", "copy_of_tile", "tiles"]


@dataclass(frozen=True)
class Moments:
    """Number, mean and sum of squares about the mean of each feature.

    Parameters
    ----------
    count, mean, squares
        Shape (p,); mean and squares are 0 where no value is present. ``squares`` is exactly 0
        where all values are the same.
    """

    count: FloatArray
    mean: FloatArray
    squares: FloatArray

    def add(self, features: slice, other: Moments) -> None:
        """Add further values of some features, in place."""
        before = self.count[features].copy()
        self.count[features] += other.count
        apart = other.mean - self.mean[features]
        step = apart * (other.count / np.maximum(self.count[features], 1.0))
        self.mean[features] += step
        self.squares[features] += other.squares + step * apart * before

    def varies(self, n_rows: int) -> BoolArray:
        """Whether the values of each feature differ; of a single row, whether it has one."""
        return self.count > 0.0 if n_rows == 1 else self.squares > 0.0


def tiles(x: FloatArray, rows: Rows) -> Iterator[tuple[Rows, slice]]:
    """Some rows of a table in pieces of about ``TILE_CELLS`` values.

    Parameters
    ----------
    x
        Table, shape (n, p), contiguous in rows or in columns.
    rows
        Numbers of the rows.

    Yields
    ------
    Rows and features of a piece: some rows with all features, or, where columns are contiguous,
    all rows with some features.
    """
    if x.flags.c_contiguous:
        step = max(1, TILE_CELLS // x.shape[1])
        for start in range(0, len(rows), step):
            yield rows[start : start + step], slice(0, x.shape[1])
    else:
        step = max(1, TILE_CELLS // len(rows))
        for start in range(0, x.shape[1], step):
            yield rows, slice(start, start + step)


def copy_of_tile(x: FloatArray, rows: Rows, features: slice) -> FloatArray:
    """Copy of a piece from :func:`tiles`, in the table's order in memory."""
    if x.flags.c_contiguous:
        return x.take(rows, axis=0)
    return x.T[features].take(rows, axis=1).T


def batch_moments(
    x: FloatArray,
    rows: Rows,
    covariates: FloatArray | None = None,
    coefficients: FloatArray | None = None,
) -> Moments:
    """Moments of some rows, after subtraction of the covariates' effects if any.

    Parameters
    ----------
    x
        Measurements, shape (n, p).
    rows
        Numbers of the rows.
    covariates, coefficients
        Shapes (n, q) and (q, p); both or none.

    Raises
    ------
    InputError
        Values whose squares overflow.
    """
    found = Moments(*np.zeros((3, x.shape[1])))
    # Counted from one of the feature's own values, equal values have exactly no spread, and a
    # large mean costs no digits.
    pivot = np.full(x.shape[1], np.nan)
    for some, features in tiles(x, rows):
        part = copy_of_tile(x, some, features)
        if covariates is not None and coefficients is not None:
            part -= covariates[some] @ coefficients[:, features]
        _fill_from_first_present(pivot[features], part)
        with np.errstate(over="ignore", invalid="ignore"):
            part -= pivot[features]
            found.add(features, _moments_of(part))
    found.mean[:] += np.nan_to_num(pivot)
    if not np.isfinite(found.squares).all():
        feature = int(np.flatnonzero(~np.isfinite(found.squares))[0])
        raise InputError(
            f"values of feature {feature + 1} are too far apart to be squared (beyond 1e150); "
            "rescale or remove it"
        )
    return found


def _fill_from_first_present(pivot: FloatArray, part: FloatArray) -> None:
    """Give features without a pivot their first value, in place; NaN remains if all are missing."""
    unknown = np.flatnonzero(np.isnan(pivot))
    if len(unknown):
        row = (~np.isnan(part[:, unknown])).argmax(axis=0)
        pivot[unknown] = part[row, unknown]


def _moments_of(part: FloatArray) -> Moments:
    """Moments of one tile, which is overwritten."""
    total = part.sum(axis=0)
    count = np.full(part.shape[1], float(len(part)))
    missing = np.isnan(part) if np.isnan(total).any() else None
    if missing is not None:
        count -= missing.sum(axis=0)
        part[missing] = 0.0
        total = part.sum(axis=0)
    mean = total / np.maximum(count, 1.0)
    part -= mean
    if missing is not None:
        part[missing] = 0.0
    part *= part
    return Moments(count, mean, part.sum(axis=0))
