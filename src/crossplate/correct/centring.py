"""Mean-centring: every batch's feature means moved to one place, the batch term of an ANOVA."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from crossplate.correct.base import Corrector, FloatArray, Names
from crossplate.correct.batch_rows import need_two_rows, rows_by_batch

__all__ = ["MeanCentring"]


class MeanCentring(Corrector):
    """Subtract each batch's feature means and add those of a reference back.

    Named ANOVA in [Niu2022]_: the batch is the one factor of a linear model and its term is taken
    out. Spread and correlations of a batch stay as they are. Where the classes are unevenly
    spread over the batches, part of their difference goes too.

    Missing values are left out of the means and stay missing. A feature without any value in a
    batch cannot be centred there: values of it in later rows of that batch are left as they are.

    Parameters
    ----------
    reference
        Batch whose means are added back; its rows stay unchanged. None: the means over all rows
        of ``fit``, so that values keep their units (a sum to zero, as in bapred [Hornung2016]_,
        would not), whatever the sizes of the batches. A feature without any value in the
        reference takes the mean over all rows.

    Attributes
    ----------
    batches_
        Sorted names of the batches in ``fit``.
    reference_
        The reference; with one batch in ``fit`` that batch, None for the mean over all rows.
    target_
        Means that all batches are moved to, shape (p,), in units of X; NaN for a feature without
        any value in ``fit``.
    shift_
        Batch → what is added to its rows, shape (p,), in units of X.

    Raises
    ------
    InputError
        A batch of one row among several batches, which centring would reduce to the reference's
        mean, or a reference that is not among the batches.

    References
    ----------
    .. [Niu2022] Niu J., Yang J., Guo Y., Qian K., Wang Q. Joint deep learning for batch effect
       removal and classification toward MALDI MS based metabolomics. BMC Bioinformatics 23, 270
       (2022). doi:10.1186/s12859-022-04758-z
    .. [Hornung2016] Hornung R., Boulesteix A.-L., Causeur D. Combining location-and-scale batch
       effect adjustment with data cleaning by latent factor adjustment. BMC Bioinformatics 17, 27
       (2016). doi:10.1186/s12859-015-0870-z
    """

    takes_missing: ClassVar[bool] = True
    takes_new_batches: ClassVar[bool] = True

    reference_: str | None
    target_: FloatArray
    shift_: dict[str, FloatArray]

    def __init__(self, *, reference: str | None = None) -> None:
        self.reference = reference

    def _fit(self, x: FloatArray, batch: Names, y: Any) -> None:
        given = self._reference(self.reference)
        alone = len(self.batches_) == 1
        self.reference_ = str(self.batches_[0]) if alone else given
        overall = _means(x)
        self.target_ = overall
        if self.reference_ is not None:
            its = _means(x[batch == self.reference_])
            self.target_ = np.where(np.isnan(its), overall, its)
        self.shift_ = {}
        for name, rows in rows_by_batch(batch):
            if not alone:
                need_two_rows(name, rows)
            self.shift_[name] = self._shift(x[rows])
        if self.reference_ is not None:
            self.shift_[self.reference_] = np.zeros(x.shape[1])

    def _shift(self, x: FloatArray) -> FloatArray:
        shift = self.target_ - _means(x)
        return np.where(np.isnan(shift), 0.0, shift)

    def _correct(self, x: FloatArray, batch: Names) -> FloatArray:
        corrected = x.copy()
        for name, rows in rows_by_batch(batch):
            shift = self.shift_.get(name)
            if shift is None:
                need_two_rows(name, rows)
                shift = self._shift(x[rows])
            corrected[rows] += shift
        return corrected


def _means(x: FloatArray) -> FloatArray:
    """Mean of each feature over the values there are, NaN where there is none."""
    present = ~np.isnan(x)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(present, x, 0.0).sum(axis=0) / present.sum(axis=0))
