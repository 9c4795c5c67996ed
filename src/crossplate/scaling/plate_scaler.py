"""Log transform, statistics per batch and imputation, fitted and applied.

A scaler is fitted on all training rows (labels are used only to know which rows are the labelled
source) and turns measurements into standardised values and back. Each batch has its own mean and
standard deviation, at training and at prediction, because one mixture of both moves the target
batch (the mismatch of [Niu2022]_ that ``preset="paper"`` keeps).
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from crossplate.scaling.compression import Compression
from crossplate.scaling.logs import LogChoice, log_unit, logs_of
from crossplate.scaling.peculiar import Taught, find_peculiar
from crossplate.scaling.row_level import RowLevel
from crossplate.scaling.statistics import BatchStatistics, mean_and_sd, usual_of, varies

FloatArray = npt.NDArray[np.float64]

FARTHEST = 5.0
"""Usual standard deviations that a batch's origin may lie away from the others'."""
SCALE_FLOOR = 0.1
"""Least standard deviation of a feature in a batch, as a share of its usual one over all batches.

A feature that is almost constant in one batch would otherwise be blown up there; a tenth leaves
every real difference in spread between plates (seldom above threefold) untouched.
"""

__all__ = ["SCALE_FLOOR", "PlateScaler"]


@dataclass
class PlateScaler:
    """Scale of the plates: log transform, per-batch standardisation, imputation.

    Parameters
    ----------
    log
        ``"auto"`` takes logs when they make non-negative data less skewed
        (:func:`crossplate.scaling.choose_log_unit`); ``"always"`` or ``"never"``.
    per_batch
        Standardise every batch with its own mean and standard deviation. False leaves the values
        as they are, for ``preset="paper"``.
    centre_rows
        Subtract from each row its level, so that dilution and amount of sample, the same factor for
        all features, drop out (:class:`crossplate.scaling.row_level.RowLevel`).
    compression
        What :meth:`scale` does to standardised rows.

    Attributes
    ----------
    log_unit_
        Unit u of ``log(1 + x/u)``; None when no log is taken.
    level_
        :class:`crossplate.scaling.row_level.RowLevel`; None where rows are not centred.
    statistics_
        Batch name → :class:`BatchStatistics`.
    usual_
        Average location and pooled within-batch scale over the training batches; floors the
        scale and stands in for a feature that is all missing in a batch.
    fill_
        Standardised value of a missing cell, shape (p,): the median of the labelled rows.
    varies_
        Batch name → whether each feature was measured there and is not constant, shape (p,).
    informative_
        False for a feature that is held at 0 everywhere, shape (p,): it is constant among the
        labelled rows and cannot teach anything, or it does not vary in half or more of the
        labelled or of the other batches, so that what it taught would be missing there.
    taught_
        What batches after ``fit`` are compared with, to damp what is peculiar to them; None until
        :meth:`learn_peculiar`.
    """

    log: LogChoice = "auto"
    per_batch: bool = True
    centre_rows: bool = False
    compression: Compression = field(default_factory=Compression)
    log_unit_: float | None = field(default=None, init=False)
    level_: RowLevel | None = field(default=None, init=False)
    statistics_: dict[str, BatchStatistics] = field(default_factory=dict, init=False)
    usual_: BatchStatistics = field(init=False)
    fill_: FloatArray = field(init=False)
    varies_: dict[str, npt.NDArray[np.bool_]] = field(default_factory=dict, init=False)
    informative_: npt.NDArray[np.bool_] = field(init=False)
    taught_: Taught | None = field(default=None, init=False)

    def fit(
        self, x: FloatArray, batch: npt.NDArray[np.str_], labelled: npt.NDArray[np.bool_]
    ) -> PlateScaler:
        """Learn the transform, each batch's statistics and the values for missing cells.

        Parameters
        ----------
        x
            Measurements, shape (n, p); NaN is missing.
        batch
            Batch of each row, shape (n,).
        labelled
            True for rows of the labelled source, shape (n,).

        Raises
        ------
        InputError
            When ``log="always"`` and a value is negative.
        """
        self.log_unit_ = log_unit(self.log, x, batch)
        names = [str(name) for name in np.unique(batch)]
        self.learn_level(x, batch)
        values = self.transformed(x)
        levels = self._levels(x)
        self.learn_statistics(
            {name: mean_and_sd(values[batch == name]) for name in names},
            {name: float(levels[batch == name].mean()) for name in names},
        )
        self._learn_from_labelled(values[labelled], batch[labelled])
        return self

    def learn_level(self, x: FloatArray, batch: npt.NDArray[np.str_]) -> None:
        """Learn what the level of a row is measured against, where rows are centred.

        Parameters
        ----------
        x, batch
            Rows of all batches, as in :meth:`fit`.
        """
        self.level_ = None
        if self.centre_rows:
            self.level_ = RowLevel.learn(self._logs(x), batch, on_logs=self.log_unit_ is not None)

    def learn_statistics(
        self, plain: Mapping[str, tuple[FloatArray, FloatArray]], levels: Mapping[str, float]
    ) -> None:
        """Take each batch's mean and standard deviation of :meth:`transformed` values.

        Parameters
        ----------
        plain
            Batch name → mean and standard deviation of every feature, NaN where all is missing.
        levels
            Batch name → mean level of its rows.
        """
        self.usual_ = usual_of(list(plain.values()))
        self.statistics_ = {name: self.floored(*both, levels[name]) for name, both in plain.items()}
        self.varies_ = {name: varies(*both) for name, both in plain.items()}

    def learn_fill(self, x: FloatArray, batch: npt.NDArray[np.str_]) -> None:
        """Learn from labelled rows what stands for a missing cell, and which features vary."""
        self._learn_from_labelled(self.transformed(x), batch)

    def learn_peculiar(
        self,
        x: FloatArray,
        batch: npt.NDArray[np.str_],
        codes: npt.NDArray[np.int64],
        subject: npt.NDArray[np.str_] | None = None,
    ) -> None:
        """Learn which directions of a batch are to be damped, and damp them from now on.

        Parameters
        ----------
        x, batch
            Rows of all batches, as in :meth:`fit`.
        codes, subject
            As in :func:`crossplate.scaling.peculiar.find_peculiar`.
        """
        names, numbers = np.unique(batch, return_inverse=True)
        found, self.taught_ = find_peculiar(self.standardise(x, batch), numbers, codes, subject)
        for number, its in found.items():
            name = str(names[number])
            self.statistics_[name] = replace(self.statistics_[name], peculiar=its)

    def _learn_from_labelled(self, values: FloatArray, batch: npt.NDArray[np.str_]) -> None:
        self.fill_ = np.zeros(values.shape[1])
        self.informative_ = np.ones(values.shape[1], dtype=bool)
        scaled = self._standardised(values, batch)
        known = np.isfinite(scaled).any(axis=0)
        self.fill_[known] = np.nanmedian(scaled[:, known], axis=0)
        spread = np.zeros(values.shape[1])
        spread[known] = np.nanmax(scaled[:, known], axis=0) - np.nanmin(scaled[:, known], axis=0)
        if self.per_batch:
            self.informative_ = spread > 1e-9
            shared = self.informative_ & self._vary_in_most(
                {str(name) for name in np.unique(batch)}
            )
            if shared.any():
                self.informative_ = shared

    def _vary_in_most(self, labelled: set[str]) -> npt.NDArray[np.bool_]:
        """Whether each feature varies in more than half of these batches and of the others."""
        groups = [labelled, set(self.varies_) - labelled]
        shares = [
            np.mean([self.varies_[name] for name in names], axis=0) for names in groups if names
        ]
        return np.asarray(np.min(shares, axis=0) > 0.5)

    def transformed(self, x: FloatArray) -> FloatArray:
        """Measurements before they are standardised: logs where they are taken, rows centred."""
        logs = self._logs(x)
        return logs if self.level_ is None else logs - self.level_.added(self.level_.of(logs))

    def _levels(self, x: FloatArray) -> FloatArray:
        return np.zeros(len(x)) if self.level_ is None else self.level_.of(self._logs(x))

    def mean_level(self, x: FloatArray) -> float:
        """Mean level of rows; 0 where rows are not centred."""
        return float(self._levels(x).mean())

    def levels_in_batch(self, x: FloatArray, batch: npt.NDArray[np.str_]) -> FloatArray:
        """Level of each row above the mean of its batch, shape (n,); parameters as in `scale`."""
        levels, statistics = self._levels(x), self.knowing(x, batch).statistics_
        for name in np.unique(batch):
            levels[batch == name] -= statistics[str(name)].level
        return levels

    def _logs(self, x: FloatArray) -> FloatArray:
        return logs_of(x, self.log_unit_)

    def floored(self, mean: FloatArray, sd: FloatArray, level: float = 0.0) -> BatchStatistics:
        """Statistics of a batch from its means and deviations, NaN where a feature is missing."""
        absent = ~np.isfinite(mean)
        mean = np.where(absent, self.usual_.mean, mean)
        scale = np.where(absent, self.usual_.scale, sd)
        return BatchStatistics(mean, np.maximum(scale, SCALE_FLOOR * self.usual_.scale), level)

    def statistics_of(self, x: FloatArray) -> BatchStatistics:
        """Statistics of a batch that was not in ``fit``, from its own rows.

        Parameters
        ----------
        x
            Measurements of that batch alone, shape (n, p), n ≥ 2; NaN is missing.
        """
        values = self.transformed(x)
        its = self.floored(*mean_and_sd(values), self.mean_level(x))
        if self.taught_ is None:
            return its
        scaled = (values - its.mean) / its.scale
        scaled = np.where(np.isnan(scaled), self.fill_, scaled)
        scaled[:, ~self.informative_] = 0.0
        return replace(its, peculiar=self.taught_.peculiar(scaled))

    def knowing(self, x: FloatArray, batch: npt.NDArray[np.str_]) -> PlateScaler:
        """The scaler with statistics of the batches among some rows that were not in ``fit``.

        Parameters
        ----------
        x, batch
            As in :meth:`scale`, all rows of every such batch.
        """
        new = [name for name in np.unique(batch).tolist() if name not in self.statistics_]
        if not new:
            return self
        found = copy(self)
        its = {name: self.statistics_of(x[batch == name]) for name in new}
        found.statistics_ = {**self.statistics_, **its}
        return found

    def origin(self, its: BatchStatistics) -> FloatArray:
        """Where a batch lay before it was standardised.

        Parameters
        ----------
        its
            Statistics of the batch.

        Returns
        -------
        Mean of each informative feature less the training batches', in their usual standard
        deviations (5 at most), shape (p,); 0 for all others.
        """
        away = (its.mean - self.usual_.mean) / self.usual_.scale
        return np.where(self.informative_, np.clip(away, -FARTHEST, FARTHEST), 0.0)

    def scale(self, x: FloatArray, batch: npt.NDArray[np.str_]) -> FloatArray:
        """What networks are given: informative features standardised and compressed, without gaps.

        Parameters
        ----------
        x
            Measurements, shape (n, p); NaN is missing.
        batch
            Batch of each row, shape (n,). Rows of a batch that was not in ``fit`` are
            standardised with their own statistics.

        Returns
        -------
        Shape (n, p), 0 for features that are not informative.
        """
        return self.compressed(self.standardise(x, batch))[0]

    def compressed(self, scaled: FloatArray) -> tuple[FloatArray, FloatArray | None]:
        """Compressed rows and their spreads, as :attr:`compression` makes them."""
        return self.compression.of(scaled, self.informative_)

    def standardise(
        self,
        x: FloatArray,
        batch: npt.NDArray[np.str_],
        *,
        every_feature: bool = False,
        damped: bool = True,
    ) -> FloatArray:
        """Standardised values without gaps.

        Parameters
        ----------
        x, batch
            As in :meth:`scale`.
        every_feature
            Give the features that are not informative as they are too, instead of 0.
        damped
            Damp what is peculiar to a batch, where that was learned (:meth:`learn_peculiar`).

        Returns
        -------
        Values in units of each batch's standard deviations, shape (n, p).
        """
        scaler = self.knowing(x, batch) if self.per_batch else self
        scaled = scaler._standardised(self.transformed(x), batch)
        scaled = np.where(np.isnan(scaled), self.fill_, scaled)
        if not every_feature:
            scaled[:, ~self.informative_] = 0.0
        for name in np.unique(batch) if damped and self.per_batch else ():
            peculiar = scaler.statistics_[str(name)].peculiar
            if peculiar is not None:
                scaled[batch == name] = peculiar.damped(scaled[batch == name])
        return scaled

    def _standardised(self, values: FloatArray, batch: npt.NDArray[np.str_]) -> FloatArray:
        """Values in standard deviations of their batches, whose statistics are known."""
        if not self.per_batch:
            return values
        scaled = np.empty_like(values)
        for name in np.unique(batch):
            rows, its = batch == name, self.statistics_[str(name)]
            scaled[rows] = (values[rows] - its.mean) / its.scale
        return scaled

    def restore(
        self, scaled: FloatArray, as_batch: BatchStatistics, levels: FloatArray | float = 0.0
    ) -> FloatArray:
        """Measurements in original units, as they would read on one batch.

        Parameters
        ----------
        scaled
            Standardised values, shape (n, p).
        as_batch
            Statistics of the batch whose scale is wanted.
        levels
            Level of each row above its batch's mean (:meth:`levels_in_batch`), shape (n,).

        Returns
        -------
        Shape (n, p); not negative when logs were taken.
        """
        if as_batch.peculiar is not None:
            scaled = as_batch.peculiar.restored(scaled)
        values = scaled * as_batch.scale + as_batch.mean if self.per_batch else scaled
        if self.level_ is not None:
            values = values + self.level_.added(as_batch.level + np.asarray(levels))
        if self.log_unit_ is None:
            return values
        return np.maximum(np.expm1(values), 0.0) * self.log_unit_
