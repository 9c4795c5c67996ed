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

__all__ = ["UNLABELLED", "batch_names", "check_labels_given", "encode_labels"]


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
