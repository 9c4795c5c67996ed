"""Data to try things on: simulated plates with known truth, and public measurements by name."""

from crossplate.datasets.catalogue import Dataset
from crossplate.datasets.plates import Plates, demo_plates, make_plates
from crossplate.datasets.registry import available, describe, fetch, load

__all__ = [
    "Dataset",
    "Plates",
    "available",
    "demo_plates",
    "describe",
    "fetch",
    "load",
    "make_plates",
]
