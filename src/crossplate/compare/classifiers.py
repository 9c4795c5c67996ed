"""The classifiers that follow a corrector: trained on the source's rows, subjects not read."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

from crossplate.compare.discriminator import Discriminator
from crossplate.evaluate import fit_predict, zscore_logistic_regression

FloatArray = npt.NDArray[np.float64]
Labels = npt.NDArray[np.object_]
Mask = npt.NDArray[np.bool_]

__all__ = ["CLASSIFIERS", "RANDOM_CLASSIFIERS"]


def _discriminator(z: FloatArray, y: Labels, target: Mask, seed: int) -> pd.DataFrame:
    return fit_predict(Discriminator(random_state=seed), z, y, target)


def _logistic(z: FloatArray, y: Labels, target: Mask, seed: int) -> pd.DataFrame:
    return zscore_logistic_regression(z, y, target)


def _forest(z: FloatArray, y: Labels, target: Mask, seed: int) -> pd.DataFrame:
    forest = RandomForestClassifier(n_estimators=500, n_jobs=1, random_state=seed)
    return fit_predict(forest, z, y, target)


CLASSIFIERS: dict[str, Callable[[FloatArray, Labels, Mask, int], pd.DataFrame]] = {
    "discriminator": _discriminator,
    "logistic": _logistic,
    "forest": _forest,
}
"""Name → class probabilities of the target's rows from (standardised rows, labels with None for
the target, target rows, seed): the discriminator of [Niu2022] alone; logistic regression with
C = 0.1, that of :func:`crossplate.evaluate.zscore_logistic_regression`; 500 random trees."""

RANDOM_CLASSIFIERS = frozenset({"discriminator", "forest"})
"""Classifiers whose result depends on the seed."""
