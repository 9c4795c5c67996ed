"""The folder of a comparison: one part for each unit of work, complete or absent.

``settings.json`` holds what all parts depend on. A comparison that is run again in the same folder
takes the parts that are there, if that is the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crossplate.compare.scoring import COLUMNS, NUMBERS, Scored
from crossplate.compare.settings import CompareSettings
from crossplate.compare.work import Unit
from crossplate.errors import InputError
from crossplate.io import write_frame
from crossplate.table import SampleTable

FORMAT = 1
"""Version of the folder's layout."""
SETTINGS = "settings.json"
PACKAGES = ("crossplate", "numpy", "pandas", "scikit-learn", "scipy", "torch")

__all__ = ["FORMAT", "Folder", "basis_of", "table_fingerprint"]


class Folder:
    """Folder that a comparison grows in.

    Parameters
    ----------
    path
        The folder; it is made if need be.
    basis
        What all parts depend on, from :func:`basis_of`.

    Raises
    ------
    InputError
        The path is a file, a folder of something else, or a comparison of another basis.
    """

    def __init__(self, path: str | os.PathLike[str], basis: dict[str, Any]) -> None:
        self.path = Path(path)
        _check(self.path, basis)
        try:
            (self.path / "parts").mkdir(parents=True, exist_ok=True)
            if not (self.path / SETTINGS).exists():
                self.write_text(SETTINGS, json.dumps(_record(basis), indent=1) + "\n")
        except OSError as error:
            raise InputError(
                f"folder {path} cannot be written ({error.strerror or error}); choose another place"
            ) from error

    def _part(self, unit: Unit, ending: str) -> Path:
        names = [unit.source, unit.target, unit.method]
        # Different batches may look alike once their names fit a file system.
        digest = hashlib.sha256(json.dumps(names).encode()).hexdigest()[:8]
        stem = "-".join(re.sub(r"[^\w.]+", "_", name)[:40] for name in names)
        return self.path / "parts" / f"{stem}-{digest}{ending}"

    def has(self, unit: Unit) -> bool:
        """Whether a unit is finished. One that failed is not: what it lacked may be there now."""
        if not self._part(unit, ".csv").exists():
            return False
        return bool(self.rows(unit)["accuracy"].notna().all())

    def write(self, unit: Unit, scored: Scored) -> None:
        """Keep a finished unit; its rows, which stand for it, come last."""
        write_frame(scored.predictions, self._part(unit, ".calls.csv.gz"))
        write_frame(scored.rows, self._part(unit, ".csv"))

    def rows(self, unit: Unit) -> pd.DataFrame:
        """Rows of a unit, columns ``COLUMNS``."""
        # Texts first: a batch may be called "NA".
        rows = pd.read_csv(self._part(unit, ".csv"), dtype=str, keep_default_na=False)
        for name in NUMBERS:
            rows[name] = [float(text) if text else np.nan for text in rows[name]]
        return rows.astype({"seed": int})[list(COLUMNS)]

    def calls(self, unit: Unit) -> pd.DataFrame:
        """Predicted classes of a unit, as in :class:`~crossplate.compare.scoring.Scored`."""
        return pd.read_csv(self._part(unit, ".calls.csv.gz"), dtype=str, keep_default_na=False)

    def write_text(self, name: str, text: str) -> None:
        """Write a file, complete or not at all."""
        part = self.path / f".{name}.partial"
        part.write_text(text, encoding="utf-8")
        part.replace(self.path / name)


def basis_of(table: SampleTable, settings: CompareSettings) -> dict[str, Any]:
    """What the parts of a comparison depend on, as plain values.

    Methods and pairs are not among it: more of them may be asked for in the same folder.
    """
    basis = {
        "table": table_fingerprint(table),
        "repeats": settings.repeats,
        "classifiers": list(settings.classifiers),
        "method_settings": {name: dict(its) for name, its in settings.method_settings.items()},
        "crossplate": version("crossplate"),
    }
    plain: dict[str, Any] = json.loads(json.dumps(basis))  # tuples become lists, as in the file
    return plain


def _check(folder: Path, basis: dict[str, Any]) -> None:
    """Refuse a folder that a comparison may not begin or go on in; nothing is written."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file; choose another name for the folder")
    try:
        record = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        found = record["comparison"]
    except FileNotFoundError:
        if any(folder.iterdir()):
            raise InputError(
                f"folder {folder} is not empty and holds no comparison; choose another one"
            ) from None
        return
    except (ValueError, KeyError, TypeError):
        raise InputError(
            f"folder {folder} was written by something else; choose another one"
        ) from None
    if record["format"] != FORMAT:
        raise InputError(
            f"the comparison in {folder} has format {record['format']!r} and this crossplate "
            f"reads {FORMAT}; choose another folder"
        )
    for name, value in basis.items():
        if found.get(name) != value:
            raise InputError(
                f"{folder} holds a comparison with another {name.replace('_', ' ')} "
                f"({_short(found.get(name))}; now {_short(value)}); choose another folder, or "
                "repeat the command that it was begun with"
            )


def table_fingerprint(table: SampleTable) -> str:
    """Digest of all values, names, batches, labels and subjects of a table."""
    digest = hashlib.sha256()
    digest.update(np.ascontiguousarray(table.features.to_numpy()).tobytes())
    columns = [table.features.index, table.features.columns, table.batch]
    columns += [part for part in (table.label, table.subject) if part is not None]
    for column in columns:
        digest.update(json.dumps([str(value) for value in column]).encode())
    return digest.hexdigest()[:16]


def _record(basis: dict[str, Any]) -> dict[str, Any]:
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed as a package"
    date = datetime.now(UTC).isoformat(timespec="seconds")
    return {"format": FORMAT, "comparison": basis, "versions": versions, "date": date}


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
