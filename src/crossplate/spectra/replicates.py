"""What replicate spectra of one subject tell: failed spectra, unstable features, mass error."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from crossplate.errors import InputError
from crossplate.spectra.binning import PPM
from crossplate.spectra.checking import FloatArray

Names = npt.NDArray[np.str_]
BoolArray = npt.NDArray[np.bool_]

__all__ = [
    "ReplicateSettings",
    "failed_spectra",
    "relative_standard_deviation",
    "replicate_correlation",
    "replicate_mass_error",
    "stable_features",
]


@dataclass(frozen=True)
class ReplicateSettings:
    """Limits that replicates must keep.

    Parameters
    ----------
    min_snr
        Least median signal-to-noise ratio of a spectrum's peaks.
    min_correlation
        Least correlation of a spectrum with the median of the subject's other spectra.
    max_rsd
        Largest relative standard deviation of a feature over replicates, as the median over
        subjects; 0.3 is usual in metabolomics.
    """

    min_snr: float = 3.0
    min_correlation: float = 0.7
    max_rsd: float = 0.3

    def __post_init__(self) -> None:
        """Refuse numbers out of range."""
        if self.min_snr < 0.0 or not -1.0 <= self.min_correlation <= 1.0 or not self.max_rsd > 0.0:
            raise InputError(
                f"min_snr {self.min_snr:g}, min_correlation {self.min_correlation:g} and max_rsd "
                f"{self.max_rsd:g} cannot be used; take min_snr >= 0, -1 <= min_correlation <= 1 "
                "and max_rsd > 0"
            )


def failed_spectra(
    values: FloatArray, snr: FloatArray, subject: Names, settings: ReplicateSettings
) -> BoolArray:
    """Spectra with too little signal, or unlike the other spectra of their subject.

    With two spectra that differ both are unlike the other, and both fail; a subject's only
    spectrum is judged by its signal alone.

    Parameters
    ----------
    values
        Feature intensities, spectra in rows, shape (n, p).
    snr
        Median signal-to-noise ratio of each spectrum's peaks, shape (n,); NaN fails.
    subject
        Subject of each spectrum, shape (n,).
    settings
        Limits.

    Returns
    -------
    True for a spectrum to leave out, shape (n,).
    """
    correlation = replicate_correlation(values, subject)
    return ~(snr >= settings.min_snr) | (correlation < settings.min_correlation)


def replicate_correlation(values: FloatArray, subject: Names) -> FloatArray:
    """Correlation of each spectrum with the median of its subject's other spectra.

    Parameters
    ----------
    values
        Feature intensities, spectra in rows, shape (n, p).
    subject
        Subject of each spectrum, shape (n,).

    Returns
    -------
    Pearson's correlation over features, shape (n,); NaN for a subject's only spectrum, 0 for one
    whose features are all equal.

    Raises
    ------
    InputError
        If ``values`` and ``subject`` differ in length.
    """
    result = np.full(len(values), np.nan)
    for rows in _replicates(values, subject):
        for row in rows:
            others = np.median(values[rows[rows != row]], axis=0)
            result[row] = _correlation(values[row], others)
    return result


def _correlation(one: FloatArray, other: FloatArray) -> float:
    one, other = one - one.mean(), other - other.mean()
    size = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / size if size > 0.0 else 0.0


def relative_standard_deviation(values: FloatArray, subject: Names) -> FloatArray:
    """Relative standard deviation of each feature over the replicates of each subject.

    Parameters
    ----------
    values
        Feature intensities, spectra in rows, shape (n, p), not negative.
    subject
        Subject of each spectrum, shape (n,).

    Returns
    -------
    Standard deviation (n - 1) over mean, shape (subjects with replicates, p), subjects sorted;
    NaN where the mean is not above 0.

    Raises
    ------
    InputError
        If ``values`` and ``subject`` differ in length.
    """
    groups = _replicates(values, subject)
    result = np.full((len(groups), values.shape[1]), np.nan)
    for at, rows in enumerate(groups):
        mean = values[rows].mean(axis=0)
        spread = values[rows].std(axis=0, ddof=1)
        np.divide(spread, mean, out=result[at], where=mean > 0.0)
    return result


def stable_features(values: FloatArray, subject: Names, settings: ReplicateSettings) -> BoolArray:
    """Features whose relative standard deviation over replicates is small enough.

    Parameters
    ----------
    values
        Feature intensities, spectra in rows, shape (n, p), not negative.
    subject
        Subject of each spectrum, shape (n,).
    settings
        Limits.

    Returns
    -------
    Whether the median over subjects is at most ``max_rsd``, shape (p,). All True without
    replicates; False for a feature that is 0 in all of them.

    Raises
    ------
    InputError
        If ``values`` and ``subject`` differ in length.
    """
    rsd = relative_standard_deviation(values, subject)
    if not len(rsd):
        return np.ones(values.shape[1], dtype=bool)
    known = np.isfinite(rsd).any(axis=0)
    stable = np.zeros(values.shape[1], dtype=bool)
    stable[known] = np.nanmedian(rsd[:, known], axis=0) <= settings.max_rsd
    return stable


def replicate_mass_error(peak_mz: FloatArray, subject: Names) -> float:
    """Median distance in m/z between the peaks of a feature in two replicates.

    Parameters
    ----------
    peak_mz
        m/z of each feature's peak, spectra in rows, shape (n, p), NaN where there is no peak;
        before or after alignment.
    subject
        Subject of each spectrum, shape (n,).

    Returns
    -------
    In ppm, over all features and all pairs of replicates with a peak; NaN without such a pair.

    Raises
    ------
    InputError
        If ``peak_mz`` and ``subject`` differ in length.
    """
    distances = [
        np.abs(peak_mz[one] - peak_mz[other]) / (0.5 * (peak_mz[one] + peak_mz[other]))
        for rows in _replicates(peak_mz, subject)
        for one, other in combinations(rows.tolist(), 2)
    ]
    known = np.concatenate(distances) if distances else np.zeros(0)
    known = known[np.isfinite(known)]
    return float(np.median(known)) / PPM if known.size else float("nan")


def _replicates(values: FloatArray, subject: Names) -> list[npt.NDArray[np.intp]]:
    """Rows of each subject that has at least two, subjects sorted."""
    if len(subject) != len(values):
        raise InputError(
            f"there are {len(values)} spectra and {len(subject)} subjects; name one subject for "
            "each spectrum"
        )
    groups = (np.flatnonzero(subject == name) for name in np.unique(subject))
    return [rows for rows in groups if len(rows) > 1]
