"""Maximum mean discrepancy (MMD) and its Gaussian kernels.

The kernel is a sum of Gaussians, ``k(x, y) = Σ_σ exp(-‖x - y‖² / 2σ²)``, over a ladder of widths
σ. In a ladder each width is half the one before it, so ``k_{σ/2} = k_σ⁴`` and one exponential
with repeated squaring gives all of them. Training uses the twin of these functions for torch, in
``_kernel_sum``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]

N_WIDTHS = 5
"""Widths in a ladder; five, as in [Niu2022]_."""

__all__ = [
    "N_WIDTHS",
    "balanced_contrast",
    "ladder",
    "median_bandwidths",
    "mmd2_biased",
    "mmd2_unbiased",
    "squared_distances",
]


def ladder(widest: float) -> FloatArray:
    """Five widths, each half the one before.

    Parameters
    ----------
    widest
        The largest width σ, in units of the features.

    Returns
    -------
    Widths from wide to narrow, shape (5,). ``ladder(16)`` is the ladder of [Niu2022]_.
    """
    return widest / 2.0 ** np.arange(N_WIDTHS)


def squared_distances(x: FloatArray, y: FloatArray) -> FloatArray:
    """Squared Euclidean distances between the rows of two samples.

    Parameters
    ----------
    x, y
        Samples in rows, shapes (n, p) and (m, p).

    Returns
    -------
    Squared distances, shape (n, m), never negative.
    """
    products = x @ y.T
    products *= -2.0
    products += (x * x).sum(axis=1)[:, None]
    products += (y * y).sum(axis=1)[None, :]
    np.maximum(products, 0.0, out=products)
    return products


def median_bandwidths(x: FloatArray, *, max_rows: int = 1000, random_state: int = 0) -> FloatArray:
    """Ladder of widths around the median distance of the rows (median heuristic).

    Parameters
    ----------
    x
        Samples in rows, shape (n, p), n ≥ 2.
    max_rows
        Rows drawn at random when there are more; the median of 1,000 rows' half a million
        distances is settled to well under a percent.
    random_state
        Seed of that draw.

    Returns
    -------
    Five widths from four times to a quarter of the median distance, so that neither a global
    shift nor a local one escapes. All ones when the median distance is zero.
    """
    if len(x) > max_rows:
        rows = np.random.default_rng(random_state).choice(len(x), max_rows, replace=False)
        x = x[np.sort(rows)]
    distances = squared_distances(x, x)[np.triu_indices(len(x), k=1)]
    middle = float(np.sqrt(np.median(distances))) if distances.size else 0.0
    return ladder(4.0 * middle) if middle > 0.0 else np.ones(N_WIDTHS)


def _kernel(x: FloatArray, y: FloatArray, bandwidths: FloatArray) -> FloatArray:
    distances = squared_distances(x, y)
    total = np.zeros_like(distances)
    for width in bandwidths:
        total += np.exp(distances / (-2.0 * float(width) ** 2))
    return total


def mmd2_biased(x: FloatArray, y: FloatArray, bandwidths: FloatArray) -> float:
    """Squared maximum mean discrepancy of two samples, biased estimate.

    Parameters
    ----------
    x, y
        Samples in rows, shapes (n, p) and (m, p), same scale.
    bandwidths
        Gaussian widths σ in units of the features; the kernels are summed.

    Returns
    -------
    A number ≥ 0. Its expectation under equal distributions is above zero and falls with n and m,
    so compare it only between samples of the same sizes.
    """
    within = _kernel(x, x, bandwidths).mean() + _kernel(y, y, bandwidths).mean()
    return max(float(within - 2.0 * _kernel(x, y, bandwidths).mean()), 0.0)


def mmd2_unbiased(x: FloatArray, y: FloatArray, bandwidths: FloatArray) -> float:
    """Squared maximum mean discrepancy of two samples, unbiased estimate.

    Parameters
    ----------
    x, y
        Samples in rows, shapes (n, p) and (m, p), n and m ≥ 2, same scale.
    bandwidths
        Gaussian widths σ in units of the features; the kernels are summed.

    Returns
    -------
    A number whose expectation is zero under equal distributions; it may be below zero.
    """
    n, m = len(x), len(y)
    diagonal = float(len(bandwidths))
    within_x = (_kernel(x, x, bandwidths).sum() - n * diagonal) / (n * (n - 1))
    within_y = (_kernel(y, y, bandwidths).sum() - m * diagonal) / (m * (m - 1))
    return float(within_x + within_y - 2.0 * _kernel(x, y, bandwidths).mean())


def balanced_contrast(n_batches: int, rows: int) -> FloatArray:
    """Pair weights that turn a kernel sum into the mean MMD² of each batch against the others.

    With rows ordered batch by batch and ``G`` this matrix, ``Σ G ∘ K`` is the biased MMD² of
    a batch against the pool of all others, averaged over the batches; for two batches that is
    their MMD².

    Parameters
    ----------
    n_batches
        Number of batches K ≥ 2.
    rows
        Rows of each batch b.

    Returns
    -------
    Symmetric matrix, shape (K·b, K·b).
    """
    sign = np.full((n_batches, n_batches), -1.0 / ((n_batches - 1) * rows))
    np.fill_diagonal(sign, 1.0 / rows)
    contrasts = np.repeat(sign, rows, axis=1)
    return np.asarray(contrasts.T @ contrasts / n_batches)
