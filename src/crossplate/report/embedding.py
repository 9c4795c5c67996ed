"""Samples before and after calibration as points of one plane."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from crossplate.errors import InputError

Floats = NDArray[np.float64]
Points = tuple[tuple[float, float], ...]

# Enough points to show the shape of a plate; more only blacken the picture.
MAX_ROWS = 5000


@dataclass(frozen=True)
class Embedding:
    """The same samples before and after calibration, in one shared plane.

    Attributes
    ----------
    before, after
        One point a sample, in the same order.
    batch
        Batch of each point.
    label
        Label of each point, None where unknown; None as a whole when no point has one.
    explained
        Share of the variance of before and after together along either axis.
    n_total
        Samples there were before a random choice of them was taken to be shown.
    rows
        Positions of the points among all samples; None where they are not known.
    """

    before: Points
    after: Points
    batch: tuple[str, ...]
    label: tuple[str | None, ...] | None
    explained: tuple[float, float]
    n_total: int
    rows: tuple[int, ...] | None = None


def pca_embedding(
    before: ArrayLike,
    after: ArrayLike,
    max_rows: int = MAX_ROWS,
    *,
    batch: Iterable[Any] | None = None,
    label: Iterable[Any] | None = None,
    random_state: int = 0,
) -> Embedding:
    """Project samples before and after calibration on the first two axes of one PCA.

    The axes are fitted on both together, so that the two pictures can be laid over each other.

    Parameters
    ----------
    before, after
        The same samples in rows and the same features in columns, shape (n, p), in the same
        units, no missing value. Features should be on one scale (logarithms or standard
        deviations), since those of large variance make the axes.
    max_rows
        Most samples shown; of more, so many are drawn at random, and the axes come from those.
    batch
        Batch of each sample, shape (n,); None: all of one nameless batch.
    label
        Label of each sample, shape (n,), missing (None, NaN, NA) where unknown.
    random_state
        Seed of that draw and of the solver.

    Raises
    ------
    InputError
        If shapes do not fit, there is no row, or values are missing or infinite.
    """
    from sklearn.decomposition import PCA

    first, second = checked_pair(before, after)
    n = len(first)
    batches = checked_texts(batch, n, "batch")
    labels = checked_texts(label, n, "label")
    rows = np.arange(n)
    if n > max_rows:
        rows = np.sort(np.random.default_rng(random_state).choice(n, max_rows, replace=False))
    pooled = np.concatenate([first[rows], second[rows]])
    points = np.zeros((len(pooled), 2))
    explained = np.zeros(2)
    # Without any spread there are no axes, and the share of variance would be 0 / 0.
    if np.ptp(pooled, axis=0).any():
        n_axes = min(2, *pooled.shape)
        pca = PCA(n_components=n_axes, random_state=random_state)
        points[:, :n_axes] = pca.fit_transform(pooled)
        explained[:n_axes] = pca.explained_variance_ratio_
    shown_labels = tuple(labels[row] for row in rows)
    return Embedding(
        before=point_pairs(points[: len(rows)]),
        after=point_pairs(points[len(rows) :]),
        batch=tuple(batches[row] or "" for row in rows),
        label=shown_labels if any(name is not None for name in shown_labels) else None,
        explained=(float(explained[0]), float(explained[1])),
        n_total=n,
        rows=tuple(rows.tolist()),
    )


def point_pairs(array: Floats) -> Points:
    """Return rows of two columns as plain pairs."""
    return tuple((float(x), float(y)) for x, y in array)


def checked_texts(values: Iterable[Any] | None, n: int, what: str) -> list[str | None]:
    """Return one text a sample, None where missing; refuse another number of them."""
    if values is None:
        return [None] * n
    texts = [None if pd.isna(value) else str(value) for value in values]
    if len(texts) != n:
        raise InputError(f"{what} has {len(texts)} entries for {n} samples; give one a sample.")
    return texts


def checked_pair(before: ArrayLike, after: ArrayLike) -> tuple[Floats, Floats]:
    """Return both tables as numbers; refuse other shapes and missing values."""
    first = np.asarray(before, dtype=np.float64)
    second = np.asarray(after, dtype=np.float64)
    if first.ndim != 2 or first.shape != second.shape or first.size == 0:
        raise InputError(
            f"before has shape {first.shape} and after {second.shape}; give the same samples in "
            "rows and the same features in columns, at least one of each."
        )
    for name, array in (("before", first), ("after", second)):
        wrong = ~np.isfinite(array)
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise InputError(
                f"{wrong.sum()} values of {name} are missing or infinite (the first in row "
                f"{row}, column {column}); impute them first."
            )
    return first, second
