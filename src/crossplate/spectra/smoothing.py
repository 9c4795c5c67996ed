"""Smoothing of the profile: Savitzky-Golay filter and moving average."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, assert_never

import numpy as np
from scipy.ndimage import correlate1d

from crossplate.errors import InputError
from crossplate.spectra.checking import FloatArray, check_half_window

SmoothingMethod = Literal["none", "savitzky-golay", "moving-average"]

__all__ = ["SmoothingMethod", "SmoothingSettings", "moving_average", "savitzky_golay", "smoothed"]


@dataclass(frozen=True)
class SmoothingSettings:
    """How the profile is smoothed.

    Parameters
    ----------
    method
        ``"savitzky-golay"`` keeps height and place of a peak; ``"moving-average"`` lowers peaks;
        ``"none"``.
    half_window
        Points on either side; 10 as in MALDIquant. The window should not be much wider than a
        peak at half its height.
    order
        Degree of the polynomial of ``"savitzky-golay"``; 3 as in MALDIquant.
    """

    method: SmoothingMethod = "savitzky-golay"
    half_window: int = 10
    order: int = 3

    def __post_init__(self) -> None:
        """Refuse what no filter can be made of."""
        if self.half_window < 1 or self.order < 0 or 2 * self.half_window < self.order:
            raise InputError(
                f"smoothing with half_window {self.half_window} and order {self.order} is not "
                "defined; take half_window >= 1 and 0 <= order <= 2 * half_window"
            )


def smoothed(intensity: FloatArray, settings: SmoothingSettings) -> FloatArray:
    """Intensities after smoothing as the settings say.

    Parameters
    ----------
    intensity
        Shape (n,).
    settings
        Method and window.

    Returns
    -------
    Shape (n,), a new array unless the method is ``"none"``.

    Raises
    ------
    InputError
        If the window is wider than the spectrum.
    """
    match settings.method:
        case "none":
            return intensity
        case "savitzky-golay":
            return savitzky_golay(intensity, settings.half_window, settings.order)
        case "moving-average":
            return moving_average(intensity, settings.half_window)
        case _:
            assert_never(settings.method)


def savitzky_golay(intensity: FloatArray, half_window: int = 10, order: int = 3) -> FloatArray:
    """Savitzky-Golay filter [Savitzky1964]_, as MALDIquant's.

    Each point becomes the value there of the polynomial fitted to the window around it. The
    first and last ``half_window`` points take theirs from the polynomial of the first and last
    full window.

    Parameters
    ----------
    intensity
        Shape (n,).
    half_window
        Points on either side; the window has 2 · half_window + 1.
    order
        Degree of the polynomial.

    Raises
    ------
    InputError
        If the window is wider than the spectrum.

    References
    ----------
    .. [Savitzky1964] Savitzky, Golay: Smoothing and differentiation of data by simplified least
       squares procedures. Analytical Chemistry 36 (1964) 1627-1639.
    """
    check_half_window(half_window, intensity.size, "smoothing")
    weights = _weights(half_window, order)
    width = 2 * half_window + 1
    filtered = np.asarray(correlate1d(intensity, weights[half_window]), dtype=np.float64)
    filtered[:half_window] = weights[:half_window] @ intensity[:width]
    filtered[-half_window:] = weights[-half_window:] @ intensity[-width:]
    return filtered


# Kept from spectrum to spectrum: finding them takes as long as filtering.
@lru_cache(maxsize=8)
def _weights(half_window: int, order: int) -> FloatArray:
    """Weights of a window's points for the polynomial's value at each of them, in rows."""
    # the projection on polynomials; scipy.signal has it too, but takes half a second to import
    powers = np.vander(np.linspace(-1.0, 1.0, 2 * half_window + 1), order + 1)
    basis = np.linalg.qr(powers)[0]
    weights: FloatArray = basis @ basis.T
    weights.setflags(write=False)
    return weights


def moving_average(intensity: FloatArray, half_window: int = 2) -> FloatArray:
    """Mean of each point and its neighbours, as MALDIquant's.

    The first and last ``half_window`` points take the mean of the first and last full window.

    Parameters
    ----------
    intensity
        Shape (n,).
    half_window
        Points on either side.

    Raises
    ------
    InputError
        If the window is wider than the spectrum.
    """
    check_half_window(half_window, intensity.size, "smoothing")
    width = 2 * half_window + 1
    means = np.asarray(correlate1d(intensity, np.full(width, 1.0 / width)), dtype=np.float64)
    means[:half_window] = means[half_window]
    means[-half_window:] = means[-half_window - 1]
    return means
