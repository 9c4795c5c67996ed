"""What the correctors that work batch by batch share: the rows and the scale of the batches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from crossplate.correct.base import FloatArray, Names
from crossplate.errors import InputError

RowNumbers = npt.NDArray[np.intp]

__all__ = ["RowNumbers", "largest_batch", "need_two_rows", "pooled_scale", "rows_by_batch"]


def rows_by_batch(batch: Names) -> Iterator[tuple[str, RowNumbers]]:
    """Name and row numbers of each batch, by name.

    Parameters
    ----------
    batch
        Batch of each row, shape (n,).
    """
    for name in np.unique(batch):
        yield str(name), np.flatnonzero(batch == name)


def largest_batch(batch: Names) -> str:
    """Batch of most rows, of equally large ones the first by name.

    Parameters
    ----------
    batch
        Batch of each row, shape (n,).
    """
    names, counts = np.unique(batch, return_counts=True)
    return str(names[np.argmax(counts)])


def need_two_rows(name: str, rows: RowNumbers) -> None:
    """Refuse a batch of one row, whose own statistics would take all of it away.

    Parameters
    ----------
    name, rows
        The batch and the numbers of its rows.

    Raises
    ------
    InputError
        The batch has fewer than two rows.
    """
    if len(rows) < 2:
        raise InputError(
            f"batch {name!r} has one row, and centring it on itself would leave nothing of it; "
            "give at least two rows of each batch"
        )


def pooled_scale(x: FloatArray, batch: Names) -> FloatArray:
    """Standard deviation of each feature inside batches, all batches taken together.

    Parameters
    ----------
    x
        Measurements without gaps, shape (n, p).
    batch
        Batch of each row, shape (n,).

    Returns
    -------
    Root of the mean squared deviation from the batch's mean, in units of ``x``, shape (p,); 1 for
    a feature that is constant within every batch.
    """
    total = np.zeros(x.shape[1])
    varies = np.zeros(x.shape[1], dtype=bool)
    for _, rows in rows_by_batch(batch):
        its = x[rows]
        total += its.var(axis=0) * len(rows)
        varies |= its.max(axis=0) > its.min(axis=0)
    # the sum alone is no test: equal values can leave a rounding error in their variance
    return np.where(varies & (total > 0.0), np.sqrt(total / len(x)), 1.0)
