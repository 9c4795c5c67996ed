"""From replicate rows to subjects: what counts as one observation in the trust checks.

Replicates of a subject are no independent evidence, so the checks count subjects. A unit is a
subject in a batch (with one label, should a subject have several); without subjects, a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import StratifiedGroupKFold

from crossplate.errors import InputError
from crossplate.evaluate.scores import Labels
from crossplate.rows import UNLABELLED, batch_names

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Names = NDArray[Any]

__all__ = [
    "Units",
    "codes_of_columns",
    "fewest_subjects",
    "finite_rows",
    "folds",
    "label_codes",
    "units_of",
]


@dataclass(frozen=True)
class Units:
    """Units of a table's rows.

    Attributes
    ----------
    of_row
        Unit number of each row, shape (n,).
    first
        First row of each unit, shape (units,); ``column[first]`` is a column by unit.
    subject
        Number of each unit's subject, shape (units,); the same subject on two batches is two
        units of one number.
    """

    of_row: Ints
    first: Ints
    subject: Ints

    def mean(self, values: Floats) -> Floats:
        """Mean of each unit's rows; ``values`` of shape (n,) or (n, p)."""
        table = pd.DataFrame(values).groupby(self.of_row, sort=True).mean().to_numpy(np.float64)
        return np.asarray(table[:, 0] if values.ndim == 1 else table)

    def median(self, values: Floats) -> Floats:
        """Median of each unit's rows; ``values`` of shape (n,) or (n, p)."""
        table = pd.DataFrame(values).groupby(self.of_row, sort=True).median().to_numpy(np.float64)
        return np.asarray(table[:, 0] if values.ndim == 1 else table)

    def shares(self, proba: Floats) -> Floats:
        """Class probabilities of each unit: medians divided by their sum, as `by_subject`."""
        medians = self.median(proba)
        total = medians.sum(axis=1, keepdims=True)
        return np.asarray(np.where(total > 0, medians / np.where(total > 0, total, 1), np.nan))


def units_of(
    batch: Labels,
    subject: Labels | None,
    codes: Ints | None = None,
    rows: Ints | None = None,
) -> Units:
    """Units in order of first appearance.

    Parameters
    ----------
    batch
        Batch of each row, shape (n,).
    subject
        Subject of each row, shape (n,); a row without one is a unit of its own. None: no row has.
    codes
        Class code of each row, shape (n,), which sets apart samples of a subject that differ in
        their label; None where labels play no part.
    rows
        Rows to take, shape (taken,), which the units then number from 0; None takes all.

    Raises
    ------
    InputError
        If the lengths differ or a row has no batch.
    """
    column = np.array(pd.Series(batch, dtype=object), dtype=object)
    names = batch_names(column, len(column))
    who = np.arange(len(names)).astype(object)
    if subject is not None:
        given = np.array(pd.Series(subject, dtype=object), dtype=object)
        if len(given) != len(names):
            raise InputError(
                f"subject has {len(given)} entries for {len(names)} rows; give one a row."
            )
        known = ~np.asarray(pd.isna(given), dtype=bool)
        who[known] = ["subject " + str(name) for name in given[known]]
    taken = np.arange(len(names)) if rows is None else rows
    who_number = pd.factorize(who[taken])[0]
    batches, batch_number = np.unique(names[taken], return_inverse=True)
    key = who_number * len(batches) + batch_number
    if codes is not None:
        key = key * (codes.max(initial=0) + 2) + codes[taken] + 1
    of_row = pd.factorize(key)[0].astype(np.int64)
    first = np.unique(of_row, return_index=True)[1]
    return Units(of_row, first.astype(np.int64), who_number[first].astype(np.int64))


def label_codes(label: Labels, rows: NDArray[np.bool_] | None = None) -> tuple[list[Any], Ints]:
    """Sorted classes of the labelled rows and the class code of each row.

    Parameters
    ----------
    label
        Label of each row, shape (n,); missing (None, NaN, NA) where there is none.
    rows
        Rows whose label may be read, boolean, shape (n,); None: all.

    Returns
    -------
    Classes sorted as text, and codes of shape (n,), -1 where missing or not to be read.
    """
    labels = np.array(pd.Series(label, dtype=object), dtype=object)
    known = ~np.asarray(pd.isna(labels), dtype=bool)
    if rows is not None:
        known &= rows
    classes = sorted(set(labels[known]), key=str)
    codes = np.full(len(labels), UNLABELLED, dtype=np.int64)
    codes[known] = pd.Index(classes, dtype=object).get_indexer(labels[known])
    return classes, codes


def codes_of_columns(proba: pd.DataFrame, label: Labels, rows: NDArray[np.bool_]) -> Ints:
    """Column number of each row's label, -1 where missing or not to be read.

    Parameters
    ----------
    proba
        Class probabilities, shape (n, K), columns named by class.
    label
        Label of each row, shape (n,).
    rows
        Rows whose label may be read, boolean, shape (n,).

    Raises
    ------
    InputError
        If the lengths differ or a label is none of the columns.
    """
    classes, codes = label_codes(label, rows)
    if len(codes) != len(proba):
        raise InputError(f"proba has {len(proba)} rows and label {len(codes)}; give one a row.")
    columns = pd.Index([str(name) for name in proba.columns])
    place = columns.get_indexer(pd.Index([str(name) for name in classes]))
    if (place < 0).any():
        raise InputError(
            f"Label {classes[int(np.argmin(place))]!r} is none of the columns of proba "
            f"({', '.join(columns)}); name the columns by class."
        )
    return np.append(place, UNLABELLED)[codes].astype(np.int64)


def fewest_subjects(codes: Ints, subject: Ints) -> int:
    """Subjects of the rarest class; 0 with fewer than two classes."""
    sizes = [len(np.unique(subject[codes == code])) for code in np.unique(codes)]
    return min(sizes) if len(sizes) > 1 else 0


def folds(
    codes: Ints, subject: Ints, n_splits: int, random_state: int
) -> Iterator[tuple[Ints, Ints]]:
    """Rows to learn from and rows to test on, stratified, a subject's units together.

    Parameters
    ----------
    codes
        Class code of each unit, shape (units,), none missing.
    subject
        Subject number of each unit, shape (units,).
    n_splits
        Folds; fewer where the rarest class has fewer subjects, which must be two at least.
    random_state
        Seed of the split.
    """
    splitter = StratifiedGroupKFold(
        min(n_splits, fewest_subjects(codes, subject)), shuffle=True, random_state=random_state
    )
    yield from splitter.split(codes, codes, subject)


def finite_rows(values: ArrayLike, n_rows: int, what: str) -> Floats:
    """Return measurements as floats, shape (n_rows, p).

    Raises
    ------
    InputError
        If the shape does not fit or a value is missing or infinite.
    """
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or len(table) != n_rows:
        raise InputError(
            f"{what} has shape {table.shape}; give samples in rows, {n_rows} as in batch."
        )
    wrong = ~np.isfinite(table)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise InputError(
            f"{wrong.sum()} values of {what} are missing or infinite (the first in row {row}, "
            f"column {column}); impute them first."
        )
    return table
