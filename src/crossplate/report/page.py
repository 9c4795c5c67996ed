"""The report as one page that opens without a network."""

from __future__ import annotations

from crossplate.report.figures import (
    distance_picture,
    embedding_pictures,
    loss_picture,
    score_picture,
)
from crossplate.report.summary import ReportSummary
from crossplate.report.tables import Cell, Kind
from crossplate.report.wording import decimal


def render_page(summary: ReportSummary) -> str:
    """Make a self-contained HTML page of a summary: no script, nothing loaded from elsewhere.

    Every text of the user's (features, classes, ids, settings) is escaped by the template.

    Parameters
    ----------
    summary
        From `crossplate.report.summarise`.

    Returns
    -------
    str
        The page, to be written as UTF-8.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("crossplate.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = cell_text
    embedding = summary.embedding
    return environment.get_template("page.html").render(
        summary=summary,
        score_pictures=[score_picture(level) for level in summary.levels],
        distance_picture=distance_picture(summary.distances),
        embedding_pictures=() if embedding is None else embedding_pictures(embedding),
        loss_picture=loss_picture(summary.losses),
    )


def cell_text(value: Cell, kind: Kind) -> str:
    """Write a cell as its column wants it; a dash where there is nothing."""
    if value is None:
        return "–"
    if isinstance(value, float) and kind == "score":
        return decimal(value)
    if isinstance(value, int) and kind in ("count", "score"):
        return f"{value:,}"
    return str(value)
