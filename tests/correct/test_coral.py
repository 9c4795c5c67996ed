"""CORAL against its formula written out with p × p matrices."""

import numpy as np
import pytest
from scipy.linalg import eigh

from crossplate import InputError
from crossplate.correct.coral import CORAL

from .plates import make_plates


def power(matrix, exponent):
    values, vectors = eigh(matrix)
    return vectors * values**exponent @ vectors.T


def by_formula(x, batch, reference, shrinkage):
    """Whitened and coloured by covariances of all features, scaled by their sd within batches."""
    p = x.shape[1]
    within = sum(x[batch == b].var(axis=0) * (batch == b).sum() for b in np.unique(batch))
    scale = np.sqrt(within / len(x))
    covariance = {
        b: np.cov(x[batch == b] / scale, rowvar=False) + shrinkage * np.eye(p)
        for b in np.unique(batch)
    }
    expected = x.copy()
    for b in set(covariance) - {reference}:
        centred = (x[batch == b] - x[batch == b].mean(axis=0)) / scale
        mapped = centred @ power(covariance[b], -0.5) @ power(covariance[reference], 0.5)
        expected[batch == b] = mapped * scale + x[batch == reference].mean(axis=0)
    return expected


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("p", [4, 14, 60], ids=["p < n", "p = n of one", "p > n"])
@pytest.mark.parametrize("shrinkage", [1.0, 0.01])
def test_against_the_formula(seed, p, shrinkage):
    x, batch = make_plates(seed, p=p)
    x *= np.logspace(-4, 4, p)
    found = CORAL(reference="p1", shrinkage=shrinkage).fit_transform(x, batch=batch)
    expected = by_formula(x, batch, "p1", shrinkage)
    np.testing.assert_allclose(found / x.std(axis=0), expected / x.std(axis=0), atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_with_little_shrinkage_means_and_covariances_agree(seed):
    x, batch = make_plates(seed, (40, 30, 50), p=5)
    found = CORAL(reference="p1", shrinkage=1e-9).fit_transform(x, batch=batch)
    goal = x[batch == "p1"]
    for name in ("p2", "p3"):
        its = found[batch == name]
        np.testing.assert_allclose(its.mean(axis=0), goal.mean(axis=0))
        np.testing.assert_allclose(np.cov(its, rowvar=False), np.cov(goal, rowvar=False), atol=1e-6)


def test_without_a_reference_the_largest_batch_is_it():
    x, batch = make_plates(0)
    assert CORAL().fit(x, batch=batch).reference_ == "p3"
    x, batch = make_plates(0, (5, 9, 9))
    assert CORAL().fit(x, batch=batch).reference_ == "p2"


def test_a_fitted_batch_keeps_its_shape_and_a_new_one_has_its_own():
    x, batch = make_plates(1)
    corrector = CORAL(reference="p1").fit(x, batch=batch)
    whole = corrector.transform(x, batch=batch)
    some = np.flatnonzero(batch == "p2")[:1]
    np.testing.assert_allclose(corrector.transform(x[some], batch=batch[some]), whole[some])
    renamed = np.where(batch == "p2", "new", batch)
    np.testing.assert_array_equal(corrector.transform(x, batch=renamed), whole)


def test_a_constant_feature_gets_the_reference_s_mean():
    x, batch = make_plates(2)
    x[:, 0] = 1e9 / 3
    x[batch == "p1", 1] = 2.0
    x[batch == "p2", 2] = 0.1
    found = CORAL(reference="p1").fit_transform(x, batch=batch)
    np.testing.assert_allclose(found[:, 0], 1e9 / 3, rtol=1e-15)
    np.testing.assert_allclose(found[batch != "p1", 1].mean(), 2.0)
    # spread of its own it gets back from features that go along with it in the reference
    np.testing.assert_allclose(found[batch == "p2", 2].mean(), x[batch == "p1", 2].mean())


@pytest.mark.parametrize("shrinkage", [0.0, -1.0, np.inf, np.nan])
def test_a_shrinkage_that_is_not_positive_is_refused(shrinkage):
    x, batch = make_plates(0)
    with pytest.raises(InputError, match="give a positive number"):
        CORAL(shrinkage=shrinkage).fit(x, batch=batch)


def test_a_batch_of_one_row_is_refused():
    x, batch = make_plates(5, (4, 1))
    with pytest.raises(InputError, match="'p2' has one row"):
        CORAL().fit(x, batch=batch)
    with pytest.raises(InputError, match="'new' has one row"):
        CORAL().fit(x).transform(x[:1], batch=["new"])
