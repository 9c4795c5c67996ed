"""Level of a sample: how much of everything was measured in it.

A urine twice as dilute, or half the volume on the plate, lowers all features of a sample by one
factor, which says nothing about a diagnosis. On the log scale it lowers them by the same amount.
Where no log is taken here, it may have been taken before, of any base, and features may have been
scaled since; so each is then lowered in proportion to its own spread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossplate.scaling.statistics import mean_and_sd, usual_of, varies

FloatArray = npt.NDArray[np.float64]

__all__ = ["RowLevel"]


@dataclass(frozen=True)
class RowLevel:
    """What the level of a sample is measured against.

    Parameters
    ----------
    usual
        Usual value of each feature, shape (p,).
    counted
        Features that take part: those measured in most batches, shape (p,).
    unit
        What a level of 1 adds to each feature, shape (p,).
    """

    usual: FloatArray
    counted: npt.NDArray[np.bool_]
    unit: FloatArray

    @classmethod
    def learn(cls, x: FloatArray, batch: npt.NDArray[np.str_], *, on_logs: bool) -> RowLevel | None:
        """What the levels of some batches are measured against.

        Parameters
        ----------
        x
            Values of all batches, shape (n, p); NaN is missing.
        batch
            Batch of each row, shape (n,).
        on_logs
            The values are logs taken here, so that a level adds the same to all features; else in
            proportion to their spread.

        Returns
        -------
        None where no feature varies in most batches.
        """
        found = [mean_and_sd(x[batch == name]) for name in np.unique(batch)]
        counted = np.mean([varies(*both) for both in found], axis=0) > 0.5
        if not counted.any():
            return None
        usual = usual_of(found)
        return cls(usual.mean, counted, np.ones(x.shape[1]) if on_logs else usual.scale)

    def of(self, x: FloatArray) -> FloatArray:
        """Mean over the counted features of how many units a sample lies above the usual value.

        Parameters
        ----------
        x
            Values, shape (n, p); NaN is missing and takes no part.

        Returns
        -------
        Shape (n,); 0 for a sample without any counted feature.
        """
        above = (x[:, self.counted] - self.usual[self.counted]) / self.unit[self.counted]
        known = np.isfinite(above)
        sums = np.where(known, above, 0.0).sum(axis=1)
        return np.asarray(sums / np.maximum(known.sum(axis=1), 1))

    def added(self, levels: FloatArray) -> FloatArray:
        """What levels add to the features, shape (…,) → (…, p)."""
        return np.asarray(levels[..., None] * self.unit)
