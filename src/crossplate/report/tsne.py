"""Samples before and after calibration on one map: t-SNE, with PCA of the same samples beside it.

References
----------
.. [Kobak2019] D. Kobak and P. Berens, "The art of using t-SNE for single-cell transcriptomics",
   Nature Communications 10, 5416 (2019).
.. [Policar2024] P. G. Policar, M. Strazar and B. Zupan, "openTSNE: a modular Python library for
   t-SNE dimensionality reduction and embedding", Journal of Statistical Software 109(3) (2024).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from crossplate.report.embedding import Floats, Points, checked_pair, checked_texts, point_pairs

MAX_ROWS = 20_000
PERPLEXITY = 30.0
# Fewer have no neighbourhoods that a map could show.
MIN_ROWS = 5
# Enough components to hold the neighbourhoods, few enough to find neighbours quickly [Kobak2019]_.
N_COMPONENTS = 50

__all__ = ["TsneEmbedding", "tsne_embedding"]


@dataclass(frozen=True)
class TsneEmbedding:
    """The same samples before and after calibration on a t-SNE map and in the plane of a PCA.

    Attributes
    ----------
    tsne_before, tsne_after
        Place of each sample on the one map of all; empty where no map can be made, for the
        reason among the notices.
    pca_before, pca_after
        Place of each sample on the first two axes of the PCA.
    rows
        Row number of each sample in the table the map was made of, ascending.
    explained
        Share of the variance of before and after together along either axis of the PCA.
    notices
        What the reader of the picture should know.
    """

    tsne_before: Points
    tsne_after: Points
    pca_before: Points
    pca_after: Points
    rows: tuple[int, ...]
    explained: tuple[float, float]
    notices: tuple[str, ...]

    def to_dict(self) -> dict[str, list[Any]]:
        """Return points as [x, y] and the row numbers, ready for JSON."""
        places = {
            "tsne_before": self.tsne_before,
            "tsne_after": self.tsne_after,
            "pca_before": self.pca_before,
            "pca_after": self.pca_after,
        }
        return {name: [list(point) for point in points] for name, points in places.items()} | {
            "rows": list(self.rows)
        }


def tsne_embedding(
    before: ArrayLike,
    after: ArrayLike,
    max_rows: int = MAX_ROWS,
    *,
    batch: Iterable[Any] | None = None,
    label: Iterable[Any] | None = None,
    random_state: int = 0,
) -> TsneEmbedding:
    """Place samples before and after calibration on one t-SNE map and in the plane of one PCA.

    Both are fitted once, on before and after together, so that all pictures share their axes and
    a sample can be followed from one to the other. The map is that of openTSNE [Policar2024]_, of
    the first 50 principal components, begun from the first two of them so that large distances
    keep some meaning [Kobak2019]_. It shows neighbourhoods; sizes of groups and distances between
    them mean little.

    Parameters
    ----------
    before, after
        The same samples in rows and the same features in columns, shape (n, p), in the same
        units, no missing value. Features should be on one scale (logarithms or standard
        deviations), since those of large variance make the map.
    max_rows
        Most samples shown; of more, so many are drawn at random, one at least of each class in
        each batch. 20,000 are all a screen can tell apart, and take minutes.
    batch, label
        Batch and label of each sample, shape (n,), missing (None, NaN, NA) where unknown; they
        have no part in the map.
    random_state
        Seed of that draw and of the map: the same seed makes the same picture.

    Raises
    ------
    InputError
        If shapes do not fit, there is no row, or values are missing or infinite.
    """
    first, second = checked_pair(before, after)
    n = len(first)
    groups = list(
        zip(checked_texts(batch, n, "batch"), checked_texts(label, n, "label"), strict=True)
    )
    rows, notices = np.arange(n), []
    if n > max_rows:
        rows = _drawn(groups, max_rows, random_state)
        notices.append(f"The map of samples shows {len(rows):,} of {n:,} samples, drawn at random.")
    pooled = np.concatenate([first[rows], second[rows]])
    components, explained = _principal_components(pooled, random_state)
    reason = _why_no_map(components)
    if reason is None:
        places = _fitted(components, random_state)
    else:
        places = np.empty((0, 2))
        notices.append(f"{reason}; PCA is shown alone.")
    return TsneEmbedding(
        tsne_before=point_pairs(places[: len(rows)]),
        tsne_after=point_pairs(places[len(rows) :]),
        pca_before=point_pairs(components[: len(rows), :2]),
        pca_after=point_pairs(components[len(rows) :, :2]),
        rows=tuple(rows.tolist()),
        explained=explained,
        notices=tuple(notices),
    )


def _drawn(
    groups: list[tuple[str | None, str | None]], max_rows: int, random_state: int
) -> NDArray[np.intp]:
    """Rows drawn at random after one of each group, ascending."""
    order = np.random.default_rng(random_state).permutation(len(groups))
    codes = pd.MultiIndex.from_tuples(groups).factorize()[0][order]
    first_of_group = ~pd.Series(codes).duplicated().to_numpy()
    return np.sort(np.concatenate([order[first_of_group], order[~first_of_group]])[:max_rows])


def _principal_components(pooled: Floats, random_state: int) -> tuple[Floats, tuple[float, float]]:
    """Up to 50 components, two at least (zeros if need be), and the shares of the first two."""
    from sklearn.decomposition import PCA

    n_components = min(N_COMPONENTS, *pooled.shape)
    components = np.zeros((len(pooled), max(2, n_components)))
    explained = np.zeros(max(2, n_components))
    # Without any spread there are no axes, and the share of variance would be 0 / 0.
    if np.ptp(pooled, axis=0).any():
        pca = PCA(n_components=n_components, random_state=random_state)
        components[:, :n_components] = pca.fit_transform(pooled)
        explained[:n_components] = pca.explained_variance_ratio_
    return components, (float(explained[0]), float(explained[1]))


def _why_no_map(components: Floats) -> str | None:
    if find_spec("openTSNE") is None:
        return "t-SNE needs the package openTSNE (pip install openTSNE)"
    if len(components) < 2 * MIN_ROWS:
        return f"t-SNE of fewer than {MIN_ROWS} samples shows nothing"
    if not components.any():
        return "t-SNE of samples that are all alike shows nothing"
    return None


def _fitted(components: Floats, random_state: int) -> Floats:
    """Place the rows of both tables on one map."""
    from openTSNE import TSNE
    from openTSNE.initialization import jitter, rescale

    tsne = TSNE(
        # A point needs three times as many neighbours as the perplexity.
        perplexity=min(PERPLEXITY, (len(components) - 1) / 3),
        # Threads add up forces in any order, and the picture would change from run to run.
        n_jobs=1,
        random_state=random_state,
    )
    start = jitter(rescale(components[:, :2]), random_state=random_state)
    return np.asarray(tsne.fit(components, initialization=start), dtype=np.float64)
