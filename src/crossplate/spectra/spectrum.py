"""One spectrum: m/z, intensity, and where it came from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crossplate.errors import InputError

__all__ = ["Spectrum", "place"]


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Intensities over m/z, made by :meth:`of`, which checks them.

    Attributes
    ----------
    mz
        float64, shape (n,), strictly increasing, finite, not negative, n >= 1. Read-only.
    intensity
        float64, shape (n,), finite; may be negative, as some instruments subtract an offset.
        Read-only.
    name
        Name of the spectrum, unique in a study.
    source
        File it came from, for error messages; "" if it came from no file.
    centroided
        Whether the file says that the points are peaks already and no profile.
    """

    mz: NDArray[np.float64]
    intensity: NDArray[np.float64]
    name: str
    source: str = ""
    centroided: bool = False

    @classmethod
    def of(
        cls,
        mz: ArrayLike,
        intensity: ArrayLike,
        name: str,
        *,
        source: str = "",
        centroided: bool = False,
    ) -> Spectrum:
        """Check the points of a spectrum and put them in order.

        Points stored from high to low m/z are turned round, since that loses nothing. Any other
        disorder is refused: it is the mark of a damaged file or of two spectra in one.

        Parameters
        ----------
        mz, intensity
            Numbers, shape (n,) each.
        name, source, centroided
            As the attributes.

        Raises
        ------
        InputError
            If there are no points, not as many intensities as m/z, an m/z that is missing,
            infinite, negative, repeated or out of order, or an intensity that is missing or
            infinite. The message names source and spectrum.
        """
        where = place(name, source)
        x, y = _numbers(mz, "m/z", where), _numbers(intensity, "intensity", where)
        if len(x) != len(y):
            raise InputError(
                f"{where}: there are {len(x)} m/z values but {len(y)} intensities; the file may be "
                "cut short, so copy or export it again"
            )
        if not len(x):
            raise InputError(f"{where}: the spectrum is empty; leave it out or export it again")
        _check_finite(x, "m/z", where)
        _check_finite(y, "intensity", where)
        if len(x) > 1 and x[0] > x[-1]:
            x, y = x[::-1].copy(), y[::-1].copy()
        _check_order(x, where)
        x.setflags(write=False)
        y.setflags(write=False)
        return cls(x, y, name, source, centroided)

    @property
    def n_points(self) -> int:
        """Number of points."""
        return len(self.mz)


def place(name: str, source: str) -> str:
    """Begin an error message: the file, and the spectrum where the file's name does not tell it."""
    if not source:
        return f"spectrum {name}"
    told = source.startswith(name) or source.rpartition("/")[2].startswith(name)
    return source if told else f"{source}, spectrum {name}"


def _numbers(values: ArrayLike, what: str, where: str) -> NDArray[np.float64]:
    try:
        # A copy, so that later changes of the caller's array do not reach the spectrum.
        numbers = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: the {what} values are not all numbers ({error})") from error
    if numbers.ndim != 1:
        raise InputError(
            f"{where}: the {what} values have shape {numbers.shape}; give one row of numbers"
        )
    return numbers


def _check_finite(numbers: NDArray[np.float64], what: str, where: str) -> None:
    bad = np.flatnonzero(~np.isfinite(numbers))
    if bad.size:
        found = "missing (NaN)" if np.isnan(numbers[bad[0]]) else "infinite"
        raise InputError(
            f"{where}: the {what} of point {bad[0] + 1} is {found} (such points: {bad.size} of "
            f"{len(numbers)}); export the spectrum again or leave it out"
        )


def _check_order(mz: NDArray[np.float64], where: str) -> None:
    if mz[0] < 0:
        raise InputError(
            f"{where}: the m/z of the first point is negative ({mz[0]:.6g}); check the calibration "
            "of the instrument, or cut the spectrum before it is exported"
        )
    steps = np.diff(mz)
    repeated, back = np.flatnonzero(steps == 0), np.flatnonzero(steps < 0)
    if back.size:
        at = int(back[0])
        raise InputError(
            f"{where}: m/z is not in order, {mz[at]:.9g} at point {at + 1} is followed by "
            f"{mz[at + 1]:.9g} (such places: {back.size}); check that the file holds one spectrum "
            "and sort it by m/z"
        )
    if repeated.size:
        raise InputError(
            f"{where}: m/z {mz[repeated[0]]:.9g} stands twice (such points: {repeated.size} of "
            f"{len(mz)}); export the spectrum with more decimals, one intensity for each m/z"
        )
