"""Small plates for the joint model's tests."""

from typing import NamedTuple

import numpy as np
import pytest


class Rows(NamedTuple):
    """Two batches of Gaussian classes, the second shifted and stretched feature by feature."""

    X: np.ndarray
    truth: np.ndarray
    y: np.ndarray
    batch: np.ndarray


def make_rows(seed=0, n=60, p=12, classes=("control", "disease"), distance=2.0):
    rng = np.random.default_rng(seed)
    truth = np.resize(np.array(classes, dtype=object), 2 * n)
    centres = rng.normal(size=(len(classes), p))
    centres *= distance / np.linalg.norm(centres, axis=1, keepdims=True)
    codes = np.array([classes.index(name) for name in truth])
    X = rng.normal(size=(2 * n, p)) + centres[codes]
    X[n:] = X[n:] * np.exp(rng.normal(0, 0.7, size=p)) + rng.normal(0, 1, size=p)
    X[n:] += 2.0 * (centres[1] - centres[0])  # an uncorrected classifier calls all alike
    y = truth.copy()
    y[n:] = None
    return Rows(X, truth, y, np.repeat(["plate A", "plate B"], n))


@pytest.fixture
def rows():
    return make_rows()
