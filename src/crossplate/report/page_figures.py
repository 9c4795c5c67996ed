"""All figures of a report in their order: as drawings for page and files, and as live charts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crossplate.report import charts
from crossplate.report.box_figures import box_picture
from crossplate.report.embedding_figures import embedding_pictures
from crossplate.report.evaluation_figures import (
    batch_classifier_picture,
    calibration_picture,
    confusion_picture,
    coverage_picture,
    permutation_picture,
    roc_picture,
    variance_picture,
)
from crossplate.report.evaluation_tables import biomarker_table
from crossplate.report.figures import distance_picture, loss_picture, score_picture
from crossplate.report.pictures import Picture
from crossplate.report.summary import Level, ReportSummary
from crossplate.report.views import View, embedding_views

__all__ = ["ReportFigure", "confusion_of", "report_figures", "report_views"]


@dataclass(frozen=True)
class ReportFigure:
    """One figure.

    Attributes
    ----------
    stem
        Name of its files, and of its place in the page.
    picture
        The drawing.
    charts
        One live chart a panel; empty for a figure that is only drawn.
    """

    stem: str
    picture: Picture
    charts: tuple[dict[str, Any], ...] = ()


def report_views(summary: ReportSummary, evaluation: Mapping[str, Any] | None) -> tuple[View, ...]:
    """Planes in which the samples are shown."""
    return embedding_views(summary.embedding, summary.samples, evaluation)


def report_figures(
    summary: ReportSummary, evaluation: Mapping[str, Any] | None
) -> dict[str, ReportFigure]:
    """Every figure there is data for, by its stem.

    Parameters
    ----------
    summary
        From `crossplate.report.summarise`.
    evaluation
        As in evaluation.json; each part of it may be missing or None.
    """
    found = evaluation or {}
    figures = [*_scores(summary, found)]
    figures += _drawn("roc", roc_picture(found.get("roc")), charts.roc_chart(found.get("roc")))
    curve = found.get("calibration")
    figures += _drawn("calibration", calibration_picture(curve), charts.calibration_chart(curve))
    surest = found.get("accuracy_coverage")
    figures += _drawn("coverage", coverage_picture(surest), charts.coverage_chart(surest))
    shuffled = found.get("permutation")
    figures += _drawn(
        "permutation", permutation_picture(shuffled), charts.permutation_chart(shuffled)
    )
    figures += _drawn(
        "batch_distance",
        distance_picture(summary.distances),
        charts.distance_chart(summary.distances),
    )
    told = found.get("batch_classifier")
    figures += _drawn(
        "batch_classifier", batch_classifier_picture(told), charts.batch_classifier_chart(told)
    )
    shares = found.get("variance_shares")
    figures += _drawn("variance", variance_picture(shares), charts.variance_chart(shares))
    for view in report_views(summary, evaluation):
        name = view.name.lower().replace("-", "")
        for picture, what in zip(embedding_pictures(view), ("batch", "label"), strict=False):
            figures.append(ReportFigure(f"{name}_by_{what}", picture))
    boxes = box_picture(summary.boxes, biomarker_table(found.get("biomarkers")))
    figures += _drawn("biomarker_boxplots", boxes)
    losses = loss_picture(summary.losses)
    if losses is not None:
        figures.append(ReportFigure("losses", losses, tuple(charts.loss_charts(summary.losses))))
    return {figure.stem: figure for figure in figures}


def _drawn(
    stem: str, picture: Picture | None, chart: dict[str, Any] | None = None
) -> list[ReportFigure]:
    if picture is None:
        return []
    return [ReportFigure(stem, picture, () if chart is None else (chart,))]


def _scores(summary: ReportSummary, found: Mapping[str, Any]) -> list[ReportFigure]:
    figures = []
    for level in summary.levels:
        its = ((found.get("intervals") or {}).get(level.noun) or {}).get("scores")
        picture = score_picture(level, its)
        bars = tuple(charts.score_charts(level, its))
        figures.append(ReportFigure(f"scores_{level.noun}s", picture, bars))
        labels, counts = confusion_of(level)
        drawing = confusion_picture(labels, counts, level.noun)
        figures.append(ReportFigure(f"confusion_{level.noun}s", drawing))
    return figures


def confusion_of(level: Level) -> tuple[list[str], list[list[int]]]:
    """Labels and counts of a table of true and called classes."""
    rows = level.confusion.rows
    counts = [[int(n) if isinstance(n, int | float) else 0 for n in row[1:]] for row in rows]
    return [str(row[0]) for row in rows], counts
