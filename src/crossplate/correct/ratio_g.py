"""Ratio_G: every batch's intensities divided by their geometric means."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from crossplate.correct.base import Corrector, FloatArray, Names
from crossplate.correct.batch_rows import RowNumbers, need_two_rows, rows_by_batch
from crossplate.errors import InputError

__all__ = ["RatioG"]


class RatioG(Corrector):
    """Divide each feature in each batch by its geometric mean there.

    For raw intensities: what is multiplied into a batch, feature by feature, goes. Values at or
    below 0 are first replaced by the smallest positive value of that feature in that batch
    [Luo2010]_. A batch's means are those of its rows in ``fit``; one that was not in ``fit`` is
    divided by the means of its rows given to ``transform``. Missing values are left out of the
    means and stay missing.

    Parameters
    ----------
    reference
        Batch whose geometric means are multiplied back, so that all batches are in its units; its
        positive values stay unchanged. None: plain ratios around 1, as published.
    no_positive
        What happens to a feature without any positive value in a batch, which has no geometric
        mean there: ``"error"``, the default, because the batch cannot be brought to the others;
        ``"pass"`` leaves its values in that batch as they are, and in all batches if it is the
        reference that has none.

    Attributes
    ----------
    batches_
        Sorted names of the batches in ``fit``.
    reference_
        The reference; with one batch in ``fit`` that batch, whose rows stay as they are.
    floor_
        Batch → smallest positive value of each feature, shape (p,), in units of X; 0 where a
        feature has none.
    mean_
        Batch → geometric mean of each feature, shape (p,), in units of X; 0 where it has none.

    Raises
    ------
    InputError
        A feature without any positive value in a batch (unless ``no_positive="pass"``), a batch
        of one row among several batches, or a reference that is not among the batches.

    References
    ----------
    .. [Luo2010] Luo J. et al. A comparison of batch effect removal methods for enhancement of
       prediction performance using MAQC-II microarray gene expression data. Pharmacogenomics
       Journal 10, 278-291 (2010). doi:10.1038/tpj.2010.57
    """

    takes_missing: ClassVar[bool] = True
    takes_new_batches: ClassVar[bool] = True
    wants_intensities: ClassVar[bool] = True

    reference_: str | None
    floor_: dict[str, FloatArray]
    mean_: dict[str, FloatArray]

    def __init__(
        self, *, reference: str | None = None, no_positive: Literal["error", "pass"] = "error"
    ) -> None:
        self.reference = reference
        self.no_positive = no_positive

    def _fit(self, x: FloatArray, batch: Names, y: Any) -> None:
        if self.no_positive not in ("error", "pass"):
            raise InputError(f"no_positive is {self.no_positive!r}; give 'error' or 'pass'")
        self.reference_ = self._reference(self.reference)
        self.floor_, self.mean_ = {}, {}
        if len(self.batches_) == 1:
            self.reference_ = str(self.batches_[0])
            self.floor_[self.reference_], self.mean_[self.reference_] = _floor_and_mean(x)
            return
        for name, rows in rows_by_batch(batch):
            self.floor_[name], self.mean_[name] = self._statistics(x, name, rows)

    def _statistics(
        self, x: FloatArray, name: str, rows: RowNumbers
    ) -> tuple[FloatArray, FloatArray]:
        need_two_rows(name, rows)
        floor, mean = _floor_and_mean(x[rows])
        self._check(name, mean)
        return floor, mean

    def _check(self, name: str, mean: FloatArray) -> None:
        without = np.flatnonzero(mean == 0.0)
        if len(without) and self.no_positive == "error":
            names = getattr(self, "feature_names_in_", None)
            first = f"number {without[0] + 1}" if names is None else repr(str(names[without[0]]))
            raise InputError(
                f"{len(without)} features have no positive value in batch {name!r} (first: "
                f"{first}), so no geometric mean; drop them, or pass them through with "
                'no_positive="pass"'
            )

    def _correct(self, x: FloatArray, batch: Names) -> FloatArray:
        corrected = x.copy()
        unit = np.ones(x.shape[1]) if self.reference_ is None else self.mean_[self.reference_]
        if np.isin(batch, self.batches_, invert=True).any() and self.reference_ is not None:
            self._check(self.reference_, unit)
        for name, rows in rows_by_batch(batch):
            if len(self.batches_) == 1 and name == self.reference_:
                continue
            if name in self.mean_:
                floor, mean = self.floor_[name], self.mean_[name]
            else:
                floor, mean = self._statistics(x, name, rows)
            its = x[rows]
            positive = np.where(its <= 0.0, floor, its)
            if name != self.reference_:
                positive = positive / np.where(mean > 0.0, mean, 1.0) * unit
            corrected[rows] = np.where((mean > 0.0) & (unit > 0.0), positive, its)
        return corrected


def _floor_and_mean(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Smallest positive value and geometric mean of each feature, 0 where none is positive."""
    positive = x > 0.0
    floor = np.where(positive, x, np.inf).min(axis=0)
    has = np.isfinite(floor)
    raised = np.where(positive, x, np.where(has, floor, 1.0))
    logs = np.where(np.isnan(x), 0.0, np.log(raised))
    count = np.maximum((~np.isnan(x)).sum(axis=0), 1)
    mean = np.exp(logs.sum(axis=0) / count)
    return np.where(has, floor, 0.0), np.where(has, mean, 0.0)
