"""Estimates of the baseline under the peaks: SNIP, top-hat, convex hull, least squares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, assert_never

import numpy as np
import numpy.typing as npt
from scipy.linalg import solveh_banded
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from crossplate.errors import InputError
from crossplate.spectra.checking import FloatArray, check_half_window

BaselineMethod = Literal["none", "snip", "top-hat", "convex-hull", "least-squares"]

__all__ = [
    "BaselineMethod",
    "BaselineSettings",
    "baseline_removed",
    "convex_hull",
    "least_squares",
    "snip",
    "top_hat",
]


@dataclass(frozen=True)
class BaselineSettings:
    """How the baseline is estimated.

    Parameters
    ----------
    method
        ``"snip"``, ``"top-hat"``, ``"convex-hull"``, ``"least-squares"`` (asymmetric) or
        ``"none"``. SNIP is MALDIquant's default and follows a curved baseline best; the convex
        hull has no setting but cannot follow a hump.
    iterations
        Of SNIP: half the width of the widest peak, in points.
    half_window
        Of the top-hat, in points: more than half the width of the widest peak.
    stiffness
        Of the least squares: weight of the curvature; it grows with the fourth power of the
        number of points over which the baseline may bend.
    asymmetry
        Of the least squares: weight of points above the baseline, those below having 1 minus it.
    """

    method: BaselineMethod = "snip"
    iterations: int = 100
    half_window: int = 100
    stiffness: float = 1e7
    asymmetry: float = 0.001

    def __post_init__(self) -> None:
        """Refuse numbers out of range."""
        if self.iterations < 1 or self.half_window < 1 or not self.stiffness > 0:
            raise InputError(
                "iterations and half_window of the baseline must be at least 1 and its stiffness "
                f"above 0; got {self.iterations}, {self.half_window} and {self.stiffness:g}"
            )
        if not 0.0 < self.asymmetry < 0.5:
            raise InputError(
                f"asymmetry of the baseline is {self.asymmetry:g}; it must lie between 0 and 0.5"
            )


def baseline_removed(
    mz: FloatArray, intensity: FloatArray, settings: BaselineSettings
) -> FloatArray:
    """Intensities above the baseline.

    Parameters
    ----------
    mz
        Increasing, shape (n,).
    intensity
        Shape (n,).
    settings
        Method and its numbers.

    Returns
    -------
    Shape (n,). Not negative, except with ``"least-squares"`` and ``"none"``.

    Raises
    ------
    InputError
        If a window is wider than the spectrum.
    """
    match settings.method:
        case "none":
            return intensity
        case "snip":
            return intensity - snip(intensity, settings.iterations)
        case "top-hat":
            return intensity - top_hat(intensity, settings.half_window)
        case "convex-hull":
            return intensity - convex_hull(mz, intensity)
        case "least-squares":
            return intensity - least_squares(intensity, settings.stiffness, settings.asymmetry)
        case _:
            assert_never(settings.method)


def snip(intensity: FloatArray, iterations: int = 100) -> FloatArray:
    """SNIP baseline [Ryan1988]_ with a window that shrinks [Morhac2009]_, as MALDIquant's.

    In turn for i = iterations, ..., 1, each point is lowered to the mean of the points i to its
    left and right where it lies above it. The first and last i points are left as they are.

    Parameters
    ----------
    intensity
        Shape (n,).
    iterations
        Half-width of the first window in points, about that of the widest peak.

    Returns
    -------
    Baseline, shape (n,), nowhere above ``intensity``.

    Raises
    ------
    InputError
        If the first window is wider than the spectrum.

    References
    ----------
    .. [Ryan1988] Ryan, Clayton, Griffin, Sie, Cousens: SNIP, a statistics-sensitive background
       treatment for the quantitative analysis of PIXE spectra in geoscience applications. Nuclear
       Instruments and Methods B 34 (1988) 396-402.
    .. [Morhac2009] Morháč: An algorithm for determination of peak regions and baseline
       elimination in spectroscopic data. Nuclear Instruments and Methods A 600 (2009) 478-487.
    """
    check_half_window(iterations, intensity.size, "the SNIP baseline (iterations)")
    lowered = intensity.copy()
    # One buffer for all iterations: fresh arrays of this size would cost more than the sums.
    means = np.empty_like(lowered)
    for i in range(iterations, 0, -1):
        inner, mean = lowered[i:-i], means[: -2 * i]
        np.add(lowered[: -2 * i], lowered[2 * i :], out=mean)
        mean *= 0.5
        np.minimum(inner, mean, out=inner)
    return lowered


def top_hat(intensity: FloatArray, half_window: int = 100) -> FloatArray:
    """Baseline of the top-hat filter, as MALDIquant's: the morphological opening [vanHerk1992]_.

    Parameters
    ----------
    intensity
        Shape (n,).
    half_window
        Points on either side; peaks wider than the window are taken for baseline.

    Returns
    -------
    Baseline, shape (n,), nowhere above ``intensity``.

    Raises
    ------
    InputError
        If the window is wider than the spectrum.

    References
    ----------
    .. [vanHerk1992] van Herk: A fast algorithm for local minimum and maximum filters on
       rectangular and octagonal kernels. Pattern Recognition Letters 13 (1992) 517-521.
    """
    check_half_window(half_window, intensity.size, "the top-hat baseline")
    width = 2 * half_window + 1
    eroded = minimum_filter1d(intensity, width, mode="nearest")
    return np.asarray(maximum_filter1d(eroded, width, mode="nearest"), dtype=np.float64)


def convex_hull(mz: FloatArray, intensity: FloatArray) -> FloatArray:
    """Lower convex hull of the points, as MALDIquant's baseline of that name.

    Parameters
    ----------
    mz
        Increasing, shape (n,).
    intensity
        Shape (n,), n >= 1.

    Returns
    -------
    Baseline, shape (n,), nowhere above ``intensity`` but for rounding.
    """
    corners, open_chords = [0], [(0, intensity.size - 1)]
    while open_chords:
        left, right = open_chords.pop()
        lowest = _lowest_below_chord(mz, intensity, left, right)
        if lowest is None:
            corners.append(right)
        else:
            # the left part is taken up first, so that corners come in order
            open_chords += [(lowest, right), (left, lowest)]
    at = np.array(corners)
    hull = np.interp(mz, mz[at], intensity[at])
    return np.asarray(np.minimum(hull, intensity), dtype=np.float64)


def _lowest_below_chord(mz: FloatArray, intensity: FloatArray, left: int, right: int) -> int | None:
    """Point between two others farthest below the line through them; None if none is below."""
    if right - left < 2:
        return None
    slope = (intensity[right] - intensity[left]) / (mz[right] - mz[left])
    inside = slice(left + 1, right)
    depth = intensity[inside] - (intensity[left] + slope * (mz[inside] - mz[left]))
    lowest = int(np.argmin(depth))
    return left + 1 + lowest if depth[lowest] < 0.0 else None


def least_squares(
    intensity: FloatArray, stiffness: float = 1e7, asymmetry: float = 0.001
) -> FloatArray:
    """Baseline of asymmetric least squares [Eilers2005]_.

    Minimises Σ wᵢ (yᵢ − zᵢ)² + stiffness · Σ (zᵢ₋₁ − 2 zᵢ + zᵢ₊₁)² over z, where wᵢ is
    ``asymmetry`` for points above z and 1 − ``asymmetry`` for the others, until the points above
    are the same twice.

    Parameters
    ----------
    intensity
        Shape (n,), n >= 3, evenly spaced or nearly so.
    stiffness
        Weight of the curvature.
    asymmetry
        Weight of points above the baseline, between 0 and 0.5.

    Returns
    -------
    Baseline, shape (n,).

    Raises
    ------
    InputError
        If there are fewer than three points.

    References
    ----------
    .. [Eilers2005] Eilers, Boelens: Baseline correction with asymmetric least squares smoothing.
       Leiden University Medical Centre report (2005).
    """
    n = intensity.size
    if n < 3:
        raise InputError(
            f"the spectrum has {n} points, the least-squares baseline needs 3; leave it out"
        )
    penalty = stiffness * _curvature_bands(n)
    above = np.zeros(n, dtype=bool)
    baseline = intensity
    # 50 as in pybaselines; about ten are needed, a spectrum that cycles ends within rounding
    for _ in range(50):
        weight = np.where(above, asymmetry, 1.0 - asymmetry)
        bands = penalty.copy()
        bands[0] += weight
        baseline = solveh_banded(
            bands, weight * intensity, lower=True, overwrite_ab=True, check_finite=False
        )
        was_above, above = above, intensity > baseline
        if (above == was_above).all():
            break
    return np.asarray(baseline, dtype=np.float64)


def _curvature_bands(n: int) -> npt.NDArray[np.float64]:
    """Lower bands of DᵀD, D taking second differences of n points; shape (3, n)."""
    # products of D's rows (1, -2, 1), which overlap fewer times at the ends
    middle, ends = np.zeros(n), np.zeros(n)
    middle[1:-1] = 1.0
    ends[:-2] += 1.0
    ends[2:] += 1.0
    bands = np.zeros((3, n))
    bands[0] = 4.0 * middle + ends
    bands[1, :-1] = -2.0 * (middle[1:] + middle[:-1])
    bands[2, :-2] = 1.0
    return bands
