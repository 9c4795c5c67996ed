"""The m/z range that is kept."""

from __future__ import annotations

import numpy as np

from crossplate.errors import InputError
from crossplate.spectra.checking import FloatArray

__all__ = ["trim"]


def trim(
    mz: FloatArray, intensity: FloatArray, low: float, high: float
) -> tuple[FloatArray, FloatArray]:
    """Cut a spectrum to an m/z range.

    Parameters
    ----------
    mz
        Increasing, shape (n,).
    intensity
        Shape (n,).
    low, high
        First and last m/z kept, both included.

    Returns
    -------
    m/z and intensity in the range, views of the input.

    Raises
    ------
    InputError
        If ``low`` is not below ``high``, or no point lies in the range.
    """
    if not low < high:
        raise InputError(f"the m/z range {low:g} to {high:g} is empty; give the lower end first")
    first = int(np.searchsorted(mz, low, side="left"))
    last = int(np.searchsorted(mz, high, side="right"))
    if first == last:
        has = f"it covers {mz[0]:g} to {mz[-1]:g}" if mz.size else "it is empty"
        raise InputError(
            f"no point of the spectrum lies between m/z {low:g} and {high:g}, {has}; change the "
            "range or leave the spectrum out"
        )
    return mz[first:last], intensity[first:last]
