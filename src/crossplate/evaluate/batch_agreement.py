"""What batches have in common that were searched for biomarkers one by one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import hypergeom, spearmanr

from crossplate.evaluate.scores import Floats

__all__ = ["Intersection", "agreement_of", "intersections_of"]


@dataclass(frozen=True)
class Intersection:
    """Features that were selected in exactly these batches.

    Attributes
    ----------
    batches, features
        Names, in order.
    n_same_direction
        Features whose effects go the same way in all of the batches: the labels that are higher
        than the others in one are so, on the whole, in the others.
    """

    batches: tuple[str, ...]
    features: tuple[str, ...]
    n_same_direction: int

    def to_dict(self) -> dict[str, Any]:
        """Return the intersection as plain values that ``json.dumps`` accepts."""
        return {
            "batches": list(self.batches),
            "n_features": len(self.features),
            "n_same_direction": self.n_same_direction,
            "features": list(self.features),
        }


def intersections_of(
    selected: NDArray[np.bool_], effects: list[pd.DataFrame], batches: tuple[str, ...]
) -> tuple[Intersection, ...]:
    """Combinations of batches that have features to themselves, most batches first.

    Parameters
    ----------
    selected
        Whether each feature was selected in each batch, shape (batches, p).
    effects
        For each batch, effect of each feature (columns) on each label (index) against the others.
    batches
        Names, in order. A single batch is there even without any feature.
    """
    names = effects[0].columns
    where: dict[tuple[int, ...], list[int]] = {(at,): [] for at in range(len(batches))}
    for column in np.flatnonzero(selected.any(axis=0)):
        these = tuple(int(at) for at in np.flatnonzero(selected[:, column]))
        where.setdefault(these, []).append(int(column))
    intersections = []
    for these, columns in where.items():
        same = np.ones(len(names), dtype=bool)
        for one, other in combinations(these, 2):
            same &= _same_direction(effects[one], effects[other])
        intersections.append(
            Intersection(
                tuple(batches[at] for at in these),
                tuple(str(names[column]) for column in columns),
                int(same[columns].sum()),
            )
        )
    intersections.sort(key=lambda one: (-len(one.batches), -len(one.features)))
    return tuple(intersections)


def agreement_of(
    selected: NDArray[np.bool_], effects: list[pd.DataFrame], batches: tuple[str, ...]
) -> pd.DataFrame:
    """Compare pairs of batches.

    Parameters
    ----------
    selected, effects, batches
        As in `intersections_of`.

    Returns
    -------
    pandas.DataFrame
        One row a pair; columns

        - ``batch_a``, ``batch_b``;
        - ``n_a``, ``n_b``: features selected in each; ``n_both``: in both;
        - ``expected_both``, ``p_both``: how many by chance, and the probability of so many or more
          (hypergeometric);
        - ``n_either``: features selected in one or both; ``n_same_direction``: those of them whose
          effects go the same way;
        - ``effect_correlation``: Spearman's correlation of the effects of all features on the
          labels that both batches have, NaN where there is none.
    """
    columns = ["batch_a", "batch_b", "n_a", "n_b", "n_both", "expected_both", "p_both", "n_either",
               "n_same_direction", "effect_correlation"]  # fmt: skip
    rows = []
    for one, other in combinations(range(len(batches)), 2):
        first, second = selected[one], selected[other]
        n_a, n_b, n_both = int(first.sum()), int(second.sum()), int((first & second).sum())
        either = first | second
        rows.append(
            (
                batches[one],
                batches[other],
                n_a,
                n_b,
                n_both,
                n_a * n_b / len(first),
                float(hypergeom.sf(n_both - 1, len(first), n_a, n_b)),
                int(either.sum()),
                int((_same_direction(effects[one], effects[other]) & either).sum()),
                _effect_correlation(effects[one], effects[other]),
            )
        )
    return pd.DataFrame(rows, columns=columns)


def _same_direction(one: pd.DataFrame, other: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether the effects of each feature go the same way in two batches, shape (p,)."""
    a, b = _on_common_labels(one, other)
    return np.asarray((a * b).sum(axis=0) > 0)


def _on_common_labels(one: pd.DataFrame, other: pd.DataFrame) -> tuple[Floats, Floats]:
    common = one.index.intersection(other.index)
    return one.loc[common].to_numpy(), other.loc[common].to_numpy()


def _effect_correlation(one: pd.DataFrame, other: pd.DataFrame) -> float:
    a, b = (part.ravel() for part in _on_common_labels(one, other))
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < 3 or any(np.ptp(effect[both]) == 0 for effect in (a, b)):
        return float("nan")
    return float(spearmanr(a[both], b[both]).statistic)
