"""Putting plates on one scale: log transform, statistics per batch, imputation."""

from crossplate.scaling.logs import LogChoice, choose_log_unit, log_unit, logs_of
from crossplate.scaling.plate_scaler import SCALE_FLOOR, PlateScaler
from crossplate.scaling.statistics import BatchStatistics

__all__ = [
    "SCALE_FLOOR",
    "BatchStatistics",
    "LogChoice",
    "PlateScaler",
    "choose_log_unit",
    "log_unit",
    "logs_of",
]
