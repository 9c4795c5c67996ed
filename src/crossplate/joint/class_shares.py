"""Class shares of a batch without labels, read off the shape of its scores.

Each batch is standardised with its own statistics, so that its mean score stands at the same place
whatever its class shares are. What they leave is the shape: where two classes are well apart, their
scores make two heaps, of the sizes of the shares. Where classes overlap, the shape says little and
the shares stay near those expected beforehand, half-way (on the log scale) between the source's and
equal ones. One heap may be either class; which one is told by where the batch lay before it was
standardised, as far as that is more than what batch effects do.

Shares that the scores do not settle are not settled here either: what comes out is a set of shares
and how likely each is, and class probabilities are averaged over it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import log_softmax, logsumexp, softmax

from crossplate.joint.source_fit import SourceFit

FloatArray = npt.NDArray[np.float64]

EXPECTED = 0.5
"""Where the shares are expected, from equal ones (0) to the source's (1)."""
PRICE = 25.0
"""Log likelihood that log odds one away from what is expected must gain, times the root of the
subjects: the shape of few scores is mostly chance. A price in proportion to the distance leaves the
shares where they are expected unless the scores clearly speak against it, and holds a clear shift
back but little."""
ROUNDING = 0.05
"""Distance below which it is rounded off, so that it has a gradient everywhere."""
SCALE_SPREAD = 0.3
"""Standard deviation of the log of the spread of scores, relative to the source's held-out ones."""
MOST_SUBJECTS = 120.0
"""Scores of more subjects count as those of so many: no distribution is quite normal, and with
enough subjects that would outweigh what is expected."""
LEAST_SHARE = 0.01
BATCH_EFFECT = 2.0
"""Variance of a batch's effect on the scores, in units of what it would be if the differences
between the batches' features had nothing to do with each other."""
APART = 2.0
"""Log odds of a class in the starts from which the most probable shares are looked for."""
SPREADS = np.linspace(-0.6, 0.6, 13)
"""Logs of the spread over which likelihoods are summed: two standard deviations to either side."""
STEPS = np.sinh(np.linspace(-2.8, 2.8, 27))
"""Log odds of a class, away from the most probable ones, at which the shares' likelihood is found:
close together near 0, and up to 8, so that a second heap on the other side is reached."""

__all__ = ["ClassShape", "Drift", "centred_logs", "contrasts"]


def contrasts(n_classes: int) -> FloatArray:
    """Orthonormal directions in which classes differ, shape (C, C - 1)."""
    together = np.column_stack([np.ones(n_classes), np.eye(n_classes)[:, 1:]])
    return np.asarray(np.linalg.qr(together)[0][:, 1:])


def centred_logs(shares: FloatArray) -> FloatArray:
    """Logs of shares less their mean; no share counts as less than 1%."""
    logs = np.log(np.maximum(shares, LEAST_SHARE))
    return np.asarray(logs - logs.mean())


@dataclass(frozen=True)
class Drift:
    """How far a batch's scores lay from the source's before both were standardised.

    Parameters
    ----------
    move
        Difference of the mean scores, shape (d,) as the scores of a :class:`ClassShape`.
    precision
        Inverse covariance of what batch effects add to it, shape (d, d).
    """

    move: FloatArray
    precision: FloatArray

    @classmethod
    def of(cls, shift: FloatArray, weight: FloatArray, chance: float) -> Drift | None:
        """Drift of a batch, None where there is none.

        Parameters
        ----------
        shift
            Difference of the mean features, in standard deviations, shape (p,).
        weight
            Of the scores, shape (p, outputs).
        chance
            Variance of a mean feature's difference between groups of so few subjects. Where
            features differ less than that, the table was centred before, and tells nothing.
        """
        used = weight.any(axis=1)
        typical = float(np.mean(shift[used] ** 2)) if used.any() else 0.0
        if typical <= chance:
            return None
        ways = weight if weight.shape[1] == 1 else weight @ contrasts(weight.shape[1])
        covariance = BATCH_EFFECT * typical * ways.T @ ways
        return cls(shift @ ways, np.asarray(np.linalg.pinv(covariance, hermitian=True)))


@dataclass(frozen=True)
class ClassShape:
    """How scores are distributed in each class, as normal distributions.

    Parameters
    ----------
    mean
        Mean score of each class when its subject was held out, shape (C, d), d being 1 for two
        classes (the score) and C - 1 for more (the scores' :func:`contrasts`).
    covariance
        Shape (C, d, d).
    expected
        Centred logs of the shares that are expected, shape (C,).
    rows_a_subject
        Rows of a subject in the source.
    """

    mean: FloatArray
    covariance: FloatArray
    expected: FloatArray
    rows_a_subject: float

    @classmethod
    def of(cls, fit: SourceFit) -> ClassShape:
        """Shape of the held-out scores of the labelled rows.

        Covariances are drawn a little towards the pooled one, so that a small class has one.
        """
        scores, codes = _contrasted(fit.scores), fit.codes
        n_classes, d = len(fit.shares), scores.shape[1]
        mean = np.array([scores[codes == k].mean(axis=0) for k in range(n_classes)])
        away = scores - mean[codes]
        pooled = away.T @ away / len(away) + 1e-6 * np.eye(d)
        covariance = np.array(
            [
                (away[codes == k].T @ away[codes == k] + (d + 1) * pooled)
                / ((codes == k).sum() + d + 1)
                for k in range(n_classes)
            ]
        )
        expected = EXPECTED * centred_logs(fit.shares)
        return cls(mean, covariance, expected, fit.rows_a_subject)

    def shares(self, scores: FloatArray, drift: Drift | None = None) -> FloatArray:
        """Most probable class shares of a batch.

        Parameters
        ----------
        scores
            Of all its rows, shape (n, outputs).
        drift
            Of the batch, where it is known.

        Returns
        -------
        Shape (C,), adding to 1.
        """
        return self._shares_at(self._most_probable(self._evidence(scores, drift))[:-1])

    def possible_shares(
        self, scores: FloatArray, drift: Drift | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Class shares that a batch may have, and how likely each is.

        From the most probable ones the log odds of one class at a time are moved.

        Parameters
        ----------
        scores, drift
            As in :meth:`shares`.

        Returns
        -------
        Shares, shape (K, C), and likelihoods that add to 1, shape (K,).
        """
        evidence = self._evidence(scores, drift)
        best = self._most_probable(evidence)
        n_classes = len(self.mean)
        # two classes have one line between them
        lines = self._ways.T @ np.eye(n_classes)[:, : n_classes if n_classes > 2 else 1]
        moves = (lines[:, :, None] * STEPS).reshape(len(lines), -1).T
        places = best[:-1] + moves
        logs = self._log_likelihoods(places, evidence)
        widths = np.tile(np.gradient(STEPS), lines.shape[1])
        likelihood = widths * np.exp(logs - logs.max())
        return self._shares_at(places), likelihood / likelihood.sum()

    def means_of_uneven(
        self, scores: FloatArray, drift: Drift | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Mean score with the shares that a batch may have, less that with equal ones.

        Parameters
        ----------
        scores, drift
            As in :meth:`shares`.

        Returns
        -------
        Shape (K, outputs), and how likely each is, shape (K,).
        """
        shares, likelihood = self.possible_shares(scores, drift)
        means = (shares - 1.0 / shares.shape[1]) @ self.mean
        return means if scores.shape[1] == 1 else means @ self._ways.T, likelihood

    @cached_property
    def _ways(self) -> FloatArray:
        return contrasts(len(self.mean))

    @cached_property
    def _precision(self) -> FloatArray:
        return np.asarray(np.linalg.inv(self.covariance))

    @cached_property
    def _log_det(self) -> FloatArray:
        return np.asarray(-np.linalg.slogdet(self.covariance)[1])

    def _evidence(self, scores: FloatArray, drift: Drift | None) -> _Evidence:
        scores = _contrasted(scores)
        subjects = min(len(scores) / self.rows_a_subject, MOST_SUBJECTS)
        away = scores - scores.mean(axis=0)
        return _Evidence(away, subjects / len(scores), PRICE / np.sqrt(subjects), drift)

    def _shares_at(self, place: FloatArray) -> FloatArray:
        """Shares at one or several distances from the expected ones, (…, C - 1) → (…, C)."""
        return np.asarray(softmax(self.expected + place @ self._ways.T, axis=-1))

    def _most_probable(self, evidence: _Evidence) -> FloatArray:
        """Distance from the expected shares along the contrasts, and the log of the spread."""
        starts = [np.zeros(len(self.mean))]
        if evidence.drift is not None:
            starts += [np.append(APART * way, 0.0) for way in self._ways]
        ends = [
            minimize(self._loss, start, args=(evidence,), jac=True, method="L-BFGS-B")
            for start in starts
        ]
        return np.asarray(min(ends, key=lambda end: float(end.fun)).x)

    def _log_likelihoods(self, places: FloatArray, evidence: _Evidence) -> FloatArray:
        """Log posterior of shares, summed over the spreads that scores may have.

        Parameters
        ----------
        places
            Distances from the expected shares along the contrasts, shape (K, C - 1).
        evidence
            Of the batch.
        """
        whitening = np.linalg.cholesky(self._precision)
        from_mean = (evidence.away[:, None, :] - self.mean).swapaxes(0, 1)
        away = np.matmul(from_mean, whitening).swapaxes(0, 1)
        squares = (away * away).sum(axis=2)
        narrower, prior = np.exp(-2.0 * SPREADS), 0.5 * (SPREADS / SCALE_SPREAD) ** 2
        n, d = evidence.away.shape
        found = np.empty(len(places))
        for number, place in enumerate(places):
            logs = log_softmax(self.expected + self._ways @ place)
            shares = np.exp(logs)
            move = np.einsum("d,kde->ke", shares @ self.mean, whitening)
            squared = (
                squares + 2.0 * np.einsum("nke,ke->nk", away, move) + (move * move).sum(axis=1)
            )
            of_class = 0.5 * self._log_det + logs
            of_rows = [_total(of_class - 0.5 * factor * squared) for factor in narrower]
            weighed = evidence.weight * (np.array(of_rows) - n * d * SPREADS)
            price = evidence.price * _distance(np.sqrt(2.0) * place)[0]
            unlikely = self._off_drift(shares, evidence.drift)[0]
            found[number] = logsumexp(weighed - prior) - price - unlikely
        return found

    def _off_drift(self, shares: FloatArray, drift: Drift | None) -> tuple[float, FloatArray]:
        """How unlikely shares are where the batch lay, and its gradient by their mean score."""
        if drift is None:
            return 0.0, np.zeros(self.mean.shape[1])
        # the source's own scores stood at the mean of its shares
        off = drift.move - (shares - softmax(self.expected / EXPECTED)) @ self.mean
        pulled = drift.precision @ off
        return float(0.5 * off @ pulled), -pulled

    def _loss(self, place: FloatArray, evidence: _Evidence) -> tuple[float, FloatArray]:
        """Negative log posterior of the shares and the spread, and its gradient.

        The mixture's mean is held at the batch's: the offset of its scores is not free.
        """
        away, weight, ways = evidence.away, evidence.weight, self._ways
        logs = log_softmax(self.expected + ways @ place[:-1])
        shares = np.exp(logs)
        mixed = shares @ self.mean
        from_class = away[:, None, :] + mixed - self.mean
        narrower = np.exp(-2.0 * place[-1])
        # class by class, which is a product of matrices
        pull = np.matmul(from_class.swapaxes(0, 1), self._precision).swapaxes(0, 1) * narrower
        squared = (pull * from_class).sum(axis=2)
        joint = 0.5 * (self._log_det - squared) + logs
        highest = joint.max(axis=1, keepdims=True)
        posterior = np.exp(joint - highest)
        total = posterior.sum(axis=1, keepdims=True)
        posterior /= total
        n, d = away.shape
        loss = n * d * place[-1] - (highest + np.log(total)).sum()
        by_share = shares * ((self.mean - mixed) @ np.einsum("nk,nkd->d", posterior, pull))
        by_share += n * shares - posterior.sum(axis=0)
        loss, by_share = weight * loss, weight * by_share
        off_drift, by_mean = self._off_drift(shares, evidence.drift)
        loss += off_drift
        by_share += shares * ((self.mean - mixed) @ by_mean)
        by_scale = n * d - (posterior * squared).sum()
        gradient = np.append(ways.T @ by_share, weight * by_scale)
        # the log odds of two classes are √2 times the distance along a contrast
        distance, by_place = _distance(np.sqrt(2.0) * place[:-1])
        gradient[:-1] += evidence.price * np.sqrt(2.0) * by_place
        gradient[-1] += place[-1] / SCALE_SPREAD**2
        loss += evidence.price * distance + 0.5 * (place[-1] / SCALE_SPREAD) ** 2
        return float(loss), gradient


@dataclass(frozen=True)
class _Evidence:
    """What shares are judged by.

    Parameters
    ----------
    away
        Scores of a batch about their mean, shape (n, d).
    weight
        What each counts.
    price
        Of log odds one away from what is expected.
    drift
        Of the batch, where it is known.
    """

    away: FloatArray
    weight: float
    price: float
    drift: Drift | None


def _total(joint: FloatArray) -> float:
    """Sum over rows of the log likelihood, from that of each row and class, shape (n, C)."""
    highest = joint.max(axis=1, keepdims=True)
    return float((highest[:, 0] + np.log(np.exp(joint - highest).sum(axis=1))).sum())


def _distance(odds: FloatArray) -> tuple[float, FloatArray]:
    """Length of log odds, rounded off near 0, and its gradient."""
    distance = np.sqrt(odds @ odds + ROUNDING**2)
    return float(distance), odds / distance


def _contrasted(scores: FloatArray) -> FloatArray:
    return scores if scores.shape[1] == 1 else scores @ contrasts(scores.shape[1])
