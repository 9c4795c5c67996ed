"""Which rows to hold out, and which batches stand out, given what is labelled."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

__all__ = ["default_batch", "hold_out", "largest_batch"]


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
