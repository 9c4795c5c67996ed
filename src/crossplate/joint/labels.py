"""Which rows to hold out, and which batches stand out, given what is labelled."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

FEWEST_HELD_OUT = 5
"""Fewer held-out subjects of a class than this say nothing about when to stop."""

__all__ = ["FEWEST_HELD_OUT", "default_batch", "hold_out"]


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


def default_batch(batches: npt.NDArray[np.str_], labelled: IntArray) -> str | None:
    """Batch of rows given without one: the only unlabelled batch, else the only batch.

    Parameters
    ----------
    batches
        Batch names, shape (K,).
    labelled
        Labelled rows of each, shape (K,).
    """
    for candidates in (batches[labelled == 0], batches):
        if len(candidates) == 1:
            return str(candidates[0])
    return None
