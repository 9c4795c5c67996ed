"""Figures of an evaluation: ROC, calibration, confusion, shuffled labels, telling the batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crossplate.report.canvas import (
    BARS_ONLY,
    INK,
    OTHER_COLOUR,
    OWN_COLOUR,
    PALETTE,
    WITH_NUMBERS,
    Margins,
    short_numbers,
)
from crossplate.report.figures import BAR_HEIGHT, BAR_MARGIN, MOST_CHARACTERS, WIDTH, bars_only
from crossplate.report.pictures import Panel, Picture
from crossplate.report.summary import DATA_NAMES
from crossplate.report.wording import clipped, decimal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SQUARE = 340
HISTOGRAM_HEIGHT = 240
# Points of a curve; more cannot be told apart on a screen.
MOST_CURVE_POINTS = 400
_CELL = 62
_LINE_COLOUR = PALETTE[1]

__all__ = [
    "batch_classifier_bars",
    "batch_classifier_picture",
    "calibration_picture",
    "confusion_picture",
    "coverage_picture",
    "coverage_points",
    "histogram_of",
    "permutation_picture",
    "roc_curves",
    "roc_picture",
    "variance_picture",
    "variance_points",
]


def roc_curves(roc: Mapping[str, Any]) -> list[tuple[str, list[float], list[float]]]:
    """Curves of ``evaluation["roc"]``: name with area, false and true positive rates."""
    curves = []
    for one in roc.get("classes") or []:
        x, y = one["false_positive_rate"], one["true_positive_rate"]
        places = np.unique(np.linspace(0, len(x) - 1, min(len(x), MOST_CURVE_POINTS)).astype(int))
        name = f"{one['label']} (AUC {decimal(one.get('auc'))})"
        curves.append((name, [float(x[i]) for i in places], [float(y[i]) for i in places]))
    return curves


def roc_picture(roc: Mapping[str, Any] | None) -> Picture | None:
    """ROC curve of each class against the others; None without."""
    curves = roc_curves(roc or {})
    if not curves:
        return None

    def paint(ax: Axes) -> None:
        ax.plot([0, 1], [0, 1], color=OTHER_COLOUR, lw=0.8, ls=":")
        for place, (_, x, y) in enumerate(curves):
            ax.plot(x, y, color=PALETTE[place % len(PALETTE)], lw=1.4)
        _unit_square(ax, "false positive rate", "true positive rate")

    told = "; ".join(name for name, _, _ in curves)
    panel = Panel("ROC curve", paint, SQUARE, SQUARE, WITH_NUMBERS, "roc", f"ROC curves: {told}.")
    caption = (
        "Share of a class that is found against share of the others taken for it, as the "
        "threshold on its probability falls. Dotted: chance."
    )
    legend = tuple(
        (PALETTE[place % len(PALETTE)], name) for place, (name, _, _) in enumerate(curves)
    )
    return Picture(caption, legend, (panel,))


def calibration_picture(calibration: Mapping[str, Any] | None) -> Picture | None:
    """Observed share of each class against the announced probability; None without."""
    bins = (calibration or {}).get("curve") or []
    if not calibration or not bins:
        return None
    classes = list(dict.fromkeys(str(one["class"]) for one in bins))

    def paint(ax: Axes) -> None:
        ax.plot([0, 1], [0, 1], color=OTHER_COLOUR, lw=0.8, ls=":")
        for place, name in enumerate(classes):
            own = [one for one in bins if str(one["class"]) == name]
            x, y = ([one[key] for one in own] for key in ("predicted", "observed"))
            reach = [
                [one["observed"] - one["low"] for one in own],
                [one["high"] - one["observed"] for one in own],
            ]
            colour = PALETTE[place % len(PALETTE)]
            ax.errorbar(x, y, yerr=np.maximum(reach, 0.0), color=colour, lw=1.2, ms=4, marker="o")
        _unit_square(ax, "probability", "observed share")

    alt = f"Calibration curve: mean error {decimal(calibration.get('ece'))}."
    panel = Panel("Calibration", paint, SQUARE, SQUARE, WITH_NUMBERS, "calibration", alt)
    legend = tuple((PALETTE[at % len(PALETTE)], name) for at, name in enumerate(classes))
    return Picture(_calibration_caption(calibration), legend, (panel,))


def _calibration_caption(calibration: Mapping[str, Any]) -> str:
    text = (
        "Observed share of a class among calls of similar probability, with 95% intervals over "
        "subjects. On the dotted line probabilities mean what they say."
    )
    if calibration.get("ece") is not None:
        text += f" Mean distance from it: {decimal(calibration['ece'])}"
        by_chance = calibration.get("ece_calibrated_95")
        if by_chance is not None:
            text += f" (up to {decimal(by_chance)} by chance alone)"
        text += "."
    return text


def coverage_points(coverage: Mapping[str, Any] | None) -> tuple[list[float], list[float]]:
    """Shares called and their accuracy in ``evaluation["accuracy_coverage"]``, fewest first."""
    points = sorted((one["coverage"], one["accuracy"]) for one in (coverage or {}).get("curve", []))
    return [float(share) for share, _ in points], [float(accuracy) for _, accuracy in points]


def coverage_picture(coverage: Mapping[str, Any] | None) -> Picture | None:
    """Accuracy of the surest calls against the share that they are of all; None without."""
    x, y = coverage_points(coverage)
    if not x:
        return None

    def paint(ax: Axes) -> None:
        ax.plot(x, y, color=PALETTE[0], lw=1.2, ms=4, marker="o")
        _unit_square(ax, "share called", "accuracy")

    told = "; ".join(f"{a:.0%} called {decimal(b)}" for a, b in zip(x, y, strict=True))
    alt = f"Accuracy of the surest calls: {told}."
    panel = Panel("Accuracy of the surest", paint, SQUARE, SQUARE, WITH_NUMBERS, "coverage", alt)
    caption = (
        "Accuracy when only the surest are called. The further the curve rises to the left, the "
        f"better low probabilities tell wrong calls; all called: {decimal(y[-1])}."
    )
    return Picture(caption, (), (panel,))


def confusion_picture(labels: Sequence[str], counts: Sequence[Sequence[int]], noun: str) -> Picture:
    """Called against true classes as shaded squares."""
    table = np.asarray(counts, dtype=float)
    totals = table.sum(axis=1, keepdims=True)
    shares = np.divide(table, totals, out=np.zeros_like(table), where=totals > 0)
    n = len(labels)

    def paint(ax: Axes) -> None:
        from matplotlib.patches import Rectangle

        for row in range(n):
            for column in range(n):
                corner = (column - 0.5, row - 0.5)
                alpha = 0.55 * shares[row, column]
                ax.add_patch(Rectangle(corner, 1, 1, color=OWN_COLOUR, alpha=alpha, linewidth=0))
                ax.text(column, row, f"{int(table[row, column]):,}", ha="center", va="center")
        names = [clipped(str(name), 12) for name in labels]
        ax.set_xticks(range(n), names)
        ax.set_yticks(range(n), names)
        ax.set(xlim=(-0.5, n - 0.5), ylim=(n - 0.5, -0.5), xlabel="called", ylabel="true")
        ax.tick_params(length=0)

    margins = Margins(left=108, right=12, bottom=46, top=6)
    width, height = 120 + max(_CELL, 90) * n, 52 + _CELL * n
    alt = f"Confusion matrix of {noun}s: true classes in rows, called ones in columns."
    panel = Panel("Calls and truth", paint, width, height, margins, f"confusion-{noun}", alt)
    caption = f"True class (rows) and called class (columns), {noun}s counted; shaded by row share."
    return Picture(caption, (), (panel,))


def histogram_of(permutation: Mapping[str, Any]) -> tuple[list[float], list[int]]:
    """Edges and counts of the scores with shuffled labels, the observed score in range."""
    null = np.asarray(permutation["null"], dtype=float)
    low = min(null.min(), permutation["observed"])
    high = max(null.max(), permutation["observed"])
    n_bins = int(np.clip(2 * np.sqrt(len(null)), 8, 40))
    counts, edges = np.histogram(null, bins=n_bins, range=(low, high if high > low else low + 1))
    return [float(edge) for edge in edges], [int(count) for count in counts]


def permutation_picture(permutation: Mapping[str, Any] | None) -> Picture | None:
    """Scores reached with shuffled labels, and the score reached with the true ones."""
    if not permutation or not permutation.get("null"):
        return None
    edges, counts = histogram_of(permutation)
    observed, score = permutation["observed"], str(permutation.get("score", "score"))

    def paint(ax: Axes) -> None:
        widths = np.diff(edges)
        ax.bar(edges[:-1], counts, width=widths * 0.92, align="edge", color=OTHER_COLOUR)
        ax.axvline(observed, color=_LINE_COLOUR, lw=2.5)
        short_numbers(ax)
        ax.set(xlabel=score.replace("_", " "), ylabel="shuffles")

    title = f"{score.replace('_', ' ').capitalize()} with shuffled labels"
    alt = f"{title}: observed {decimal(observed)}, p = {permutation['p_value']:.2g}."
    panel = Panel(title, paint, WIDTH, HISTOGRAM_HEIGHT, WITH_NUMBERS, "permutation", alt)
    n = permutation.get("n_permutations") or len(permutation["null"])
    caption = (
        f"Trained {n:,} times on source labels shuffled among subjects. Orange line: with the "
        f"true labels, {decimal(observed)} (p = {permutation['p_value']:.2g})."
    )
    return Picture(caption, (), (panel,))


def batch_classifier_bars(found: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Bars of ``evaluation["batch_classifier"]``: name, accuracy and its interval."""

    def name_of(one: Mapping[str, Any]) -> str:
        data = DATA_NAMES.get(one["data"], one["data"])
        return f"{data}, {one['classifier'].replace('_', ' ')}"

    return [
        {
            "name": name_of(one),
            "value": float(one["accuracy"]),
            "low": one.get("low"),
            "high": one.get("high"),
            "own": one["data"] == "after",
        }
        for one in (found or {}).get("accuracies") or []
    ]


def batch_classifier_picture(found: Mapping[str, Any] | None) -> Picture | None:
    """How often a classifier tells the batch, before and after; None without."""
    bars = batch_classifier_bars(found)
    if not found or not bars:
        return None
    chance = found.get("chance")
    told = "; ".join(f"{bar['name']} {bar['value']:.3f}" for bar in bars)
    panel = Panel(
        "Accuracy of telling the batch",
        _interval_bars(bars, chance),
        WIDTH,
        BAR_MARGIN + BAR_HEIGHT * len(bars),
        BARS_ONLY,
        "batch-classifier",
        f"Accuracy of telling the batch: {told}; chance {decimal(chance)}.",
    )
    caption = (
        "How often a classifier tells the batch of a sample it has not seen, with 95% intervals "
        f"over subjects. Orange line: always naming the largest batch ({decimal(chance)}), which "
        "is what remains without any batch effect."
    )
    return Picture(caption, (), (panel,))


def _interval_bars(
    bars: Sequence[Mapping[str, Any]], chance: float | None
) -> Callable[[Axes], None]:
    def paint(ax: Axes) -> None:
        for place, bar in enumerate(bars):
            colour = OWN_COLOUR if bar["own"] else OTHER_COLOUR
            value, end = bar["value"], bar["value"]
            ax.barh(place, value, height=0.36, color=colour)
            if bar["low"] is not None and bar["high"] is not None:
                reach = [[max(0.0, value - bar["low"])], [max(0.0, bar["high"] - value)]]
                ax.errorbar(value, place, xerr=reach, ecolor=INK, capsize=2, lw=0.8)
                end = bar["high"]
            if chance is not None:
                ax.plot([chance] * 2, [place - 0.26, place + 0.26], color=_LINE_COLOUR, lw=2.5)
            ax.text(0.0, place - 0.29, clipped(bar["name"], MOST_CHARACTERS), va="bottom")
            ax.text(max(end, chance or 0) + 0.015, place, decimal(value), va="center")
        ax.set_xlim(0.0, 1.15)
        ax.set_xticks([0.0, 0.25, 0.5, 0.75, 1.0])
        bars_only(ax, len(bars))

    return paint


def variance_points(shares: Mapping[str, Any] | None) -> pd.DataFrame | None:
    """Features of ``evaluation["variance_shares"]`` with their shares of batch and label."""
    if not shares or not {"feature", "batch", "label"} <= set(shares):
        return None
    frame = pd.DataFrame({name: shares[name] for name in ("feature", "batch", "label")})
    frame = frame.astype({"batch": float, "label": float}).dropna()
    return None if frame.empty else frame


def variance_picture(shares: Mapping[str, Any] | None) -> Picture | None:
    """Share of each feature's variance that goes with the batch and with the label."""
    points = variance_points(shares)
    if points is None:
        return None
    x, y = (points[name].to_numpy() for name in ("label", "batch"))

    def paint(ax: Axes) -> None:
        ax.scatter(x, y, s=9, color=OWN_COLOUR, alpha=0.5, linewidths=0, rasterized=True)
        high = 1.05 * max(_top(x), _top(y))
        ax.plot([0, high], [0, high], color=OTHER_COLOUR, lw=0.8, ls=":")
        ax.set(xlim=(-0.02 * high, high), ylim=(-0.02 * high, high))
        short_numbers(ax)
        ax.set(xlabel="share of the label", ylabel="share of the batch")

    middle = f"{np.median(y):.1%} by batch, {np.median(x):.1%} by label"
    panel = Panel(
        "Variance of each feature", paint, SQUARE, SQUARE, WITH_NUMBERS, "variance",
        f"Shares of variance of {len(points)} features, medians: {middle}.",
    )  # fmt: skip
    caption = (
        "Share of a feature's variance that the batch explains against that of the label, as "
        f"measured; a dot is a feature. Medians: {middle}. Above the dotted line the batch "
        "weighs more than the label."
    )
    return Picture(caption, (), (panel,))


def _top(values: NDArray[np.float64]) -> float:
    return max(float(values.max()), 0.01)


def _unit_square(ax: Axes, xlabel: str, ylabel: str) -> None:
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=xlabel, ylabel=ylabel)
    ax.locator_params(nbins=5)
