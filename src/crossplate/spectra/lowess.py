"""Robust local regression of one variable on another."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from crossplate.errors import InputError
from crossplate.spectra.checking import FloatArray

IntArray = npt.NDArray[np.intp]

NEARLY_ONE_PLACE = 0.001
"""Standard deviation of x, in units of its range, below which no slope is fitted; Cleveland's."""
TINY = 1e-290
"""Stands for a width of 0; m/z divided by it does not overflow."""

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
    moments = _moments((x - x[0]) / (x[-1] - x[0]) - 0.5, y)
    rounding = 1e-12 * float(np.abs(y).max())
    trust = np.ones(x.size)
    fitted = y
    for repeat in range(n_robust + 1):
        values = _local_lines(moments, at, near, trust)
        fitted = np.interp(x, x[at], values)
        if repeat == n_robust:
            break
        residual = np.abs(y - fitted)
        scale = 6.0 * float(np.median(residual))
        # residuals of mere rounding say nothing about which points to trust
        if scale <= max(1e-7 * residual.mean(), rounding):
            break
        trust = _bisquare(residual, scale)
    return fitted


def _fitted_points(x: FloatArray, delta: float) -> IntArray:
    """Points a line is fitted at: the farthest within delta of the last, else the next."""
    within = (np.searchsorted(x, x + delta, side="right") - 1).tolist()
    at = [0]
    while at[-1] < x.size - 1:
        at.append(max(within[at[-1]], at[-1] + 1))
    return np.array(at, dtype=np.intp)


def _nearness(x: FloatArray, at: IntArray, n_local: int) -> FloatArray:
    """Tricube weight of each point for each local line, shape (lines, n)."""
    distance = np.abs(x[at, np.newaxis] - x)
    width = np.partition(distance, n_local - 1, axis=1)[:, n_local - 1, np.newaxis]
    # where all of them are in one place, those there have the weight 1 and the others none
    width[width == 0.0] = TINY
    share = np.minimum(distance / width, 1.0)
    # products, since powers take many times as long
    rest = 1.0 - share * share * share
    weight: FloatArray = rest * rest * rest
    weight[share > 0.999] = 0.0
    weight[share <= 0.001] = 1.0
    return weight


def _moments(x: FloatArray, y: FloatArray) -> FloatArray:
    """1, x, x², y and xy of each point, shape (5, n).

    With x from -1/2 to 1/2 sums of squares keep their digits.
    """
    return np.stack([np.ones(x.size), x, x * x, y, x * y])


def _local_lines(
    moments: FloatArray, at: IntArray, near: FloatArray, trust: FloatArray
) -> FloatArray:
    """Value of each weighted line at its own point; the point's own y where all weights are 0.

    The weight of a point is ``near`` times ``trust``.
    """
    own_x, own_y = moments[1, at], moments[3, at]
    total, *sums = (near @ (trust * moments).T).T
    empty = total <= 0.0
    total[empty] = 1.0
    x1, x2, y1, xy = (each / total for each in sums)
    spread = x2 - x1 * x1
    # a line through points that nearly coincide is taken for a constant
    sloped = spread > NEARLY_ONE_PLACE**2
    slope = np.divide(xy - x1 * y1, spread, out=np.zeros_like(spread), where=sloped)
    values: FloatArray = y1 + slope * (own_x - x1)
    values[empty] = own_y[empty]
    return values


def _bisquare(residual: FloatArray, scale: float) -> FloatArray:
    share = residual / scale
    rest = 1.0 - share * share
    weight: FloatArray = rest * rest
    weight[share > 0.999] = 0.0
    weight[share <= 0.001] = 1.0
    return weight
