"""Saving and loading a fitted model: arrays as safetensors, the rest as JSON, no pickle.

A saved model is a folder of two files. ``model.json`` carries the format version, the settings
and the names; ``arrays.safetensors`` the weights and the statistics of the plates. Loading checks
names, shapes and types of all of them and can execute nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crossplate.errors import InputError
from crossplate.joint.classifier import JointClassifier
from crossplate.joint.networks import Architecture
from crossplate.joint.offsets import BIAS, CENTRE, ORIGIN, SHAPE, SUBJECTS, WEIGHT, Offsets
from crossplate.joint.settings import OPTIONS, JointSettings
from crossplate.joint.temperature import NONE
from crossplate.scaling import BatchStatistics, PlateScaler
from crossplate.scaling.peculiar import Peculiar, Taught
from crossplate.scaling.row_level import RowLevel

FORMAT = 7
"""Version of the folder's layout; a reader takes its own and all earlier ones."""
DESCRIPTION, ARRAYS = "model.json", "arrays.safetensors"
PLAIN = ("preset", *OPTIONS, "device")
"""Constructor parameters that are kept; a random state or a callback is not."""
PECULIAR = ("axes", "directions", "factors")

__all__ = ["FORMAT", "load", "save"]


def save(model: JointClassifier, folder: str | PathLike[str]) -> None:
    """Write a fitted model to a new folder.

    Raises
    ------
    InputError
        The folder exists and is not empty, or cannot be written.
    """
    from safetensors.numpy import save as to_bytes

    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise InputError(f"{folder} is not empty; save the model to a new folder")
        # written here, because safetensors' own writing makes files that only their owner reads
        (folder / ARRAYS).write_bytes(to_bytes(_arrays(model)))
        # the description comes last: a folder without it is an interrupted save
        text = json.dumps(_description(model), indent=1, allow_nan=False)
        (folder / DESCRIPTION).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write the model to {folder}: {error.strerror}") from error


def _arrays(model: JointClassifier) -> dict[str, npt.NDArray[Any]]:
    scaler = model.scaler_
    arrays: dict[str, npt.NDArray[Any]] = {
        f"weights.{name}": value for name, value in model.weights_.items()
    }
    every = [scaler.statistics_[str(name)] for name in model.batches_]
    arrays["scaler.means"] = np.array([its.mean for its in every])
    arrays["scaler.scales"] = np.array([its.scale for its in every])
    arrays["scaler.usual_mean"] = scaler.usual_.mean
    arrays["scaler.usual_scale"] = scaler.usual_.scale
    arrays["scaler.fill"] = scaler.fill_
    arrays["scaler.informative"] = scaler.informative_
    if scaler.level_ is not None:
        arrays["scaler.levels"] = np.array([its.level for its in every])
        arrays["scaler.level_usual"] = scaler.level_.usual
        arrays["scaler.level_counted"] = scaler.level_.counted
        arrays["scaler.level_unit"] = scaler.level_.unit
    if scaler.taught_ is not None:
        arrays["scaler.taught_variation"] = scaler.taught_.variation
        arrays["scaler.taught_by_class"] = scaler.taught_.by_class
        limits = [scaler.taught_.threshold, scaler.taught_.fewest]
        arrays["scaler.taught_limits"] = np.array(limits)
    for place, its in enumerate(every):
        if its.peculiar is not None:
            for part in PECULIAR:
                arrays[f"scaler.{part}.{place}"] = getattr(its.peculiar, part)
    for name, offsets in model.offsets_.items():
        place = model.batches_.tolist().index(name)
        arrays[f"offsets.{place}"] = offsets.moves
        arrays[f"offsets.likelihood.{place}"] = offsets.likelihood
    return {name: np.ascontiguousarray(value) for name, value in arrays.items()}


def _description(model: JointClassifier) -> dict[str, Any]:
    names = getattr(model, "feature_names_in_", None)
    return {
        "format": FORMAT,
        "crossplate": version("crossplate"),
        "parameters": {name: getattr(model, name) for name in PLAIN},
        "settings": model.settings_.to_dict(),
        "architecture": asdict(model.architecture_),
        "classes": model.classes_.tolist(),
        "class_type": model.classes_.dtype.str,
        "batches": model.batches_.tolist(),
        "labelled_batches": model.labelled_batches_.tolist(),
        "adapted_batches": model.adapted_batches_.tolist(),
        "default_batch": model.default_batch_,
        "reference_batch": model.reference_batch_,
        "n_features": int(model.n_features_in_),
        "feature_names": None if names is None else names.tolist(),
        "n_imputed": model.n_imputed_,
        "temperature": model.temperature_,
        "log_unit": model.scaler_.log_unit_,
        "history": _without_nan(model.history_),
    }


def _without_nan(frame: pd.DataFrame) -> dict[str, list[float | None]]:
    """Columns as lists, None for NaN, which JSON does not have."""
    return {
        str(name): [None if np.isnan(value) else float(value) for value in frame[name]]
        for name in frame.columns
    }


def load(folder: str | PathLike[str]) -> JointClassifier:
    """Read a model that :meth:`JointClassifier.save` wrote.

    Parameters
    ----------
    folder
        The model's folder.

    Returns
    -------
    The fitted model; it predicts what the saved one did, bit for bit.

    Raises
    ------
    InputError
        The folder is missing, incomplete, damaged, or of a newer format.
    """
    folder = Path(folder)
    described = _read_description(folder)
    try:
        return _build(described, _read_arrays(folder))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{folder / DESCRIPTION} does not describe a model ({error}); the folder is damaged, "
            "train the model again or take another copy"
        ) from error


def _read_description(folder: Path) -> dict[str, Any]:
    path = folder / DESCRIPTION
    if not path.is_file():
        raise InputError(f"{folder} holds no model ({DESCRIPTION} is missing); name its folder")
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
        found = described["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged ({error}); train the model again") from error
    if not isinstance(found, int) or not 1 <= found <= FORMAT:
        raise InputError(
            f"{path} has format {found!r}, this crossplate reads up to {FORMAT}; update crossplate"
        )
    return dict(described)


def _read_arrays(folder: Path) -> dict[str, npt.NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = folder / ARRAYS
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"{path} is missing or damaged ({error}); train the model again"
        ) from error


def _taken(
    arrays: Mapping[str, npt.NDArray[Any]], name: str, shape: tuple[int, ...], dtype: Any
) -> npt.NDArray[Any]:
    value = arrays[name]
    if value.shape != shape or value.dtype != dtype:
        raise ValueError(
            f"{name} is {value.dtype} of shape {value.shape}, not {np.dtype(dtype)} of {shape}"
        )
    if value.dtype.kind == "f" and not np.isfinite(value).all():
        raise ValueError(f"{name} holds values that are not finite")
    return value


def _build(described: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> JointClassifier:
    settings = JointSettings.from_dict(described["settings"])
    drawn = described["architecture"]
    architecture = Architecture(**{**drawn, "head": tuple(drawn["head"])})
    p, n_batches = int(described["n_features"]), len(described["batches"])
    model = JointClassifier(**{name: described["parameters"][name] for name in PLAIN})
    model.settings_, model.architecture_ = settings, architecture
    model.classes_ = np.array(described["classes"], dtype=np.dtype(described["class_type"]))
    model.batches_ = np.array(described["batches"], dtype=str)
    # format 1 had no offsets, so it made no difference which batches have labels
    labelled = described["labelled_batches"] if described["format"] > 1 else described["batches"]
    model.labelled_batches_ = np.array(labelled, dtype=str)
    model.adapted_batches_ = np.array(described.get("adapted_batches", []), dtype=str)
    if not set(model.adapted_batches_) <= set(model.batches_):
        raise ValueError("an adapted batch is not among the batches")
    model.default_batch_ = described["default_batch"]
    model.reference_batch_ = str(described["reference_batch"])
    model.n_features_in_, model.n_imputed_ = p, int(described["n_imputed"])
    if described["feature_names"] is not None:
        model.feature_names_in_ = np.array(described["feature_names"], dtype=object)
        if len(model.feature_names_in_) != p:
            raise ValueError(f"{len(model.feature_names_in_)} feature names for {p} features")
    if architecture.n_features != p or architecture.n_batches not in (0, n_batches):
        raise ValueError("the networks' sizes differ from the features' or batches'")
    outputs = 1 if len(model.classes_) == 2 else len(model.classes_)
    if len(model.classes_) < 2 or architecture.n_outputs != outputs:
        raise ValueError("the networks' outputs differ from the classes'")
    model.weights_ = _weights(architecture, arrays, settings)
    model.offsets_ = _offsets(arrays, described["batches"], (settings.n_members, outputs))
    # formats 1 and 2 had none
    model.temperature_ = float(described.get("temperature", NONE))
    if not 0.0 < model.temperature_ < np.inf:
        raise ValueError(f"temperature must be above 0, not {model.temperature_!r}")
    model.scaler_ = _scaler(described, arrays, settings, p)
    model.history_ = pd.DataFrame(described["history"]).astype(float)
    return model


def _weights(
    architecture: Architecture, arrays: dict[str, npt.NDArray[Any]], settings: JointSettings
) -> dict[str, npt.NDArray[np.float32]]:
    shapes = architecture.shapes()
    if not settings.per_batch_statistics:
        shapes["norm.running_mean"] = shapes["norm.running_variance"] = (architecture.n_features,)
    shapes |= _offset_shapes(architecture, arrays)
    return {
        name: _taken(arrays, f"weights.{name}", (settings.n_members, *shape), np.float32)
        for name, shape in shapes.items()
    }


def _offset_shapes(
    architecture: Architecture, arrays: dict[str, npt.NDArray[Any]]
) -> dict[str, tuple[int, ...]]:
    """Shapes of what offsets are computed from, as far as the model has it."""
    outputs = architecture.n_outputs
    shapes: dict[str, tuple[int, ...]] = {}
    if f"weights.{CENTRE}" in arrays:
        shapes[CENTRE] = (outputs,)
    if f"weights.{WEIGHT}" in arrays:
        classes, d = max(outputs, 2), max(outputs - 1, 1)
        shapes |= {WEIGHT: (architecture.n_features, outputs), BIAS: (outputs,)}
        of_shape = ((classes, d), (classes, d, d), (classes,), ())
        shapes |= dict(zip(SHAPE, of_shape, strict=True))
    if f"weights.{ORIGIN}" in arrays:
        shapes |= {ORIGIN: (architecture.n_features,), SUBJECTS: ()}
    return shapes


def _offsets(
    arrays: dict[str, npt.NDArray[Any]], batches: list[str], shape: tuple[int, int]
) -> dict[str, Offsets]:
    members, outputs = shape
    found = {}
    for place, name in enumerate(batches):
        if f"offsets.{place}" not in arrays:
            continue
        likelihood = f"offsets.likelihood.{place}"
        if likelihood not in arrays:  # formats 2 to 5 had one offset
            found[name] = Offsets.sure(_taken(arrays, f"offsets.{place}", shape, np.float64))
            continue
        k = arrays[likelihood].size // members
        found[name] = Offsets(
            _taken(arrays, f"offsets.{place}", (members, k, outputs), np.float64),
            _taken(arrays, likelihood, (members, k), np.float64),
        )
    return found


def _scaler(
    described: dict[str, Any],
    arrays: dict[str, npt.NDArray[Any]],
    settings: JointSettings,
    p: int,
) -> PlateScaler:
    scaler = settings.scaler()
    log_unit = described["log_unit"]
    scaler.log_unit_ = None if log_unit is None else float(log_unit)
    if scaler.log_unit_ is not None and not scaler.log_unit_ > 0.0:
        raise ValueError(f"log_unit must be above 0, not {log_unit!r}")
    names = described["batches"]
    means = _taken(arrays, "scaler.means", (len(names), p), np.float64)
    scales = _taken(arrays, "scaler.scales", (len(names), p), np.float64)
    levels = np.zeros(len(names))
    if "scaler.levels" in arrays:
        levels = _taken(arrays, "scaler.levels", (len(names),), np.float64)
        unit = np.ones(p)
        if "scaler.level_unit" in arrays:  # formats 1 to 6 had levels of logs alone
            unit = _taken(arrays, "scaler.level_unit", (p,), np.float64)
        scaler.level_ = RowLevel(
            _taken(arrays, "scaler.level_usual", (p,), np.float64),
            _taken(arrays, "scaler.level_counted", (p,), np.bool_),
            unit,
        )
    scaler.statistics_ = {
        str(name): BatchStatistics(
            means[place], scales[place], float(levels[place]), _peculiar(arrays, place, p)
        )
        for place, name in enumerate(names)
    }
    scaler.usual_ = BatchStatistics(
        _taken(arrays, "scaler.usual_mean", (p,), np.float64),
        _taken(arrays, "scaler.usual_scale", (p,), np.float64),
    )
    scaler.fill_ = _taken(arrays, "scaler.fill", (p,), np.float64)
    scaler.informative_ = _taken(arrays, "scaler.informative", (p,), np.bool_)
    if "scaler.taught_limits" in arrays:
        limits = _taken(arrays, "scaler.taught_limits", (2,), np.float64)
        scaler.taught_ = Taught(
            _taken_wide(arrays, "scaler.taught_variation", p),
            _taken_wide(arrays, "scaler.taught_by_class", p),
            float(limits[0]),
            float(limits[1]),
        )
    return scaler


def _taken_wide(arrays: dict[str, npt.NDArray[Any]], name: str, p: int) -> npt.NDArray[np.float64]:
    return _taken(arrays, name, (p, arrays[name].size // p), np.float64)


def _peculiar(arrays: dict[str, npt.NDArray[Any]], place: int, p: int) -> Peculiar | None:
    if f"scaler.factors.{place}" not in arrays:
        return None
    k = arrays[f"scaler.factors.{place}"].size
    shapes = {"axes": (p, k), "directions": (k, p), "factors": (k,)}
    return Peculiar(
        **{
            part: _taken(arrays, f"scaler.{part}.{place}", shape, np.float64)
            for part, shape in shapes.items()
        }
    )
