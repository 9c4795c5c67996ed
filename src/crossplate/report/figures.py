"""Figures of the report: samples before and after, scores, distances and losses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from crossplate.report.canvas import (
    BARS_ONLY,
    INK,
    OTHER_COLOUR,
    OWN_COLOUR,
    PALETTE,
    WITH_NUMBERS,
    plain_style,
    save_png,
    short_numbers,
    svg,
)
from crossplate.report.embedding import Embedding, Points
from crossplate.report.summary import Distance, Level, LossCurve
from crossplate.report.tables import OWN
from crossplate.report.wording import clipped, decimal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 420, 350
BAR_HEIGHT, BAR_MARGIN = 46, 28
CURVE_HEIGHT = 230
# Longer names are cut to fit above a bar; the table beside has them whole.
MOST_CHARACTERS = 46
MOST_LEGEND_CHARACTERS = 28

UNKNOWN = "no label"
# Above this range of values a curve is drawn on a logarithmic axis.
WIDE_RANGE = 50.0


@dataclass(frozen=True)
class Panel:
    """One drawing with its title."""

    title: str
    svg: Markup


@dataclass(frozen=True)
class Picture:
    """Panels under one caption; the legend pairs colours with names."""

    caption: str
    legend: tuple[tuple[str, str], ...]
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class _Groups:
    """Colour of each point and what the colours mean."""

    colours: tuple[str, ...]
    legend: tuple[tuple[str, str], ...]


def embedding_pictures(embedding: Embedding) -> tuple[Picture, ...]:
    """Samples before and after calibration, coloured by batch and, where known, by label."""
    pictures = [_embedding_picture(embedding, _by_batch(embedding), "batch")]
    if embedding.label is not None:
        pictures.append(_embedding_picture(embedding, _by_label(embedding.label), "label"))
    return tuple(pictures)


def _embedding_picture(embedding: Embedding, groups: _Groups, what: str) -> Picture:
    painters = _embedding_painters(embedding, groups)
    panels = tuple(
        Panel(
            f"{when.capitalize()} calibration",
            svg(
                paint,
                width=WIDTH,
                height=HEIGHT,
                margins=WITH_NUMBERS,
                name=f"{what}-{when}",
                alt=f"Samples {when} calibration on two principal components, coloured by {what}.",
            ),
        )
        for when, paint in painters.items()
    )
    caption = (
        f"Samples on the first two principal components, coloured by {what}. The components come "
        "from the data before and after calibration together, so both panels share their axes."
    )
    return Picture(caption, groups.legend, panels)


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

    rows = [_by_batch(embedding)]
    if embedding.label is not None:
        rows.append(_by_label(embedding.label))
    with plain_style():
        figure = Figure(figsize=(9, 3.7 * len(rows)), layout="constrained")
        axes = figure.subplots(len(rows), 2, squeeze=False)
        for groups, (left, right) in zip(rows, axes, strict=True):
            painters = _embedding_painters(embedding, groups)
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


def _embedding_painters(embedding: Embedding, groups: _Groups) -> dict[str, Callable[[Axes], None]]:
    both = np.array([*embedding.before, *embedding.after])
    low, high = both.min(axis=0), both.max(axis=0)
    margin = 0.04 * np.where(high > low, high - low, 1.0)

    def painter(points: Points) -> Callable[[Axes], None]:
        def paint(ax: Axes) -> None:
            _scatter(ax, np.array(points), groups.colours)
            ax.set_xlim(low[0] - margin[0], high[0] + margin[0])
            ax.set_ylim(low[1] - margin[1], high[1] + margin[1])
            short_numbers(ax)
            for number, (name, share) in enumerate(zip("xy", embedding.explained, strict=True)):
                ax.set(**{f"{name}label": f"component {number + 1} ({share:.0%} of variance)"})

        return paint

    return {"before": painter(embedding.before), "after": painter(embedding.after)}


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


def _by_batch(embedding: Embedding) -> _Groups:
    return _grouped(embedding.batch, list(dict.fromkeys(embedding.batch)), PALETTE)


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


def score_picture(level: Level) -> Picture:
    """Accuracy and balanced accuracy of all methods as bars."""
    names = [str(name) for name in level.scores.column("Method")]
    panels = []
    for title in ("Accuracy", "Balanced accuracy"):
        values = [_number(value) for value in level.scores.column(title)]
        told = "; ".join(f"{n} {decimal(v)}" for n, v in zip(names, values, strict=True))
        panels.append(
            Panel(
                title,
                svg(
                    _bar_painter(names, values),
                    width=WIDTH,
                    height=BAR_MARGIN + BAR_HEIGHT * len(names),
                    margins=BARS_ONLY,
                    name=f"{level.noun}-{title}",
                    alt=f"{title} on {level.noun}s: {told}.",
                ),
            )
        )
    return Picture(f"Scores on {level.noun}s beside simple methods.", (), tuple(panels))


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def _bar_painter(names: Sequence[str], values: Sequence[float]) -> Callable[[Axes], None]:
    def paint(ax: Axes) -> None:
        places = range(len(names))
        colours = [OWN_COLOUR if name == OWN else OTHER_COLOUR for name in names]
        ax.barh(places, values, height=0.36, color=colours)
        for place, name, value in zip(places, names, values, strict=True):
            ax.text(0.0, place - 0.26, clipped(name, MOST_CHARACTERS), va="bottom")
            ax.text(value + 0.012, place, decimal(value), va="center")
        ax.set_xlim(0.0, 1.12)
        ax.set_xticks([0.0, 0.25, 0.5, 0.75, 1.0])
        _bars_only(ax, len(names))

    return paint


def _bars_only(ax: Axes, n_bars: int) -> None:
    ax.set_ylim(n_bars - 0.7, -0.75)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)


def distance_picture(distances: Sequence[Distance]) -> Picture | None:
    """Root MMD before and after, each with the value within a batch as a line."""
    if not distances:
        return None
    told = "; ".join(
        f"{one.data} {one.across:.3f}, within a batch {one.in_batch:.3f}" for one in distances
    )
    panel = Panel(
        "Distance between batches (root MMD)",
        svg(
            _distance_painter(distances),
            width=WIDTH,
            height=BAR_MARGIN + BAR_HEIGHT * len(distances),
            margins=BARS_ONLY,
            name="distance",
            alt=f"Root MMD between batches: {told}.",
        ),
    )
    caption = (
        "Bars: distance between batches, with the standard deviation over draws. Orange line: "
        "distance between two random halves of one batch, which is what remains without any "
        "batch effect."
    )
    return Picture(caption, (), (panel,))


def _distance_painter(distances: Sequence[Distance]) -> Callable[[Axes], None]:
    def paint(ax: Axes) -> None:
        ends = [max(one.across + one.across_sd, one.in_batch) for one in distances]
        longest = max(ends) or 1.0
        for place, (one, end) in enumerate(zip(distances, ends, strict=True)):
            colour = OWN_COLOUR if one.data == "calibrated" else OTHER_COLOUR
            ax.barh(place, one.across, height=0.36, color=colour)
            ax.errorbar(one.across, place, xerr=one.across_sd, ecolor=INK, capsize=2, lw=0.8)
            ax.plot([one.in_batch] * 2, [place - 0.26, place + 0.26], color=PALETTE[1], lw=2.5)
            ax.text(0.0, place - 0.29, one.data, va="bottom")
            ax.text(end + 0.02 * longest, place, f"{one.across:.3f}", va="center")
        ax.set_xlim(0.0, 1.15 * longest)
        ax.locator_params(axis="x", nbins=5)
        _bars_only(ax, len(distances))

    return paint


def loss_picture(curves: Sequence[LossCurve]) -> Picture | None:
    """Losses over the epochs, one panel a loss and one line a member."""
    panels = tuple(
        Panel(
            curve.name,
            svg(
                _curve_painter(curve),
                width=WIDTH,
                height=CURVE_HEIGHT,
                margins=WITH_NUMBERS,
                name=f"loss-{curve.name}",
                alt=f"{curve.name} loss, {_told(curve)}.",
            ),
        )
        for curve in curves
    )
    if not panels:
        return None
    caption = "Losses while training, one line a member of the committee."
    if len({line[-1][0] for curve in curves for line in curve.members if line}) > 1:
        caption += " A line that ends before the others is of a member that stopped early."
    return Picture(caption, (), panels)


def _told(curve: LossCurve) -> str:
    ends = [(line[0], line[-1]) for line in curve.members if line]
    first = np.mean([start[1] for start, _ in ends])
    last = np.mean([end[1] for _, end in ends])
    epochs = max(end[0] for _, end in ends)
    return f"mean of members {first:.3g} after the first epoch and {last:.3g} at the end ({epochs})"


def _curve_painter(curve: LossCurve) -> Callable[[Axes], None]:
    from matplotlib.ticker import MaxNLocator

    def paint(ax: Axes) -> None:
        values = np.array([value for line in curve.members for _, value in line])
        for number, line in enumerate(curve.members):
            epochs, losses = zip(*line, strict=True) if line else ((), ())
            marker = "o" if len(line) == 1 else ""
            ax.plot(
                epochs, losses, color=PALETTE[number % len(PALETTE)], lw=1.1, ms=3, marker=marker
            )
        if values.min() > 0 and values.max() > WIDE_RANGE * values.min():
            ax.set_yscale("log")
            ax.yaxis.set_major_formatter("{x:g}")
            ax.minorticks_off()
        else:
            short_numbers(ax)
            ax.set_ylim(bottom=min(0.0, float(values.min())))
        ax.set_xlabel("epoch")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))

    return paint
