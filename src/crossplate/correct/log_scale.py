"""Correct on the log scale and give back original units, whichever corrector is used."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import clone

from crossplate.correct.base import Corrector, FloatArray, Names
from crossplate.correct.batch_zscore import BatchZScore
from crossplate.errors import InputError
from crossplate.scaling import LogChoice, log_unit

__all__ = ["OnLogScale"]


class OnLogScale(Corrector):
    """Take logarithms, correct, and go back to the units of the measurements.

    Most correctors add and scale, which fits logarithms of intensities and not the intensities.
    One that wants raw intensities (``wants_intensities``) gets them: then no log is taken.

    Parameters
    ----------
    corrector
        What corrects; a clone of it is fitted.
    log
        ``"auto"``, the default, takes logs when no value is negative and they make the features
        less skewed within batches (:func:`crossplate.scaling.choose_log_unit`); ``"always"`` or
        ``"never"``.

    Attributes
    ----------
    batches_
        Sorted names of the batches in ``fit``.
    log_unit_
        Unit u of ``log(1 + x/u)``, in units of X; None when no log is taken.
    corrector_
        The fitted corrector.

    Notes
    -----
    A value that the corrector leaves as it is comes back bit for bit. One that it brings below
    log(1) = 0 becomes 0, the least intensity there is; give a corrector that moves the level of
    the whole table (``DWD``) a reference. z-scores (``BatchZScore``) have no units to go back to
    and are returned as they are, those of the logarithms.

    Raises
    ------
    InputError
        Negative values where logs are to be taken, and what the corrector refuses.
    """

    # The corrector inside refuses what it cannot take, in its own name.
    takes_missing: ClassVar[bool] = True
    takes_new_batches: ClassVar[bool] = True
    wants_intensities: ClassVar[bool] = True

    log_unit_: float | None
    corrector_: Corrector

    def __init__(self, corrector: Corrector, *, log: LogChoice = "auto") -> None:
        self.corrector = corrector
        self.log = log

    def _fit(self, x: FloatArray, batch: Names, y: Any) -> None:
        if self.log not in ("auto", "always", "never"):
            raise InputError(f"log is {self.log!r}; give 'auto', 'always' or 'never'")
        self.log_unit_ = self._chosen_unit(x, batch)
        self.corrector_ = clone(self.corrector).fit(self._logged(x), y, batch=batch)

    def _chosen_unit(self, x: FloatArray, batch: Names) -> float | None:
        if self.corrector.wants_intensities:
            return None
        return log_unit(self.log, x, batch)

    def _correct(self, x: FloatArray, batch: Names) -> FloatArray:
        before = self._logged(x)
        after = self.corrector_.transform(before, batch=batch)
        if self.log_unit_ is None or isinstance(self.corrector_, BatchZScore):
            return after
        back = np.maximum(np.expm1(after), 0.0) * self.log_unit_
        return np.where(after == before, x, back)

    def _logged(self, x: FloatArray) -> FloatArray:
        if self.log_unit_ is None:
            return x
        negative = np.argwhere(x < 0.0)
        if len(negative):
            row, column = negative[0]
            raise InputError(
                f"{len(negative)} negative values (first: row {row + 1}, feature {column + 1}, "
                f"{x[row, column]:g}) have no logarithm; set them to 0 or missing, or use "
                'log="never"'
            )
        return np.log1p(x / self.log_unit_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.corrector.takes_missing
        return tags
