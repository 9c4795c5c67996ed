"""Scripts and data inside a page: nothing in them can end the element or run unasked."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from importlib.resources import files
from typing import Any

from markupsafe import Markup

# What would end a script element, open another or a comment in it, or split a line of a script.
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}

__all__ = ["json_for_script", "page_policy", "script_file"]


def json_for_script(value: Any) -> Markup:
    """Write plain values as JSON for a ``<script type="application/json">`` element.

    Numbers that JSON has no name for (NaN, infinity) become null.
    """
    text = json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character, escape in _UNSAFE.items():
        text = text.replace(character, escape)
    return Markup(text)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value


def script_file(*path: str) -> Markup:
    """Text of a script that is shipped with the package.

    Raises
    ------
    ValueError
        If it cannot stand inside a script element.
    """
    text = files("crossplate.report").joinpath(*path).read_text(encoding="utf-8")
    if "</script" in text.lower() or "<!--" in text:
        raise ValueError(f"{path[-1]} holds what would end a script element")
    return Markup(text)


def page_policy(scripts: Iterable[str]) -> str:
    """Content security policy of a page: these very scripts run, and nothing is loaded."""
    hashes = " ".join(
        f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes or chr(39) + 'none' + chr(39)}; "
        "style-src 'unsafe-inline'; img-src data:"
    )
