"""Figures of biomarkers for a paper: box plots by batch and label, and what batches share."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crossplate.evaluate.batch_agreement import Intersection
from crossplate.evaluate.biomarkers import Biomarkers
from crossplate.evaluate.subject_values import SubjectValues
from crossplate.report.canvas import OTHER_COLOUR, OWN_COLOUR, PALETTE, plain_style, save_vector
from crossplate.report.wording import clipped, count_of, listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PANELS = 12
MOST_COMBINATIONS = 24
# Above this range of values a panel is drawn on a logarithmic axis.
WIDE_RANGE = 20.0

_PAGE_WIDTH, _PANEL_HEIGHT = 9.0, 2.0  # inches
_MOST_CHARACTERS = 26
BATCH_CHARACTERS, _LONGEST_BATCH = 14, 28
_EMPTY_DOT = "#D9D9D9"

# How a box looks, whether made of values or of their quartiles.
BOX_STYLE: dict[str, Any] = {
    "widths": 0.72,
    "patch_artist": True,
    "manage_ticks": False,
    "medianprops": {"color": "black", "linewidth": 1.2},
    "whiskerprops": {"linewidth": 0.6},
    "capprops": {"linewidth": 0.6},
    "flierprops": {"marker": ".", "markersize": 2.5, "markeredgewidth": 0.0,
                   "markerfacecolor": "black"},
}  # fmt: skip

__all__ = [
    "BATCH_CHARACTERS",
    "BOX_STYLE",
    "MOST_PANELS",
    "box_plot_caption",
    "save_box_plots",
    "save_upset",
    "scale_of_boxes",
    "shortened_middle",
    "upset_caption",
]


def save_box_plots(found: Biomarkers, values: SubjectValues, stem: str | PathLike[str]) -> None:
    """Draw subject medians of the selected features, and write them as SVG and PDF.

    Parameters
    ----------
    found
        Biomarkers, at least one of them selected; the first `MOST_PANELS` are drawn.
    values
        The measurements they were found in.
    stem
        File to write, without its ending; its folder must exist.
    """
    names = found.ranked()[:MOST_PANELS]
    labels = sorted({str(label) for label in values.label})
    colours = [PALETTE[place % len(PALETTE)] for place in range(len(labels))]
    per_panel = 0.8 + 0.15 * len(found.batches) * (len(labels) + 1)
    n_columns = int(np.clip(_PAGE_WIDTH // per_panel, 1, min(4, len(names))))
    n_rows = -(-len(names) // n_columns)
    width = max(3.4, n_columns * max(per_panel, 2.0))
    with plain_style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(width, 0.5 + _PANEL_HEIGHT * n_rows), layout="constrained")
        axes = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
        for ax in axes[len(names) :]:
            ax.set_axis_off()
        for ax, name in zip(axes, names, strict=False):
            _boxes(ax, found, values, name, labels, colours)
        figure.supylabel("median of the subject's samples", fontsize=9)
        _legend(figure, labels, colours)
        save_vector(figure, stem)


def box_plot_caption(found: Biomarkers) -> str:
    """Caption of the box plots."""
    names = found.ranked()
    shown = min(len(names), MOST_PANELS)
    which = (
        f"The {shown} of {len(names)} candidate biomarkers found in most batches and with the "
        "largest effects"
        if shown < len(names)
        else f"All {count_of(shown, 'candidate biomarker')}"
    )
    return (
        f"{which}, by batch and label. One value a subject (median of its samples), original "
        "units; a logarithmic axis where values range widely. Box: quartiles and median; "
        "whiskers: farthest value within 1.5 interquartile ranges. A star marks the batches in "
        f"which the feature was selected (in more than {found.frequency:.0%} of "
        f"{found.n_resamples} half-samples, and p < {found.p:g})."
    )


def _boxes(
    ax: Axes,
    found: Biomarkers,
    values: SubjectValues,
    name: str,
    labels: Sequence[str],
    colours: Sequence[str],
) -> None:
    column = values.medians[:, values.features.index(name)]
    rows = found.features[(found.features["feature"] == name) & found.features["selected"]]
    starred = set(rows["batch"])
    step = len(labels) + 0.8
    for at, batch in enumerate(found.batches):
        for place, (label, colour) in enumerate(zip(labels, colours, strict=True)):
            inside = (values.batch == batch) & (values.label.astype(str) == label)
            its = column[inside]
            _box(ax, its[np.isfinite(its)], at * step + place, colour)
    shown = column[np.isin(values.batch, found.batches)]
    scale_of_boxes(ax, shown[np.isfinite(shown)])
    middle = (len(labels) - 1) / 2
    ax.set_xticks(
        [at * step + middle for at in range(len(found.batches))],
        [shortened_middle(batch, BATCH_CHARACTERS) for batch in found.batches],
    )
    if len(found.batches) > 4 or any(len(batch) > 8 for batch in found.batches):
        for text in ax.get_xticklabels():
            text.set(rotation=30, ha="right", rotation_mode="anchor")
    for at, batch in enumerate(found.batches):
        if batch in starred:
            ax.text(
                at * step + middle, 0.97, "*", transform=ax.get_xaxis_transform(),
                ha="center", va="center", fontsize=12,
            )  # fmt: skip
    ax.set_title(clipped(name, _MOST_CHARACTERS))
    ax.set_xlim(-0.9, (len(found.batches) - 1) * step + len(labels) - 0.1)


def _box(ax: Axes, values: NDArray[np.float64], at: float, colour: str) -> None:
    if not len(values):
        return
    face = {"facecolor": colour, "alpha": 0.75, "linewidth": 0.6}
    ax.boxplot(values, positions=[at], boxprops=face, **BOX_STYLE)


def scale_of_boxes(ax: Axes, values: NDArray[np.float64]) -> None:
    """Logarithmic where positive values range widely, with room for the stars above."""
    positive = values[values > 0]
    wide = len(positive) and np.quantile(positive, 0.98) > WIDE_RANGE * np.quantile(positive, 0.02)
    if wide and values.min() >= 0:
        zero = values.min() == 0
        lowest = float(np.quantile(positive, 0.05)) if zero else float(positive.min())
        ticks = _log_ticks(1.5 * lowest if zero else lowest, float(positive.max()))
        if zero:
            # Zeros (not detected) stand on a stretch of linear axis below the decades.
            ax.set_yscale("symlog", linthresh=lowest)
            ax.set_ylim(bottom=0)
            ticks = [0.0, *ticks]
        else:
            ax.set_yscale("log")
        ax.set_yticks(ticks, [f"{value:g}" for value in ticks])
        ax.minorticks_off()
    else:
        ax.ticklabel_format(style="sci", scilimits=(-3, 4))
        ax.locator_params(axis="y", nbins=4)
    low, high = ax.get_ylim()
    transform = ax.yaxis.get_transform()
    ends = transform.transform(np.array([low, high]))
    top = transform.inverted().transform(np.array([ends[1] + 0.14 * (ends[1] - ends[0])]))
    ax.set_ylim(low, float(top[0]))


def _log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten from low to high; where these are fewer than two, twice and five times too."""
    decades = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    for factors in ([1], [1, 2, 5]):
        ticks = [float(one) for one in np.outer(decades, factors).ravel() if low <= one <= high]
        if len(ticks) > 1:
            break
    return ticks


def _legend(figure: Figure, labels: Sequence[str], colours: Sequence[str]) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(facecolor=colour, alpha=0.75, label="name") for colour in colours]
    legend = figure.legend(
        handles=handles, loc="outside upper left", ncols=min(len(labels), 6), frameon=False
    )
    # Set afterwards, since matplotlib gives names that begin with "_" a meaning of its own.
    for text, label in zip(legend.get_texts(), labels, strict=True):
        text.set_text(clipped(label, _MOST_CHARACTERS))


def save_upset(found: Biomarkers, stem: str | PathLike[str]) -> None:
    """Draw how many features were selected in which batches, and write it as SVG and PDF.

    Parameters
    ----------
    found
        Biomarkers, at least one of them selected.
    stem
        File to write, without its ending; its folder must exist.
    """
    shown = _with_features(found)[:MOST_COMBINATIONS]
    selected = found.features.loc[found.features["selected"], "batch"]
    sizes = {name: int((selected == name).sum()) for name in found.batches}
    n_columns, n_rows = len(shown), len(found.batches)
    with plain_style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(2.9 + 0.42 * n_columns, 2.2 + 0.3 * n_rows), layout="constrained")
        grid = figure.add_gridspec(
            2, 2, width_ratios=[1.3, 0.42 * n_columns], height_ratios=[1.9, 0.3 * n_rows]
        )
        _combination_bars(figure.add_subplot(grid[0, 1]), shown)
        _matrix(figure.add_subplot(grid[1, 1]), found.batches, shown)
        _batch_bars(figure.add_subplot(grid[1, 0]), sizes)
        save_vector(figure, stem)


def upset_caption(found: Biomarkers) -> str:
    """Caption of the figure of intersections."""
    more = len(_with_features(found)) - MOST_COMBINATIONS
    rest = f" {count_of(more, 'smaller combination')} are not shown." if more > 0 else ""
    return (
        f"Candidate biomarkers selected in exactly these batches ({listed(found.batches)}): bars "
        "above count the features of each combination, the blue part those whose effect has the "
        f"same direction in all of its batches; bars on the left count all of a batch.{rest}"
    )


def _with_features(found: Biomarkers) -> list[Intersection]:
    return [one for one in found.intersections if one.features]


def _combination_bars(ax: Axes, shown: Sequence[Intersection]) -> None:
    counts = [len(one.features) for one in shown]
    same = [one.n_same_direction for one in shown]
    places = range(len(counts))
    ax.bar(places, counts, width=0.6, color=OTHER_COLOUR)
    ax.bar(places, same, width=0.6, color=OWN_COLOUR)
    for place, count in zip(places, counts, strict=True):
        ax.text(place, count, f"{count}", ha="center", va="bottom")
    ax.set_xlim(-0.6, len(counts) - 0.4)
    ax.set_ylim(0, 1.15 * max(1, *counts))
    ax.set_xticks([])
    ax.set_ylabel("features")
    ax.locator_params(axis="y", nbins=4, integer=True)


def _matrix(ax: Axes, batches: Sequence[str], shown: Sequence[Intersection]) -> None:
    for column, one in enumerate(shown):
        inside = [place for place, batch in enumerate(batches) if batch in one.batches]
        ax.scatter([column] * len(batches), range(len(batches)), s=42, color=_EMPTY_DOT)
        ax.plot([column, column], [inside[0], inside[-1]], color="black", lw=1.6)
        ax.scatter([column] * len(inside), inside, s=42, color="black", zorder=3)
    ax.set_xlim(-0.6, len(shown) - 0.4)
    ax.set_ylim(len(batches) - 0.4, -0.6)
    ax.set_xticks([])
    ax.set_yticks(
        range(len(batches)), [shortened_middle(batch, _LONGEST_BATCH) for batch in batches]
    )
    ax.tick_params(axis="y", length=0)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)


def _batch_bars(ax: Axes, sizes: dict[str, int]) -> None:
    counts = list(sizes.values())
    ax.barh(range(len(counts)), counts, height=0.55, color=OTHER_COLOUR)
    for place, count in enumerate(counts):
        ax.text(count, place, f"{count} ", ha="right", va="center")
    ax.set_xlim(1.35 * max(1, *counts), 0)
    ax.set_ylim(len(counts) - 0.4, -0.6)
    ax.set_yticks([])
    ax.set_xticks([])
    ax.set_title("all of the batch", loc="right")
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)


def shortened_middle(text: str, most: int) -> str:
    """Cut a name in its middle, since names of batches often differ in their ends."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    end = most // 2
    return f"{line[: most - 1 - end]}…{line[-end:]}"
