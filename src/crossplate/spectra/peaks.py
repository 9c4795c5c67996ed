"""Peaks: local maxima that rise above the noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from crossplate.errors import InputError
from crossplate.spectra.checking import FloatArray, check_half_window

PeakPosition = Literal["highest", "vertex"]

PEAK_TOP = 0.8
"""Share of the height above which a peak is near enough to a parabola to be placed by one."""

__all__ = [
    "PEAK_TOP",
    "PeakList",
    "PeakPosition",
    "PeakSettings",
    "detect_peaks",
    "local_maxima",
    "vertices",
]


@dataclass(frozen=True)
class PeakSettings:
    """What counts as a peak.

    Parameters
    ----------
    half_window
        A peak is the highest point of this many on either side; 20 as in MALDIquant. Two peaks
        nearer to each other are taken for one.
    min_snr
        Least height in units of the noise; 3 as is usual for a limit of detection.
    position
        ``"highest"``: m/z of the highest point, as in MALDIquant. ``"vertex"``: that of a
        parabola through the peak's top (:func:`vertices`), which is not bound to the spacing of
        the points, often 100 ppm and more.
    """

    half_window: int = 20
    min_snr: float = 3.0
    position: PeakPosition = "highest"

    def __post_init__(self) -> None:
        """Refuse numbers out of range."""
        if self.half_window < 1 or not self.min_snr > 0.0:
            raise InputError(
                f"peaks with half_window {self.half_window} and min_snr {self.min_snr:g} are not "
                "defined; take half_window >= 1 and min_snr > 0"
            )


@dataclass(frozen=True, eq=False)
class PeakList:
    """Peaks of one spectrum.

    Attributes
    ----------
    mz
        Increasing, shape (k,).
    intensity
        Heights, shape (k,).
    snr
        Heights in units of the noise, shape (k,).
    """

    mz: FloatArray
    intensity: FloatArray
    snr: FloatArray

    def __len__(self) -> int:
        return len(self.mz)


def local_maxima(
    intensity: FloatArray, half_window: int, above: float = -np.inf
) -> npt.NDArray[np.intp]:
    """Points that are the highest within a window, as MALDIquant finds them.

    Of equal points the first counts. Beyond the ends the spectrum is taken to be 0, so that a
    point below 0 near an end is no maximum.

    Parameters
    ----------
    intensity
        Shape (n,).
    half_window
        Points on either side.
    above
        Only points above this are looked at.

    Returns
    -------
    Indices, increasing.

    Raises
    ------
    InputError
        If the window is wider than the spectrum.
    """
    check_half_window(half_window, intensity.size, "peak detection")
    padded = np.pad(intensity, half_window)
    before, after = padded[half_window - 1 : -half_window - 1], padded[half_window + 1 :]
    rises = (intensity > before) & (intensity >= after[: intensity.size]) & (intensity > above)
    # this leaves few for the full comparison
    at = np.flatnonzero(rises)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half_window + 1)[at]
    height = intensity[at, np.newaxis]
    first = (windows[:, :half_window] < height).all(axis=1)
    highest = (windows[:, half_window + 1 :] <= height).all(axis=1)
    return np.asarray(at[first & highest], dtype=np.intp)


def detect_peaks(
    mz: FloatArray, intensity: FloatArray, noise: float, settings: PeakSettings
) -> PeakList:
    """Peaks of a spectrum; those of MALDIquant unless placed by ``"vertex"``.

    Parameters
    ----------
    mz
        Increasing, shape (n,).
    intensity
        After baseline correction, shape (n,).
    noise
        Noise level in the units of ``intensity``, above 0.
    settings
        Window, least signal-to-noise ratio and what is taken for the m/z.

    Raises
    ------
    InputError
        If the noise is not above 0, or the window is wider than the spectrum.
    """
    if not noise > 0.0:
        raise InputError(
            f"the noise level is {noise:g}, so no signal-to-noise ratio can be formed: more than "
            "half of the points are equal; export the spectrum without zero suppression"
        )
    at = local_maxima(intensity, settings.half_window, settings.min_snr * noise)
    place = mz[at]
    if settings.position == "vertex":
        place = vertices(mz, intensity, at, settings.half_window)
    return PeakList(place, intensity[at], intensity[at] / noise)


def vertices(
    mz: FloatArray, intensity: FloatArray, at: npt.NDArray[np.intp], half_window: int
) -> FloatArray:
    """m/z of the vertices of parabolas fitted to the tops of peaks by least squares.

    The top is all points around the highest that stand above :data:`PEAK_TOP` of its height, at
    least two and at most half_window / 2 on either side, so that peaks keep their order.

    Parameters
    ----------
    mz
        Increasing, shape (n,).
    intensity
        Shape (n,).
    at
        Highest points of the peaks, increasing, more than ``half_window`` apart, shape (k,).
    half_window
        Window of the peak detection.

    Returns
    -------
    Shape (k,), inside the top; the highest point's m/z where no parabola opens downwards.
    """
    reach = half_window // 2
    if not reach or not at.size:
        return mz[at]
    offset = np.arange(-reach, reach + 1)
    around = at[:, np.newaxis] + offset
    exists = (around >= 0) & (around < mz.size)
    around = around.clip(0, mz.size - 1)
    height = intensity[around]
    in_top = _top(height, exists)
    # in units of the top's width, so that the sums below are of like size
    x = np.where(in_top, mz[around] - mz[at, np.newaxis], 0.0)
    width = np.abs(x).max(axis=1, keepdims=True)
    x /= width
    y = np.where(in_top, height / intensity[at, np.newaxis], 0.0)
    square = x * x
    s1, s2, s3, s4 = (each.sum(axis=1) for each in (x, square, square * x, square * square))
    enough = in_top.sum(axis=1) >= 3
    gram = np.stack([in_top.sum(axis=1), s1, s2, s1, s2, s3, s2, s3, s4], axis=1).reshape(-1, 3, 3)
    gram[~enough] = np.eye(3)
    target = np.stack([each.sum(axis=1) for each in (y, y * x, y * square)], axis=1)
    _, slope, curvature = np.linalg.solve(gram, target[..., np.newaxis])[..., 0].T
    peaked = enough & (curvature < 0.0)
    vertex = np.zeros(at.size)
    vertex[peaked] = -0.5 * slope[peaked] / curvature[peaked]
    vertex = vertex.clip(x.min(axis=1), x.max(axis=1))
    return np.asarray(mz[at] + vertex * width[:, 0], dtype=np.float64)


def _top(height: FloatArray, exists: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Points that belong to each peak's top; peaks in rows, the highest point in the middle."""
    middle = height.shape[1] // 2
    high = height >= PEAK_TOP * height[:, middle, np.newaxis]
    least = min(2, middle)
    high[:, middle - least : middle + least + 1] = True
    high &= exists
    rightwards = np.logical_and.accumulate(high[:, middle:], axis=1)
    leftwards = np.logical_and.accumulate(high[:, middle::-1], axis=1)
    return np.concatenate((leftwards[:, :0:-1], rightwards), axis=1)
