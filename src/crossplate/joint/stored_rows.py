"""Rows of a stored matrix as training wants them: coded in pieces, drawn batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crossplate.errors import InputError
from crossplate.rows import UNLABELLED, encode_labels
from crossplate.stored import FloatArray, StoredMatrix

Codes = npt.NDArray[np.int16]
IntArray = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]

AT_ONCE = 1_000_000
"""Labels or batch names looked at together, so that their texts never exist for all rows."""
MOST_NAMES = 10_000
"""More classes or batches than this are a mistaken column."""

__all__ = ["BatchRows", "StoredStudy", "coded", "coded_batches", "subject_keys"]


@dataclass(frozen=True)
class StoredStudy:
    """Batch and class of every row of a stored matrix.

    Parameters
    ----------
    batches
        Sorted batch names, shape (K,).
    batch
        Batch code of each row, shape (n,).
    label_names
        Sorted classes, shape (C,).
    classes
        Class code of each row, ``UNLABELLED`` for none, shape (n,).
    """

    batches: npt.NDArray[np.str_]
    batch: Codes
    label_names: npt.NDArray[Any]
    classes: Codes

    @classmethod
    def of(cls, y: Any, batch: Any, n_rows: int, without: tuple[str, str]) -> StoredStudy:
        """Code the labels and batches of ``n_rows`` rows.

        Parameters
        ----------
        y, batch
            As in :meth:`crossplate.JointClassifier.fit`.
        n_rows
            Rows of the matrix.
        without
            Batch of labelled and of unlabelled rows where ``batch`` is None.

        Raises
        ------
        InputError
            A length is wrong, a row has no batch, or the labels are not at least two classes.
        """
        found, classes = coded(y, n_rows, "y")
        # told apart from continuous numbers by their repetition
        label_names, order = encode_labels(np.repeat(np.array([*found, None], dtype=object), 4))
        classes = np.append(order[::4], UNLABELLED).astype(np.int16)[classes]
        if batch is None:
            names = np.array(without)
            return cls(names, (classes < 0).astype(np.int16), label_names, classes)
        names, codes = coded_batches(batch, n_rows)
        return cls(names, codes, label_names, classes)

    @cached_property
    def rows(self) -> IntArray:
        """Rows of each batch, shape (K,)."""
        return _counts(self.batch, len(self.batches))

    @cached_property
    def labelled_rows(self) -> IntArray:
        """Labelled rows of each batch, shape (K,)."""
        return _counts(np.where(self.classes >= 0, self.batch, -1), len(self.batches))

    @cached_property
    def class_counts(self) -> IntArray:
        """Rows of each class, shape (C,)."""
        return _counts(self.classes, len(self.label_names))


def _counts(codes: Codes, size: int) -> IntArray:
    """How often each code from 0 on occurs, without a copy of all codes in wider numbers."""
    counts = np.zeros(size + 1, dtype=np.int64)
    for start in range(0, len(codes), AT_ONCE):
        counts += np.bincount(codes[start : start + AT_ONCE] + 1, minlength=size + 1)
    return counts[1:]


def coded(values: Any, n_rows: int, what: str) -> tuple[list[Any], Codes]:
    """Distinct values of a column in order of appearance, and the place of each row's value.

    Parameters
    ----------
    values
        The column, shape (n,).
    n_rows
        Rows it should have.
    what
        Its name in error texts.

    Returns
    -------
    Distinct values, and codes with -1 for a missing value, shape (n,).

    Raises
    ------
    InputError
        The length is wrong, or the column names no groups.
    """
    values = values if hasattr(values, "__array__") else np.asarray(values, dtype=object)
    if len(values) != n_rows:
        raise InputError(f"{what} has {len(values)} entries for {n_rows} rows; give one for each")
    places: dict[Any, int] = {}
    codes = np.empty(n_rows, dtype=np.int16)
    for start in range(0, n_rows, AT_ONCE):
        some = np.asarray(values[start : start + AT_ONCE], dtype=object).reshape(-1)
        found, distinct = pd.factorize(some)
        if len(places) + len(distinct) > MOST_NAMES:
            raise InputError(f"{what} has more than {MOST_NAMES} distinct values; it names groups")
        order = [places.setdefault(value, len(places)) for value in distinct]
        codes[start : start + AT_ONCE] = np.array([*order, -1])[found]
    return list(places), codes


def coded_batches(batch: Any, n_rows: int) -> tuple[npt.NDArray[np.str_], Codes]:
    """Sorted batch names, shape (K,), and the place of each row's batch, shape (n,).

    Raises
    ------
    InputError
        A length is wrong, or a row has no batch.
    """
    found, codes = coded(batch, n_rows, "batch")
    if (codes < 0).any():
        raise InputError(
            f"{(codes < 0).sum()} rows have no batch (first: row {(codes < 0).argmax() + 1}); "
            "name it for each"
        )
    names, order = np.unique(np.array(found, dtype=object).astype(str), return_inverse=True)
    return names, order.astype(np.int16)[codes]


def subject_keys(subject: Any, n_rows: int) -> Keys:
    """A number for each row that rows of one subject share, shape (n,).

    Raises
    ------
    InputError
        When the length is wrong.
    """
    if len(subject) != n_rows:
        raise InputError(f"subject has {len(subject)} entries for {n_rows} rows; give one for each")
    keys = np.empty(n_rows, dtype=np.uint64)
    for start in range(0, n_rows, AT_ONCE):
        names = np.asarray(subject[start : start + AT_ONCE], dtype=object).astype(str)
        keys[start : start + AT_ONCE] = pd.util.hash_array(names.astype(object))
    return keys


class BatchRows:
    """Endless random rows of one batch: pieces of the storage in random order, then again.

    Parameters
    ----------
    matrix
        The stored rows.
    batch
        Batch code of each row.
    code
        The batch to draw from.
    seed
        Of the order.
    """

    def __init__(self, matrix: StoredMatrix, batch: Codes, code: int, seed: int) -> None:
        self.matrix, self.batch, self.code = matrix, batch, code
        self.rng = np.random.default_rng([seed, code])
        starts = np.arange(0, len(batch), matrix.piece)
        self.starts = starts[np.logical_or.reduceat(batch == code, starts)]
        self.pieces = self._pieces()
        self.rows = np.empty(0, dtype=np.int64)
        self.x = np.empty((0, matrix.shape[1]))

    def _pieces(self) -> Iterator[tuple[IntArray, FloatArray]]:
        while True:
            for start in self.rng.permutation(self.starts):
                stop = min(start + self.matrix.piece, len(self.matrix))
                its = np.flatnonzero(self.batch[start:stop] == self.code)
                its = self.rng.permutation(its)
                yield start + its, self.matrix.read(int(start), int(stop))[its]

    def take(self, count: int) -> tuple[IntArray, FloatArray]:
        """The next ``count`` row numbers and rows, shapes (count,) and (count, p)."""
        rows, x, held = [self.rows], [self.x], len(self.rows)
        while held < count:
            more = next(self.pieces)
            rows.append(more[0])
            x.append(more[1])
            held += len(more[0])
        every, values = np.concatenate(rows), np.concatenate(x)
        self.rows, self.x = every[count:].copy(), values[count:].copy()
        return every[:count], values[:count]
