"""The batch of each row, where one is given and where none is."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import numpy as np
import numpy.typing as npt

from crossplate.errors import InputError
from crossplate.rows import batch_names

SOURCE, TARGET = "source", "target"
"""Batches of labelled and unlabelled rows that are given without any."""

__all__ = ["SOURCE", "TARGET", "batches_of_fit", "batches_of_rows", "no_batch_given"]


def batches_of_fit(batch: Any, codes: npt.NDArray[np.int64]) -> npt.NDArray[np.str_]:
    """Batch of each training row.

    Parameters
    ----------
    batch
        As given; None takes labelled rows for ``SOURCE`` and others for ``TARGET``.
    codes
        Class code of each row, negative for none, shape (n,).

    Raises
    ------
    InputError
        A batch of one row.
    """
    if batch is None:
        return np.where(codes >= 0, SOURCE, TARGET).astype(str)
    names = batch_names(batch, len(codes))
    found, counts = np.unique(names, return_counts=True)
    if counts.min() < 2:
        raise InputError(
            f"batch {str(found[counts.argmin()])!r} has one row; a batch needs at least 2 "
            "for statistics of its own: add rows or leave it out"
        )
    return names


def batches_of_rows(
    batch: Any,
    n_rows: int,
    fitted: npt.NDArray[np.str_],
    default: str | None,
    known: Container[str] | None,
) -> npt.NDArray[np.str_]:
    """Batch of each row to be predicted.

    Parameters
    ----------
    batch
        As given; None takes the default.
    n_rows
        Rows n.
    fitted, default
        Batches of the fit, and the one that rows without a batch belong to, if any.
    known
        Batches whose statistics are known; others need two rows. None needs no statistics.

    Raises
    ------
    InputError
        No batch and no default; a new batch of one row.
    """
    if batch is None:
        if default is None:
            raise no_batch_given(fitted)
        return np.full(n_rows, default)
    names = batch_names(batch, n_rows)
    for name, count in zip(*np.unique(names, return_counts=True), strict=True):
        if count < 2 and known is not None and name not in known:
            raise InputError(
                f"batch {str(name)!r} is new and has one row; its own statistics need at "
                "least 2 rows: predict the whole plate together"
            )
    return names


def no_batch_given(fitted: npt.NDArray[np.str_]) -> InputError:
    """The error of rows without a batch where there are several."""
    return InputError(
        "batch is needed to tell the rows' batches apart; fitted batches are "
        f"{', '.join(fitted)}, and a new name stands for a new batch"
    )
