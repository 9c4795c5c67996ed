"""Areas under ROC curves of many features at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]

__all__ = ["feature_auc"]


def feature_auc(x: Floats, codes: NDArray[np.int64], n_classes: int) -> Floats:
    """AUC of every feature for each class against the rest.

    Parameters
    ----------
    x
        Measurements, shape (n, p), no missing value.
    codes
        Class of each row, 0 to ``n_classes`` - 1, each present and none alone, shape (n,).
    n_classes
        Number of classes K.

    Returns
    -------
    Shape (K, p); above 0.5 where the feature is higher in the class.
    """
    inside = np.eye(n_classes)[codes]
    sizes = inside.sum(axis=0)[:, None]
    wins = inside.T @ rankdata(x, axis=0) - sizes * (sizes + 1) / 2
    return np.asarray(wins / (sizes * (len(codes) - sizes)))
