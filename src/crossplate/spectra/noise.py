"""Noise level of a spectrum."""

from __future__ import annotations

import numpy as np

from crossplate.errors import InputError
from crossplate.spectra.checking import FloatArray

MAD_TO_SD = 1.4826
"""Standard deviation of normal noise as a multiple of its MAD, as rounded in R's ``mad``."""

__all__ = ["MAD_TO_SD", "mad_noise"]


def mad_noise(intensity: FloatArray) -> float:
    """Median absolute deviation from the median, scaled to a standard deviation.

    Peaks cover few of the points, so they hardly move it. It is one number for the whole
    spectrum, as in MALDIquant.

    Parameters
    ----------
    intensity
        Intensities after baseline correction, shape (n,).

    Returns
    -------
    Noise in the units of ``intensity``; 0 where more than half of the points are equal.

    Raises
    ------
    InputError
        If there are no points.
    """
    if not intensity.size:
        raise InputError("an empty spectrum has no noise level; leave it out")
    return MAD_TO_SD * _median(np.abs(intensity - _median(intensity)))


def _median(values: FloatArray) -> float:
    # numpy's own also looks for NaN and takes several times as long
    half = values.size // 2
    ordered = np.partition(values, half)
    upper = float(ordered[half])
    return upper if values.size % 2 else 0.5 * (float(ordered[:half].max()) + upper)
