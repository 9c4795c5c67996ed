"""Location and scale of the features of a batch, and what is usual over batches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossplate.scaling.peculiar import Peculiar

FloatArray = npt.NDArray[np.float64]

__all__ = ["BatchStatistics", "mean_and_sd", "usual_of", "varies"]


@dataclass(frozen=True)
class BatchStatistics:
    """Location and scale of every feature in one batch, on the transformed values.

    Parameters
    ----------
    mean, scale
        Shape (p,), in transformed units; ``scale`` is positive.
    level
        Mean level of the rows (:class:`crossplate.scaling.row_level.RowLevel`); 0 where rows are
        not centred.
    peculiar
        Directions of standardised rows that are damped (:mod:`crossplate.scaling.peculiar`); None
        for none.
    """

    mean: FloatArray
    scale: FloatArray
    level: float = 0.0
    peculiar: Peculiar | None = None


def mean_and_sd(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of each feature, NaN where all is missing."""
    present = np.isfinite(values)
    count = present.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(present, values, 0.0).sum(axis=0) / count
        deviation = np.where(present, values - mean, 0.0)
        return mean, np.sqrt((deviation * deviation).sum(axis=0) / count)


def varies(mean: FloatArray, sd: FloatArray) -> npt.NDArray[np.bool_]:
    """Whether each feature has values that differ by more than rounding."""
    return np.isfinite(sd) & (
        np.nan_to_num(sd) > 1e-9 * np.maximum(np.abs(np.nan_to_num(mean)), 1.0)
    )


def usual_of(plain: list[tuple[FloatArray, FloatArray]]) -> BatchStatistics:
    """Average location and pooled scale of batches, from the mean and deviation of each."""
    means = np.array([mean for mean, _ in plain])
    variances = np.array([sd * sd for _, sd in plain])
    known = np.isfinite(means)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, means, 0.0).sum(axis=0) / count
    scale = np.sqrt(np.where(known, variances, 0.0).sum(axis=0) / count)
    tiny = scale <= 1e-9 * np.maximum(np.abs(mean), 1.0)
    return BatchStatistics(mean, np.where(tiny, 1.0, scale))
