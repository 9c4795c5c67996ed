"""Class shares of unlabelled samples, estimated from a classifier's probabilities.

Three estimates, from the least to the most tolerant of what else may differ from the source:
`confusion_shares` (BBSE) and `likelihood_shares` (EM) take it that samples of a class score alike
in source and target; `offset_shares` lets the target's scores be shifted and stretched as a whole.
The last matters after every batch was standardised by itself: that removes the very difference in
mean scores that the first two go by.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_PROBABILITY = 1e-5
"""More confidence than this is cut, lest one certain sample outweigh many."""
FURTHER_SAMPLES = 2.0
"""Samples of each class taken as if seen, against the end where one class explains all scores."""
LOG_WIDENING_SD = 0.5
"""Spread expected of the log of the widening: left free, it could explain any shape of scores."""

__all__ = [
    "ClassScores",
    "class_scores",
    "confusion_shares",
    "likelihood_shares",
    "offset_shares",
    "separation",
    "to_scores",
]


def to_scores(proba: Floats) -> Floats:
    """Log ratio of each class's probability to the last one's, shape (n, K - 1)."""
    logs = np.log(np.clip(proba, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY))
    return np.asarray(logs[:, :-1] - logs[:, -1:])


@dataclass(frozen=True)
class ClassScores:
    """Scores of each class in the source, as normal distributions.

    Attributes
    ----------
    mean
        Shape (K, K - 1).
    precision
        Inverse covariance, shape (K, K - 1, K - 1).
    log_det
        Log determinant of each inverse covariance, shape (K,).
    shares
        Class shares of the source, shape (K,).
    """

    mean: Floats
    precision: Floats
    log_det: Floats
    shares: Floats

    def log_density(self, scores: Floats) -> Floats:
        """Log density of each score in each class up to a constant, shape (n, K)."""
        away = scores[:, None, :] - self.mean
        squared = np.einsum("nkd,kde,nke->nk", away, self.precision, away)
        return np.asarray(0.5 * (self.log_det - squared))


def class_scores(scores: Floats, codes: Ints, n_classes: int) -> ClassScores:
    """Describe the source's scores by class.

    Covariances are drawn a little towards the pooled one, as if as many further samples as there
    are scores had it, so that a small class has an inverse.
    """
    d = scores.shape[1]
    counts = np.bincount(codes, minlength=n_classes)
    mean = np.array([scores[codes == k].mean(axis=0) for k in range(n_classes)])
    away = scores - mean[codes]
    pooled = away.T @ away / len(away) + 1e-6 * np.eye(d)
    spreads = [away[codes == k].T @ away[codes == k] for k in range(n_classes)]
    covariance = np.array(
        [(s + (d + 1) * pooled) / (n + d + 1) for s, n in zip(spreads, counts, strict=True)]
    )
    log_det = -np.linalg.slogdet(covariance)[1]
    return ClassScores(mean, np.linalg.inv(covariance), log_det, counts / counts.sum())


def separation(proba: Floats, codes: Ints) -> float:
    """How well predicted classes tell the classes apart: 0 (not at all) to 1 (always right).

    The least singular value of the matrix that `confusion_shares` inverts; two classes: about
    twice the balanced accuracy above one half.
    """
    return float(np.linalg.svd(_calls_by_class(proba, codes), compute_uv=False)[-1])


def confusion_shares(source_proba: Floats, codes: Ints, target_proba: Floats) -> Floats:
    """Class shares of the target by black-box shift estimation [Lipton2018]_.

    The shares of the target's predicted classes are a mixture of those that the source's classes
    have, in the shares that are sought.

    Parameters
    ----------
    source_proba
        Probabilities of source samples not learned from (cross-validation), shape (n, K).
    codes
        Their classes, 0 to K - 1, each present, shape (n,).
    target_proba
        Shape (m, K).

    Returns
    -------
    Shares, shape (K,), not negative, adding to 1.

    References
    ----------
    .. [Lipton2018] Z. C. Lipton, Y.-X. Wang, A. Smola, Detecting and correcting for label shift
       with black box predictors, ICML 2018.
    """
    called = _calls(target_proba).mean(axis=0)
    mixture = np.linalg.lstsq(_calls_by_class(source_proba, codes), called, rcond=None)[0]
    mixture = np.maximum(mixture, 0.0)
    return np.asarray(mixture / mixture.sum())


def likelihood_shares(
    known: ClassScores, scores: Floats, *, tolerance: float = 1e-5, most_rounds: int = 500
) -> Floats:
    """Class shares of the target by expectation maximisation [Saerens2002]_.

    The posterior probabilities are those of the source's normal distributions, which mends
    probabilities that are too sure or too cautious.

    Parameters
    ----------
    known
        Scores of each class in the source.
    scores
        Scores of the target, shape (m, K - 1).
    tolerance, most_rounds
        Rounds end when no share changes by more than this, or after so many.

    Returns
    -------
    Shares, shape (K,).

    References
    ----------
    .. [Saerens2002] M. Saerens, P. Latinne, C. Decaestecker, Adjusting the outputs of a classifier
       to new a priori probabilities, Neural Computation 14, 2002.
    """
    density = known.log_density(scores)
    density = np.exp(density - density.max(axis=1, keepdims=True))
    shares = known.shares
    for _ in range(most_rounds):
        posterior = density * shares
        posterior /= posterior.sum(axis=1, keepdims=True)
        before, shares = shares, posterior.mean(axis=0)
        if np.abs(shares - before).max() < tolerance:
            break
    return shares


def offset_shares(
    known: ClassScores, scores: Floats, *, offset: bool = True
) -> tuple[Floats, float]:
    """Class shares of the target when its scores are also offset, and scatter more or less.

    Maximum likelihood of the shares, one offset of all scores and one factor of the spread within
    all classes, a location-scale form of generalised target shift [Zhang2013]_: shares are read
    off the shape of the scores' distribution. Classes that overlap much leave the shares all but
    undetermined. The search starts from the source's shares and takes the maximum it comes to,
    since a far one may have one class explain all scores.

    Parameters
    ----------
    known
        Scores of each class in the source.
    scores
        Scores of the target, shape (m, K - 1).
    offset
        False leaves the offset at 0, to see what it explains.

    Returns
    -------
    Shares, shape (K,), and the log likelihood of all scores up to a constant.

    References
    ----------
    .. [Zhang2013] K. Zhang, B. Schölkopf, K. Muandet, Z. Wang, Domain adaptation under target and
       conditional shift, ICML 2013.
    """
    d = scores.shape[1]
    start = np.zeros(2 * d + 1)
    start[:d] = np.log(known.shares[:-1] / known.shares[-1])
    if offset:
        start[d:-1] = scores.mean(axis=0) - known.shares @ known.mean
    free = (None, None)
    end = minimize(
        _offset_loss,
        start,
        args=(known, scores),
        jac=True,
        method="L-BFGS-B",
        bounds=[free] * d + [free if offset else (0.0, 0.0)] * d + [free],
        options={"ftol": 1e-7},
    )
    shares = _shares_of(end.x[:d])
    penalty = end.x[-1] ** 2 / (2 * LOG_WIDENING_SD**2) - FURTHER_SAMPLES * np.log(shares).sum()
    return shares, float(penalty - len(scores) * end.fun)


def _offset_loss(place: Floats, known: ClassScores, scores: Floats) -> tuple[float, Floats]:
    """Mean negative log posterior and its gradient.

    ``place`` holds the log ratios of the shares, the offset, and the log of the spread's factor.
    """
    n, d = scores.shape
    k = d + 1
    ratios, offset, widening = place[:d], place[d:-1], place[-1]
    shares = _shares_of(ratios)
    away = scores[:, None, :] - offset - known.mean
    pull = np.einsum("kde,nke->nkd", known.precision, away) * np.exp(-2 * widening)
    squared = (pull * away).sum(axis=2)
    joint = 0.5 * (known.log_det - squared) + np.log(shares)
    highest = joint.max(axis=1, keepdims=True)
    posterior = np.exp(joint - highest)
    total = posterior.sum(axis=1, keepdims=True)
    posterior /= total
    few, stiff = FURTHER_SAMPLES / n, 1 / (n * LOG_WIDENING_SD**2)
    gradient = np.concatenate(
        [
            shares[:-1] * (1 + few * k) - posterior[:, :-1].mean(axis=0) - few,
            -np.einsum("nk,nkd->d", posterior, pull) / n,
            [d - (posterior * squared).sum() / n + stiff * widening],
        ]
    )
    loss = d * widening - (highest + np.log(total)).mean()
    loss += stiff * widening**2 / 2 - few * np.log(shares).sum()
    return float(loss), gradient


def _shares_of(ratios: Floats) -> Floats:
    logs = np.append(ratios, 0.0)
    odds = np.exp(logs - logs.max())
    # The optimiser's first steps may go far; a share of 0 would have no logarithm.
    return np.asarray(np.maximum(odds / odds.sum(), 1e-12))


def _calls(proba: Floats) -> Floats:
    """One-hot predicted classes, shape (n, K)."""
    return np.asarray(np.eye(proba.shape[1])[proba.argmax(axis=1)])


def _calls_by_class(proba: Floats, codes: Ints) -> Floats:
    """Shares of the predicted classes (rows) among the samples of each class (columns)."""
    calls = _calls(proba)
    return np.column_stack([calls[codes == k].mean(axis=0) for k in range(proba.shape[1])])
