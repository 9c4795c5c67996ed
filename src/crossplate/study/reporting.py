"""The report of a study: its page, and its figures as files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from crossplate.evaluate.subject_values import subject_values
from crossplate.study.running import SPREAD, StudyResult

if TYPE_CHECKING:
    from crossplate.report import BoxPlots, Embedding, Samples
    from crossplate.table import SampleTable

PAGE, FIGURES = "report.html", "figures"

__all__ = ["FIGURES", "PAGE", "embedding_of", "samples_of", "write_report"]


def write_report(
    result: StudyResult,
    folder: Path,
    *,
    settings: dict[str, Any],
    evaluation: Mapping[str, Any] | None = None,
) -> None:
    """Write the page and the figures of a study into a folder that exists.

    Parameters
    ----------
    result
        The study.
    folder
        Where ``report.html`` and, if there are any figures, the folder ``figures`` go.
    settings
        As in settings.json.
    evaluation
        As in evaluation.json; each part of it may be missing or None. None as a whole shows what
        the study itself found.
    """
    from crossplate.report import render_page, save_figures, summarise

    summary = summarise(
        metrics=result.metrics,
        predictions=result.predictions,
        subjects=result.subjects,
        history=None if result.before is None else result.model.history_,
        settings=settings,
        notices=result.notices,
        embedding=embedding_of(result),
        samples=samples_of(result),
        boxes=_boxes(result.table, evaluation),
        evaluation=evaluation,
    )
    (folder / PAGE).write_text(render_page(summary, evaluation), encoding="utf-8")
    save_figures(summary, folder / FIGURES, evaluation)


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
    from crossplate.report import box_plots

    found = ((evaluation or {}).get("biomarkers") or {}).get("features")
    if not found or not table.labelled.any():
        return None
    order = pd.DataFrame({"feature": found["feature"], "frequency": found["frequency"]})
    order = order.sort_values("frequency", ascending=False, kind="stable")
    return box_plots(subject_values(table), [str(name) for name in order["feature"]])


def _values(frame: pd.DataFrame) -> Any:
    """Numbers of a frame whose first column is the batch."""
    return frame.iloc[:, 1:].to_numpy()
