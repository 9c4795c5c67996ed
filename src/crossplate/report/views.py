"""Samples before and after calibration as points of planes, for page and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from crossplate.report.embedding import Embedding, Points
from crossplate.report.samples import Samples

# More points only blacken a picture and slow a page down.
MOST_POINTS = 5000

__all__ = ["MOST_POINTS", "View", "embedding_views", "view_of"]


@dataclass(frozen=True)
class View:
    """The same samples before and after calibration in one plane.

    Attributes
    ----------
    name
        Method of the plane, such as ``"PCA"``.
    caption
        What the plane is.
    axes
        Names of the two axes.
    before, after
        One point a sample, in the same order.
    samples
        What is known of them.
    n_total
        Samples there were before a random choice of them was taken.
    """

    name: str
    caption: str
    axes: tuple[str, str]
    before: Points
    after: Points
    samples: Samples
    n_total: int


def embedding_views(
    embedding: Embedding | None,
    samples: Samples | None,
    evaluation: Mapping[str, Any] | None,
) -> tuple[View, ...]:
    """All planes there are: t-SNE first, then principal components.

    Parameters
    ----------
    embedding
        Principal components that were made with the summary.
    samples
        All samples; planes of the evaluation need them.
    evaluation
        As in evaluation.json, of which ``embedding`` is read: ``tsne_before``, ``tsne_after``,
        ``pca_before``, ``pca_after``, points of the samples at the positions ``rows``.
    """
    found = (evaluation or {}).get("embedding") or {}
    # The summary's own components come with their shares of variance.
    keys = ("tsne",) if embedding is not None else ("tsne", "pca")
    views = [
        _view_of_evaluation(found, key, samples)
        for key in keys
        if samples is not None and found.get(f"{key}_before") and found.get(f"{key}_after")
    ]
    if embedding is not None:
        views.append(view_of(embedding, samples))
    return tuple(views)


def view_of(embedding: Embedding, samples: Samples | None = None) -> View:
    """Principal components, with the samples' ids, subjects and calls where these are known."""
    shown = Samples(embedding.batch, embedding.label)
    if samples is not None and embedding.rows is not None:
        shown = samples.at(embedding.rows)
    return View(
        name="PCA",
        caption=_caption("pca"),
        axes=_component_names(embedding.explained),
        before=embedding.before,
        after=embedding.after,
        samples=shown,
        n_total=embedding.n_total,
    )


def _caption(key: str) -> str:
    if key == "tsne":
        return (
            "Samples in a t-SNE map, made of the data before and after calibration together, so "
            "that both panels share their axes; distances between far groups mean little."
        )
    return (
        "Samples on the first two principal components of the data before and after calibration "
        "together, so that both panels share their axes."
    )


def _component_names(explained: Sequence[float]) -> tuple[str, str]:
    first, second = (
        f"component {number} ({share:.0%} of variance)"
        for number, share in enumerate(explained[:2], start=1)
    )
    return first, second


def _view_of_evaluation(found: Mapping[str, Any], key: str, samples: Samples) -> View:
    before, after = found[f"{key}_before"], found[f"{key}_after"]
    rows = found.get("rows") or range(len(before))
    places = list(range(len(before)))
    if len(places) > MOST_POINTS:
        drawn = np.random.default_rng(0).choice(len(places), MOST_POINTS, replace=False)
        places = np.sort(drawn).tolist()
    axes = ("t-SNE 1", "t-SNE 2") if key == "tsne" else ("component 1", "component 2")
    return View(
        name="t-SNE" if key == "tsne" else "PCA",
        caption=_caption(key),
        axes=axes,
        before=_points(before, places),
        after=_points(after, places),
        samples=samples.at(rows[place] for place in places),
        n_total=len(samples.batch),
    )


def _points(given: Sequence[Sequence[float]], places: Sequence[int]) -> Points:
    return tuple((float(given[place][0]), float(given[place][1])) for place in places)
