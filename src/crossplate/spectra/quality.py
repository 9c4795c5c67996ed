"""What the quality page tells, as plain data: figures of batches and spectra, examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from crossplate.errors import InputError
from crossplate.spectra.chain import aligned_spectrum, processed_spectrum
from crossplate.spectra.checking import FloatArray
from crossplate.spectra.features import SpectraFeatures
from crossplate.spectra.pipeline import SpectraPipeline
from crossplate.spectra.replicates import (
    BoolArray,
    Names,
    replicate_correlation,
    replicate_mass_error,
)
from crossplate.spectra.spectrum_file import Exclusion, SpectrumFile

__all__ = [
    "BatchQuality",
    "ExampleSpectrum",
    "SpectraQuality",
    "batch_figures",
    "example_spectra",
    "spectrum_figures",
]

MOST_EXAMPLES = 4
"""Spectra that are drawn over one another; more hide one another."""


@dataclass(frozen=True)
class BatchQuality:
    """Figures of one batch. Medians are over its spectra that were kept; NaN where there are none.

    Attributes
    ----------
    batch
        Its name.
    n_found, n_kept
        Spectra with metadata, and those in the table.
    peaks, features
        Median number of peaks, and of features with a peak.
    snr
        Median of the spectra's median signal-to-noise ratios.
    tic, tic_rsd
        Median total ion current, and its standard deviation over the mean.
    error_before_ppm, error_after_ppm
        Median distance of peaks from their reference peaks, before and after alignment.
    replicate_error_before_ppm, replicate_error_after_ppm
        Median distance of a feature's peaks in two replicates.
    replicate_correlation
        Median correlation of a spectrum with the others of its subject.
    """

    batch: str
    n_found: int
    n_kept: int
    peaks: float
    features: float
    snr: float
    tic: float
    tic_rsd: float
    error_before_ppm: float
    error_after_ppm: float
    replicate_error_before_ppm: float
    replicate_error_after_ppm: float
    replicate_correlation: float


@dataclass(frozen=True, eq=False)
class ExampleSpectrum:
    """A spectrum before and after processing.

    Attributes
    ----------
    name, batch
        Of the spectrum.
    raw_mz, raw_intensity
        As measured, shape (n,).
    mz, intensity
        Processed and aligned, shape (m,).
    peak_mz, peak_intensity
        Its peaks, aligned, shape (k,).
    """

    name: str
    batch: str
    raw_mz: FloatArray
    raw_intensity: FloatArray
    mz: FloatArray
    intensity: FloatArray
    peak_mz: FloatArray
    peak_intensity: FloatArray


@dataclass(frozen=True, eq=False)
class SpectraQuality:
    """How good the spectra are and what became of them.

    Attributes
    ----------
    batches
        Figures by batch.
    spectra
        One row a spectrum that could be processed (`spectrum_figures`), the sample ids as index;
        ``kept`` tells whether it is in the table.
    feature_mz
        m/z of the features, shape (p,).
    n_features_learned
        Features before those that vary too much over replicates were dropped.
    excluded
        Spectra, files and rows that were left out, and why.
    examples
        A few spectra before and after processing.
    settings
        Of the chain, as plain values.
    notices
        Sentences about what was decided on the way.
    """

    batches: tuple[BatchQuality, ...]
    spectra: pd.DataFrame
    feature_mz: FloatArray
    n_features_learned: int
    excluded: tuple[Exclusion, ...]
    examples: tuple[ExampleSpectrum, ...]
    settings: dict[str, Any]
    notices: tuple[str, ...] = ()


def spectrum_figures(features: SpectraFeatures, batch: Names, groups: Names) -> pd.DataFrame:
    """Figures of each spectrum, the names as index.

    Parameters
    ----------
    features
        Of n spectra.
    batch, groups
        Batch of each spectrum, and which spectra are replicates, shape (n,).

    Returns
    -------
    ``batch``, the figures of `SpectrumQuality`, and ``replicate_correlation``.
    """
    frame = features.quality_frame()
    frame.insert(0, "batch", batch)
    frame["replicate_correlation"] = replicate_correlation(features.intensity, groups)
    return frame


def batch_figures(
    features: SpectraFeatures,
    figures: pd.DataFrame,
    groups: Names,
    kept: BoolArray,
    found: Iterable[str],
) -> tuple[BatchQuality, ...]:
    """Figures of each batch.

    Parameters
    ----------
    features
        Of n spectra.
    figures
        From `spectrum_figures`.
    groups
        Which spectra are replicates, shape (n,).
    kept
        True for a spectrum that is in the table, shape (n,).
    found
        Batch of each spectrum that has metadata, in any order.
    """
    batches = []
    for batch, n_found in Counter(found).items():
        rows = (figures["batch"] == batch).to_numpy() & kept
        one = figures[rows]
        tic = one["total_ion_current"]
        batches.append(
            BatchQuality(
                batch=batch,
                n_found=n_found,
                n_kept=int(rows.sum()),
                peaks=_median(one["n_peaks"]),
                features=_median(one["n_features_found"]),
                snr=_median(one["snr"]),
                tic=_median(tic),
                tic_rsd=float(tic.std() / tic.mean()) if len(tic) > 1 else float("nan"),
                error_before_ppm=_median(one["error_before_ppm"]),
                error_after_ppm=_median(one["error_after_ppm"]),
                replicate_error_before_ppm=replicate_mass_error(
                    features.measured_mz[rows], groups[rows]
                ),
                replicate_error_after_ppm=replicate_mass_error(
                    features.aligned_mz[rows], groups[rows]
                ),
                replicate_correlation=_median(one["replicate_correlation"]),
            )
        )
    return tuple(batches)


def example_spectra(
    files: Sequence[SpectrumFile], batch: Iterable[str], pipeline: SpectraPipeline
) -> tuple[ExampleSpectrum, ...]:
    """Process a few spectra again and keep their profiles: four, of four batches if there are.

    Parameters
    ----------
    files
        Spectra that were kept.
    batch
        Batch of each.
    pipeline
        Fitted.
    """
    batches = list(batch)
    examples = []
    for at in _spread(batches):
        try:
            examples.append(_example(files[at], batches[at], pipeline))
        except InputError:
            # The file was there a moment ago; a page without this example is still of use.
            continue
    return tuple(examples)


def _spread(batch: Sequence[str]) -> list[int]:
    """Places of a few spectra: equally many of each batch, from all over it."""
    names = list(dict.fromkeys(batch))[:MOST_EXAMPLES]
    share = -(-MOST_EXAMPLES // len(names)) if names else 0
    places = []
    for name in names:
        own = [at for at, other in enumerate(batch) if other == name]
        step = max(len(own) // share, 1)
        places += own[::step][:share]
    return places[:MOST_EXAMPLES]


def _example(file: SpectrumFile, batch: str, pipeline: SpectraPipeline) -> ExampleSpectrum:
    spectrum = file.read()
    settings = pipeline.settings
    done = processed_spectrum(spectrum.mz, spectrum.intensity, settings)
    aligned = aligned_spectrum(done.mz, done.peaks, pipeline.features_.reference_mz, settings)
    kept = done.peaks.snr > settings.peaks.min_snr
    return ExampleSpectrum(
        name=file.name,
        batch=batch,
        raw_mz=spectrum.mz,
        raw_intensity=spectrum.intensity,
        mz=aligned.mz,
        intensity=done.intensity,
        peak_mz=aligned.peak_mz[kept],
        peak_intensity=done.peaks.intensity[kept],
    )


def _median(column: pd.Series) -> float:
    # A median of nothing would warn.
    known = column.dropna()
    return float(known.median()) if len(known) else float("nan")
