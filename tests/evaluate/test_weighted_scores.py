"""Scores of subjects counted several times against the scores of as many copies of their rows."""

from __future__ import annotations

import numpy as np
import pytest

from crossplate.evaluate import score
from crossplate.evaluate.weighted_scores import subject_sums, weighted_scores

NAMES = ["accuracy", "balanced_accuracy", "f1", "mcc", "roc_auc", "brier"]


def random_case(
    seed: int, n_classes: int, n: int = 90
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes, probabilities with ties, and subjects."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(n_classes, size=n)
    share = rng.dirichlet(np.ones(n_classes), size=n) + 0.5 * np.eye(n_classes)[codes]
    p = rng.multinomial(10, share / share.sum(axis=1, keepdims=True)) / 10
    return codes, p, rng.integers(25, size=n)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_scores_of_a_resample_are_those_of_its_rows(seed: int, n_classes: int) -> None:
    codes, p, who = random_case(seed, n_classes)
    weights = np.random.default_rng(seed).multinomial(25, np.full(25, 1 / 25), size=4)
    found = weighted_scores(
        subject_sums(codes, p, who, 25, 1 if n_classes == 2 else None), weights.astype(float)
    )
    for draw, times in enumerate(weights):
        rows = np.repeat(np.arange(len(who)), times[who])
        whole = score(codes[rows], p[rows], range(n_classes))
        for name in NAMES:
            assert found[name][draw] == pytest.approx(getattr(whole, name), abs=1e-12), name
