"""A picture of panels under one caption: the same drawing for a page and for files of a paper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING

from markupsafe import Markup

from crossplate.report.canvas import PIXELS_AN_INCH, Margins, plain_style, save_vector, svg
from crossplate.report.wording import clipped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LEGEND_CHARACTERS = 28
# Widest file in CSS pixels: two panels side by side.
_FILE_WIDTH = 880
_TITLE, _LEGEND_ROW, _GAP = 26, 20, 16

__all__ = ["Panel", "Picture", "save_picture"]


@dataclass(frozen=True)
class Panel:
    """One drawing with its title.

    Attributes
    ----------
    title
        Above the drawing.
    paint
        Draws on the axes it is given.
    width, height
        Size in CSS pixels; in a narrower column it shrinks.
    margins
        Around the axes.
    name
        Unique in the page.
    alt
        Text for those who do not see the drawing.
    """

    title: str
    paint: Callable[[Axes], None]
    width: int
    height: int
    margins: Margins
    name: str
    alt: str

    @cached_property
    def svg(self) -> Markup:
        """The drawing as an element to put into a page."""
        return svg(
            self.paint,
            width=self.width,
            height=self.height,
            margins=self.margins,
            name=self.name,
            alt=self.alt,
        )


@dataclass(frozen=True)
class Picture:
    """Panels under one caption; the legend pairs colours with names."""

    caption: str
    legend: tuple[tuple[str, str], ...]
    panels: tuple[Panel, ...]


def save_picture(picture: Picture, stem: str | PathLike[str]) -> None:
    """Write a picture as SVG and PDF for a paper: panels in rows, legend above, white ground.

    Parameters
    ----------
    picture
        What to write; its caption is not drawn.
    stem
        File to write, without its ending; its folder must exist.
    """
    from matplotlib.figure import Figure

    rows = _rows(picture.panels)
    widths = [sum(panel.width for panel in row) + _GAP * (len(row) - 1) for row in rows]
    heights = [max(panel.height for panel in row) + _TITLE for row in rows]
    above = _LEGEND_ROW * _legend_rows(picture, max(widths))
    width, height = max(widths), sum(heights) + _GAP * (len(rows) - 1) + above
    with plain_style():
        figure = Figure(figsize=(width / PIXELS_AN_INCH, height / PIXELS_AN_INCH))
        top = height - above
        for row, row_height in zip(rows, heights, strict=True):
            left = 0
            for panel in row:
                bottom = top - _TITLE - panel.height
                inside = (
                    (left + panel.margins.left) / width,
                    (bottom + panel.margins.bottom) / height,
                    (panel.width - panel.margins.left - panel.margins.right) / width,
                    (panel.height - panel.margins.top - panel.margins.bottom) / height,
                )
                panel.paint(figure.add_axes(inside))
                figure.text(
                    (left + panel.margins.left) / width,
                    1 - (height - top + _TITLE - 8) / height,
                    panel.title,
                    va="bottom",
                    # Bold letters would be a second font to embed in each file.
                    fontsize=10,
                )
                left += panel.width + _GAP
            top -= row_height + _GAP
        _draw_legend(figure, picture, width)
        save_vector(figure, stem)


def _rows(panels: tuple[Panel, ...]) -> list[list[Panel]]:
    """Panels side by side as long as they fit."""
    rows: list[list[Panel]] = [[]]
    for panel in panels:
        used = sum(one.width + _GAP for one in rows[-1])
        if rows[-1] and used + panel.width > _FILE_WIDTH:
            rows.append([])
        rows[-1].append(panel)
    return rows


def _legend_columns(width: int) -> int:
    return max(1, width // 220)


def _legend_rows(picture: Picture, width: int) -> int:
    return -(-len(picture.legend) // _legend_columns(width))


def _draw_legend(figure: object, picture: Picture, width: int) -> None:
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    if not picture.legend:
        return
    assert isinstance(figure, Figure)
    handles = [
        Line2D([], [], linestyle="", marker="o", markersize=5, color=colour, label="name")
        for colour, _ in picture.legend
    ]
    legend = figure.legend(
        handles=handles,
        loc="upper left",
        ncols=min(_legend_columns(width), len(handles)),
        frameon=False,
        borderaxespad=0.1,
    )
    # Set afterwards, since matplotlib gives names that begin with "_" a meaning of its own.
    for text, (_, name) in zip(legend.get_texts(), picture.legend, strict=True):
        text.set_text(clipped(name, MOST_LEGEND_CHARACTERS))
