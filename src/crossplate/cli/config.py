"""Options from a settings file: TOML written by hand, or the settings.json of an earlier run."""

import difflib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from crossplate.errors import InputError

Kind = Literal["text", "texts", "whole number", "switch"]
SETTINGS_FORMAT = 1
"""Newest format of settings.json that can be read."""

_WANTED = {
    "text": 'text in quotes, such as "a"',
    "texts": 'a list of texts, such as ["a", "b"]',
    "whole number": "a whole number",
    "switch": "true or false",
}

__all__ = ["SETTINGS_FORMAT", "Kind", "read_config"]


def read_config(path: str, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """Read options from a settings file.

    Parameters
    ----------
    path
        A .toml file of options, or a .json file with a part ``run``, as `crossplate run` writes.
    kinds
        Options that may stand there, by name with ``_`` or ``-``, and what each must be.

    Returns
    -------
    dict
        Values by option name with ``_``; a single text for a list becomes a list of one.

    Raises
    ------
    InputError
        If the file cannot be read, is neither of the two, is of a newer format, or holds an
        unknown option or a value of the wrong type.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise InputError(
            f"settings file {path} cannot be read ({reason}); check its name and content"
        ) from error
    options = _from_json(text, file.name) if file.suffix == ".json" else _from_toml(text, file.name)
    values: dict[str, Any] = {}
    for key, value in options.items():
        name = key.replace("-", "_")
        if name not in kinds:
            raise InputError(f"{file.name}: there is no option '{key}'; {_hint(name, kinds)}")
        if name in values:
            raise InputError(f"{file.name}: option '{name}' is given twice; keep one")
        values[name] = _checked(value, kinds[name], key, file.name)
    return values


def _from_toml(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            f"settings file {name} is not TOML ({error}); write one option a line, such as "
            'label = "diagnosis"'
        ) from error


def _from_json(text: str, name: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise InputError(
            f"settings file {name} is not JSON ({error}); take the settings.json of an earlier "
            "run, or write a .toml file"
        ) from error
    run = content.get("run") if isinstance(content, dict) else None
    version = content.get("format") if isinstance(content, dict) else None
    if not isinstance(run, dict) or not isinstance(version, int):
        raise InputError(
            f"settings file {name} has no 'run' and 'format', so it is not the settings.json of an "
            "earlier run; take that, or write a .toml file"
        )
    if not 1 <= version <= SETTINGS_FORMAT:
        raise InputError(
            f"settings file {name} has format {version!r}, and this crossplate reads up to "
            f"{SETTINGS_FORMAT}; update crossplate"
        )
    return {key: value for key, value in run.items() if value is not None}


def _hint(name: str, kinds: Mapping[str, Kind]) -> str:
    close = difflib.get_close_matches(name, kinds, n=2, cutoff=0.6)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"there are {', '.join(kinds)}"


def _checked(value: Any, kind: Kind, key: str, file: str) -> Any:
    if kind == "texts" and isinstance(value, str):
        return [value]
    fits = {
        "text": isinstance(value, str),
        "texts": isinstance(value, list) and all(isinstance(entry, str) for entry in value),
        # bool is an int to Python
        "whole number": isinstance(value, int) and not isinstance(value, bool),
        "switch": isinstance(value, bool),
    }
    if not fits[kind]:
        shown = json.dumps(value, default=str)
        raise InputError(f"{file}: option '{key}' is {shown}; it must be {_WANTED[kind]}")
    return value
