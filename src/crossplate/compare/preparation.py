"""From intensities to what correctors get, and from what they give to what classifiers get."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossplate.compare.blind import BlindTask, FloatArray
from crossplate.errors import InputError
from crossplate.scaling.logs import choose_log_unit

CONSTANT = 1e-9
"""Standard deviation, as a share of the mean's size (or of 1), below which a feature counts as
constant: what differs by less is rounding."""

__all__ = ["Preparation", "SourceScale", "fill_by_batch", "fill_from_source"]


@dataclass(frozen=True)
class Preparation:
    """How the rows of a task are prepared, learned without labels.

    Parameters
    ----------
    log_unit
        Unit u of ``log(1 + x/u)``; None where no log is taken.
    """

    log_unit: float | None

    @classmethod
    def of(cls, task: BlindTask) -> Preparation:
        """Learn it from a task.

        Raises
        ------
        InputError
            The task has no feature.
        """
        if not task.x.shape[1]:
            raise InputError(
                f"no feature differs between two samples of batch '{task.source}' and has a value "
                f"in '{task.target}'; leave this pair out"
            )
        return cls(choose_log_unit(task.x, task.batch))

    def logged(self, x: FloatArray) -> FloatArray:
        """Rows on the scale on which to correct and classify."""
        return x if self.log_unit is None else np.log1p(x / self.log_unit)


def fill_by_batch(x: FloatArray, task: BlindTask) -> FloatArray:
    """Gaps filled with the feature's median in its batch, or in the source.

    For correctors that take no gaps. A feature without a value in its batch gets the source's
    median; elsewhere that would be a mixture of two plates that no correction can take apart.

    Parameters
    ----------
    x
        Rows of the task, shape (n, p); NaN is missing.
    task
        Tells the batches.
    """
    filled = x.copy()
    source = _medians(x[task.source_rows])
    for batch in np.unique(task.batch):
        rows = task.batch == batch
        own = _medians(x[rows])
        own = np.where(np.isnan(own), source, own)
        filled[rows] = np.where(np.isnan(x[rows]), own, x[rows])
    return filled


def fill_from_source(x: FloatArray, task: BlindTask) -> FloatArray:
    """Gaps that are left after a correction filled with the feature's median in the source.

    Parameters
    ----------
    x
        Corrected rows of the task, shape (n, p); NaN is missing.
    task
        Tells the batches.
    """
    return np.where(np.isnan(x), _medians(x[task.source_rows]), x)


def _medians(x: FloatArray) -> FloatArray:
    """Median of each feature, NaN where all is missing."""
    medians = np.full(x.shape[1], np.nan)
    known = ~np.isnan(x).all(axis=0)
    medians[known] = np.nanmedian(x[:, known], axis=0)
    return medians


@dataclass(frozen=True)
class SourceScale:
    """Location and scale of each feature in the source.

    Parameters
    ----------
    mean, scale
        Shape (p,), in units of the corrected rows; a scale of 0 stands for a constant feature.
    """

    mean: FloatArray
    scale: FloatArray

    @classmethod
    def of(cls, x: FloatArray, task: BlindTask) -> SourceScale:
        """Learn it from rows of a task without gaps, shape (n, p)."""
        source = x[task.source_rows]
        mean, scale = source.mean(axis=0), source.std(axis=0)
        constant = scale <= CONSTANT * np.maximum(np.abs(mean), 1.0)
        return cls(mean, np.where(constant, 0.0, scale))

    def standardised(self, x: FloatArray) -> FloatArray:
        """Rows in units of the source's standard deviations; constant features become 0."""
        varies = self.scale > 0.0
        return np.asarray((x - self.mean) / np.where(varies, self.scale, 1.0) * varies)
