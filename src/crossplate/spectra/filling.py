"""Intensities of features without a peak, read from the profile."""

from __future__ import annotations

import numpy as np

from crossplate.spectra.checking import FloatArray

__all__ = ["filled_from_profile"]


def filled_from_profile(
    intensity_of_features: FloatArray,
    feature_mz: FloatArray,
    mz: FloatArray,
    intensity: FloatArray,
) -> FloatArray:
    """Replace missing feature intensities by the profile there.

    MALDIquant's ``intensityMatrix`` does the same.

    Parameters
    ----------
    intensity_of_features
        Heights of the found peaks, NaN where there is none, shape (p,).
    feature_mz
        m/z of the features, shape (p,).
    mz, intensity
        Processed and aligned profile, increasing m/z, shape (n,).

    Returns
    -------
    Shape (p,); linearly interpolated between points, 0 outside the profile.
    """
    missing = np.isnan(intensity_of_features)
    filled = intensity_of_features.copy()
    filled[missing] = np.interp(feature_mz[missing], mz, intensity, left=0.0, right=0.0)
    return filled
