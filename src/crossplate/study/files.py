"""The files of a study: what a lab opens after a run."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from crossplate.io import write_frame
from crossplate.study.running import StudyResult

if TYPE_CHECKING:
    from crossplate.report import Embedding

FORMAT = 1
"""Version of the output folder's layout."""
PACKAGES = ("crossplate", "numpy", "pandas", "scikit-learn", "scipy", "torch")

__all__ = [
    "FORMAT",
    "embedding_of",
    "settings_record",
    "versions_and_date",
    "write_json",
    "write_study",
]


def settings_record(result: StudyResult, run: Mapping[str, Any]) -> dict[str, Any]:
    """Everything needed to repeat a run, ready for JSON.

    Parameters
    ----------
    result
        The study.
    run
        Options of the command line in effect, by name.
    """
    return {"format": FORMAT, "run": dict(run), **result.settings, **versions_and_date()}


def versions_and_date() -> dict[str, Any]:
    """Versions of Python and the packages that matter, and the time, ready for JSON."""
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed as a package"
    return {"versions": versions, "date": datetime.now(UTC).isoformat(timespec="seconds")}


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
    from crossplate.report import render_page, summarise

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
    write_json(result.metrics, folder / "metrics.json")
    write_json(settings, folder / "settings.json")
    result.model.save(folder / "model")
    summary = summarise(
        metrics=result.metrics,
        predictions=result.predictions,
        subjects=result.subjects,
        history=history,
        settings=settings,
        notices=result.notices,
        embedding=embedding_of(result),
    )
    (folder / "report.html").write_text(render_page(summary), encoding="utf-8")


def embedding_of(result: StudyResult) -> Embedding | None:
    """Picture of all samples before and after calibration; None for a plate predicted later."""
    from crossplate.report import pca_embedding

    if result.before is None or result.after is None:
        return None
    return pca_embedding(
        _values(result.before),
        _values(result.after),
        batch=result.table.batch,
        label=result.table.label,
    )


def _values(frame: pd.DataFrame) -> Any:
    """Numbers of a frame whose first column is the batch."""
    return frame.iloc[:, 1:].to_numpy()


def write_json(values: Mapping[str, Any], path: Path) -> None:
    """Write values as JSON, one a line; NaN is refused."""
    path.write_text(json.dumps(values, indent=1, allow_nan=False) + "\n", encoding="utf-8")
