"""What the page's script draws, as plain data: the same figures as `figures` has, to be hovered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crossplate.report.boxes import Box, BoxPlots
from crossplate.report.evaluation_figures import (
    batch_classifier_bars,
    coverage_points,
    histogram_of,
    roc_curves,
    variance_points,
)
from crossplate.report.figures import SCORES_DRAWN, WIDE_RANGE, ends_of
from crossplate.report.summary import Distance, Level, LossCurve
from crossplate.report.tables import OWN
from crossplate.report.views import View

Chart = dict[str, Any]

# Significant digits of coordinates; finer ones are no pixel apart.
_DIGITS = 4

__all__ = [
    "batch_classifier_chart",
    "box_data",
    "calibration_chart",
    "coverage_chart",
    "distance_chart",
    "embedding_data",
    "loss_charts",
    "permutation_chart",
    "roc_chart",
    "score_charts",
    "variance_chart",
]


def score_charts(level: Level, intervals: Mapping[str, Any] | None) -> list[Chart]:
    """Bars of accuracy and balanced accuracy of all methods."""
    names = [str(name) for name in level.scores.column("Method")]
    charts = []
    for title, score in SCORES_DRAWN.items():
        reach = ends_of((intervals or {}).get(score))
        bars = [
            {
                "name": name,
                "value": _short(value),
                "reach": None if name != OWN or reach is None else [_short(end) for end in reach],
                "own": name == OWN,
            }
            for name, value in zip(names, level.scores.column(title), strict=True)
        ]
        charts.append({"kind": "bars", "title": title, "bars": bars, "whole": True})
    return charts


def distance_chart(distances: Sequence[Distance]) -> Chart | None:
    """Bars of root MMD, each with its own line within a batch."""
    if not distances:
        return None
    bars = [
        {
            "name": one.data,
            "value": _short(one.across),
            "reach": [_short(one.across - one.across_sd), _short(one.across + one.across_sd)],
            "own": one.data == "calibrated",
            "line": _short(one.in_batch),
        }
        for one in distances
    ]
    title = "Distance between batches (root MMD)"
    return {"kind": "bars", "title": title, "bars": bars, "line": "within a batch"}


def batch_classifier_chart(found: Mapping[str, Any] | None) -> Chart | None:
    """Bars of telling the batch, with the line of chance."""
    bars = []
    for bar in batch_classifier_bars(found):
        reach = ends_of(bar)
        bars.append(
            {
                "name": bar["name"],
                "value": _short(bar["value"]),
                "reach": None if reach is None else [_short(end) for end in reach],
                "own": bar["own"],
                "line": _short((found or {}).get("chance")),
            }
        )
    if not bars:
        return None
    title = "Accuracy of telling the batch"
    return {"kind": "bars", "title": title, "bars": bars, "line": "chance", "whole": True}


def loss_charts(curves: Sequence[LossCurve]) -> list[Chart]:
    """Lines of a loss over the epochs, one a member."""
    charts = []
    for curve in curves:
        values = [value for line in curve.members for _, value in line]
        charts.append(
            {
                "kind": "lines",
                "title": curve.name,
                "x": "epoch",
                "y": "loss",
                "log": min(values) > 0 and max(values) > WIDE_RANGE * min(values),
                "lines": [
                    {
                        "name": f"member {number}",
                        "x": [epoch for epoch, _ in line],
                        "y": [_short(value) for _, value in line],
                    }
                    for number, line in enumerate(curve.members, start=1)
                ],
            }
        )
    return charts


def roc_chart(roc: Mapping[str, Any] | None) -> Chart | None:
    """ROC curves."""
    lines = [
        {"name": name, "x": [_short(one) for one in x], "y": [_short(one) for one in y]}
        for name, x, y in roc_curves(roc or {})
    ]
    if not lines:
        return None
    return {
        "kind": "lines",
        "title": "ROC curve",
        "x": "false positive rate",
        "y": "true positive rate",
        "unit": True,
        "diagonal": True,
        "legend": True,
        "lines": lines,
    }


def calibration_chart(calibration: Mapping[str, Any] | None) -> Chart | None:
    """Calibration curves with intervals."""
    bins = (calibration or {}).get("curve") or []
    lines = []
    for name in dict.fromkeys(str(one["class"]) for one in bins):
        own = [one for one in bins if str(one["class"]) == name]
        lines.append(
            {
                "name": name,
                "x": [_short(one["predicted"]) for one in own],
                "y": [_short(one["observed"]) for one in own],
                "low": [_short(one["low"]) for one in own],
                "high": [_short(one["high"]) for one in own],
                "n": [int(one["n"]) for one in own],
            }
        )
    if not lines:
        return None
    return {
        "kind": "lines",
        "title": "Calibration",
        "x": "probability",
        "y": "observed share",
        "unit": True,
        "diagonal": True,
        "legend": True,
        "lines": lines,
    }


def coverage_chart(coverage: Mapping[str, Any] | None) -> Chart | None:
    """Accuracy of the surest calls."""
    x, y = coverage_points(coverage)
    if not x:
        return None
    return {
        "kind": "lines",
        "title": "Accuracy of the surest",
        "x": "share called",
        "y": "accuracy",
        "unit": True,
        "lines": [
            {
                "name": "surest calls",
                "x": [_short(one) for one in x],
                "y": [_short(one) for one in y],
            }
        ],
    }


def permutation_chart(permutation: Mapping[str, Any] | None) -> Chart | None:
    """Histogram of the scores with shuffled labels."""
    if not permutation or not permutation.get("null"):
        return None
    edges, counts = histogram_of(permutation)
    score = str(permutation.get("score", "score")).replace("_", " ")
    return {
        "kind": "histogram",
        "title": f"{score.capitalize()} with shuffled labels",
        "x": score,
        "y": "shuffles",
        "edges": [_short(edge) for edge in edges],
        "counts": counts,
        "line": _short(permutation["observed"]),
        "line_name": "true labels",
    }


def variance_chart(shares: Mapping[str, Any] | None) -> Chart | None:
    """A dot a feature: its share of label and of batch."""
    points = variance_points(shares)
    if points is None:
        return None
    return {
        "kind": "dots",
        "title": "Variance of each feature",
        "x": "share of the label",
        "y": "share of the batch",
        "names": [str(name) for name in points["feature"]],
        "xs": [_short(one) for one in points["label"]],
        "ys": [_short(one) for one in points["batch"]],
    }


def embedding_data(views: Sequence[View]) -> list[Chart]:
    """Points of each plane, and what is known of the samples, as codes of names."""
    data = []
    for view in views:
        known = view.samples
        columns = {
            "batch": _coded(known.batch, ordered=False),
            "label": _coded(known.label),
            "called": _coded(known.called),
            "subject": _coded(known.subject, ordered=False),
        }
        data.append(
            {
                "name": view.name,
                "caption": view.caption,
                "axes": list(view.axes),
                "before": [
                    [_short(one) for one in axis] for axis in zip(*view.before, strict=True)
                ],
                "after": [[_short(one) for one in axis] for axis in zip(*view.after, strict=True)],
                "sample": None if known.sample is None else list(known.sample),
                "columns": {name: column for name, column in columns.items() if column},
                "confidence": None
                if known.confidence is None
                else [_short(one) for one in known.confidence],
            }
        )
    return data


def _coded(values: Sequence[str | None] | None, *, ordered: bool = True) -> Chart | None:
    """Names once, and for each sample the place of its own, -1 where there is none."""
    if values is None:
        return None
    names = list(dict.fromkeys(value for value in values if value is not None))
    if ordered:
        names.sort()
    place = {name: number for number, name in enumerate(names)}
    return {"names": names, "codes": [-1 if one is None else place[one] for one in values]}


def box_data(boxes: BoxPlots | None) -> Chart | None:
    """Boxes of each feature as lists: n, low, q1, median, q3, high, then outliers."""
    if boxes is None or not boxes.features:
        return None
    return {
        "batches": list(boxes.batches),
        "labels": list(boxes.labels),
        "features": {name: [_box(box) for box in its] for name, its in boxes.features.items()},
    }


def _box(box: Box | None) -> list[Any] | None:
    if box is None:
        return None
    ends = (box.low, box.q1, box.median, box.q3, box.high, *box.outliers)
    return [box.n, *(_short(one) for one in ends)]


def _short(value: Any) -> float | None:
    return None if value is None else float(f"{float(value):.{_DIGITS}g}")
