"""Tests of single features against scipy column by column, and effects by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kruskal, mannwhitneyu

from crossplate.evaluate.univariate import univariate_tests


def random_case(seed: int, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = rng.integers(n_classes, size=50)
    x = rng.normal(size=(50, 8)) + codes[:, None] * np.linspace(0, 1, 8)
    x[:, :2] = x[:, :2].round()
    x[rng.random(x.shape) < 0.1 * (np.arange(8) % 2)] = np.nan
    return x, codes


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_classes", [2, 3])
def test_p_values_and_their_adjustment(seed: int, n_classes: int) -> None:
    x, codes = random_case(seed, n_classes)
    found = univariate_tests(x, codes)
    test = mannwhitneyu if n_classes == 2 else kruskal
    p = []
    for column in x.T:
        kept = np.isfinite(column)
        groups = [column[kept & (codes == code)] for code in range(n_classes)]
        p.append(float(test(*groups).pvalue))
    np.testing.assert_allclose(found.p, p)
    order = np.argsort(p)
    by_hand = np.minimum.accumulate((np.sort(p) * 8 / np.arange(1, 9))[::-1])[::-1]
    np.testing.assert_allclose(found.q[order], np.minimum(by_hand, 1))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_classes", [2, 3])
def test_cliffs_delta_counts_pairs(seed: int, n_classes: int) -> None:
    x, codes = random_case(seed, n_classes)
    found = univariate_tests(x, codes)
    for column in range(8):
        for code in range(n_classes):
            inside, outside = x[codes == code, column], x[codes != code, column]
            pairs = inside[np.isfinite(inside)][:, None] - outside[np.isfinite(outside)]
            assert found.deltas[code, column] == pytest.approx(np.sign(pairs).mean())
    if n_classes == 2:
        assert (found.effect_class == 1).all()
        np.testing.assert_allclose(found.deltas[0], -found.deltas[1])
    else:
        np.testing.assert_array_equal(found.effect_class, np.abs(found.deltas).argmax(axis=0))
    np.testing.assert_array_equal(found.effect, found.deltas[found.effect_class, np.arange(8)])


@pytest.mark.parametrize("n_classes", [2, 3])
def test_features_that_cannot_be_tested(n_classes: int) -> None:
    codes = np.arange(30) % n_classes
    x = np.random.default_rng(0).normal(size=(30, 4))
    x[:, 0], x[:, 1], x[codes == 0, 2] = 3.0, np.nan, np.nan
    found = univariate_tests(x, codes)
    assert found.p[0] == 1.0
    assert np.isnan(found.p[[1, 2]]).all()
    assert np.isnan(found.q[[1, 2]]).all()
    assert np.isfinite(found.q[[0, 3]]).all()
    assert found.effect[0] == 0.0
