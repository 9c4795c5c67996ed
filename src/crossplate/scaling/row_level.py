"""Level of a sample: how much of everything was measured in it, on the log scale.

A urine twice as dilute, or half the volume on the plate, lowers all features of a sample by one
factor, which says nothing about a diagnosis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

__all__ = ["RowLevel"]


@dataclass(frozen=True)
class RowLevel:
    """What the level of a sample is measured against.

    Parameters
    ----------
    usual
        Usual log intensity of each feature, shape (p,).
    counted
        Features that take part: those measured in most batches, shape (p,).
    """

    usual: FloatArray
    counted: npt.NDArray[np.bool_]

    def of(self, logs: FloatArray) -> FloatArray:
        """Mean over the counted features of a sample's log intensity above the usual one.

        Parameters
        ----------
        logs
            Log intensities, shape (n, p); NaN is missing and takes no part.

        Returns
        -------
        Shape (n,); 0 for a sample without any counted feature.
        """
        above = logs[:, self.counted] - self.usual[self.counted]
        known = np.isfinite(above)
        sums = np.where(known, above, 0.0).sum(axis=1)
        return np.asarray(sums / np.maximum(known.sum(axis=1), 1))
