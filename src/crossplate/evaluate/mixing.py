"""How well batches mix among each sample's nearest neighbours (iLISI)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.neighbors import NearestNeighbors

from crossplate.errors import InputError
from crossplate.evaluate.scores import Floats, Labels
from crossplate.rows import batch_names, subject_numbers

_N_SHUFFLES = 20

__all__ = ["Mixing", "batch_mixing"]


@dataclass(frozen=True)
class Mixing:
    """Effective number of batches among a sample's nearest neighbours.

    Attributes
    ----------
    mean
        Mean over samples of the inverse Simpson index: 1 where a sample's neighbours are all of
        one batch, the number of batches where they are equally many of each.
    expected
        The same with batches shuffled over subjects: what perfect mixing of these samples gives.
    n_neighbours, n_rows
        Neighbours of a sample and samples looked at.
    """

    mean: float
    expected: float
    n_neighbours: int
    n_rows: int

    @property
    def mixed(self) -> float:
        """How far ``mean`` has come from 1 to ``expected``: 0 apart, 1 mixed."""
        return (self.mean - 1.0) / (self.expected - 1.0)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values that ``json.dumps`` accepts."""
        return {
            "mean": self.mean,
            "expected": self.expected,
            "mixed": self.mixed,
            "n_neighbours": self.n_neighbours,
            "n_rows": self.n_rows,
        }


def batch_mixing(
    x: ArrayLike,
    batch: Labels,
    *,
    subject: Labels | None = None,
    n_neighbours: int = 30,
    max_rows: int = 3000,
    random_state: int = 0,
) -> Mixing:
    """Measure local mixing of batches by the integration index iLISI [Korsunsky2019]_.

    All neighbours count alike (Korsunsky et al. weight them by distance), and samples of the same
    subject are no neighbours: replicates lie beside one another without any batch effect.

    Parameters
    ----------
    x
        Samples in rows, shape (n, p), features on one scale, no missing value.
    batch
        Batch of each row, shape (n,).
    subject
        Subject of each row, shape (n,); None if each row is a subject.
    n_neighbours
        Neighbours of a sample; fewer in small tables, at most a tenth of the rows.
    max_rows
        Most rows looked at, drawn at random, to bound the time.
    random_state
        Seed of the rows and of the shuffles.

    Raises
    ------
    InputError
        If shapes do not fit, values are missing or infinite, there is one batch only, or there
        are fewer than 20 rows or 3 subjects.

    References
    ----------
    .. [Korsunsky2019] I. Korsunsky et al., Nature Methods 16:1289, 2019.
    """
    values = np.asarray(x, dtype=np.float64)
    names = batch_names(batch, len(values))
    if values.ndim != 2 or not np.isfinite(values).all():
        raise InputError(
            f"x has shape {values.shape} and {int((~np.isfinite(values)).sum())} missing or "
            "infinite values; give samples in rows, imputed"
        )
    who = subject_numbers(subject, np.ones(len(values), dtype=bool))
    rng = np.random.default_rng(random_state)
    if len(values) > max_rows:
        rows = np.sort(rng.choice(len(values), max_rows, replace=False))
        values, names, who = values[rows], names[rows], who[rows]
    _, codes = np.unique(names, return_inverse=True)
    most = int(np.bincount(who).max())
    k = min(n_neighbours, len(values) // 10, len(values) - most)
    if codes.max() < 1 or k < 2:
        raise InputError(
            f"{len(values)} rows of {codes.max() + 1} batches are too few to measure how batches "
            "mix; give at least 20 rows of two batches"
        )
    neighbours = _neighbours(values, who, k, most)
    shuffled = [_mean_index(_shuffled(codes, who, rng), neighbours) for _ in range(_N_SHUFFLES)]
    return Mixing(_mean_index(codes, neighbours), float(np.mean(shuffled)), int(k), len(values))


def _neighbours(values: Floats, who: NDArray[np.intp], k: int, most: int) -> NDArray[np.intp]:
    """Rows of the k nearest samples of other subjects, shape (n, k)."""
    # A subject takes at most ``most`` places, the sample's own among them.
    search = NearestNeighbors(n_neighbors=k + most - 1).fit(values)
    found = search.kneighbors(return_distance=False)
    others = who[found] != who[:, None]
    first = np.argsort(~others, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(found, first, axis=1)


def _mean_index(codes: NDArray[np.intp], neighbours: NDArray[np.intp]) -> float:
    """Mean over samples of 1 / Σ share², the shares of batches among its neighbours."""
    of_neighbours = codes[neighbours]
    squares = sum((of_neighbours == code).mean(axis=1) ** 2 for code in range(int(codes.max()) + 1))
    return float(np.mean(1.0 / np.asarray(squares)))


def _shuffled(
    codes: NDArray[np.intp], who: NDArray[np.intp], rng: np.random.Generator
) -> NDArray[np.intp]:
    """Batches shuffled over subjects in each batch, the samples of one going together."""
    key = who * (int(codes.max()) + 1) + codes
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    return rng.permutation(codes[first])[place]
