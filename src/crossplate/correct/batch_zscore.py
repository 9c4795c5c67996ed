"""Per-batch z-score: every feature of every batch to mean 0 and standard deviation 1."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from crossplate.correct.base import Corrector, FloatArray, Names
from crossplate.correct.batch_rows import need_two_rows, rows_by_batch
from crossplate.errors import InputError

ROUNDING = 1e-12
"""Range of a feature, as a share of its largest magnitude, below which it counts as constant:
what differs by less is rounding of one number."""

__all__ = ["BatchZScore"]


class BatchZScore(Corrector):
    """Bring every feature of every batch to mean 0 and standard deviation 1.

    The simplest method that takes out shifts and scales, and the one to beat. Each batch's
    statistics are those of its rows in ``fit`` and serve again at ``transform``, so that a sample's
    result does not depend on which others it is measured with; a batch that was not in ``fit``
    is standardised with the statistics of its rows given to ``transform``.

    Missing values are left out of the statistics and stay missing. A feature that is constant in a
    batch, or has no value there, becomes 0 in that batch.

    With one batch in ``fit`` there is nothing to correct: its rows stay unchanged, and a new batch
    is brought to its means and standard deviations instead of 0 and 1.

    Attributes
    ----------
    batches_
        Sorted names of the batches in ``fit``.
    mean_, scale_
        Batch → mean and standard deviation (divisor n) of its features, shape (p,), in units of
        X; the standard deviation of a feature without spread is 0.

    Raises
    ------
    InputError
        A batch of one row, which has no spread.
    """

    takes_missing: ClassVar[bool] = True
    takes_new_batches: ClassVar[bool] = True

    mean_: dict[str, FloatArray]
    scale_: dict[str, FloatArray]

    def _fit(self, x: FloatArray, batch: Names, y: Any) -> None:
        self.mean_, self.scale_ = {}, {}
        for name, rows in rows_by_batch(batch):
            if len(self.batches_) > 1:
                need_two_rows(name, rows)
            self.mean_[name], self.scale_[name] = _mean_and_sd(x[rows])

    def _correct(self, x: FloatArray, batch: Names) -> FloatArray:
        alone = str(self.batches_[0]) if len(self.batches_) == 1 else None
        corrected = x.copy()
        for name, rows in rows_by_batch(batch):
            if name == alone:
                continue
            if name in self.mean_:
                mean, scale = self.mean_[name], self.scale_[name]
            else:
                need_two_rows(name, rows)
                mean, scale = _mean_and_sd(x[rows])
            its = _standardised(x[rows], mean, scale)
            if alone is not None:
                its = its * self._spread_of(alone) + self.mean_[alone]
            corrected[rows] = its
        return corrected

    def _spread_of(self, alone: str) -> FloatArray:
        scale = self.scale_[alone]
        if not scale.any():
            raise InputError(
                f"the rows of batch {alone!r}, the only one in fit, are all equal and give no "
                "scale to bring a new batch to; fit on more rows"
            )
        return scale


def _mean_and_sd(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of the values there are; 0 and 0 where there is none."""
    present = ~np.isnan(x)
    count = np.maximum(present.sum(axis=0), 1)
    mean = np.where(present, x, 0.0).sum(axis=0) / count
    deviation = np.where(present, x - mean, 0.0)
    scale = np.sqrt((deviation * deviation).sum(axis=0) / count)
    largest = np.abs(np.where(present, x, 0.0)).max(axis=0)
    spread = np.ptp(deviation, axis=0)
    return mean, np.where(spread > ROUNDING * largest, scale, 0.0)


def _standardised(x: FloatArray, mean: FloatArray, scale: FloatArray) -> FloatArray:
    usable = scale > 0.0
    # times 0 keeps a missing value missing
    return np.asarray((x - mean) / np.where(usable, scale, 1.0) * usable)
