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
from crossplate.study.running import SPREAD, StudyResult

if TYPE_CHECKING:
    from crossplate.report import BoxPlots, Embedding, Samples
    from crossplate.table import SampleTable

FORMAT = 1
"""Version of the output folder's layout."""
PACKAGES = ("crossplate", "numpy", "pandas", "scikit-learn", "scipy", "torch")

__all__ = ["FORMAT", "embedding_of", "settings_record", "write_study"]


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


def write_study(
    result: StudyResult,
    folder: Path,
    *,
    run: Mapping[str, Any],
    evaluation: Mapping[str, Any] | None = None,
) -> None:
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
    evaluation
        As in evaluation.json, for the page and the figures; None for what the study itself found.
    """
    from crossplate.report import render_page, save_figures, summarise

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
    summary = summarise(
        metrics=result.metrics,
        predictions=result.predictions,
        subjects=result.subjects,
        history=history,
        settings=settings,
        notices=result.notices,
        embedding=embedding_of(result),
        samples=samples_of(result),
        boxes=_boxes(result.table, evaluation),
        evaluation=evaluation,
    )
    (folder / "report.html").write_text(render_page(summary, evaluation), encoding="utf-8")
    save_figures(summary, folder / "figures", evaluation)


def samples_of(result: StudyResult) -> Samples:
    """What is known of each sample of a study, in the order of its table."""
    from crossplate.report import Samples

    table, calls = result.table, result.predictions
    frame = pd.DataFrame({"batch": table.batch})
    for name, column in (("label", table.label), ("subject", table.subject)):
        if column is not None:
            frame[name] = column
    proba = calls[[name for name in calls if str(name).startswith("p_") and name != SPREAD]]
    frame["called"] = calls["predicted"].reindex(frame.index)
    frame["confidence"] = proba.max(axis=1).reindex(frame.index)
    return Samples.of(frame)


def _boxes(table: SampleTable, evaluation: Mapping[str, Any] | None) -> BoxPlots | None:
    """Box plots of the features in the table of biomarkers, those at its top first."""
    from crossplate.evaluate.subject_values import subject_values
    from crossplate.report import box_plots

    found = ((evaluation or {}).get("biomarkers") or {}).get("features")
    if not found or not table.labelled.any():
        return None
    order = pd.DataFrame({"feature": found["feature"], "frequency": found["frequency"]})
    order = order.sort_values("frequency", ascending=False, kind="stable")
    return box_plots(subject_values(table), [str(name) for name in order["feature"]])


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


def _write_json(values: Mapping[str, Any], path: Path) -> None:
    path.write_text(json.dumps(values, indent=1, allow_nan=False) + "\n", encoding="utf-8")
