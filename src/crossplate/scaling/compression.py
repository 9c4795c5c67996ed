"""What networks see of standardised rows: outlying values pulled in, all rows of one spread.

A value ten deviations out would pull a classifier ten times as much as one at the edge of the
usual, and a sample whose values all lie far from the mean would count for several; both are more
often the measurement than the patient.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

SPREAD = 0.8
"""Root mean square of every row: about that of normally distributed values after the arcsinh."""

__all__ = ["Compression"]


@dataclass(frozen=True)
class Compression:
    """How standardised rows are compressed, and the way back.

    Parameters
    ----------
    values
        Take the arcsinh of every value: near the mean it changes nothing, far out it is a
        logarithm.
    rows
        Divide each row by its spread.
    """

    values: bool = False
    rows: bool = False

    def of(
        self, z: FloatArray, counted: npt.NDArray[np.bool_]
    ) -> tuple[FloatArray, FloatArray | None]:
        """Compressed rows, and what each was divided by.

        Parameters
        ----------
        z
            Standardised rows without gaps, shape (n, p).
        counted
            Features that make up a row's spread, shape (p,).

        Returns
        -------
        Shapes (n, p) and (n,); None where rows keep their spread.
        """
        if self.values:
            z = np.arcsinh(z)
        if not self.rows or not counted.any():
            return z, None
        spread = np.sqrt((z[:, counted] ** 2).mean(axis=1)) / SPREAD
        spread[spread == 0.0] = 1.0
        return z / spread[:, None], spread

    def undone(self, z: FloatArray, spread: FloatArray | None) -> FloatArray:
        """Standardised rows of compressed ones and their spreads (:meth:`of`)."""
        if spread is not None:
            z = z * spread[:, None]
        return np.sinh(z) if self.values else z
