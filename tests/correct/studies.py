"""Labelled studies with hidden variation, made and stored, for the tests of SVA."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from .plates import stored

STORED = {"sva_200x40": ("set", "train", (1, 2, 3)), "cytof_p1_300x2": ("batch", "day1", (1, 2))}
EVERY = [(case, k) for case, (_, _, counts) in STORED.items() for k in counts]


@dataclass
class StoredStudy:
    """Labelled samples, new samples, and what R's sva made of them."""

    folder: Path
    x: np.ndarray
    codes: np.ndarray
    new: np.ndarray

    def output(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self.folder / f"{name}.csv", index_col=0)


def stored_study(gold: Path, case: str) -> StoredStudy:
    x = stored(gold / case, "X_features_by_samples").to_numpy()
    samples = pd.read_csv(gold / case / "samples.csv", index_col=0)
    column, training, _ = STORED[case]
    rows = (samples[column] == training).to_numpy()
    return StoredStudy(gold / case, x[rows], samples["label"].to_numpy()[rows], x[~rows])


def make_study(
    seed: int, n: int = 60, p: int = 80, n_hidden: int = 2
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Measurements, labels and hidden variables.

    The label moves the first quarter of the features, each hidden variable another half.
    """
    rng = np.random.default_rng(seed)
    label = rng.permutation(np.arange(n) % 2)
    hidden = rng.normal(size=(n, n_hidden))
    loads = rng.normal(scale=1.5, size=(n_hidden, p))
    loads[:, : p // 4] *= rng.random((n_hidden, p // 4)) < 0.2
    x = rng.normal(size=(n, p)) * 0.7 + 5.0 + hidden @ loads
    x[:, : p // 4] += label[:, None] * 1.5
    return x, np.array(["healthy", "ill"])[label], hidden


def share_explained(variables: np.ndarray, hidden: np.ndarray) -> float:
    """Share of the hidden variables' variance that surrogate variables explain."""
    basis = np.linalg.qr(variables - variables.mean(axis=0))[0]
    centred = hidden - hidden.mean(axis=0)
    return float(((basis.T @ centred) ** 2).sum() / (centred**2).sum())
