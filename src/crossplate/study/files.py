"""The files of a study: what a lab opens after a run."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from crossplate.io import write_frame
from crossplate.study.reporting import write_report
from crossplate.study.running import StudyResult

FORMAT = 1
"""Version of the output folder's layout."""
PACKAGES = ("crossplate", "numpy", "pandas", "scikit-learn", "scipy", "torch")

__all__ = ["FORMAT", "settings_record", "write_study"]


def settings_record(result: StudyResult, run: Mapping[str, Any]) -> dict[str, Any]:
    """Everything needed to repeat a run, ready for JSON.

    Parameters
    ----------
    result
        The study.
    run
        Options of the command line in effect, by name.
    """
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed as a package"
    return {
        "format": FORMAT,
        "run": dict(run),
        **result.settings,
        "versions": versions,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def write_study(result: StudyResult, folder: Path, *, run: Mapping[str, Any]) -> None:
    """Write a study's files into a folder that exists.

    Parameters
    ----------
    result
        The study.
    folder
        Where to; give the temporary folder of :func:`crossplate.io.output_folder`, so that the
        files appear together or not at all.
    run
        Options of the command line in effect, kept in ``settings.json``.
    """
    settings = settings_record(result, run)
    history = None if result.before is None else result.model.history_
    tables = {
        "predictions": result.predictions,
        "subjects": result.subjects,
        "calibrated": result.calibrated,
        "latent": result.latent,
    }
    for name, frame in tables.items():
        if frame is not None:
            write_frame(frame, folder / f"{name}.csv")
    if history is not None:
        write_frame(history, folder / "history.csv")
    _write_json(result.metrics, folder / "metrics.json")
    _write_json(settings, folder / "settings.json")
    result.model.save(folder / "model")
    write_report(result, folder, settings=settings)


def _write_json(values: Mapping[str, Any], path: Path) -> None:
    path.write_text(json.dumps(values, indent=1, allow_nan=False) + "\n", encoding="utf-8")
