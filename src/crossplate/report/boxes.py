"""Box plots as a few numbers for each feature, batch and label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossplate.evaluate.subject_values import SubjectValues

# Outliers shown of a box; the farthest on either side.
MOST_OUTLIERS = 8
# Features that boxes are kept of, so that the page stays small.
MOST_FEATURES = 2000

__all__ = ["MOST_FEATURES", "Box", "BoxPlots", "box_plots"]


@dataclass(frozen=True)
class Box:
    """Quartiles, ends of the whiskers (farthest within 1.5 interquartile ranges), outliers."""

    n: int
    low: float
    q1: float
    median: float
    q3: float
    high: float
    outliers: tuple[float, ...]


@dataclass(frozen=True)
class BoxPlots:
    """Boxes of subject medians.

    Attributes
    ----------
    batches, labels
        Names, in order.
    features
        Feature → one box for each batch and label, batches outside, None where no subject is.
    """

    batches: tuple[str, ...]
    labels: tuple[str, ...]
    features: dict[str, tuple[Box | None, ...]]


def box_plots(values: SubjectValues, features: Sequence[str]) -> BoxPlots:
    """Boxes of subject medians by batch and label.

    Parameters
    ----------
    values
        From `crossplate.evaluate.subject_values.subject_values`.
    features
        Names of those to summarise, the first `MOST_FEATURES` of them; unknown ones are left out.
    """
    batch, label = values.batch.astype(str), values.label.astype(str)
    batches, labels = list(dict.fromkeys(batch)), sorted(set(label))
    groups = [(batch == one) & (label == other) for one in batches for other in labels]
    place = {name: column for column, name in enumerate(values.features)}
    known = [name for name in dict.fromkeys(features) if name in place][:MOST_FEATURES]
    return BoxPlots(
        batches=tuple(batches),
        labels=tuple(labels),
        features={
            name: tuple(_box(values.medians[rows, place[name]]) for rows in groups)
            for name in known
        },
    )


def _box(values: NDArray[np.float64]) -> Box | None:
    values = np.sort(values[np.isfinite(values)])
    if not values.size:
        return None
    q1, median, q3 = (float(one) for one in np.quantile(values, [0.25, 0.5, 0.75]))
    reach = 1.5 * (q3 - q1)
    inside = values[(values >= q1 - reach) & (values <= q3 + reach)]
    outside = values[(values < q1 - reach) | (values > q3 + reach)]
    farthest = np.argsort(-np.abs(outside - median), kind="stable")[:MOST_OUTLIERS]
    return Box(
        n=len(values),
        low=float(inside[0]),
        q1=q1,
        median=median,
        q3=q3,
        high=float(inside[-1]),
        outliers=tuple(float(one) for one in outside[np.sort(farthest)]),
    )
