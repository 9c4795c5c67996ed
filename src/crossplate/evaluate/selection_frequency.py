"""How often sparse models choose a feature, over half-samples of the subjects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import enet_path

from crossplate.errors import InputError
from crossplate.evaluate.scores import Floats

# Share of the lasso in the penalty. A small one keeps correlated features (isotopes, adducts of
# one ion) together, of which the lasso alone takes one or another from half-sample to half-sample.
L1_RATIO = 0.1

# Penalties fall by this factor from the one at which no feature is left.
_STEP, _N_STEPS, _AT_ONCE = 0.93, 96, 8
_TOLERANCE, _MAX_ITER = 1e-3, 5000

Mask = NDArray[np.bool_]

__all__ = ["features_in_model", "selection_frequency"]


def features_in_model(n_features: int, threshold: float, n_pairs: int, n_different: int = 0) -> int:
    """Most features of a model, so that about one false one passes the threshold on average.

    Of features that a model chooses no more often than by lot, at most C·q²/p are expected above
    the threshold, q of p features being chosen, with C from [Shah2013]_, theorem 2, which takes
    for granted that the distribution of a feature's frequency has one mode. To that q, which no
    label decides, come the features that seem to differ at all: where most of a small panel
    differ, they would otherwise keep one another out.

    Parameters
    ----------
    n_features
        Features to choose from, p.
    threshold
        Frequency that a feature must exceed, 0.55 to 0.99.
    n_pairs
        Pairs of half-samples.
    n_different
        Features that differ between classes at a false discovery rate of 5%.

    References
    ----------
    .. [Shah2013] R. Shah, R. Samworth, Journal of the Royal Statistical Society B 75:55, 2013.
    """
    half = 1 / (2 * n_pairs)
    if threshold <= 0.75:
        inverse = max(0.0, 2 * (2 * threshold - 1 - half))
    else:
        inverse = (1 + 2 * half) / (4 * (1 - threshold + half))
    by_lot = int(sqrt((n_features - n_different) * inverse))
    return max(1, min(n_features, n_different + by_lot))


def selection_frequency(
    x: Floats,
    codes: NDArray[np.intp],
    n_chosen: int,
    *,
    n_pairs: int = 50,
    random_state: int = 0,
    n_jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Floats:
    """Share of half-samples in whose sparse model each feature is, shape (p,).

    The subjects are halved at random within each class, and both halves used (complementary
    pairs). On each half an elastic net of the class indicators is followed from no feature on, as
    the penalty falls, until it holds more than ``n_chosen``; the last model before that counts.
    Least squares on the indicators has the directions of discriminant analysis, as logistic
    regression has nearly, and its path is quick.

    Parameters
    ----------
    x
        One row a subject, shape (m, p), columns standardised, no missing value.
    codes
        Class of each subject, 0 to K − 1, at least four subjects of each.
    n_chosen
        Most features of a model; see `features_in_model`.
    n_pairs
        Pairs of half-samples.
    random_state
        Seed.
    n_jobs
        Processes, as in joblib; None is one.
    progress
        Called with the number of pairs done and of all.

    Raises
    ------
    InputError
        A class has fewer than four subjects.
    """
    from joblib import Parallel, delayed

    counts = np.bincount(codes)
    if counts.min() < 4:
        raise InputError(
            f"the rarest class has {counts.min()} subjects; halves need two each, so give four"
        )
    indicators = np.eye(len(counts))[codes] / np.sqrt(counts)
    # Two indicators are each other's mirror image.
    targets = indicators[:, 1:] if len(counts) == 2 else indicators
    works = (
        delayed(_chosen)(x, targets, half, n_chosen)
        for first in _halves(codes, n_pairs, random_state)
        for half in (first, ~first)
    )
    times = np.zeros(x.shape[1])
    parallel = Parallel(n_jobs=n_jobs, return_as="generator")
    for number, chosen in enumerate(parallel(works)):
        times += chosen
        if progress is not None and number % 2:
            progress(number // 2 + 1, n_pairs)
    frequency: Floats = times / (2 * n_pairs)
    return frequency


def _halves(codes: NDArray[np.intp], n_pairs: int, random_state: int) -> Iterator[Mask]:
    """Masks of half of the subjects of each class; of an odd number, now more and now fewer."""
    rng = np.random.default_rng(random_state)
    for _ in range(n_pairs):
        half = np.zeros(len(codes), dtype=bool)
        for code in range(int(codes.max()) + 1):
            rows = rng.permutation(np.flatnonzero(codes == code))
            half[rows[: (len(rows) + int(rng.integers(2))) // 2]] = True
        yield half


def _chosen(x: Floats, targets: Floats, half: Mask, n_chosen: int) -> Mask:
    """Features of the largest model of at most ``n_chosen`` on one half."""
    values = np.asfortranarray(x[half] - x[half].mean(axis=0))
    wanted = targets[half] - targets[half].mean(axis=0)
    strongest = float(np.sqrt(((values.T @ wanted) ** 2).sum(axis=1)).max())
    if strongest == 0.0:
        return np.zeros(x.shape[1], dtype=bool)
    wanted = np.asfortranarray(wanted if wanted.shape[1] > 1 else wanted[:, 0])
    penalties = strongest / len(values) / L1_RATIO * _STEP ** np.arange(_N_STEPS)
    chosen = np.zeros(x.shape[1], dtype=bool)
    start = None
    for at in range(0, _N_STEPS, _AT_ONCE):
        _, weights, *_ = enet_path(
            values,
            wanted,
            l1_ratio=L1_RATIO,
            alphas=penalties[at : at + _AT_ONCE],
            coef_init=start,
            tol=_TOLERANCE,
            max_iter=_MAX_ITER,
        )
        inside = (weights != 0).reshape(-1, *weights.shape[-2:]).any(axis=0)
        fitting = inside.sum(axis=0) <= n_chosen
        for column in np.flatnonzero(fitting):
            chosen = inside[:, column]
        if not fitting.all():
            break
        start = np.asfortranarray(weights[..., -1])
    return np.asarray(chosen, dtype=bool)
