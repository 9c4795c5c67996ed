"""No correction: the rows as they are, as the method that every other one stands beside."""

from __future__ import annotations

from typing import Any, ClassVar

from crossplate.correct.base import Corrector, FloatArray, Names

__all__ = ["NoCorrection"]


class NoCorrection(Corrector):
    """Leave all rows as they are.

    Takes missing values, raw or logged measurements and batches that were not in ``fit``.

    Attributes
    ----------
    batches_
        Sorted names of the batches in ``fit``.
    """

    takes_missing: ClassVar[bool] = True
    takes_new_batches: ClassVar[bool] = True

    def _fit(self, x: FloatArray, batch: Names, y: Any) -> None:
        """Nothing to learn."""

    def _correct(self, x: FloatArray, batch: Names) -> FloatArray:
        return x.copy()
