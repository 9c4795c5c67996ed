"""Empirical-Bayes estimates of a batch's location and scale, for ComBat [Johnson2007]_.

All arrays hold one number a feature, for one batch and on standardised data: the number of values
n, their mean γ̂ and the sum of squares about that mean. The values themselves are not needed, so
the iterations cost the same for a batch of ten samples and of a hundred thousand. The priors are
taken across the features of the batch.

References
----------
.. [Johnson2007] Johnson, Li and Rabinovic (2007), Adjusting batch effects in microarray expression
   data using empirical Bayes methods, Biostatistics 8:118-127.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

TOLERANCE = 1e-4
"""Largest relative change that ends the iterations; the value of R's sva."""
BLOCK_CELLS = 2**18
"""Feature pairs weighted at a time without parametric priors (2 MB an array)."""

__all__ = ["mean_only_estimates", "nonparametric_estimates", "parametric_estimates"]


def parametric_estimates(
    count: FloatArray, mean: FloatArray, squares: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Posterior location and scale under a normal and an inverse gamma prior.

    Parameters
    ----------
    count
        Values of each feature in the batch, at least 2, shape (p,).
    mean
        Their means γ̂, shape (p,).
    squares
        Sums of squares about the means, positive, shape (p,).

    Returns
    -------
    γ* and δ* (a variance), each of shape (p,).

    Notes
    -----
    All features iterate until the last of them has converged, and relative changes are signed by
    the value they refer to, as in sva. Where all variances agree, or there is one feature only,
    the prior of the variance has no spread; δ* is then its mean, the limit of the formula.
    """
    variance = squares / (count - 1.0)
    centre, spread = _mean_and_variance(mean)
    usual, spread_of_variance = _mean_and_variance(variance)
    if not spread_of_variance > 0.0:
        fixed = np.full_like(variance, usual)
        return _posterior_mean(count, mean, fixed, centre, spread), fixed
    shape = (2.0 * spread_of_variance + usual**2) / spread_of_variance
    rate = (usual * spread_of_variance + usual**3) / spread_of_variance
    gamma, delta, change = mean, variance, np.inf
    while change > TOLERANCE:
        new_gamma = _posterior_mean(count, mean, delta, centre, spread)
        about_gamma = squares + count * (mean - new_gamma) ** 2
        new_delta = (0.5 * about_gamma + rate) / (0.5 * count + shape - 1.0)
        change = max(_relative_change(new_gamma, gamma), _relative_change(new_delta, delta))
        gamma, delta = new_gamma, new_delta
    return gamma, delta


def mean_only_estimates(mean: FloatArray) -> FloatArray:
    """Posterior location under a normal prior when the scale is left alone.

    Parameters
    ----------
    mean
        Mean γ̂ of each feature in the batch, shape (p,). It counts as one value of variance 1,
        however many samples it comes from, as in sva.

    Returns
    -------
    γ*, shape (p,).
    """
    one = np.ones_like(mean)
    return _posterior_mean(one, mean, one, *_mean_and_variance(mean))


def nonparametric_estimates(
    count: FloatArray, mean: FloatArray, squares: FloatArray, *, mean_only: bool
) -> tuple[FloatArray, FloatArray]:
    """Posterior location and scale with the other features as the prior.

    Each feature takes the average of the other features' (γ̂, δ̂²), weighted by the likelihood of
    its own values under them. Weights are formed from logarithms, so that they do not all vanish
    in a large batch. A feature without any other keeps its own estimate.

    Parameters
    ----------
    count, mean, squares
        As for :func:`parametric_estimates`; a count of 1 and a sum of 0 are allowed when
        ``mean_only``.
    mean_only
        Take all variances for 1.

    Returns
    -------
    γ* and δ* (a variance), each of shape (p,).
    """
    variance = np.ones_like(mean) if mean_only else squares / (count - 1.0)
    if len(mean) == 1:
        return mean.copy(), variance
    gamma, delta = np.empty_like(mean), np.empty_like(mean)
    step = max(1, BLOCK_CELLS // len(mean))
    for start in range(0, len(mean), step):
        these = slice(start, start + step)
        weights = _weights(these, count, mean, squares, variance)
        gamma[these] = weights @ mean
        delta[these] = weights @ variance
    return gamma, delta


def _weights(
    these: slice,
    count: FloatArray,
    mean: FloatArray,
    squares: FloatArray,
    variance: FloatArray,
) -> FloatArray:
    """Share of every feature (columns) in the estimates of these (rows), each row adding to 1."""
    weights = mean[these, None] - mean
    np.square(weights, out=weights)
    weights *= count[these, None]
    weights += squares[these, None]
    weights *= -0.5 / variance
    weights -= np.multiply.outer(0.5 * count[these], np.log(variance))
    own = np.arange(len(weights))
    weights[own, own + these.start] = -np.inf
    weights -= weights.max(axis=1, keepdims=True)
    np.exp(weights, out=weights)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def _posterior_mean(
    count: FloatArray, mean: FloatArray, delta: FloatArray, centre: float, spread: float
) -> FloatArray:
    return (count * spread * mean + delta * centre) / (count * spread + delta)


def _mean_and_variance(values: FloatArray) -> tuple[float, float]:
    """Mean and variance (divisor n-1) across features; variance 0 for one feature."""
    return float(values.mean()), float(values.var(ddof=1)) if len(values) > 1 else 0.0


def _relative_change(new: FloatArray, old: FloatArray) -> float:
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.fmax.reduce(np.abs(new - old) / old, initial=0.0))
