"""Alignment of a spectrum to reference peaks by a smooth change of its m/z."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

import numpy as np
import numpy.typing as npt

from crossplate.errors import InputError
from crossplate.spectra.binning import PPM, BinningSettings, bin_peaks, check_tolerance
from crossplate.spectra.checking import FloatArray
from crossplate.spectra.filtering import check_frequency, frequent_centres
from crossplate.spectra.lowess import lowess
from crossplate.spectra.peaks import PeakList

WarpMethod = Literal["none", "linear", "quadratic", "cubic", "lowess"]
IntArray = npt.NDArray[np.intp]

FEWEST_MATCHES: dict[WarpMethod, int] = {
    "none": 0,
    "linear": 2,
    "quadratic": 3,
    "cubic": 4,
    "lowess": 2,
}

__all__ = [
    "FEWEST_MATCHES",
    "AlignmentSettings",
    "Warp",
    "WarpMethod",
    "fitted_warp",
    "match_nearest",
    "match_to_reference",
    "reference_peaks",
]


@dataclass(frozen=True)
class AlignmentSettings:
    """How spectra are aligned.

    Parameters
    ----------
    method
        Shape of the shift over m/z: ``"linear"``, ``"quadratic"``, ``"cubic"``, ``"lowess"``
        (local regression), or ``"none"`` for no alignment.
    tolerance_ppm
        Farthest that a peak may lie from its reference peak, in ppm; 2,000 as in MALDIquant.
    min_frequency
        Least share of the reference spectra that have a reference peak; 0.9 as in MALDIquant.
    min_snr
        Least signal-to-noise ratio of the peaks that are aligned; 2 as in MALDIquant, below that
        of features, since more peaks make a steadier fit.
    min_matched
        Least share of the reference peaks that a spectrum must match. Nearly all spectra have
        them, so one without half of them failed or lies outside the tolerance, and its few
        matches are chance. 0 as in MALDIquant lets it pass.
    """

    method: WarpMethod = "lowess"
    tolerance_ppm: float = 2000.0
    min_frequency: float = 0.9
    min_snr: float = 2.0
    min_matched: float = 0.5

    def __post_init__(self) -> None:
        """Refuse numbers out of range."""
        check_tolerance(self.tolerance_ppm)
        check_frequency(self.min_frequency)
        if not self.min_snr > 0.0 or not 0.0 <= self.min_matched <= 1.0:
            raise InputError(
                f"min_snr {self.min_snr:g} and min_matched {self.min_matched:g} of the alignment "
                "cannot be used; take min_snr > 0 and min_matched between 0 and 1"
            )


def reference_peaks(peaks: Sequence[PeakList], settings: AlignmentSettings) -> FloatArray:
    """Peaks that nearly all spectra have, as MALDIquant's ``referencePeaks``.

    Parameters
    ----------
    peaks
        Peaks of each spectrum.
    settings
        Tolerance and least frequency.

    Returns
    -------
    m/z, increasing, shape (r,); empty if no peak is frequent enough.
    """
    bins = bin_peaks(peaks, BinningSettings("strict", settings.tolerance_ppm))
    return frequent_centres(bins, settings.min_frequency)


def match_to_reference(
    mz: FloatArray, intensity: FloatArray, reference: FloatArray, tolerance_ppm: float
) -> tuple[IntArray, IntArray]:
    """Peaks of a spectrum and the reference peaks they stand for.

    Each peak belongs to the nearest reference peak if that lies within the tolerance; of several
    that belong to one, the highest is taken, since before alignment the nearest may be noise.

    Parameters
    ----------
    mz, intensity
        Peaks, increasing m/z, shape (k,).
    reference
        Increasing, shape (r,).
    tolerance_ppm
        In ppm of the reference peak.

    Returns
    -------
    Indices of peaks and of their reference peaks, equally long, both increasing.
    """
    nearest, near = _nearest(mz, reference, tolerance_ppm)
    candidates = np.flatnonzero(near)
    order = candidates[np.argsort(-intensity[candidates], kind="stable")]
    matched, first = np.unique(nearest[order], return_index=True)
    return order[first], matched


def match_nearest(
    mz: FloatArray, reference: FloatArray, tolerance_ppm: float
) -> tuple[IntArray, IntArray]:
    """Peaks of a spectrum and the reference peaks that they lie at.

    Each peak belongs to the nearest reference peak if that lies within the tolerance; of several
    that belong to one, the nearest is taken.

    Parameters
    ----------
    mz
        Peaks, increasing, shape (k,).
    reference
        Increasing, shape (r,).
    tolerance_ppm
        In ppm of the reference peak.

    Returns
    -------
    Indices of peaks and of their reference peaks, equally long, both increasing.
    """
    nearest, near = _nearest(mz, reference, tolerance_ppm)
    candidates = np.flatnonzero(near)
    distance = np.abs(mz[candidates] - reference[nearest[candidates]])
    order = candidates[np.argsort(distance, kind="stable")]
    matched, first = np.unique(nearest[order], return_index=True)
    return order[first], matched


def _nearest(
    mz: FloatArray, reference: FloatArray, tolerance_ppm: float
) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """Nearest reference peak of each peak, and whether it lies within the tolerance."""
    if not reference.size:
        return np.zeros(mz.size, dtype=np.intp), np.zeros(mz.size, dtype=bool)
    right = np.searchsorted(reference, mz).clip(0, reference.size - 1)
    left = (right - 1).clip(0)
    nearer_left = np.abs(mz - reference[left]) < np.abs(mz - reference[right])
    nearest = np.where(nearer_left, left, right)
    near = np.abs(mz - reference[nearest]) <= tolerance_ppm * PPM * reference[nearest]
    return nearest, near


@dataclass(frozen=True, eq=False)
class Warp:
    """Change of m/z that brings a spectrum's matched peaks near their reference peaks.

    Made by :func:`fitted_warp`.

    Attributes
    ----------
    at, shift
        m/z and the shift there, shape (k,), interpolated between them and constant beyond the
        first and last, for ``"lowess"``; empty otherwise.
    coefficients
        Of a polynomial, highest power first; empty unless one was fitted.
    centre, width
        The polynomial takes (m/z - centre) / width.
    """

    at: FloatArray
    shift: FloatArray
    coefficients: FloatArray
    centre: float = 0.0
    width: float = 1.0

    def apply(self, mz: FloatArray) -> FloatArray:
        """Aligned m/z.

        Parameters
        ----------
        mz
            Increasing, shape (n,).

        Returns
        -------
        Increasing, shape (n,).

        Raises
        ------
        InputError
            If the shift would change the order of points.
        """
        if self.at.size:
            aligned = mz + np.interp(mz, self.at, self.shift)
        elif self.coefficients.size:
            aligned = mz + np.polyval(self.coefficients, (mz - self.centre) / self.width)
        else:
            return mz
        if not (aligned[1:] > aligned[:-1]).all():
            raise InputError(
                "the alignment would change the order of points, so the matched peaks cannot be "
                "right; leave the spectrum out or narrow the tolerance of the alignment"
            )
        return np.asarray(aligned, dtype=np.float64)


def fitted_warp(measured: FloatArray, reference: FloatArray, method: WarpMethod) -> Warp:
    """Smooth shift that the matched peaks of a spectrum show, as MALDIquant's.

    Parameters
    ----------
    measured
        Matched peaks of the spectrum, increasing, shape (k,).
    reference
        Their reference peaks, increasing, shape (k,).
    method
        Shape of the shift over m/z. Polynomials are fitted by least squares, ``"lowess"`` robustly
        (:func:`crossplate.spectra.lowess.lowess`).

    Raises
    ------
    InputError
        If fewer peaks are matched than the method needs.
    """
    fewest = FEWEST_MATCHES[method]
    if measured.size < fewest:
        raise InputError(
            f"{measured.size} peaks match the reference peaks and the {method} alignment needs "
            f"{fewest}; leave the spectrum out or widen the tolerance of the alignment"
        )
    nothing, shift = np.zeros(0), reference - measured
    match method:
        case "none":
            return Warp(nothing, nothing, nothing)
        case "lowess":
            return Warp(measured, lowess(measured, shift), nothing)
        case "linear" | "quadratic" | "cubic":
            # powers of raw m/z would differ by 12 orders of magnitude
            centre, width = float(measured.mean()), float(np.ptp(measured))
            powers = np.vander((measured - centre) / width, fewest)
            fit = np.linalg.lstsq(powers, shift, rcond=None)
            coefficients = np.asarray(fit[0], dtype=np.float64)
            return Warp(nothing, nothing, coefficients, centre, width)
        case _:
            assert_never(method)
