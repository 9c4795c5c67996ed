"""Surrogate variables of new samples, placed in a study that stays as it is [Parker2014]_."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from scipy.linalg.lapack import dlasd4

from crossplate.correct.base import FloatArray
from crossplate.errors import InputError

_CHUNK = 4096
_ROUNDING = 2e-15  # below it, LAPACK takes two values for the same

__all__ = ["FrozenStudy", "freeze_study"]


@dataclass(frozen=True)
class FrozenStudy:
    """What new samples are compared with: the weighted, centred study in its principal axes.

    Attributes
    ----------
    centre, weights
        Mean of each feature in the study and its weight, shape (p,).
    axes, strengths
        Principal axes, shape (r, p), and singular values, falling, shape (r,).
    alignment
        Product of each surrogate variable with the study's coordinates, shape (k, r): it tells
        which sign a direction has.
    n_samples
        Number of samples of the study.
    """

    centre: FloatArray
    weights: FloatArray
    axes: FloatArray
    strengths: FloatArray
    alignment: FloatArray
    n_samples: int

    def fast(self, x: FloatArray) -> FloatArray:
        """Surrogate variables by projection, standardised over the new samples.

        Parameters
        ----------
        x
            New samples, shape (m, p), m ≥ 2. Each result depends on all of them.

        Returns
        -------
        Shape (m, k); 0 where all new samples project alike.
        """
        k = len(self.alignment)
        projected = self._weighted(x) @ self.axes[:k].T * _signs(np.diagonal(self.alignment))
        centred = projected - projected.mean(axis=0)
        length = np.sqrt((centred**2).sum(axis=0) * len(x) / (len(x) - 1))
        spread = length > _ROUNDING * np.abs(projected).max(axis=0)
        return np.where(spread, centred, 0.0) / np.where(spread, length, 1.0)

    def exact(self, x: FloatArray) -> FloatArray:
        """Surrogate variables from the study with each new sample appended in turn.

        Parameters
        ----------
        x
            New samples, shape (m, p). Each result depends on its own row only.

        Returns
        -------
        Shape (m, k).
        """
        loadings = np.zeros((len(x), len(self.alignment)))
        for start in range(0, len(x) if loadings.shape[1] else 0, _CHUNK):
            weighted = self._weighted(x[start : start + _CHUNK])
            inside = weighted @ self.axes.T
            outside = np.linalg.norm(weighted - inside @ self.axes, axis=1)
            for row, coordinates in enumerate(np.column_stack([inside, outside])):
                loadings[start + row] = self._appended(coordinates)
        return loadings

    def _weighted(self, x: FloatArray) -> FloatArray:
        weighted: FloatArray = (x - self.centre) * self.weights
        return weighted

    def _appended(self, coordinates: FloatArray) -> FloatArray:
        """Last entry of each leading right singular vector once one sample is appended.

        With the mean moved along, appending adds n/(n+1) z z' to the scatter of the study, z being
        the new sample less the old mean. In the principal axes (and the part of z outside them)
        that is a diagonal matrix changed by rank one, whose roots LAPACK finds one by one.
        """
        k, n_axes = self.alignment.shape
        loadings = np.zeros(k)
        length = float(np.linalg.norm(coordinates))
        if length == 0.0:
            return loadings
        share = self.n_samples / (self.n_samples + 1)
        # LAPACK wants distinct rising values and no zero in the unit vector.
        size = max(length, float(self.strengths[0]))
        gaps = np.diff(self.strengths[::-1], prepend=0.0) / size
        diagonal = np.cumsum(np.maximum(gaps, _ROUNDING * gaps.sum()))
        diagonal = np.concatenate([[0.0], diagonal])
        unit = coordinates[::-1] / length
        length /= size
        unit = np.where(np.abs(unit) < _ROUNDING, np.copysign(_ROUNDING, unit), unit)
        for j in range(k):
            below, root, above, failed = dlasd4(n_axes - j, diagonal, unit, share * length**2)
            if failed:
                raise InputError(
                    "a new sample cannot be placed among the fitted ones; look for values of "
                    "extreme size in it"
                )
            direction = unit / below / above
            direction /= np.linalg.norm(direction)
            sign = _signs(self.alignment[j] @ direction[:0:-1])
            loadings[j] = sign * share * length * (unit @ direction) / root
        return loadings


def freeze_study(x: FloatArray, weights: FloatArray, surrogates: FloatArray) -> FrozenStudy:
    """Prepare a study for the surrogate variables of new samples.

    Parameters
    ----------
    x
        Measurements of the study, shape (n, p).
    weights
        Weight of each feature, shape (p,).
    surrogates
        Surrogate variables of the study, shape (n, k).

    References
    ----------
    .. [Parker2014] Parker H. S., Corrada Bravo H., Leek J. T. Removing batch effects for
       prediction problems with frozen surrogate variable analysis. PeerJ 2, e561 (2014).
       doi:10.7717/peerj.561
    """
    centre = x.mean(axis=0)
    left, strengths, axes = scipy.linalg.svd((x - centre) * weights, full_matrices=False)
    kept = strengths > _ROUNDING * strengths[0]
    kept[: surrogates.shape[1]] = True
    coordinates = left[:, kept] * strengths[kept]
    alignment = (surrogates - surrogates.mean(axis=0)).T @ coordinates
    return FrozenStudy(centre, weights, axes[kept], strengths[kept], alignment, len(x))


def _signs(values: FloatArray) -> FloatArray:
    return np.where(values < 0.0, -1.0, 1.0)
