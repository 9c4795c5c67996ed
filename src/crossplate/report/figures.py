"""Figures of a study: scores beside simple methods, distances between batches, losses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from crossplate.report.canvas import (
    BARS_ONLY,
    INK,
    OTHER_COLOUR,
    OWN_COLOUR,
    PALETTE,
    WITH_NUMBERS,
    short_numbers,
)
from crossplate.report.pictures import Panel, Picture
from crossplate.report.summary import Distance, Level, LossCurve
from crossplate.report.tables import OWN
from crossplate.report.wording import clipped, decimal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 420
BAR_HEIGHT, BAR_MARGIN = 46, 28
CURVE_HEIGHT = 230
# Longer names are cut to fit above a bar; the table beside has them whole.
MOST_CHARACTERS = 46

# Above this range of values a curve is drawn on a logarithmic axis.
WIDE_RANGE = 50.0


SCORES_DRAWN = {"Accuracy": "accuracy", "Balanced accuracy": "balanced_accuracy"}


def score_picture(level: Level, intervals: Mapping[str, Any] | None = None) -> Picture:
    """Accuracy and balanced accuracy of all methods as bars.

    Parameters
    ----------
    level
        Scores of subjects or samples.
    intervals
        Score → ``{"low", "high"}`` of crossplate's own scores, drawn where they are known.
    """
    names = [str(name) for name in level.scores.column("Method")]
    panels = []
    for title, score in SCORES_DRAWN.items():
        reach = ends_of((intervals or {}).get(score))
        values = [_number(value) for value in level.scores.column(title)]
        told = "; ".join(f"{n} {decimal(v)}" for n, v in zip(names, values, strict=True))
        panels.append(
            Panel(
                title,
                _bar_painter(names, values, reach),
                WIDTH,
                BAR_MARGIN + BAR_HEIGHT * len(names),
                BARS_ONLY,
                f"{level.noun}-{title}",
                f"{title} on {level.noun}s: {told}.",
            )
        )
    caption = f"Scores on {level.noun}s beside simple methods."
    if intervals:
        caption += " Lines: 95% intervals over subjects."
    return Picture(caption, (), tuple(panels))


def ends_of(interval: Mapping[str, Any] | None) -> tuple[float, float] | None:
    """Ends of an interval as it stands in evaluation.json; None where it has none."""
    if not interval or interval.get("low") is None or interval.get("high") is None:
        return None
    return float(interval["low"]), float(interval["high"])


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def _bar_painter(
    names: Sequence[str], values: Sequence[float], reach: tuple[float, float] | None
) -> Callable[[Axes], None]:
    def paint(ax: Axes) -> None:
        places = range(len(names))
        colours = [OWN_COLOUR if name == OWN else OTHER_COLOUR for name in names]
        ax.barh(places, values, height=0.36, color=colours)
        for place, name, value in zip(places, names, values, strict=True):
            ax.text(0.0, place - 0.26, clipped(name, MOST_CHARACTERS), va="bottom")
            end = value
            if name == OWN and reach is not None:
                ax.plot(reach, [place, place], color=INK, lw=0.8, marker="|", ms=5)
                end = max(value, reach[1])
            ax.text(end + 0.014, place, decimal(value), va="center")
        ax.set_xlim(0.0, 1.12)
        ax.set_xticks([0.0, 0.25, 0.5, 0.75, 1.0])
        bars_only(ax, len(names))

    return paint


def bars_only(ax: Axes, n_bars: int) -> None:
    """Horizontal bars need no vertical axis: their names stand above them."""
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
        _distance_painter(distances),
        WIDTH,
        BAR_MARGIN + BAR_HEIGHT * len(distances),
        BARS_ONLY,
        "distance",
        f"Root MMD between batches: {told}.",
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
        bars_only(ax, len(distances))

    return paint


def loss_picture(curves: Sequence[LossCurve]) -> Picture | None:
    """Losses over the epochs, one panel a loss and one line a trained member."""
    panels = tuple(
        Panel(
            curve.name,
            _curve_painter(curve),
            WIDTH,
            CURVE_HEIGHT,
            WITH_NUMBERS,
            f"loss-{curve.name}",
            f"{curve.name} loss, {_told(curve)}.",
        )
        for curve in curves
    )
    if not panels:
        return None
    caption = "Losses while training, one line a member of the committee that was trained."
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
