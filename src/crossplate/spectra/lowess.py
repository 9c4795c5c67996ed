"""Robust local regression of one variable on another."""

from __future__ import annotations

import math

import numpy as np

from crossplate.errors import InputError
from crossplate.spectra.checking import FloatArray

__all__ = ["lowess"]


def lowess(
    x: FloatArray,
    y: FloatArray,
    *,
    share: float = 2.0 / 3.0,
    n_robust: int = 3,
    delta_share: float = 0.01,
) -> FloatArray:
    """Locally weighted, robust linear regression [Cleveland1979]_, with the defaults of R.

    Parameters
    ----------
    x
        Increasing, shape (n,), n >= 1.
    y
        Shape (n,).
    share
        Share of the points that each local line is fitted to.
    n_robust
        Times the fit is repeated with less weight for points far from it.
    delta_share
        Points nearer to the last fitted one than this share of the range of ``x`` are
        interpolated. It is kept although every point could be fitted, so that the values are
        those of R.

    Returns
    -------
    Fitted values at ``x``, shape (n,).

    Raises
    ------
    InputError
        If ``share`` is not between 0 and 1.

    References
    ----------
    .. [Cleveland1979] Cleveland: Robust locally weighted regression and smoothing scatterplots.
       Journal of the American Statistical Association 74 (1979) 829-836.
    """
    if not 0.0 < share <= 1.0:
        raise InputError(f"share of the local regression is {share:g}; take 0 < share <= 1")
    if x.size < 2 or x[-1] == x[0]:
        return np.full(x.size, y.mean()) if x.size else y.copy()
    # the small summand is Cleveland's, against a share that falls just short of a whole number
    n_local = max(min(math.floor(share * x.size + 1e-7), x.size), 2)
    at = _fitted_points(x, delta_share * (x[-1] - x[0]))
    near = _nearness(x, at, n_local)
    trust = np.ones(x.size)
    fitted = y
    for repeat in range(n_robust + 1):
        values = _local_lines(x, y, at, near * trust)
        fitted = np.interp(x, x[at], values)
        if repeat == n_robust:
            break
        residual = np.abs(y - fitted)
        scale = 6.0 * float(np.median(residual))
        # residuals of mere rounding say nothing about which points to trust
        if scale <= max(1e-7 * residual.mean(), 1e-12 * float(np.abs(y).max())):
            break
        trust = _bisquare(residual, scale)
    return fitted


def _fitted_points(x: FloatArray, delta: float) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Points a line is fitted at: the farthest within delta of the last, else the next."""
    at = [0]
    while at[-1] < x.size - 1:
        within = int(np.searchsorted(x, x[at[-1]] + delta, side="right")) - 1
        at.append(max(within, at[-1] + 1))
    return np.array(at, dtype=np.intp)


def _nearness(
    x: FloatArray, at: np.ndarray[tuple[int], np.dtype[np.intp]], n_local: int
) -> FloatArray:
    """Tricube weight of each point for each local line, shape (lines, n)."""
    distance = np.abs(x[at, np.newaxis] - x)
    width = np.partition(distance, n_local - 1, axis=1)[:, n_local - 1, np.newaxis]
    share = np.divide(distance, width, out=np.zeros_like(distance), where=width > 0.0)
    weight: FloatArray = (1.0 - share**3) ** 3
    weight[share > 0.999] = 0.0
    weight[share <= 0.001] = 1.0
    weight[(width == 0.0)[:, 0]] = 0.0
    weight[distance == 0.0] = 1.0
    return weight


def _local_lines(
    x: FloatArray,
    y: FloatArray,
    at: np.ndarray[tuple[int], np.dtype[np.intp]],
    weight: FloatArray,
) -> FloatArray:
    """Value of each weighted line at its own point; the point's own y where all weights are 0."""
    total = weight.sum(axis=1, keepdims=True)
    empty = total[:, 0] <= 0.0
    weight = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0.0)
    centre = weight @ x
    spread = np.einsum("ij,ij->i", weight, (x - centre[:, np.newaxis]) ** 2)
    lever = x[at] - centre
    # a line through points that nearly coincide is taken for a constant
    lever[np.sqrt(spread) <= 0.001 * (x[-1] - x[0])] = 0.0
    slope = np.divide(lever, spread, out=np.zeros_like(lever), where=spread > 0.0)
    tilt = 1.0 + slope[:, np.newaxis] * (x - centre[:, np.newaxis])
    values: FloatArray = (weight * tilt) @ y
    values[empty] = y[at[empty]]
    return values


def _bisquare(residual: FloatArray, scale: float) -> FloatArray:
    share = residual / scale
    weight: FloatArray = (1.0 - share**2) ** 2
    weight[share > 0.999] = 0.0
    weight[share <= 0.001] = 1.0
    return weight
