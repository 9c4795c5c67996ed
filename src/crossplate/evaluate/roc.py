"""ROC curves of class probabilities, one class against the rest."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.metrics import auc, roc_curve

from crossplate.evaluate.scores import Labels, checked_proba, score

MOST_POINTS = 400
"""Points of a curve; more would not show in a figure."""

__all__ = ["RocCurve", "roc_curves"]


@dataclass(frozen=True)
class RocCurve:
    """ROC curve of one class.

    Attributes
    ----------
    label
        The class, as text.
    false_positive_rate, true_positive_rate
        Points of the curve from (0, 0) to (1, 1).
    auc
        Area under the curve of all points.
    """

    label: str
    false_positive_rate: tuple[float, ...]
    true_positive_rate: tuple[float, ...]
    auc: float

    def to_dict(self) -> dict[str, Any]:
        """Return the curve as plain values that ``json.dumps`` accepts."""
        return {
            "label": self.label,
            "false_positive_rate": list(self.false_positive_rate),
            "true_positive_rate": list(self.true_positive_rate),
            "auc": self.auc,
        }


def roc_curves(
    y_true: Labels, proba: ArrayLike, classes: Iterable[Hashable]
) -> tuple[RocCurve, ...]:
    """Draw the ROC curve of each class that is present, and not the only one.

    Parameters
    ----------
    y_true, proba, classes
        As in `crossplate.evaluate.score`. Rows without a label, or of a class that is none of
        ``classes``, are left out.

    Returns
    -------
    Two classes: the curve of the positive one; more: of each class that is present against the
    rest. Empty where fewer than two classes are present.

    Raises
    ------
    InputError
        As `crossplate.evaluate.score`.
    """
    found = score(y_true, proba, classes)
    names = list(found.classes)
    codes = pd.Index(names, dtype=object).get_indexer(
        np.array(pd.Series(y_true, dtype=object), dtype=object)
    )
    known = codes >= 0
    p = checked_proba(proba, len(names))[known]
    present = [place for place in range(len(names)) if found.counts[place]]
    if len(present) < 2:
        return ()
    if found.positive_class is not None:
        present = [names.index(found.positive_class)]
    curves = []
    for place in present:
        x, y, _ = roc_curve(codes[known] == place, p[:, place])
        area = float(auc(x, y))
        shown = np.unique(np.linspace(0, len(x) - 1, min(len(x), MOST_POINTS)).round().astype(int))
        curves.append(
            RocCurve(str(names[place]), tuple(x[shown].tolist()), tuple(y[shown].tolist()), area)
        )
    return tuple(curves)
