"""The file a fitted pipeline is kept in: one JSON file, numbers exact, no pickle."""

from __future__ import annotations

import json
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from crossplate.errors import InputError
from crossplate.spectra.chain import FittedFeatures
from crossplate.spectra.checking import FloatArray
from crossplate.spectra.pipeline_settings import SpectraSettings

FORMAT = 1
"""Version of the file's layout; a reader takes its own and all earlier ones."""
KIND = "crossplate spectra pipeline"

__all__ = ["FORMAT", "load_pipeline", "save_pipeline"]


def save_pipeline(
    path: str | PathLike[str], settings: SpectraSettings, features: FittedFeatures
) -> None:
    """Write settings and fitted features.

    Parameters
    ----------
    path
        File, overwritten if it exists.
    settings, features
        Of the pipeline.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    quotients = features.pqn_reference
    content = {
        "kind": KIND,
        "format": FORMAT,
        "crossplate": version("crossplate"),
        "settings": settings.to_dict(),
        "reference_mz": features.reference_mz.tolist(),
        "feature_mz": features.feature_mz.tolist(),
        "frequency": features.frequency.tolist(),
        "pqn_reference": None if quotients is None else quotients.tolist(),
    }
    try:
        # Python writes the shortest text that reads back as the same float
        Path(path).write_text(json.dumps(content, indent=1, allow_nan=False), encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write the pipeline to {path}: {error.strerror}") from error


def load_pipeline(path: str | PathLike[str]) -> tuple[SpectraSettings, FittedFeatures]:
    """Read what :func:`save_pipeline` wrote.

    Parameters
    ----------
    path
        File.

    Raises
    ------
    InputError
        If the file is missing, no pipeline, damaged or of a newer format.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read the pipeline {path}: {error.strerror}") from error
    except ValueError as error:
        raise InputError(
            f"{path} is no pipeline or damaged ({error}); name the file it was saved to"
        ) from error
    if not isinstance(content, dict) or content.get("kind") != KIND:
        raise InputError(f"{path} is no saved spectra pipeline; name the file it was saved to")
    found = content.get("format")
    if not isinstance(found, int) or not 1 <= found <= FORMAT:
        raise InputError(
            f"{path} has format {found!r}, this crossplate reads up to {FORMAT}; update crossplate"
        )
    try:
        return SpectraSettings.from_dict(content["settings"]), _features(content)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} does not describe a pipeline ({error}); it is damaged, fit and save it again"
        ) from error


def _features(content: dict[str, Any]) -> FittedFeatures:
    feature_mz = _numbers(content, "feature_mz")
    p = len(feature_mz)
    quotients = content["pqn_reference"]
    if not p or (np.diff(feature_mz) <= 0).any():
        raise ValueError("feature_mz does not increase")
    return FittedFeatures(
        reference_mz=_numbers(content, "reference_mz"),
        feature_mz=feature_mz,
        frequency=_numbers(content, "frequency", p),
        pqn_reference=None if quotients is None else _numbers(content, "pqn_reference", p),
    )


def _numbers(content: dict[str, Any], name: str, length: int | None = None) -> FloatArray:
    values = np.array(content[name], dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all() or length not in (None, len(values)):
        raise ValueError(f"{name} is not a list of {length or 'finite'} numbers")
    return values
