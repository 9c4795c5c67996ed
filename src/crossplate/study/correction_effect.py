"""How far batches lie apart before and after a correction."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from crossplate.correct.batch_rows import pooled_scale
from crossplate.correct.batch_zscore import BatchZScore
from crossplate.correct.log_scale import OnLogScale
from crossplate.correct.ratio_g import RatioG
from crossplate.evaluate import BatchEffect, batch_effect
from crossplate.scaling import LogChoice, log_unit
from crossplate.table import SampleTable

FloatArray = npt.NDArray[np.float64]
Names = npt.NDArray[np.str_]

__all__ = ["correction_effect"]


def correction_effect(
    table: SampleTable, corrected: pd.DataFrame, corrector: OnLogScale, log: LogChoice
) -> tuple[BatchEffect, BatchEffect]:
    """Distances between batches before and after a correction.

    Either table is measured in units of its own standard deviations within batches (a correction
    that shrinks everything brings nothing closer), on the scale on which it was corrected, with
    the kernels of the first. Missing values are set to the feature's median in its batch.

    Parameters
    ----------
    table
        The samples as measured.
    corrected
        Corrected features, in the order of the table.
    corrector
        What corrected them.
    log
        When logs are taken.
    """
    batch = table.batch.to_numpy(dtype=str)
    x, y = table.features.to_numpy(), corrected.to_numpy()
    unit = log_unit(log, x, batch)
    inside = corrector.corrector_
    unit_after = unit
    if isinstance(inside, BatchZScore):
        unit_after = None
    elif isinstance(inside, RatioG) and inside.reference_ is None and unit is not None:
        unit_after = log_unit("always", y, batch)  # ratios have a scale of their own
    before = batch_effect(_comparable(x, batch, unit), batch)
    widths = before.bandwidths
    return before, batch_effect(_comparable(y, batch, unit_after), batch, bandwidths=widths)


def _comparable(x: FloatArray, batch: Names, unit: float | None) -> FloatArray:
    values = x.copy() if unit is None else np.log1p(x / unit)
    if np.isnan(values).any():
        _fill(values, batch)
    return np.asarray(values / pooled_scale(values, batch))


def _fill(values: FloatArray, batch: Names) -> None:
    """Set gaps to the feature's median in the batch, or over all batches, or to 0."""
    overall = np.nan_to_num(_medians(values), nan=0.0)
    for name in np.unique(batch):
        rows = batch == name
        its = values[rows]
        own = _medians(its)
        values[rows] = np.where(np.isnan(its), np.where(np.isnan(own), overall, own), its)


def _medians(x: FloatArray) -> FloatArray:
    """Median of each feature, NaN where all is missing."""
    medians = np.full(x.shape[1], np.nan)
    known = ~np.isnan(x).all(axis=0)
    medians[known] = np.nanmedian(x[:, known], axis=0)
    return medians
