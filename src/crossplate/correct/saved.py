"""Saving and loading a fitted corrector: one safetensors file, no pickle.

The arrays are the file's tensors. Its header holds two texts: ``crossplate``, a JSON description
with the format version, the class, the settings and everything fitted that is not a numeric
array, and ``sha256``, a digest of that description and the arrays. Loading executes nothing from
the file: the class is looked up among crossplate's own.
"""

from __future__ import annotations

import hashlib
import json
import math
import uuid
from contextlib import suppress
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from crossplate.correct.base import Corrector
from crossplate.correct.registry import corrector_class
from crossplate.errors import InputError

FORMAT = 1
"""Version of the file's layout; a reader takes its own and all earlier ones."""
DESCRIPTION, DIGEST = "crossplate", "sha256"

Arrays = dict[str, npt.NDArray[Any]]

__all__ = ["FORMAT", "load_corrector", "save_corrector"]


def save_corrector(corrector: Corrector, path: str | PathLike[str]) -> None:
    """Write a fitted corrector to one file, complete or not at all.

    Parameters
    ----------
    corrector
        Any of crossplate's correctors, fitted. A generator given as ``random_state`` and
        callbacks are not kept; they are the defaults when the file is loaded. What scikit-learn
        adds on request (``set_output``, metadata requests) is not kept either.
    path
        File to write, ``.safetensors`` by custom; replaced in one step if it exists.

    Raises
    ------
    InputError
        The class is not one of crossplate's, a setting is not plain data, or the file cannot be
        written.
    sklearn.exceptions.NotFittedError
        The corrector is not fitted.
    """
    from safetensors.numpy import save

    path = Path(path)
    check_is_fitted(corrector)
    arrays: Arrays = {}
    described = {
        "format": FORMAT,
        "crossplate": version("crossplate"),
        "corrector": _described(corrector, arrays),
    }
    text = json.dumps(described, allow_nan=False)
    # a file beside the goal, so that replacing it is one step on one disk
    partial = path.with_name(f".{uuid.uuid4().hex}.partial")
    try:
        # written here, because safetensors' own writing makes files that only their owner reads
        partial.write_bytes(save(arrays, {DESCRIPTION: text, DIGEST: _digest(text, arrays)}))
        partial.replace(path)
    except OSError as error:
        raise InputError(
            f"cannot write the corrector to {path} ({error.strerror or error}); choose a folder "
            "that exists and that you may write to"
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _described(corrector: Corrector, arrays: Arrays) -> dict[str, Any]:
    """Class, settings and fitted state of a corrector; its numeric arrays go into ``arrays``."""
    name = type(corrector).__name__
    if corrector_class(name) is not type(corrector):
        raise InputError(f"only crossplate's own correctors can be saved, and this {name} is not")
    # a corrector among the settings counts as not fitted, whatever it was used for before
    settings = {
        key: _encoded(
            clone(value) if isinstance(value, Corrector) else value, arrays, f"{name}.{key}"
        )
        for key, value in corrector.get_params(deep=False).items()
        if not (callable(value) or isinstance(value, np.random.RandomState | np.random.Generator))
    }
    fitted = {
        key: _encoded(value, arrays, f"{name}.{key}")
        for key, value in vars(corrector).items()
        if key.endswith("_") and not key.startswith("_")
    }
    return {"class": name, "settings": settings, "fitted": fitted}


def _encoded(value: Any, arrays: Arrays, where: str) -> Any:
    """Form that JSON has; anything else is an object whose one key says what it is."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"number": repr(value)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        items = [_encoded(item, arrays, f"{where}[{i}]") for i, item in enumerate(value)]
        return {"tuple": items} if isinstance(value, tuple) else items
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {k: _encoded(item, arrays, f"{where}[{k}]") for k, item in value.items()}}
    if isinstance(value, Corrector):
        return {"corrector": _described(value, arrays)}
    return _encoded_array(value, arrays, where)


def _encoded_array(value: Any, arrays: Arrays, where: str) -> dict[str, Any]:
    kind = value.dtype.kind if isinstance(value, np.ndarray) else None
    if kind in set("biuf"):
        name = str(len(arrays))
        arrays[name] = value.astype(value.dtype.newbyteorder("="), order="C")
        return {"array": name}
    if kind in set("UO") and value.ndim == 1 and all(isinstance(item, str) for item in value):
        return {"texts": value.tolist(), "dtype": value.dtype.str}
    raise InputError(f"{where} cannot be saved: it is no number, text, array or collection of them")


def load_corrector(path: str | PathLike[str]) -> Corrector:
    """Read a corrector that :func:`save_corrector` wrote.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    The fitted corrector; it corrects as the saved one did, bit for bit.

    Raises
    ------
    InputError
        The file is missing, damaged, no corrector, or of a newer crossplate.
    """
    path = Path(path)
    metadata, arrays = _read(path)
    if DESCRIPTION not in metadata or DIGEST not in metadata:
        raise InputError(f"{path} holds no corrector; name a file that save_corrector wrote")
    if _digest(metadata[DESCRIPTION], arrays) != metadata[DIGEST]:
        raise InputError(f"{path} is damaged (its digest differs); save the corrector again")
    try:
        described = json.loads(metadata[DESCRIPTION])
        _check_format(described["format"])
        return _built(described["corrector"], arrays)
    except InputError as error:
        raise InputError(f"{path} cannot be used: {error}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} does not describe a corrector ({error}); save the corrector again"
        ) from error


def _read(path: Path) -> tuple[dict[str, str], Arrays]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            names = file.keys()
            return file.metadata() or {}, {name: file.get_tensor(name) for name in names}
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"{path} is missing or damaged ({error}); save the corrector again"
        ) from error


def _check_format(found: Any) -> None:
    if not isinstance(found, int) or not 1 <= found <= FORMAT:
        raise InputError(
            f"it has format {found!r}, and this crossplate reads up to {FORMAT}; update crossplate"
        )


def _digest(text: str, arrays: Arrays) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype.str} {arrays[name].shape}".encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()


def _built(described: dict[str, Any], arrays: Arrays) -> Corrector:
    settings = {key: _decoded(node, arrays) for key, node in described["settings"].items()}
    corrector = corrector_class(described["class"])(**settings)
    for key, node in described["fitted"].items():
        if not key.endswith("_") or key.startswith("_"):
            raise ValueError(f"{key} is no fitted attribute")
        setattr(corrector, key, _decoded(node, arrays))
    return corrector


def _decoded(node: Any, arrays: Arrays) -> Any:
    if isinstance(node, list):
        return [_decoded(item, arrays) for item in node]
    return _decoded_object(node, arrays) if isinstance(node, dict) else node


def _decoded_object(node: dict[str, Any], arrays: Arrays) -> Any:
    value: Any
    match node:
        case {"array": name}:
            value = arrays[name]
        case {"texts": texts, "dtype": dtype}:
            value = np.array(texts, dtype=np.dtype(dtype))
        case {"number": number}:
            value = float(number)
        case {"tuple": items}:
            value = tuple(_decoded(item, arrays) for item in items)
        case {"dict": items}:
            value = {key: _decoded(item, arrays) for key, item in items.items()}
        case {"corrector": described}:
            value = _built(described, arrays)
        case _:
            raise ValueError(f"{', '.join(node)} is no kind of value")
    return value
