"""Whether logs are taken of measurements, and from which unit."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from crossplate.errors import InputError

FloatArray = npt.NDArray[np.float64]
LogChoice = Literal["auto", "always", "never"]

__all__ = ["LogChoice", "choose_log_unit", "log_unit", "logs_of"]


def choose_log_unit(x: FloatArray, batch: npt.NDArray[np.str_]) -> float | None:
    """Decide whether to take logs, and from which unit.

    Logs are taken when no value is negative and they make the features less skewed within
    batches; values that were logged before are then left alone.

    Parameters
    ----------
    x
        Measurements, shape (n, p); NaN is missing.
    batch
        Batch of each row, shape (n,).

    Returns
    -------
    The unit u of ``log(1 + x/u)`` in the units of ``x``, or None for no log. u is 1 for counts
    and counts-like intensities, and the 5% quantile of the positive values for tables scaled to
    less than that, where ``log(1 + x)`` would do nothing.
    """
    if not np.nanmin(x, initial=np.inf) >= 0.0:
        return None
    if not (x > 0.0).any():
        return None
    unit = _log_unit(x)
    raw = [_skewness(x[batch == name]) for name in np.unique(batch)]
    logged = [_skewness(np.log1p(x[batch == name] / unit)) for name in np.unique(batch)]
    return unit if np.mean(logged) < np.mean(raw) else None


def log_unit(log: LogChoice, x: FloatArray, batch: npt.NDArray[np.str_]) -> float | None:
    """Unit of the log for a choice; None for no log. Parameters as in :func:`choose_log_unit`."""
    if log == "auto":
        return choose_log_unit(x, batch)
    return _log_unit(x) if log == "always" else None


def logs_of(x: FloatArray, unit: float | None) -> FloatArray:
    """Logs ``log(1 + x/unit)``; the values as they are where there is no unit.

    Raises
    ------
    InputError
        When logs are to be taken and a value is negative.
    """
    if unit is None:
        return x
    negative = np.argwhere(x < 0.0)
    if len(negative):
        row, column = negative[0]
        raise InputError(
            f"{len(negative)} negative values (first: row {row + 1}, feature {column + 1}, "
            f"{x[row, column]:g}) have no logarithm; set them to 0 or missing, or use "
            'log="never"'
        )
    return np.log1p(x / unit)


def _log_unit(x: FloatArray) -> float:
    positive = x[x > 0.0]
    return min(1.0, float(np.quantile(positive, 0.05))) if positive.size else 1.0


def _skewness(x: FloatArray) -> float:
    """Median over features of the absolute skewness; 0 where no feature varies."""
    varies = np.nanmax(x, axis=0, initial=-np.inf) > np.nanmin(x, axis=0, initial=np.inf)
    if len(x) < 3 or not varies.any():
        return 0.0
    x = x[:, varies]
    mean = np.nanmean(x, axis=0)
    deviation = x - mean
    variance = np.nanmean(deviation**2, axis=0)
    known = variance > (np.finfo(mean.dtype).eps * mean) ** 2  # else it is rounding
    third = np.nanmean(deviation**3, axis=0)
    values = np.abs(third[known]) / variance[known] ** 1.5
    return float(np.median(values)) if values.size else 0.0
