"""Labels and batches as users give them, checked: one batch name and one class code a row."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from crossplate.errors import InputError

IntArray = npt.NDArray[np.int64]

UNLABELLED = -1
"""Class code of a row without a label."""

__all__ = [
    "UNLABELLED",
    "batch_names",
    "check_labels_given",
    "encode_labels",
    "shuffled_codes",
    "subject_numbers",
]


def check_labels_given(estimator: object, y: Any) -> None:
    """Refuse a missing ``y``, in the words that scikit-learn's checks look for.

    Raises
    ------
    ValueError
        When ``y`` is None.
    """
    if y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is None; "
            "give labels for at least one batch"
        )


def encode_labels(y: Any) -> tuple[npt.NDArray[Any], IntArray]:
    """Classes and class codes of partly missing labels.

    Parameters
    ----------
    y
        Labels, strings or numbers, shape (n,); None, NaN or NA is missing.

    Returns
    -------
    Sorted classes, shape (C,), and the code of each row, ``UNLABELLED`` where missing.

    Raises
    ------
    InputError
        When no row has a label, or all have the same.
    ValueError
        When the labels are not classes (continuous numbers, say).
    """
    column = np.asarray(column_or_1d(y, warn=True))
    missing = np.asarray(pd.isna(column), dtype=bool)
    if missing.all():
        raise InputError(
            "Input y contains NaN in every row: no labelled row to learn from; "
            "give labels for at least two samples of each class"
        )
    known = np.array(column[~missing].tolist())
    if known.dtype.kind == "f" and not np.isfinite(known).all():
        raise InputError("Input y contains infinity; labels are classes, None for a missing one")
    check_classification_targets(known)
    classes, found = np.unique(known, return_inverse=True)
    if len(classes) < 2:
        raise InputError(
            f"only one class, {classes[0].item()!r}, among {len(known)} labelled rows; "
            "a classifier needs labelled rows of at least two classes"
        )
    codes = np.full(len(column), UNLABELLED, dtype=np.int64)
    codes[~missing] = found
    return classes, codes


def batch_names(batch: Any, n_rows: int) -> npt.NDArray[np.str_]:
    """Batch of each row as text.

    Raises
    ------
    InputError
        When the length is wrong or a row has no batch.
    """
    column = np.asarray(batch, dtype=object).reshape(-1)
    if len(column) != n_rows:
        raise InputError(
            f"batch has {len(column)} entries for {n_rows} rows; give one batch name a row"
        )
    missing = np.flatnonzero(pd.isna(column))
    if len(missing):
        raise InputError(
            f"{len(missing)} rows have no batch (first: row {missing[0] + 1}); name it for each"
        )
    return column.astype(str)


def subject_numbers(subject: Any, rows: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Number of the subject, from 0, of each chosen row; each its own where subject is None.

    Parameters
    ----------
    subject
        Subject of every row, shape (n,), or None.
    rows
        Chosen rows, boolean, shape (n,); only these need a subject.

    Raises
    ------
    InputError
        When the length is wrong or a chosen row has no subject.
    """
    if subject is None:
        return np.arange(int(rows.sum()), dtype=np.intp)
    names = np.array(pd.Series(subject, dtype=object), dtype=object)
    if names.shape != rows.shape:
        raise InputError(
            f"subject has {len(names)} entries for {len(rows)} rows; give one subject a row"
        )
    codes, _ = pd.factorize(names[rows])
    if (codes < 0).any():
        first = np.flatnonzero(rows)[np.argmax(codes < 0)]
        raise InputError(
            f"{(codes < 0).sum()} rows have no subject (first: row {first + 1}); "
            "name the subject of each"
        )
    return np.asarray(codes, dtype=np.intp)


def shuffled_codes(
    codes: IntArray,
    batch: npt.NDArray[Any],
    subject: npt.NDArray[Any] | None,
    rng: np.random.Generator,
) -> IntArray:
    """Class codes shuffled among the labelled subjects of each batch.

    Replicates stay alike, and each batch keeps its number of subjects a class.

    Parameters
    ----------
    codes
        Class code of each row, shape (n,); negative for unlabelled rows, which stay so.
    batch, subject
        Batch and subject of each row, shape (n,); without subjects each row is one.
    rng
        Source of the shuffle.

    Raises
    ------
    InputError
        When the labelled rows of a subject in a batch have different codes.
    """
    shuffled = codes.copy()
    who = np.arange(len(codes)).astype(str) if subject is None else subject
    for name in np.unique(batch):
        rows = np.flatnonzero((batch == name) & (codes >= 0))
        if not len(rows):
            continue
        names, first, places = np.unique(who[rows], return_index=True, return_inverse=True)
        labels = codes[rows][first]
        contradicting = np.flatnonzero(labels[places] != codes[rows])
        if len(contradicting):
            raise InputError(
                f"subject '{names[places[contradicting[0]]]}' has samples with different labels; "
                "give each subject one"
            )
        shuffled[rows] = rng.permutation(labels)[places]
    return shuffled
