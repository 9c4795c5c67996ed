"""Features that tell the classes by themselves count more under the ridge."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_selection import f_classif

from crossplate.joint.feature_weights import CHANCE, feature_weights


def rows(seed, n=40, p=30, n_classes=2):
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % n_classes
    z = rng.normal(size=(n, p))
    z[:, 0] += 3.0 * codes
    return z, codes, np.arange(n).astype(str)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_order_is_that_of_the_f_test(seed, n_classes):
    z, codes, who = rows(seed, n_classes=n_classes)
    found = feature_weights(z, codes, who)
    assert np.mean(found**2) == pytest.approx(1.0)
    np.testing.assert_array_equal(np.argsort(found), np.argsort(f_classif(z, codes)[0]))


def test_what_tells_nothing_counts_as_chance_does():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(400, 2000))
    found = feature_weights(z, np.arange(400) % 2, np.arange(400).astype(str))
    # a share over what chance gives is 1 on average, CHANCE stands beside it
    assert found.min() ** 2 == pytest.approx(CHANCE / (1.0 + CHANCE), abs=0.01)


def test_rows_of_a_subject_count_as_their_mean():
    z, codes, who = rows(1)
    other = np.random.default_rng(2).normal(size=z.shape)
    twice = np.concatenate([z + other, z - other])
    found = feature_weights(twice, np.tile(codes, 2), np.tile(who, 2))
    np.testing.assert_allclose(found, feature_weights(z, codes, who), rtol=1e-10)


def test_features_that_do_not_vary_change_nothing():
    z, codes, who = rows(3)
    empty = np.zeros((len(z), 2))
    found = feature_weights(np.hstack([z, empty]), codes, who)
    np.testing.assert_allclose(found[:-2], feature_weights(z, codes, who))
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(feature_weights(empty, codes, who), [1.0, 1.0])
