"""Templates of all pages, their scripts, and how cells are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from crossplate.report.canvas import OTHER_COLOUR, OWN_COLOUR, PALETTE
from crossplate.report.inlined import json_for_script, page_policy, script_file
from crossplate.report.tables import Cell, Kind, Table
from crossplate.report.wording import decimal, two_digits

PLOTLY = ("vendor", "plotly-cartesian.min.js")
# In the order in which they build on each other; all run as one script.
BASE_SCRIPTS = ("theme.js", "tables.js")
CHART_SCRIPTS = ("charts.js", "embedding.js", "biomarkers.js")
LAST_SCRIPT = "report.js"

__all__ = ["cell_text", "render", "table_data"]


def render(template: str, values: Mapping[str, Any], data: Mapping[str, Any], *, live: bool) -> str:
    """Fill a template; every text of the user's is escaped.

    Parameters
    ----------
    template
        Its file in ``templates``.
    values
        What it shows.
    data
        What the page's script reads: ``tables``, ``figures`` and the like, plain values.
    live
        Whether there are charts to draw, which takes the plotting library into the page.
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
    scripts = _scripts(live)
    colours = {"palette": PALETTE, "other": OTHER_COLOUR, "own": OWN_COLOUR}
    return environment.get_template(template).render(
        **values,
        scripts=scripts,
        policy=page_policy(scripts),
        data=json_for_script({"colours": colours, **data}),
    )


def _scripts(live: bool) -> list[Markup]:
    names = (*BASE_SCRIPTS, *(CHART_SCRIPTS if live else ()), LAST_SCRIPT)
    own = Markup("\n").join(script_file("templates", name) for name in names)
    whole = Markup('"use strict";\n{}').format(own)
    return [script_file(*PLOTLY), whole] if live else [whole]


def cell_text(value: Cell, kind: Kind) -> str:
    """Write a cell as its column wants it; a dash where there is nothing."""
    if value is None:
        return "–"
    if isinstance(value, int) and kind in ("count", "score", "small"):
        return f"{value:,}"
    if isinstance(value, float) and kind == "score":
        return decimal(value)
    if isinstance(value, float) and kind == "small":
        return two_digits(value)
    return str(value)


def table_data(table: Table, filters: Sequence[str] = ()) -> dict[str, Any]:
    """A table as plain values for the page's script, which sorts, filters and searches it.

    Parameters
    ----------
    table
        Its rows are all taken.
    filters
        Columns to offer a choice of values for.
    """
    names = [column.name for column in table.columns]
    return {
        "columns": [{"name": column.name, "kind": column.kind} for column in table.columns],
        "rows": [[_short(cell) for cell in row] for row in table.rows],
        "filters": [names.index(name) for name in filters if name in names],
    }


def _short(cell: Cell) -> Cell:
    return float(f"{cell:.6g}") if isinstance(cell, float) else cell
