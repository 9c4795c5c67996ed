"""Figures of samples before and after calibration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crossplate.report.canvas import (
    OTHER_COLOUR,
    PALETTE,
    WITH_NUMBERS,
    plain_style,
    save_png,
    short_numbers,
)
from crossplate.report.embedding import Embedding, Points
from crossplate.report.pictures import MOST_LEGEND_CHARACTERS, Panel, Picture
from crossplate.report.views import View, view_of
from crossplate.report.wording import clipped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 420, 350
UNKNOWN = "no label"

__all__ = ["embedding_pictures", "save_figure"]


@dataclass(frozen=True)
class _Groups:
    """Colour of each point and what the colours mean."""

    colours: tuple[str, ...]
    legend: tuple[tuple[str, str], ...]


def embedding_pictures(view: View) -> tuple[Picture, ...]:
    """Samples before and after calibration, coloured by batch and, where known, by label."""
    pictures = [_embedding_picture(view, _by_batch(view.samples.batch), "batch")]
    if view.samples.label is not None:
        pictures.append(_embedding_picture(view, _by_label(view.samples.label), "label"))
    return tuple(pictures)


def _embedding_picture(view: View, groups: _Groups, what: str) -> Picture:
    panels = tuple(
        Panel(
            f"{when.capitalize()} calibration",
            paint,
            WIDTH,
            HEIGHT,
            WITH_NUMBERS,
            f"{view.name}-{what}-{when}",
            f"Samples {when} calibration, {' and '.join(view.axes)}, coloured by {what}.",
        )
        for when, paint in _painters(view, groups).items()
    )
    return Picture(f"{view.caption} Coloured by {what}.", groups.legend, panels)


def save_figure(embedding: Embedding, path: str | PathLike[str]) -> None:
    """Write the picture of samples before and after calibration as a PNG file.

    Two panels coloured by batch and, where labels are known, two below coloured by label; white
    ground, twice the resolution of a screen.

    Parameters
    ----------
    embedding
        From `crossplate.report.pca_embedding`.
    path
        File to write; its folder must exist.
    """
    from matplotlib.figure import Figure

    view = view_of(embedding)
    rows = [_by_batch(view.samples.batch)]
    if view.samples.label is not None:
        rows.append(_by_label(view.samples.label))
    with plain_style():
        figure = Figure(figsize=(9, 3.7 * len(rows)), layout="constrained")
        axes = figure.subplots(len(rows), 2, squeeze=False)
        for groups, (left, right) in zip(rows, axes, strict=True):
            painters = _painters(view, groups)
            for (when, paint), ax in zip(painters.items(), (left, right), strict=True):
                paint(ax)
                ax.set_title(f"{when.capitalize()} calibration")
            _legend(right, groups)
        save_png(figure, path)


def _legend(ax: Axes, groups: _Groups) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], linestyle="", marker="o", markersize=5, color=colour, label="name")
        for colour, _ in groups.legend
    ]
    legend = ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    # Set afterwards, since matplotlib gives names that begin with "_" a meaning of its own.
    for text, (_, name) in zip(legend.get_texts(), groups.legend, strict=True):
        text.set_text(clipped(name, MOST_LEGEND_CHARACTERS))


def _painters(view: View, groups: _Groups) -> dict[str, Callable[[Axes], None]]:
    both = np.array([*view.before, *view.after])
    low, high = both.min(axis=0), both.max(axis=0)
    margin = 0.04 * np.where(high > low, high - low, 1.0)

    def painter(points: Points) -> Callable[[Axes], None]:
        def paint(ax: Axes) -> None:
            _scatter(ax, np.array(points), groups.colours)
            ax.set_xlim(low[0] - margin[0], high[0] + margin[0])
            ax.set_ylim(low[1] - margin[1], high[1] + margin[1])
            short_numbers(ax)
            ax.set(xlabel=view.axes[0], ylabel=view.axes[1])

        return paint

    return {"before": painter(view.before), "after": painter(view.after)}


def _scatter(ax: Axes, points: NDArray[np.float64], colours: Sequence[str]) -> None:
    # In random order, so that no group lies on top of all others; as an image, so that thousands
    # of points weigh no more than a few.
    order = np.random.default_rng(0).permutation(len(points))
    ax.scatter(
        points[order, 0],
        points[order, 1],
        c=[colours[place] for place in order],
        s=12 if len(points) <= 1000 else 7,
        alpha=0.7,
        linewidths=0,
        rasterized=True,
    )


def _by_batch(batch: Sequence[str]) -> _Groups:
    return _grouped(batch, list(dict.fromkeys(batch)), PALETTE)


def _by_label(labels: Sequence[str | None]) -> _Groups:
    names = sorted({name for name in labels if name is not None})
    # Other colours than the batches have, as far as the palette goes.
    return _grouped(labels, names, (*PALETTE[2:], *PALETTE[:2]))


def _grouped(values: Sequence[str | None], names: Sequence[str], palette: Sequence[str]) -> _Groups:
    """Colour groups; those beyond the palette share the grey of the unlabelled."""
    colour = dict(zip(names, palette, strict=False))
    legend = [(colour[name], name) for name in names[: len(palette)]]
    if len(names) > len(palette):
        legend.append((OTHER_COLOUR, f"{len(names) - len(palette)} others"))
    if None in values:
        legend.append((OTHER_COLOUR, UNKNOWN))
    colours = tuple(
        OTHER_COLOUR if value is None else colour.get(value, OTHER_COLOUR) for value in values
    )
    return _Groups(colours, tuple(legend))
