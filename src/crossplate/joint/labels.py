"""Labels and batches of the rows given to ``fit``: what is known, as integer codes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from crossplate.errors import InputError
from crossplate.joint.losses import UNLABELLED

IntArray = npt.NDArray[np.int64]

__all__ = ["batch_names", "default_batch", "encode_labels", "hold_out", "largest_batch"]


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


def hold_out(
    codes: IntArray,
    subject: npt.NDArray[Any] | None,
    share: float,
    fewest: int,
    rng: np.random.Generator,
) -> IntArray:
    """Labelled rows to hold out, whole subjects, the same share of every class.

    Parameters
    ----------
    codes
        Class codes of all rows, shape (n,).
    subject
        Subject of each row; None takes each row for a subject of its own.
    share
        Share of each class's subjects.
    fewest
        Least number of subjects of each class that makes a held-out loss worth reading.
    rng
        Draws the subjects.

    Returns
    -------
    Row numbers; none when the rarest class would give fewer than ``fewest`` subjects.
    """
    who = np.arange(len(codes)) if subject is None else subject
    chosen = []
    for code in range(int(codes.max()) + 1):
        subjects = np.unique(who[codes == code])
        count = round(share * len(subjects))
        if count < fewest:
            return np.empty(0, dtype=np.int64)
        chosen.append(rng.choice(subjects, count, replace=False))
    return np.flatnonzero(np.isin(who, np.concatenate(chosen)) & (codes >= 0))


def default_batch(names: npt.NDArray[np.str_], codes: IntArray) -> str | None:
    """Batch of rows given without one: the only unlabelled batch, else the only batch."""
    every = np.unique(names)
    unlabelled = np.setdiff1d(every, names[codes >= 0])
    for candidates in (unlabelled, every):
        if len(candidates) == 1:
            return str(candidates[0])
    return None


def largest_batch(names: npt.NDArray[np.str_]) -> str:
    """Batch with the most rows."""
    found, counts = np.unique(names, return_counts=True)
    return str(found[counts.argmax()])
