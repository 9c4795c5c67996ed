"""Matrices that lie on disk or in pieces, read a few rows at a time.

Arrays mapped from a file, AnnData in backed mode, HDF5 and zarr arrays and dask arrays all look
the same from here: a number of rows, and a way to read some of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crossplate.errors import InputError

FloatArray = npt.NDArray[np.float64]

IN_MEMORY = 2.5e8
"""Bytes as float64 up to which a stored matrix is simply read into memory."""
READ_AT_ONCE = 1.6e7
"""Bytes as float64 of one block, where a matrix is read from its first row to its last."""
PIECE_ROWS = 1024
"""Rows of a piece read at random where the storage sets none: few enough to mix well."""

__all__ = ["StoredMatrix", "stored_matrix"]


@dataclass(frozen=True)
class StoredMatrix:
    """Rows to be read when needed.

    Parameters
    ----------
    shape
        Rows n and features p.
    names
        Feature names, where the storage has them.
    piece
        Rows that are cheap to read together wherever they lie: a chunk of the storage.
    reader
        Reads rows ``start`` to ``stop`` as an array, shape (stop - start, p).
    """

    shape: tuple[int, int]
    names: tuple[str, ...] | None
    piece: int
    reader: Callable[[int, int], Any]

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def is_large(self) -> bool:
        """Whether the matrix is to be streamed, rather than read into memory whole."""
        return 8.0 * self.shape[0] * self.shape[1] > IN_MEMORY

    def read(self, start: int, stop: int) -> FloatArray:
        """Rows ``start`` to ``stop`` as float64; infinite values are an error.

        Raises
        ------
        InputError
            A value is infinite.
        """
        block = self.reader(start, stop)
        if hasattr(block, "toarray"):  # scipy's sparse matrices
            block = block.toarray()
        rows = np.asarray(block, dtype=np.float64)
        if np.isinf(rows).any():
            row, column = np.argwhere(np.isinf(rows))[0]
            raise InputError(
                f"row {start + row + 1}, feature {column + 1} is infinite; correct it, or set it "
                "to NaN for missing"
            )
        return rows

    def framed(self, start: int, stop: int) -> FloatArray | pd.DataFrame:
        """Rows ``start`` to ``stop``, as a table where the features have names."""
        x = self.read(start, stop)
        return x if self.names is None else pd.DataFrame(x, columns=list(self.names))

    def blocks(self) -> Iterator[tuple[slice, FloatArray]]:
        """All rows in order, in blocks of whole pieces."""
        rows = int(READ_AT_ONCE // (8 * self.shape[1]))
        rows = max(1, rows // self.piece) * self.piece
        for start in range(0, len(self), rows):
            where = slice(start, min(start + rows, len(self)))
            yield where, self.read(where.start, where.stop)


def stored_matrix(X: Any) -> StoredMatrix | None:
    """The stored matrix that X is; None for arrays, tables and lists in memory.

    Parameters
    ----------
    X
        ``numpy.memmap``, AnnData, ``h5py.Dataset``, ``zarr.Array`` or ``dask.array.Array``.

    Raises
    ------
    InputError
        The matrix has not two dimensions, or a dask array does not know its length.
    """
    names = None
    if _is_of(X, "anndata") and hasattr(X, "var_names"):
        names = tuple(map(str, X.var_names))
        X = X.X
    elif not isinstance(X, np.memmap) and not _is_of(X, "h5py", "zarr", "dask.array"):
        return None
    if len(X.shape) != 2:
        raise InputError(
            f"X has {len(X.shape)} dimensions; give samples in rows, features in columns"
        )
    if not all(isinstance(size, int | np.integer) for size in X.shape):
        raise InputError(
            "the dask array does not know its length; call compute_chunk_sizes() on it"
        )
    if _is_of(X, "dask.array"):
        piece, reader = max(X.chunks[0]), _dask_reader(X)
    else:
        chunks = getattr(X, "chunks", None)
        piece, reader = (chunks[0] if chunks else PIECE_ROWS), _slice_reader(X)
    return StoredMatrix((int(X.shape[0]), int(X.shape[1])), names, int(piece), reader)


def _is_of(X: Any, *packages: str) -> bool:
    """Whether X is of a type of one of these packages, none of which is imported for that."""
    return f"{type(X).__module__}.".startswith(tuple(f"{package}." for package in packages))


def _slice_reader(X: Any) -> Callable[[int, int], Any]:
    return lambda start, stop: X[start:stop]


def _dask_reader(X: Any) -> Callable[[int, int], Any]:
    return lambda start, stop: X[start:stop].compute()
