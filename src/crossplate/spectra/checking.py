"""What the steps ask of a spectrum: points in order, finite numbers, a signal."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from crossplate.errors import InputError

FloatArray = npt.NDArray[np.float64]

PLATEAU = 3
"""Fewest equal neighbours at the maximum that count as clipped: noise makes two equal by chance."""

__all__ = ["FloatArray", "check_half_window", "check_points", "check_signal", "clipped_points"]


def check_points(mz: FloatArray, intensity: FloatArray) -> None:
    """Refuse arrays that are no spectrum.

    Parameters
    ----------
    mz, intensity
        Shape (n,) each.

    Raises
    ------
    InputError
        If there are no points, the lengths differ, a value is missing or infinite, or m/z does
        not increase from each point to the next.
    """
    if mz.ndim != 1 or mz.shape != intensity.shape:
        raise InputError(
            f"m/z has shape {mz.shape} and intensity {intensity.shape}; give one intensity for "
            "each m/z"
        )
    if not mz.size:
        raise InputError("the spectrum is empty; leave it out or export it again")
    for values, what in ((mz, "m/z"), (intensity, "intensity")):
        n_bad = mz.size - int(np.isfinite(values).sum())
        if n_bad:
            raise InputError(
                f"{n_bad} of {mz.size} {what} values are missing or infinite; export the spectrum "
                "again or leave it out"
            )
    steps = np.diff(mz)
    if (steps <= 0).any():
        at = int(np.argmax(steps <= 0))
        how = "stands twice" if steps[at] == 0 else f"is followed by {mz[at + 1]:.9g}"
        raise InputError(
            f"m/z {mz[at]:.9g} at point {at + 1} {how}; sort the points by m/z, one intensity for "
            "each m/z"
        )


def check_half_window(half_window: int, n_points: int, what: str) -> None:
    """Refuse a window that is empty or wider than the spectrum.

    Parameters
    ----------
    half_window
        Points on either side of the middle one.
    n_points
        Points of the spectrum.
    what
        Name of the step, for the message.

    Raises
    ------
    InputError
        If ``half_window`` is below 1 or 2 · half_window + 1 is above ``n_points``.
    """
    if half_window < 1:
        raise InputError(f"half_window of {what} is {half_window}; it must be at least 1")
    if 2 * half_window + 1 > n_points:
        raise InputError(
            f"half_window {half_window} of {what} needs {2 * half_window + 1} points, the spectrum "
            f"has {n_points}; choose a smaller window or leave the spectrum out"
        )


def clipped_points(intensity: FloatArray) -> int:
    """Number of points that the detector clipped.

    Parameters
    ----------
    intensity
        Raw intensities, shape (n,), n >= 1.

    Returns
    -------
    Number of points at the maximum in runs of at least :data:`PLATEAU`.
    """
    at_top = np.concatenate(([False], intensity == intensity.max(), [False]))
    edges = np.flatnonzero(at_top[1:] != at_top[:-1])
    runs = edges[1::2] - edges[::2]
    return int(runs[runs >= PLATEAU].sum())


def check_signal(intensity: FloatArray, most_clipped: int | None) -> None:
    """Refuse a spectrum without signal, or with peaks cut off by the detector.

    Parameters
    ----------
    intensity
        Raw intensities, shape (n,), n >= 1.
    most_clipped
        Most clipped points (:func:`clipped_points`) that are let pass; None for any number.

    Raises
    ------
    InputError
        If all intensities are equal, or more than ``most_clipped`` are clipped.
    """
    top = float(intensity.max())
    if float(intensity.min()) == top:
        raise InputError(f"all intensities are {top:g}; the spectrum holds no signal, leave it out")
    clipped = clipped_points(intensity)
    if most_clipped is not None and clipped > most_clipped:
        raise InputError(
            f"the spectrum is saturated, {clipped} points stand at its maximum of {top:g}; measure "
            "it again with less laser power or detector gain"
        )
