"""Factors that put spectra of different total intensity on one scale."""

from __future__ import annotations

from typing import Literal, assert_never

import numpy as np

from crossplate.errors import InputError
from crossplate.spectra.checking import FloatArray

NormalisationMethod = Literal["none", "tic", "median", "pqn"]

__all__ = [
    "NormalisationMethod",
    "normalised",
    "pqn_factors",
    "pqn_reference",
    "total_ion_current",
]


def normalised(mz: FloatArray, intensity: FloatArray, method: NormalisationMethod) -> FloatArray:
    """Intensities of one spectrum on the common scale.

    Parameters
    ----------
    mz
        Increasing, shape (n,).
    intensity
        After baseline correction, shape (n,).
    method
        ``"tic"`` divides by the total ion current, ``"median"`` by the median intensity,
        ``"none"`` changes nothing. ``"pqn"`` divides by the total ion current as well; its
        second factor (:func:`pqn_factors`) is found from the features of many spectra.

    Returns
    -------
    Shape (n,), a new array unless ``"none"``.

    Raises
    ------
    InputError
        If what is divided by is not above 0.
    """
    match method:
        case "none":
            return intensity
        case "tic" | "pqn":
            scale, name = total_ion_current(mz, intensity), "total ion current"
        case "median":
            scale, name = float(np.median(intensity)), "median intensity"
        case _:
            assert_never(method)
    if not scale > 0.0:
        raise InputError(
            f"the {name} after baseline correction is {scale:g}, which cannot be divided by; leave "
            "the spectrum out or choose another normalisation"
        )
    return intensity / scale


def total_ion_current(mz: FloatArray, intensity: FloatArray) -> float:
    """Area under the spectrum by the trapezoidal rule, as MALDIquant's.

    Parameters
    ----------
    mz
        Increasing, shape (n,).
    intensity
        Shape (n,).

    Returns
    -------
    Intensity times m/z; 0 for fewer than two points.
    """
    return 0.5 * float(np.dot(intensity[1:] + intensity[:-1], np.diff(mz)))


def pqn_reference(features: FloatArray) -> FloatArray:
    """Reference spectrum of probabilistic quotient normalisation: median of each feature.

    Parameters
    ----------
    features
        Spectra in rows, each divided by its total ion current, shape (n, p), n >= 1; NaN where a
        spectrum has no peak.

    Returns
    -------
    Shape (p,); NaN where no spectrum has a peak.
    """
    reference = np.full(features.shape[1], np.nan)
    known = np.isfinite(features).any(axis=0)
    reference[known] = np.nanmedian(features[:, known], axis=0)
    return reference


def pqn_factors(features: FloatArray, reference: FloatArray) -> FloatArray:
    """Dilution of each spectrum, by which probabilistic quotient normalisation divides it.

    Parameters
    ----------
    features
        Spectra in rows, as in :func:`pqn_reference`, shape (n, p).
    reference
        Reference spectrum, shape (p,).

    Returns
    -------
    Median over features of intensity over reference, shape (n,); NaN for a spectrum without a
    feature that is above 0 in the reference too.

    References
    ----------
    .. [Dieterle2006] Dieterle, Ross, Schlotterbeck, Senn: Probabilistic quotient normalization as
       robust method to account for dilution of complex biological mixtures. Analytical Chemistry
       78 (2006) 4281-4290.
    """
    usable = np.isfinite(reference) & (reference > 0.0)
    quotients = features[:, usable] / reference[usable]
    factors = np.full(len(features), np.nan)
    known = np.isfinite(quotients).any(axis=1)
    factors[known] = np.nanmedian(quotients[known], axis=1)
    factors[~(factors > 0.0)] = np.nan
    return factors
