"""Knowing the rows of ``fit`` again without keeping them."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from crossplate.correct.base import FloatArray

IntArray = npt.NDArray[np.int64]

UNKNOWN = -1
"""Position of a row that was not in ``fit``."""

__all__ = ["UNKNOWN", "fingerprints", "positions_of"]


def fingerprints(x: FloatArray) -> IntArray:
    """One number a row that equal rows, and in practice only these, have in common.

    Parameters
    ----------
    x
        Measurements, shape (n, p).

    Returns
    -------
    Shape (n,); the same on every machine.
    """
    # Adding 0 makes -0.0 and 0.0, which are equal, the same bytes.
    rows = np.ascontiguousarray(x + 0.0, dtype="<f8")
    digests = b"".join(blake2b(row.data, digest_size=8).digest() for row in rows)
    return np.frombuffer(digests, dtype="<i8").astype(np.int64)


def positions_of(x: FloatArray, fitted: IntArray) -> IntArray:
    """Position of each row among the fitted ones, ``UNKNOWN`` where it is not among them.

    Parameters
    ----------
    x
        Measurements, shape (n, p).
    fitted
        Fingerprints of the fitted rows, shape (m,).
    """
    known = {number: position for position, number in enumerate(fitted.tolist())}
    found = [known.get(number, UNKNOWN) for number in fingerprints(x).tolist()]
    return np.array(found, dtype=np.int64)
