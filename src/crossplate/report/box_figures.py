"""Box plots of candidate biomarkers from their quartiles, for page and files."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from crossplate.report.biomarker_figures import (
    BATCH_CHARACTERS,
    BOX_STYLE,
    MOST_PANELS,
    scale_of_boxes,
    shortened_middle,
)
from crossplate.report.boxes import Box, BoxPlots
from crossplate.report.canvas import INK, PALETTE, Margins
from crossplate.report.pictures import Panel, Picture
from crossplate.report.tables import Table
from crossplate.report.wording import clipped, count_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANEL_WIDTH, PANEL_HEIGHT, WIDE_PANEL = 206, 200, 420
MARGINS = Margins(left=48, right=8, bottom=52, top=6)
_FEW_BATCHES = 4
_MOST_CHARACTERS = 26

__all__ = ["box_picture", "candidates"]


def candidates(table: Table | None) -> list[tuple[str, list[str]]]:
    """Candidates of a biomarker table with the batches they were found in, most batches first.

    Parameters
    ----------
    table
        From `crossplate.report.evaluation_tables.biomarker_table`.
    """
    if table is None:
        return []
    found: dict[str, list[str]] = {}
    sizes: dict[str, float] = {}
    columns = (table.column(name) for name in ("Feature", "Batch", "Candidate", "Effect"))
    for feature, batch, candidate, effect in zip(*columns, strict=True):
        if candidate == "yes":
            found.setdefault(str(feature), []).append(str(batch))
            size = abs(effect) if isinstance(effect, int | float) else 0.0
            sizes[str(feature)] = sizes.get(str(feature), 0.0) + size
    order = sorted(found, key=lambda name: (-len(found[name]), -sizes[name] / len(found[name])))
    return [(name, found[name]) for name in order]


def box_picture(boxes: BoxPlots | None, table: Table | None) -> Picture | None:
    """Subject medians of the first candidates by batch and label; None without any."""
    named = [] if boxes is None else [one for one in candidates(table) if one[0] in boxes.features]
    if boxes is None or not named:
        return None
    wide = len(boxes.batches) * (len(boxes.labels) + 1) > _FEW_BATCHES * 3
    panels = tuple(
        Panel(
            clipped(name, _MOST_CHARACTERS),
            _painter(boxes, boxes.features[name], found),
            WIDE_PANEL if wide else PANEL_WIDTH,
            PANEL_HEIGHT,
            MARGINS,
            f"boxes-{number}",
            f"{name} by batch and label; candidate in {', '.join(found)}.",
        )
        for number, (name, found) in enumerate(named[:MOST_PANELS])
    )
    which = f"All {count_of(len(named), 'candidate biomarker')}"
    if len(named) > MOST_PANELS:
        which = (
            f"The {MOST_PANELS} of {len(named)} candidate biomarkers found in most batches and "
            "with the largest effects"
        )
    caption = (
        f"{which}, by batch and label: median of each subject's samples, original units, on a "
        "logarithmic axis where values range widely. Box: quartiles and median; whiskers: "
        "farthest value within 1.5 interquartile ranges. A star marks the batches in which the "
        "feature is a candidate."
    )
    legend = tuple((PALETTE[place % len(PALETTE)], name) for place, name in enumerate(boxes.labels))
    return Picture(caption, legend, panels)


def _painter(
    boxes: BoxPlots, its: tuple[Box | None, ...], found: list[str]
) -> Callable[[Axes], None]:
    n = len(boxes.labels)
    step, middle = n + 0.8, (n - 1) / 2

    def paint(ax: Axes) -> None:
        for place, box in enumerate(its):
            if box is not None:
                colour = PALETTE[place % n % len(PALETTE)]
                face = {"facecolor": colour, "alpha": 0.75, "linewidth": 0.6}
                at = place // n * step + place % n
                ax.bxp([_stats(box)], positions=[at], boxprops=face, **BOX_STYLE)
        shown = [one for box in its if box for one in (box.low, box.high, *box.outliers)]
        scale_of_boxes(ax, np.array(shown))
        ticks = [at * step + middle for at in range(len(boxes.batches))]
        ax.set_xticks(ticks, [shortened_middle(name, BATCH_CHARACTERS) for name in boxes.batches])
        if len(boxes.batches) > 2:
            for text in ax.get_xticklabels():
                text.set(rotation=25, ha="right", rotation_mode="anchor")
        for tick, name in zip(ticks, boxes.batches, strict=True):
            if name in found:
                ax.text(
                    tick, 0.97, "*", transform=ax.get_xaxis_transform(),
                    ha="center", va="center", fontsize=12, color=INK,
                )  # fmt: skip
        ax.set_xlim(-0.9, (len(boxes.batches) - 1) * step + n - 0.1)

    return paint


def _stats(box: Box) -> dict[str, Any]:
    return {
        "med": box.median,
        "q1": box.q1,
        "q3": box.q3,
        "whislo": box.low,
        "whishi": box.high,
        "fliers": list(box.outliers),
    }
