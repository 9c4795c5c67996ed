"""Which bins are frequent enough to be features."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from crossplate.errors import InputError
from crossplate.spectra.binning import Bins
from crossplate.spectra.checking import FloatArray

__all__ = ["check_frequency", "frequent", "frequent_centres"]


def check_frequency(min_frequency: float) -> None:
    """Refuse a frequency that is not between 0 and 1.

    Raises
    ------
    InputError
        If it is out of range.
    """
    if not 0.0 <= min_frequency <= 1.0:
        raise InputError(
            f"min_frequency is {min_frequency:g}; give the share of the spectra, between 0 and 1"
        )


def frequent(bins: Bins, min_frequency: float) -> npt.NDArray[np.bool_]:
    """Whether each bin has a peak in at least a share of the spectra, as MALDIquant's filter.

    Parameters
    ----------
    bins
        Bins of all spectra, p of them.
    min_frequency
        Least share of the spectra, between 0 and 1.

    Returns
    -------
    Shape (p,).

    Raises
    ------
    InputError
        If ``min_frequency`` is out of range.
    """
    check_frequency(min_frequency)
    # 0.9 of 10 spectra is 9 of them, whichever way the product is rounded
    return bins.frequency() * bins.n_spectra >= min_frequency * bins.n_spectra - 1e-9


def frequent_centres(bins: Bins, min_frequency: float) -> FloatArray:
    """m/z of the bins that :func:`frequent` keeps, increasing."""
    return bins.centre[frequent(bins, min_frequency)]
