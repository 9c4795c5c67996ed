"""Peaks of several spectra that stand for the same ion get one m/z."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from crossplate.errors import InputError
from crossplate.spectra.checking import FloatArray
from crossplate.spectra.peaks import PeakList

BinningMethod = Literal["strict", "relaxed"]
IntArray = npt.NDArray[np.intp]

PPM = 1e-6
WIDEST_TOLERANCE = 1e5
"""In ppm: a tenth of the m/z. Anything near it is a mistake in the unit."""

__all__ = ["PPM", "BinningMethod", "BinningSettings", "Bins", "bin_peaks", "check_tolerance"]


@dataclass(frozen=True)
class BinningSettings:
    """How peaks are put together.

    Parameters
    ----------
    method
        ``"strict"``: no spectrum has two peaks in a bin. ``"relaxed"``: of two peaks of a
        spectrum the higher goes into the bin.
    tolerance_ppm
        Farthest that a peak may lie from its bin's mean m/z, in ppm; 2,000 as in MALDIquant.
    """

    method: BinningMethod = "strict"
    tolerance_ppm: float = 2000.0

    def __post_init__(self) -> None:
        """Refuse a tolerance out of range."""
        check_tolerance(self.tolerance_ppm)


def check_tolerance(tolerance_ppm: float) -> None:
    """Refuse a tolerance that is not above 0 or not below a tenth of the m/z.

    Raises
    ------
    InputError
        If it is out of range.
    """
    if not 0.0 < tolerance_ppm < WIDEST_TOLERANCE:
        raise InputError(
            f"tolerance_ppm is {tolerance_ppm:g}; give it in parts per million, above 0 and below "
            f"{WIDEST_TOLERANCE:g}"
        )


@dataclass(frozen=True, eq=False)
class Bins:
    """Peaks of several spectra, sorted by m/z, and the bin of each.

    Attributes
    ----------
    centre
        Mean m/z of each bin, increasing, shape (p,).
    bin_of
        Bin of each peak, shape (k,).
    spectrum_of
        Spectrum of each peak, from 0, shape (k,).
    intensity
        Height of each peak, shape (k,).
    n_spectra
        Number of spectra.
    """

    centre: FloatArray
    bin_of: IntArray
    spectrum_of: IntArray
    intensity: FloatArray
    n_spectra: int

    def frequency(self) -> FloatArray:
        """Share of the spectra that have a peak in each bin, shape (p,)."""
        return np.bincount(self.bin_of, minlength=len(self.centre)) / max(self.n_spectra, 1)

    def matrix(self) -> FloatArray:
        """Heights, spectra in rows and bins in columns, NaN where there is no peak."""
        values = np.full((self.n_spectra, len(self.centre)), np.nan)
        values[self.spectrum_of, self.bin_of] = self.intensity
        return values


def bin_peaks(peaks: Sequence[PeakList], settings: BinningSettings) -> Bins:
    """Put the peaks of all spectra into bins, as MALDIquant's ``binPeaks``.

    The sorted m/z of all spectra are cut at the widest gap, and each part again, until all peaks
    of a part lie within the tolerance of its mean and, if ``"strict"``, none are of the same
    spectrum. Other than in MALDIquant, peaks that make one good bin to begin with are not cut.

    Parameters
    ----------
    peaks
        Peaks of each spectrum.
    settings
        Method and tolerance.
    """
    mz = np.concatenate([each.mz for each in peaks]) if peaks else np.zeros(0)
    if not mz.size:
        nothing = np.zeros(0, dtype=np.intp)
        return Bins(np.zeros(0), nothing, nothing, np.zeros(0), len(peaks))
    order = np.argsort(mz, kind="stable")
    mz = mz[order]
    spectrum = np.repeat(np.arange(len(peaks)), [len(each) for each in peaks])[order]
    tolerance = settings.tolerance_ppm * PPM
    parts = _parts(mz, spectrum, tolerance, distinct=settings.method == "strict")
    intensity = np.concatenate([each.intensity for each in peaks])[order]
    # thousands of spectra have millions of peaks
    del order
    for left, right in parts:
        part = slice(left, right + 1)
        inside = np.arange(left, right + 1)
        if settings.method == "relaxed":
            inside = inside[_highest_of_each(spectrum[part], intensity[part])]
        mz[inside] = mz[inside].mean()
    centre, bin_of = np.unique(mz, return_inverse=True)
    return Bins(centre, np.asarray(bin_of, dtype=np.intp), spectrum, intensity, len(peaks))


def _parts(
    mz: FloatArray, spectrum: IntArray, tolerance: float, *, distinct: bool
) -> list[tuple[int, int]]:
    """First and last peak of each bin."""
    last_distinct = _last_distinct(spectrum) if distinct else np.full(mz.size, mz.size)
    gaps = np.diff(mz)
    # No bin reaches over a gap this wide, and cutting there first changes no other cut: the gaps
    # inside any bin that borders on it are narrower.
    wide = np.flatnonzero(gaps > 2.0 * tolerance * mz[:-1] / (1.0 - 3.0 * tolerance))
    starts, ends = np.append(0, wide + 1), np.append(wide, mz.size - 1)
    parts: list[tuple[int, int]] = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        parts += _cut(mz, gaps, last_distinct, tolerance, start, end)
    return parts


def _cut(
    mz: FloatArray,
    gaps: FloatArray,
    last_distinct: IntArray,
    tolerance: float,
    start: int,
    end: int,
) -> list[tuple[int, int]]:
    """Cut a run of peaks at its widest gaps until each part is a bin."""
    widest = _WidestGap(gaps[start:end].data)
    parts: list[tuple[int, int]] = []
    todo = [(start, end, widest.root)]
    while todo:
        left, right, gap = todo.pop()
        if right <= last_distinct[left] and _within(mz[left : right + 1], tolerance):
            parts.append((left, right))
            continue
        at = start + gap
        todo.append((left, at, widest.left[gap]))
        todo.append((at + 1, right, widest.right[gap]))
    return parts


class _WidestGap:
    """Widest gap of a run, then of either side of it, and so on: a Cartesian tree.

    It is built in one pass; looking for the widest gap anew in each part would take time in
    proportion to the square of the number of peaks.
    """

    def __init__(self, gaps: memoryview) -> None:
        self.left = array("q", [-1]) * len(gaps)
        self.right = array("q", [-1]) * len(gaps)
        spine: list[int] = []
        for i, gap in enumerate(gaps):
            below = -1
            while spine and gaps[spine[-1]] < gap:
                below = spine.pop()
            self.left[i] = below
            if spine:
                self.right[spine[-1]] = i
            spine.append(i)
        self.root = spine[0] if spine else -1


def _within(mz: FloatArray, tolerance: float) -> bool:
    # the peaks are sorted, so the outermost are the farthest; this spares most of the means
    if mz[-1] - mz[0] > 2.0 * tolerance * mz[-1]:
        return False
    mean = mz.mean()
    return bool(max(mean - mz[0], mz[-1] - mean) / mean <= tolerance)


def _last_distinct(spectrum: IntArray) -> IntArray:
    """Last peak up to which, from each peak on, no spectrum comes twice."""
    order = np.argsort(spectrum, kind="stable")
    same = np.flatnonzero(np.diff(spectrum[order]) == 0)
    again = np.full(spectrum.size, spectrum.size, dtype=np.intp)
    again[order[same]] = order[same + 1]
    again -= 1
    np.minimum.accumulate(again[::-1], out=again[::-1])
    return again


def _highest_of_each(spectrum: IntArray, intensity: FloatArray) -> IntArray:
    """Positions of the highest peak of each spectrum."""
    order = np.argsort(-intensity, kind="stable")
    _, first = np.unique(spectrum[order], return_index=True)
    return np.sort(order[first])
