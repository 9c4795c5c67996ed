"""Local false discovery rate of many p-values, as surrogate variable analysis uses it."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.stats import norm

from crossplate.correct.base import FloatArray

_GRID = 512
_SMALLEST_P = 1e-8
_NULL_FROM = 0.8  # p-values above it are taken for true nulls [Storey2005]
_WIDENING = 1.5
_CONSTANT = 1e-9

__all__ = ["local_fdr"]


def local_fdr(p_values: FloatArray) -> FloatArray:
    """Probability that each null hypothesis is true, given its p-value [Storey2005]_.

    The p-values are taken to normal quantiles, their density is estimated by a Gaussian kernel,
    and the rate is the share of nulls times the normal density over it. Rates are at most 1 and
    do not fall as p rises.

    Parameters
    ----------
    p_values
        Shape (m,), m ≥ 1, each in [0, 1].

    Returns
    -------
    Shape (m,), in [0, 1].

    References
    ----------
    .. [Storey2005] Storey J. D., Akey J. M., Kruglyak L. Multiple locus linkage analysis of
       genomewide expression in yeast. PLoS Biology 3, e267 (2005).
       doi:10.1371/journal.pbio.0030267
    """
    p = np.clip(p_values, _SMALLEST_P, 1.0 - _SMALLEST_P)
    null_share = min(1.0, float(np.mean(p >= _NULL_FROM)) / (1.0 - _NULL_FROM))
    quantiles = norm.ppf(p)
    grid, density = _kernel_density(quantiles)
    rate = null_share * norm.pdf(quantiles) / CubicSpline(grid, density)(quantiles)
    order = np.argsort(p, kind="stable")
    monotone = np.empty_like(rate)
    monotone[order] = np.maximum.accumulate(np.minimum(rate, 1.0)[order])
    return monotone


def _kernel_density(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Gaussian kernel density on a regular grid three bandwidths beyond the data.

    Values are shared out to the grid points beside them and the kernel is applied by Fourier
    transform. The kernel is evaluated at a spacing that is wider than the grid's by a factor
    (2n - 2)/(2n - 1), as R did before version 4.4: the rates of the published software come from
    that, and an exact density moves them by up to 0.06.
    """
    width = _WIDENING * _rule_of_thumb(x)
    low, high = x.min() - 7.0 * width, x.max() + 7.0 * width
    position = (x - low) * (_GRID - 1) / (high - low)
    left = np.floor(position).astype(np.intp)
    right_share = (position - left) / len(x)
    mass = np.bincount(left, 1.0 / len(x) - right_share, minlength=2 * _GRID)
    mass += np.bincount(left + 1, right_share, minlength=2 * _GRID)
    distance = np.linspace(0.0, 2.0 * (high - low), 2 * _GRID)
    distance[_GRID + 1 :] = distance[_GRID - 1 : 0 : -1]
    kernel = norm.pdf(distance, scale=width)
    smooth = np.fft.irfft(np.fft.rfft(mass) * np.fft.rfft(kernel), 2 * _GRID)[:_GRID]
    grid = np.linspace(x.min() - 3.0 * width, x.max() + 3.0 * width, _GRID)
    wide_grid = np.linspace(low, high, _GRID)
    return grid, np.interp(grid, wide_grid, np.maximum(smooth, 0.0))


def _rule_of_thumb(x: FloatArray) -> float:
    """Bandwidth of a normal sample by Silverman's rule, positive for constant samples too."""
    deviation = float(x.std(ddof=1)) if len(x) > 1 else 0.0
    lower, upper = np.percentile(x, [25.0, 75.0])
    least = _CONSTANT * float(np.abs(x).max())
    candidates = [min(deviation, float(upper - lower) / 1.34), deviation, abs(float(x[0]))]
    spread = next((value for value in candidates if value > least), 1.0)
    return float(0.9 * spread * len(x) ** -0.2)
