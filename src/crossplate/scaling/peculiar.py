"""Directions in which one batch varies far more than the others.

Standardising makes every single feature vary alike on all plates. What moves many features together
on one plate only (a gradient over the wells, a matrix that crystallised unevenly) stays, is the
largest variation there is on that plate, and throws the class scores about. Only such directions
are damped, to the variance that they have on the other plates; all others stay as they are, unlike
in a matching of whole covariances, which takes small plates' chance correlations for the plate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

AXES = 400
"""Most principal axes looked at; what is peculiar to a plate is among its largest variation."""
SHRINKAGE = 3.0
"""Variance added to both sides of a comparison, in units of a feature's variance."""
BEYOND_CHANCE = 1.5
"""How far above the largest ratio between batches drawn by chance a peculiar one lies."""
DRAWS = 4
"""Draws of subjects in place of a batch, for what chance does."""
MOST_BY_CLASS = 0.5
"""Share of a direction's variance explained by classes above which it is left alone."""

__all__ = ["Peculiar", "Taught", "find_peculiar"]


@dataclass(frozen=True)
class Peculiar:
    """Directions of one batch, and how much they are damped.

    Parameters
    ----------
    axes
        Shape (p, k): coordinates of standardised rows along the directions are ``z @ axes``.
    directions
        Shape (k, p), with ``directions @ axes`` the identity.
    factors
        What the coordinates are multiplied by, below 1, shape (k,).
    """

    axes: FloatArray
    directions: FloatArray
    factors: FloatArray

    def damped(self, z: FloatArray) -> FloatArray:
        """Standardised rows of the batch with what is peculiar to it damped, shape (n, p)."""
        return np.asarray(z + (z @ self.axes * (self.factors - 1.0)) @ self.directions)

    def restored(self, z: FloatArray) -> FloatArray:
        """What :meth:`damped` was given."""
        return np.asarray(z + (z @ self.axes * (1.0 / self.factors - 1.0)) @ self.directions)


@dataclass(frozen=True)
class Taught:
    """How the labelled rows vary, for batches that come after the fit to be compared with.

    Parameters
    ----------
    variation
        Shape (p, k); ``variation @ variation.T`` is their covariance within batches.
    by_class
        Shape (p, c); the same for the part of it that classes explain.
    threshold
        Ratio of variances above which a direction is peculiar.
    fewest
        Rows that a batch needs for chance to do no more than in the fit.
    """

    variation: FloatArray
    by_class: FloatArray
    threshold: float
    fewest: float

    def peculiar(self, z: FloatArray) -> Peculiar | None:
        """Directions peculiar to a batch, None without any.

        Parameters
        ----------
        z
            All standardised rows of the batch, shape (n, p).
        """
        if len(z) < self.fewest:
            return None
        own = _variation(z - z.mean(axis=0))
        basis = np.linalg.qr(np.concatenate([own, self.variation], axis=1))[0]
        found = _Comparison.of(basis.T @ own, basis.T @ self.variation)
        return found.peculiar(
            basis, self.threshold, basis.T @ self.by_class, basis.T @ self.variation
        )


def find_peculiar(
    z: FloatArray, batch: IntArray, codes: IntArray, subject: npt.NDArray[np.str_] | None = None
) -> tuple[dict[int, Peculiar], Taught | None]:
    """Find the directions peculiar to each batch.

    Compared are variances along every direction, about the batches' means: a labelled batch with
    all other rows, one without labels with the labelled rows. The threshold is ``BEYOND_CHANCE``
    times the largest ratio found for groups of subjects drawn from both sides. Directions along
    which the classes of the labelled rows differ are never damped.

    Parameters
    ----------
    z
        Standardised rows without gaps, shape (n, p).
    batch
        Batch code of each row, shape (n,).
    codes
        Class code of each row, negative for none, shape (n,).
    subject
        Subject of each row, shape (n,), whose rows are drawn together; None takes each row for
        one.

    Returns
    -------
    Batch code → its directions, batches without any left out; and what later batches are to be
    compared with, None where there is one batch only.
    """
    numbers = np.unique(batch)
    if len(numbers) < 2:
        return {}, None
    centred = z.copy()
    for number in numbers:
        centred[batch == number] -= z[batch == number].mean(axis=0)
    basis = _principal_axes(centred)
    rows = centred @ basis
    who = np.arange(len(z)) if subject is None else np.unique(subject, return_inverse=True)[1]
    labelled = codes >= 0
    teaching = np.isin(batch, batch[labelled])
    by_class = _by_class(rows[labelled], batch[labelled], codes[labelled])
    of_taught = _variation(rows[teaching])
    rng = np.random.default_rng(0)
    found, thresholds = {}, {}
    for number in numbers:
        its = batch == number
        others = ~its & (teaching | teaching[its].any())
        thresholds[int(number)] = BEYOND_CHANCE * max(
            _by_chance(rows, its, others, who, rng) for _ in range(DRAWS)
        )
        comparison = _Comparison.of(_root_rows(rows[its]), _root_rows(rows[others]))
        peculiar = comparison.peculiar(basis, thresholds[int(number)], by_class, of_taught)
        if peculiar is not None:
            found[int(number)] = peculiar
    blind = [value for number, value in thresholds.items() if number not in batch[teaching]]
    return found, Taught(
        # one memory layout, on which the last digits depend, whether saved in between or not
        variation=np.ascontiguousarray(basis @ of_taught),
        by_class=np.ascontiguousarray(basis @ by_class),
        threshold=max(blind or thresholds.values()),
        fewest=0.5 * float(np.bincount(np.unique(batch, return_inverse=True)[1]).min()),
    )


@dataclass(frozen=True)
class _Comparison:
    """Two covariances: ratios of variances in ascending order, their directions, one's root."""

    ratios: FloatArray
    vectors: FloatArray
    root: FloatArray

    @classmethod
    def of(cls, its: FloatArray, others: FloatArray) -> _Comparison:
        """Comparison of ``its @ its.T`` with ``others @ others.T``, shapes (d, k)."""
        ridge = SHRINKAGE * np.eye(len(its))
        root = np.linalg.cholesky(others @ others.T + ridge)
        half = np.linalg.solve(root, its @ its.T + ridge)
        both = np.linalg.solve(root, half.T)
        ratios, vectors = np.linalg.eigh((both + both.T) / 2.0)
        return cls(np.asarray(ratios), np.asarray(vectors), np.asarray(root))

    def peculiar(
        self, basis: FloatArray, threshold: float, by_class: FloatArray, of_taught: FloatArray
    ) -> Peculiar | None:
        """Directions beyond a threshold, but for those that tell classes apart."""
        beyond = self.ratios > threshold
        axes = np.linalg.solve(self.root.T, self.vectors[:, beyond])
        explained = ((by_class.T @ axes) ** 2).sum(axis=0)
        free = explained <= MOST_BY_CLASS * ((of_taught.T @ axes) ** 2).sum(axis=0)
        if not free.any():
            return None
        directions = (self.vectors[:, beyond][:, free].T @ self.root.T) @ basis.T
        return Peculiar(
            np.ascontiguousarray(basis @ axes[:, free]),
            np.ascontiguousarray(directions),
            self.ratios[beyond][free] ** -0.5,
        )


def _root_rows(rows: FloatArray) -> FloatArray:
    return np.asarray(rows.T / np.sqrt(len(rows)))


def _by_chance(
    rows: FloatArray,
    its: npt.NDArray[np.bool_],
    others: npt.NDArray[np.bool_],
    who: IntArray,
    rng: np.random.Generator,
) -> float:
    """Largest ratio for as many subjects as the batch has, drawn from both sides."""
    both = its | others
    everyone = np.unique(who[both])
    size = min(len(np.unique(who[its])), len(everyone) - 1)
    drawn = np.isin(who, rng.choice(everyone, size, replace=False)) & both
    comparison = _Comparison.of(_root_rows(rows[drawn]), _root_rows(rows[both & ~drawn]))
    return float(comparison.ratios[-1])


def _principal_axes(centred: FloatArray) -> FloatArray:
    """Axes of largest variance, shape (p, at most ``AXES``)."""
    n, p = centred.shape
    values, vectors = np.linalg.eigh(centred @ centred.T if n < p else centred.T @ centred)
    kept = np.flatnonzero(values > 1e-10 * max(values[-1], 1e-300))[-AXES:]
    if n >= p:
        return np.asarray(vectors[:, kept])
    return np.asarray(centred.T @ vectors[:, kept] / np.sqrt(values[kept]))


def _variation(centred: FloatArray) -> FloatArray:
    """Factor of the covariance of rows, shape (p, at most ``AXES``)."""
    axes = _principal_axes(centred)
    along = centred @ axes
    return np.asarray(axes * np.sqrt((along**2).mean(axis=0)))


def _by_class(rows: FloatArray, batch: IntArray, codes: IntArray) -> FloatArray:
    """Factor of the covariance of labelled rows' class means about their batch's mean."""
    found = []
    for number in np.unique(batch):
        its, classes = rows[batch == number], codes[batch == number]
        middle = its.mean(axis=0)
        for code in np.unique(classes):
            share = (classes == code).sum() / len(codes)
            found.append(np.sqrt(share) * (its[classes == code].mean(axis=0) - middle))
    return np.array(found).T
