"""How many surrogate variables a study has: by permutation or by asymptotics.

Both rules take measurements x with samples in rows, and an orthonormal basis of the design (the
intercept and the labels), shapes (n, p) and (n, q).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.linalg

from crossplate.correct.base import FloatArray

_PERMUTATIONS = 20
_SIGNIFICANT = 0.10
_BLOCKS = 10
_THRESHOLDS = 100
_ROUNDING = 1e-12

__all__ = ["number_by_asymptotics", "number_by_permutation", "residual_shares"]


def residual_shares(x: FloatArray, basis: FloatArray) -> FloatArray:
    """Share of the residual variation in each of its principal directions.

    Parameters
    ----------
    x, basis
        Measurements and basis of the design.

    Returns
    -------
    Falling shares that add up to 1, shape (min(n, p) - q,); empty where that is not positive.
    """
    count = min(x.shape) - basis.shape[1]
    if count < 1:
        return np.empty(0)
    squares = _squared_strengths(x - basis @ (basis.T @ x))[:count]
    total = squares.sum()
    return squares / total if total > 0.0 else squares


def number_by_permutation(x: FloatArray, basis: FloatArray, rng: np.random.Generator) -> int:
    """Number of residual directions stronger than in permuted residuals [Buja1992]_.

    A direction counts when at most 10% of 20 permutations (of each feature's residuals by
    itself) give its rank as large a share of the variation, and the same holds of all before it.

    Parameters
    ----------
    x, basis
        Measurements and basis of the design.
    rng
        Draws the permutations.

    References
    ----------
    .. [Buja1992] Buja A., Eyuboglu N. Remarks on parallel analysis. Multivariate Behavioral
       Research 27, 509-540 (1992). doi:10.1207/s15327906mbr2704_2
    """
    observed = residual_shares(x, basis)
    if not observed.any():
        return 0
    residuals = x - basis @ (basis.T @ x)
    as_large = np.zeros(len(observed))
    for _ in range(_PERMUTATIONS):
        as_large += residual_shares(rng.permuted(residuals, axis=0), basis) >= observed
    return int((np.maximum.accumulate(as_large / _PERMUTATIONS) <= _SIGNIFICANT).sum())


def number_by_asymptotics(x: FloatArray, basis: FloatArray) -> int:
    """Number of directions above a threshold that is consistent in many features [Leek2011]_.

    Ten nested sets of features (the first tenth, the first two tenths, ...) each give the number
    of directions above 100 thresholds; the number is the commonest one, for the whole set, over
    the thresholds where it has become stable across the sets. Stable means: against the variance
    at threshold 0, where the published software counts directions of strength 0 by their
    rounding errors. Here each of them counts as an even chance, so that the result is definite.

    Parameters
    ----------
    x, basis
        Measurements and basis of the design. Fewer than 10 features give 0.

    References
    ----------
    .. [Leek2011] Leek J. T. Asymptotic conditional singular value decomposition for
       high-dimensional genomic data. Biometrics 67, 344-352 (2011).
       doi:10.1111/j.1541-0420.2010.01455.x
    """
    n, p = x.shape
    block = p // _BLOCKS
    if block == 0:
        return 0
    counts = np.empty((_THRESHOLDS, _BLOCKS))
    n_zero = np.empty(_BLOCKS)
    for position in range(_BLOCKS):
        m = block * (position + 1)
        part = x[:, :m]
        noise = _squared_strengths(part)[-1] / m if n <= m else 0.0
        strengths = _squared_strengths(part - basis @ (basis.T @ part)) / m - noise
        thresholds = np.linspace(0.0, 2.0, _THRESHOLDS) * n * m ** (-1.0 / 3.0)
        above = strengths > np.maximum(thresholds, _ROUNDING * strengths[0])[:, None]
        counts[:, position] = above.sum(axis=1)
        n_zero[position] = basis.shape[1] if n <= m else n - counts[0, position]
    usual = (counts[0] + n_zero / 2).var(ddof=1) + n_zero.mean() / 4
    stable = counts[_stable_thresholds(counts.var(axis=1, ddof=1), usual), -1]
    return int(np.bincount(stable.astype(np.intp)).argmax())


def _stable_thresholds(variance: FloatArray, usual: float) -> slice:
    """Thresholds after the first bump of the variance and before its next rise."""
    bump = _first(variance[1:] > 2.0 * usual, otherwise=-1) + 1
    calm = variance < 0.5 * usual
    calm[: bump + 1] = False
    start = _first(calm, otherwise=0)
    rise = variance > usual
    rise[: start + 1] = False
    return slice(start, _first(rise, otherwise=len(variance) - 1) + 1)


def _first(condition: npt.NDArray[np.bool_], *, otherwise: int) -> int:
    return int(condition.argmax()) if condition.any() else otherwise


def _squared_strengths(x: FloatArray) -> FloatArray:
    """Squared singular values, falling, shape (min(n, p),)."""
    gram = x @ x.T if x.shape[0] <= x.shape[1] else x.T @ x
    squares = scipy.linalg.eigvalsh(gram)[::-1]
    return np.maximum(squares, 0.0)
