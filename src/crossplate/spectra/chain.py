"""The chain for one spectrum: from raw points to peaks, and from peaks to a row of features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossplate.errors import InputError
from crossplate.spectra.alignment import fitted_warp, match_nearest, match_to_reference
from crossplate.spectra.baseline import baseline_removed
from crossplate.spectra.binning import PPM
from crossplate.spectra.checking import FloatArray, check_points, check_signal
from crossplate.spectra.filling import filled_from_profile
from crossplate.spectra.mass_range import trim
from crossplate.spectra.noise import mad_noise
from crossplate.spectra.normalisation import normalised, pqn_factors, total_ion_current
from crossplate.spectra.peaks import PeakList, PeakSettings, detect_peaks
from crossplate.spectra.pipeline_settings import SpectraSettings
from crossplate.spectra.smoothing import smoothed
from crossplate.spectra.transform import transformed

__all__ = [
    "AlignedSpectrum",
    "FeatureRow",
    "FittedFeatures",
    "ProcessedSpectrum",
    "above_snr",
    "aligned_spectrum",
    "feature_row",
    "processed_spectrum",
]


@dataclass(frozen=True, eq=False)
class FittedFeatures:
    """What is learned on the reference spectra.

    Attributes
    ----------
    reference_mz
        Reference peaks of the alignment, increasing, shape (r,); empty without alignment.
    feature_mz
        m/z of the features, increasing, shape (p,).
    frequency
        Share of the reference spectra with a peak at each feature, shape (p,).
    pqn_reference
        Median intensity of each feature where it was found, shape (p,); None unless the
        normalisation is ``"pqn"``.
    """

    reference_mz: FloatArray
    feature_mz: FloatArray
    frequency: FloatArray
    pqn_reference: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class ProcessedSpectrum:
    """A spectrum after all steps that need no other spectrum.

    Attributes
    ----------
    mz, intensity
        Profile in the m/z range, shape (n,); intensity is normalised.
    peaks
        All peaks above the lower of the two signal-to-noise limits, of features and of alignment.
    total_ion_current
        After transform, smoothing and baseline correction, before normalisation.
    """

    mz: FloatArray
    intensity: FloatArray
    peaks: PeakList
    total_ion_current: float


@dataclass(frozen=True, eq=False)
class AlignedSpectrum:
    """A processed spectrum after alignment to the reference peaks.

    Attributes
    ----------
    mz
        Aligned m/z of the profile, shape (n,).
    peak_mz
        Aligned m/z of the peaks, shape (k,).
    n_matched
        Peaks that were matched to reference peaks.
    error_before, error_after
        Median distance of the matched peaks from their reference peaks in ppm; NaN if there are
        none.
    """

    mz: FloatArray
    peak_mz: FloatArray
    n_matched: int
    error_before: float
    error_after: float


@dataclass(frozen=True, eq=False)
class FeatureRow:
    """A spectrum's features.

    Attributes
    ----------
    intensity
        Intensities, shape (p,).
    measured_mz, aligned_mz
        m/z of the peak found at each feature, before and after alignment, shape (p,); NaN where
        the intensity was read from the profile.
    n_peaks
        Peaks above the signal-to-noise limit of features, at a feature or not.
    snr
        Median signal-to-noise ratio of these peaks; NaN if there are none.
    total_ion_current
        As of :class:`ProcessedSpectrum`.
    n_matched, error_before, error_after
        As of :class:`AlignedSpectrum`.
    """

    intensity: FloatArray
    measured_mz: FloatArray
    aligned_mz: FloatArray
    n_peaks: int
    snr: float
    total_ion_current: float
    n_matched: int
    error_before: float
    error_after: float


def processed_spectrum(
    mz: FloatArray, intensity: FloatArray, settings: SpectraSettings
) -> ProcessedSpectrum:
    """Raw points to a normalised profile and its peaks.

    Parameters
    ----------
    mz, intensity
        Raw profile, increasing m/z, shape (n,).
    settings
        Of the chain.

    Raises
    ------
    InputError
        If the arrays are no spectrum, no point lies in the m/z range, the spectrum is flat,
        saturated or zero-suppressed, or has fewer points than a window.
    """
    check_points(mz, intensity)
    mz, intensity = trim(mz, intensity, *settings.mz_range)
    check_signal(intensity, settings.most_clipped)
    intensity = transformed(intensity, settings.transform)
    intensity = smoothed(intensity, settings.smoothing)
    intensity = baseline_removed(mz, intensity, settings.baseline)
    current = total_ion_current(mz, intensity)
    intensity = normalised(mz, intensity, settings.normalisation)
    lower = min(settings.peaks.min_snr, settings.alignment.min_snr)
    window, position = settings.peaks.half_window, settings.peaks.position
    found = detect_peaks(mz, intensity, mad_noise(intensity), PeakSettings(window, lower, position))
    return ProcessedSpectrum(mz, intensity, found, current)


def above_snr(peaks: PeakList, min_snr: float) -> PeakList:
    """Peaks above a signal-to-noise ratio."""
    kept = peaks.snr > min_snr
    if kept.all():
        return peaks
    return PeakList(peaks.mz[kept], peaks.intensity[kept], peaks.snr[kept])


def aligned_spectrum(
    mz: FloatArray, peaks: PeakList, reference_mz: FloatArray, settings: SpectraSettings
) -> AlignedSpectrum:
    """Align a profile and its peaks to the reference peaks.

    Parameters
    ----------
    mz
        m/z of the profile, shape (n,); may be empty where only the peaks are needed.
    peaks
        Peaks of the spectrum.
    reference_mz
        Reference peaks, increasing, shape (r,).
    settings
        Of the chain.

    Raises
    ------
    InputError
        If too few peaks match, or the alignment would change the order of points.
    """
    how = settings.alignment
    clear = above_snr(peaks, how.min_snr)
    matched, its_reference = match_to_reference(
        clear.mz, clear.intensity, reference_mz, how.tolerance_ppm
    )
    if len(matched) < how.min_matched * len(reference_mz):
        raise InputError(
            f"{len(matched)} of {len(reference_mz)} reference peaks are found within "
            f"{how.tolerance_ppm:g} ppm, so the spectrum failed or is calibrated otherwise; leave "
            "it out, calibrate it, or widen the tolerance of the alignment"
        )
    measured, reference = clear.mz[matched], reference_mz[its_reference]
    warp = fitted_warp(measured, reference, how.method)
    return AlignedSpectrum(
        mz=warp.apply(mz),
        peak_mz=warp.apply(peaks.mz),
        n_matched=len(matched),
        error_before=_median_ppm(measured, reference),
        error_after=_median_ppm(warp.apply(measured), reference),
    )


def _median_ppm(mz: FloatArray, reference: FloatArray) -> float:
    return float(np.median(np.abs(mz - reference) / reference)) / PPM if mz.size else float("nan")


def feature_row(
    done: ProcessedSpectrum, fitted: FittedFeatures, settings: SpectraSettings
) -> FeatureRow:
    """Look the features up in a processed spectrum.

    Each peak belongs to the nearest feature within the tolerance of the binning. A feature takes
    the height of the nearest of its peaks, and without a peak the height of the profile there.

    Parameters
    ----------
    done
        Made by :func:`processed_spectrum` with the same settings.
    fitted
        Learned on the reference spectra.
    settings
        With which they were learned.

    Raises
    ------
    InputError
        As :func:`aligned_spectrum`, or if with normalisation ``"pqn"`` no feature is found.
    """
    aligned = aligned_spectrum(done.mz, done.peaks, fitted.reference_mz, settings)
    kept = np.flatnonzero(done.peaks.snr > settings.peaks.min_snr)
    matched, feature = match_nearest(
        aligned.peak_mz[kept], fitted.feature_mz, settings.binning.tolerance_ppm
    )
    at = kept[matched]
    found, measured, placed = (np.full(len(fitted.feature_mz), np.nan) for _ in range(3))
    found[feature] = done.peaks.intensity[at]
    measured[feature], placed[feature] = done.peaks.mz[at], aligned.peak_mz[at]
    values = filled_from_profile(found, fitted.feature_mz, aligned.mz, done.intensity)
    if fitted.pqn_reference is not None:
        values = values / _dilution(found, fitted.pqn_reference)
    return FeatureRow(
        intensity=values,
        measured_mz=measured,
        aligned_mz=placed,
        n_peaks=len(kept),
        snr=float(np.median(done.peaks.snr[kept])) if len(kept) else float("nan"),
        total_ion_current=done.total_ion_current,
        n_matched=aligned.n_matched,
        error_before=aligned.error_before,
        error_after=aligned.error_after,
    )


def _dilution(found: FloatArray, reference: FloatArray) -> float:
    factor = float(pqn_factors(found[np.newaxis], reference)[0])
    if np.isnan(factor):
        raise InputError(
            "no feature is found in the spectrum, so it cannot be normalised by quotients; leave "
            "it out"
        )
    return factor
