"""The plate scaler fitted on a stored matrix, which is read block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossplate.errors import InputError
from crossplate.scaling.logs import log_unit
from crossplate.scaling.plate_scaler import PlateScaler

FloatArray = npt.NDArray[np.float64]
Blocks = Callable[[], Iterator[tuple[FloatArray, npt.NDArray[np.integer]]]]

__all__ = ["Blocks", "Moments", "Sample", "fit_in_blocks", "moments_of"]


@dataclass(frozen=True)
class Sample:
    """Rows of a stored matrix that are held in memory.

    Parameters
    ----------
    x
        Measurements, shape (n, p).
    batch
        Batch of each row, shape (n,).
    labelled
        True for rows of the labelled source, shape (n,).
    """

    x: FloatArray
    batch: npt.NDArray[np.str_]
    labelled: npt.NDArray[np.bool_]


class Moments:
    """Count, mean and squared deviations of every feature in every batch, merged block by block.

    ``rows`` counts the rows of each batch, shape (K,).

    Parameters
    ----------
    n_batches, n_features
        K and p.
    """

    def __init__(self, n_batches: int, n_features: int) -> None:
        self.rows = np.zeros(n_batches, dtype=np.int64)
        self.count = np.zeros((n_batches, n_features))
        self.mean = np.zeros((n_batches, n_features))
        self.squares = np.zeros((n_batches, n_features))

    def add(self, values: FloatArray, batch: npt.NDArray[np.integer]) -> None:
        """Merge a block's rows; NaN is missing (Chan, Golub and LeVeque 1983)."""
        for k in np.unique(batch):
            rows = values[batch == k]
            self.rows[k] += len(rows)
            present = np.isfinite(rows)
            count = present.sum(axis=0)
            mean = np.where(present, rows, 0.0).sum(axis=0) / np.maximum(count, 1)
            deviation = np.where(present, rows - mean, 0.0)
            total = self.count[k] + count
            step = mean - self.mean[k]
            share = count / np.maximum(total, 1)
            self.squares[k] += (deviation * deviation).sum(axis=0)
            self.squares[k] += step * step * self.count[k] * share
            self.mean[k] += step * share
            self.count[k] = total

    def mean_and_sd(self, k: int) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation of a batch, NaN where all is missing."""
        some = self.count[k] > 0
        mean = np.where(some, self.mean[k], np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            return mean, np.sqrt(self.squares[k] / self.count[k])


def moments_of(
    scaler: PlateScaler, blocks: Blocks, n_batches: int, n_features: int
) -> tuple[Moments, FloatArray]:
    """Moments of all rows as the scaler transforms them, and the mean level of each batch's."""
    moments, levels = Moments(n_batches, n_features), np.zeros(n_batches)
    for x, batch in blocks():
        moments.add(scaler.transformed(x), batch)
        for k in np.unique(batch):
            rows = x[batch == k]
            levels[k] += (scaler.mean_level(rows) - levels[k]) * len(rows) / moments.rows[k]
    return moments, levels


def fit_in_blocks(
    scaler: PlateScaler, blocks: Blocks, names: npt.NDArray[np.str_], sample: Sample
) -> Moments:
    """Fit a scaler: statistics from all rows, the log's unit and fill values from a sample.

    Parameters
    ----------
    scaler
        Is fitted.
    blocks
        All rows and their batch codes, block by block, as often as called.
    names
        Name of each batch code, shape (K,).
    sample
        Rows of all batches; medians need rows in memory.

    Returns
    -------
    Moments of all rows; their count says how many cells are missing.

    Raises
    ------
    InputError
        When ``log="always"`` and a value is negative.
    """
    lowest = np.inf
    if scaler.log != "never":
        lowest = min(float(np.nanmin(x, initial=np.inf)) for x, _ in blocks())
    if lowest < 0.0 and scaler.log == "always":
        raise InputError(
            f"negative values (lowest {lowest:g}) have no logarithm; set them to 0 or missing, or "
            'use log="never"'
        )
    unit = None if lowest < 0.0 else log_unit(scaler.log, sample.x, sample.batch)
    scaler.log_unit_ = unit
    scaler.learn_level(sample.x, sample.batch)
    moments, levels = moments_of(scaler, blocks, len(names), sample.x.shape[1])
    scaler.learn_statistics(
        {str(name): moments.mean_and_sd(k) for k, name in enumerate(names)},
        {str(name): float(levels[k]) for k, name in enumerate(names)},
    )
    scaler.learn_fill(sample.x[sample.labelled], sample.batch[sample.labelled])
    return moments
