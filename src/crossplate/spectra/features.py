"""The features of many spectra, with what the quality page tells of each spectrum."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from crossplate.spectra.chain import FeatureRow
from crossplate.spectra.checking import FloatArray
from crossplate.spectra.spectrum_file import Exclusion

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SpectraFeatures", "SpectrumQuality", "collected_features", "feature_names"]


@dataclass(frozen=True)
class SpectrumQuality:
    """Figures of one spectrum.

    Attributes
    ----------
    name
        Name of the spectrum.
    n_peaks
        Peaks above the signal-to-noise limit of features.
    n_features_found
        Features at which there is such a peak.
    snr
        Median signal-to-noise ratio of the peaks; NaN if there are none.
    total_ion_current
        After transform, smoothing and baseline correction.
    n_matched
        Peaks matched to reference peaks of the alignment.
    error_before_ppm, error_after_ppm
        Median distance of these from their reference peaks before and after alignment; NaN if
        there are none.
    """

    name: str
    n_peaks: int
    n_features_found: int
    snr: float
    total_ion_current: float
    n_matched: int
    error_before_ppm: float
    error_after_ppm: float


@dataclass(frozen=True, eq=False)
class SpectraFeatures:
    """Features of the spectra that could be used, n of them, and p features.

    Attributes
    ----------
    intensity
        Intensities, shape (n, p).
    feature_mz
        Increasing, shape (p,).
    measured_mz, aligned_mz
        m/z of the peak behind each value before and after alignment, shape (n, p); NaN where
        there was none and the profile was read.
    quality
        One entry a spectrum, in the order of the rows.
    exclusions
        Spectra left out, and why.
    """

    intensity: FloatArray
    feature_mz: FloatArray
    measured_mz: FloatArray
    aligned_mz: FloatArray
    quality: tuple[SpectrumQuality, ...]
    exclusions: tuple[Exclusion, ...]

    @property
    def names(self) -> list[str]:
        """Names of the spectra, in the order of the rows."""
        return [each.name for each in self.quality]

    @property
    def found(self) -> npt.NDArray[np.bool_]:
        """True where a value is the height of a peak, not read from the profile; shape (n, p)."""
        return np.isfinite(self.aligned_mz)

    def to_frame(self) -> pd.DataFrame:
        """Intensities with spectra as index ``sample_id`` and m/z as column names."""
        import pandas as pd

        index = pd.Index(self.names, name="sample_id", dtype=object)
        return pd.DataFrame(self.intensity, index=index, columns=feature_names(self.feature_mz))

    def quality_frame(self) -> pd.DataFrame:
        """Figures of the spectra, one row each, with ``name`` as index."""
        import pandas as pd

        columns = list(SpectrumQuality.__dataclass_fields__)
        rows = [asdict(each) for each in self.quality]
        return pd.DataFrame(rows, columns=columns).set_index("name")


def feature_names(feature_mz: FloatArray) -> list[str]:
    """Names of features: m/z with four decimals, or as many more as keep them apart.

    Parameters
    ----------
    feature_mz
        Increasing, shape (p,).
    """
    for decimals in range(4, 17):
        names = [f"{mz:.{decimals}f}" for mz in feature_mz]
        if len(set(names)) == len(names):
            return names
    return [repr(float(mz)) for mz in feature_mz]


def collected_features(
    outcomes: Iterable[tuple[str, FeatureRow | Exclusion]], feature_mz: FloatArray
) -> SpectraFeatures:
    """Put the rows of many spectra together.

    Parameters
    ----------
    outcomes
        Name of each spectrum, and its row or the reason why it is left out.
    feature_mz
        m/z of the features, increasing, shape (p,).
    """
    rows: list[FeatureRow] = []
    quality: list[SpectrumQuality] = []
    excluded: list[Exclusion] = []
    for name, row in outcomes:
        if isinstance(row, Exclusion):
            excluded.append(row)
        else:
            rows.append(row)
            quality.append(_quality(name, row))
    shape = len(rows), len(feature_mz)
    return SpectraFeatures(
        intensity=np.array([row.intensity for row in rows]).reshape(shape),
        feature_mz=feature_mz,
        measured_mz=np.array([row.measured_mz for row in rows]).reshape(shape),
        aligned_mz=np.array([row.aligned_mz for row in rows]).reshape(shape),
        quality=tuple(quality),
        exclusions=tuple(excluded),
    )


def _quality(name: str, row: FeatureRow) -> SpectrumQuality:
    return SpectrumQuality(
        name=name,
        n_peaks=row.n_peaks,
        n_features_found=int(np.isfinite(row.aligned_mz).sum()),
        snr=row.snr,
        total_ion_current=row.total_ion_current,
        n_matched=row.n_matched,
        error_before_ppm=row.error_before,
        error_after_ppm=row.error_after,
    )
