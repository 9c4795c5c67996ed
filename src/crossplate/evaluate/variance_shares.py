"""Share of each feature's variance that goes with the batch, and that goes with the label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from crossplate.errors import InputError
from crossplate.evaluate.scores import Floats, Labels
from crossplate.rows import batch_names, encode_labels

# Relative size of an eigenvalue that counts as zero, so that a confounded design has its true rank.
_RANK = 1e-10

__all__ = ["VarianceShares", "variance_shares"]


@dataclass(frozen=True)
class VarianceShares:
    """Shares of variance, feature by feature.

    Attributes
    ----------
    shares
        One row a feature, in order; columns

        - ``n``: labelled rows with a value;
        - ``batch``: share of the sum of squares that the batch explains beyond the label;
        - ``label``: that the label explains beyond the batch;
        - ``either``: explained by both together and not to be told apart. Large where batch and
          label are confounded; may be slightly negative;
        - ``residual``: the rest; the four shares add to 1;
        - ``batch_chance``, ``label_chance``: what ``batch`` and ``label`` come to on average
          where neither matters and rows are independent.

        NaN for a feature that is constant or has fewer than 3 values.
    """

    shares: pd.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """Medians over features, as plain values that ``json.dumps`` accepts."""
        middle = self.shares.median(numeric_only=True)
        named = {str(name): float(value) for name, value in middle.items() if name != "n"}
        return {
            "n_features": len(self.shares),
            "n_without_variance": int(self.shares["residual"].isna().sum()),
            "median": {name: None if np.isnan(one) else one for name, one in named.items()},
        }

    def to_frame(self) -> pd.DataFrame:
        """One row a feature (index ``feature``)."""
        return self.shares.copy()


def variance_shares(x: pd.DataFrame | ArrayLike, batch: Labels, label: Labels) -> VarianceShares:
    """Divide the sum of squares of each feature between batch, label and the rest.

    Sums of squares of type II [Langsrud2003]_: what one explains beyond the other, without
    interaction. Missing values are left out feature by feature. Take logs of intensities first;
    shares on the raw scale are those of a few large values.

    Parameters
    ----------
    x
        Measurements, shape (n, p); NaN is missing. A DataFrame's names are kept.
    batch
        Batch of each row, shape (n,).
    label
        Label of each row, shape (n,); rows without one are left out.

    Raises
    ------
    InputError
        If shapes do not fit, a value is infinite, a row has no batch, or the labelled rows have
        fewer than two labels.

    References
    ----------
    .. [Langsrud2003] Ø. Langsrud, Statistics and Computing 13:163, 2003.
    """
    frame = x if isinstance(x, pd.DataFrame) else pd.DataFrame(np.asarray(x))
    values = frame.to_numpy(dtype=np.float64)
    batches = batch_names(batch, len(values))
    _, codes = encode_labels(np.array(pd.Series(label, dtype=object), dtype=object))
    if codes.shape != batches.shape:
        raise InputError(
            f"label has {len(codes)} entries for {len(values)} rows; give one label a row"
        )
    if np.isinf(values).any():
        row, column = np.argwhere(np.isinf(values))[0]
        raise InputError(
            f"feature {str(frame.columns[column])!r} is infinite in row {row + 1}; correct it, or "
            "set it to NaN for missing"
        )
    known = codes >= 0
    design = _design(np.unique(batches[known], return_inverse=True)[1], codes[known])
    shares = _shares(values[known], design)
    shares.index = pd.Index(frame.columns.map(str), name="feature")
    return VarianceShares(shares)


@dataclass(frozen=True)
class _Design:
    """Cell (batch and label) of each row, and the model matrix over cells."""

    cell: NDArray[np.intp]
    batch: Floats
    label: Floats


def _design(batch: NDArray[np.intp], label: NDArray[np.int64]) -> _Design:
    cells, cell = np.unique(np.column_stack([batch, label]), axis=0, return_inverse=True)
    return _Design(
        cell.reshape(-1), np.eye(batch.max() + 1)[cells[:, 0]], np.eye(label.max() + 1)[cells[:, 1]]
    )


def _shares(values: Floats, design: _Design) -> pd.DataFrame:
    present = np.isfinite(values)
    count = present.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(present, values, 0.0).sum(axis=0) / count
    centred = np.where(present, values - mean, 0.0)
    total = (centred**2).sum(axis=0)
    # The model is constant within a cell, so a feature's counts and sums over cells say it all,
    # whichever of its values are missing.
    n_cells = len(design.batch)
    counts, sums = np.zeros((n_cells, values.shape[1])), np.zeros((n_cells, values.shape[1]))
    for cell in range(n_cells):
        rows = design.cell == cell
        counts[cell], sums[cell] = present[rows].sum(axis=0), centred[rows].sum(axis=0)
    both = np.hstack([design.batch, design.label])
    explained = {
        name: _explained(matrix, counts.T, sums.T)
        for name, matrix in (("batch", design.batch), ("label", design.label), ("both", both))
    }
    largest = np.fmax.reduce(np.abs(np.where(present, values, 0.0)), axis=0, initial=0.0)
    varies = (count >= 3) & (total > (1e-12 * largest) ** 2 * np.maximum(count, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        (batch, batch_rank), (label, label_rank), (model, rank) = (
            (np.where(varies, squares / total, np.nan), ranks)
            for squares, ranks in explained.values()
        )
        return pd.DataFrame(
            {
                "n": count,
                "batch": np.maximum(model - label, 0.0),
                "label": np.maximum(model - batch, 0.0),
                "either": batch + label - model,
                "residual": 1.0 - model,
                "batch_chance": np.where(varies, (rank - label_rank) / (count - 1), np.nan),
                "label_chance": np.where(varies, (rank - batch_rank) / (count - 1), np.nan),
            }
        )


def _explained(matrix: Floats, counts: Floats, sums: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Sum of squares explained by a model of cells, and its rank, for each feature.

    Parameters
    ----------
    matrix
        Model over cells, shape (cells, terms).
    counts, sums
        Values and sum of centred values in each cell, shape (p, cells).
    """
    normal = np.einsum("pc,ci,cj->pij", counts, matrix, matrix, optimize=True)
    right = sums @ matrix
    eigenvalues, vectors = np.linalg.eigh(normal)
    kept = eigenvalues > _RANK * np.maximum(eigenvalues[:, -1:], 1.0)
    projected = np.einsum("pij,pi->pj", vectors, right)
    with np.errstate(invalid="ignore", divide="ignore"):
        squares = np.where(kept, projected**2 / eigenvalues, 0.0).sum(axis=1)
    return squares, kept.sum(axis=1)
