"""Rows of several plates for the tests of the correctors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd


def make_plates(
    seed: int, sizes: tuple[int, ...] = (14, 11, 17), p: int = 6, missing: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of batches p1, p2, … in mixed order, each with its own location and scale.

    Values are logarithms of intensities around 5, none below 0.
    """
    rng = np.random.default_rng(seed)
    x = np.concatenate(
        [
            rng.normal(rng.normal(size=p), np.exp(rng.normal(scale=0.4, size=p)), (size, p))
            for size in sizes
        ]
    )
    x = np.maximum(x + 5.0, 0.01)
    x[rng.random(x.shape) < missing] = np.nan
    batch = np.repeat([f"p{i + 1}" for i in range(len(sizes))], sizes)
    order = rng.permutation(len(x))
    return x[order], batch[order]


def stored(folder: Path, name: str) -> pd.DataFrame:
    """A table of the reference outputs, turned to samples in rows."""
    return pd.read_csv(folder / f"{name}.csv", index_col=0).T


def stored_batches(folder: Path) -> pd.Series:
    """Batch of each of its samples."""
    return pd.read_csv(folder / "samples.csv", index_col=0)["batch"]
