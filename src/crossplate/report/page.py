"""The report as one page that opens without a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crossplate.report.box_figures import candidates
from crossplate.report.charts import box_data, embedding_data
from crossplate.report.environment import render, table_data
from crossplate.report.evaluation_tables import (
    agreement_table,
    attribution_table,
    batch_classifier_table,
    biomarker_table,
    ceiling_table,
    cross_batch_tables,
    mixing_table,
    with_intervals,
)
from crossplate.report.page_figures import confusion_of, report_figures, report_views
from crossplate.report.summary import ReportSummary
from crossplate.report.tables import MAX_ROWS
from crossplate.report.trust_cards import trust_cards

# Steps of shade of a confusion table.
_SHADES = 10
# Rows on paper, and without the page's script, of tables that few read to their end.
_FEWER_ROWS = 60

__all__ = ["render_page"]


def render_page(summary: ReportSummary, evaluation: Mapping[str, Any] | None = None) -> str:
    """Make a self-contained HTML page of a summary: it loads nothing and needs no network.

    Text, tables and drawings are there without any script; the page's own script makes charts of
    the drawings and lets tables be sorted and searched. Every text of the user's (features,
    classes, ids, settings) is escaped.

    Parameters
    ----------
    summary
        From `crossplate.report.summarise`.
    evaluation
        As in evaluation.json; each part of it may be missing or None, and its section with it.

    Returns
    -------
    str
        The page, to be written as UTF-8.
    """
    found = evaluation or {}
    figures = report_figures(summary, evaluation)
    views = report_views(summary, evaluation)
    biomarkers = biomarker_table(found.get("biomarkers"))
    attribution = attribution_table(found.get("attribution"))
    searched = {
        "calls": (summary.calls, ("called", "batch"), MAX_ROWS),
        "samples": (summary.sample_calls, ("called", "batch"), _FEWER_ROWS),
        "biomarkers": (biomarkers, ("Batch", "Candidate"), _FEWER_ROWS),
        "attribution": (attribution, (), _FEWER_ROWS),
    }
    levels = [with_intervals(level, found.get("intervals")) for level in summary.levels]
    values = {
        "title": summary.title,
        "version": summary.version,
        "date": summary.date,
        "summary": summary,
        "figures": figures,
        "static_views": [stem for stem in figures if stem.startswith(_first(views))],
        "cards": trust_cards(found.get("trust")),
        "levels": levels,
        "shades": [_shades(confusion_of(level)[1]) for level in summary.levels],
        "ceiling": ceiling_table(found.get("ceiling")),
        "cross_batch": cross_batch_tables(found.get("cross_batch"), found.get("ceiling")),
        "batch_classifier": batch_classifier_table(found.get("batch_classifier")),
        "mixing": mixing_table(found.get("mixing")),
        "notices": [
            *summary.notices,
            *((found.get("embedding") or {}).get("notices") or ()),
            *_left_out(found.get("left_out")),
        ],
        "agreement": agreement_table(found.get("biomarkers")),
        "searched": {
            key: (table, most) for key, (table, _, most) in searched.items() if table is not None
        },
    }
    data = {
        "figures": {stem: list(one.charts) for stem, one in figures.items() if one.charts},
        "embedding": embedding_data(views),
        "boxes": box_data(summary.boxes) if biomarkers is not None else None,
        "first": [name for name, _ in candidates(biomarkers)[:1]],
        "tables": {
            key: table_data(table, filters)
            for key, (table, filters, _) in searched.items()
            if table is not None
        },
    }
    live = bool(data["figures"] or data["embedding"] or data["boxes"])
    return render("page.html", values, data, live=live)


def _left_out(reasons: Mapping[str, str] | None) -> list[str]:
    """Parts of the evaluation that could not be had, and why."""
    return [
        f"Not in the evaluation: {part.replace('_', ' ')}, since {reason.rstrip('.')}."
        for part, reason in (reasons or {}).items()
    ]


def _first(views: tuple[Any, ...]) -> str:
    """Beginning of the stems of the view that is drawn in the page; the files have all."""
    return f"{views[0].name.lower().replace('-', '')}_by_" if views else "none"


def _shades(counts: list[list[int]]) -> list[list[int]]:
    """Step of shade of each cell of a confusion table, by its share of the row."""
    return [
        [round(_SHADES * count / sum(row)) if sum(row) else 0 for count in row] for row in counts
    ]
