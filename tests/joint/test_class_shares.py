"""Class shares of a batch are read off the shape of its scores, wherever its mean stands."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from crossplate.joint.class_shares import (
    ClassShape,
    Drift,
    _Evidence,
    centred_logs,
    contrasts,
)
from crossplate.joint.source_fit import SourceFit


def scores_of(codes, rng, distance, n_classes=2):
    if n_classes == 2:
        return distance * (codes[:, None] - 0.5) + rng.normal(size=(len(codes), 1))
    return distance * np.eye(n_classes)[codes] + rng.normal(size=(len(codes), n_classes))


def shape_of(shares, rng, distance, n=400, rows=1.0):
    codes = rng.choice(len(shares), n, p=shares)
    found = scores_of(codes, rng, distance, len(shares))
    none = np.empty(0)
    fit = SourceFit(10.0, none, codes, np.array(shares), rows, np.ones(n), found, none, none, none)
    return ClassShape.of(fit)


def drift_of(weight, shift=None, chance=0.02):
    """Drift of a batch whose features lie half a standard deviation away unless it says how."""
    if weight.shape[1] > 1:
        weight = weight @ contrasts(weight.shape[1] + 1).T
    shift = 0.5 * np.resize([1.0, -1.0], len(weight)) if shift is None else shift
    return Drift.of(shift, weight, chance)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("offset", [0.0, 5.0])
@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_classes_well_apart_tell_their_shares(seed, offset, share):
    rng = np.random.default_rng(seed)
    shape = shape_of([0.3, 0.7], rng, 5.0)
    codes = (np.arange(200) < 200 * share).astype(int)
    found = shape.shares(scores_of(codes, rng, 5.0) + offset)
    assert found.sum() == pytest.approx(1.0)
    assert abs(found[1] - share) < 0.06


@pytest.mark.parametrize("seed", range(4))
def test_shares_of_three_classes(seed):
    rng = np.random.default_rng(seed)
    shape = shape_of([0.5, 0.25, 0.25], rng, 6.0)
    codes = np.repeat([0, 1, 2], [20, 60, 120])
    found = shape.shares(scores_of(codes, rng, 6.0, 3) - 3.0)
    np.testing.assert_allclose(found, [0.1, 0.3, 0.6], atol=0.08)


@pytest.mark.parametrize("seed", range(4))
def test_classes_that_overlap_stay_near_what_is_expected(seed):
    """Half-way between the source's 80% and equal shares, on the log scale: 67%."""
    rng = np.random.default_rng(seed)
    shape = shape_of([0.2, 0.8], rng, 0.3)
    codes = (np.arange(200) < 40).astype(int)
    assert abs(shape.shares(scores_of(codes, rng, 0.3))[1] - 2 / 3) < 0.1


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("drifts", [False, True])
def test_the_gradient_is_that_of_the_loss(n_classes, drifts):
    rng = np.random.default_rng(0)
    shape = shape_of(np.full(n_classes, 1 / n_classes), rng, 2.0)
    away = rng.normal(size=(30, shape.mean.shape[1]))
    away -= away.mean(axis=0)
    drift = drift_of(rng.normal(size=(20, shape.mean.shape[1]))) if drifts else None
    given = _Evidence(away, weight=0.7, price=5.0, drift=drift)
    for _ in range(3):
        place = 0.5 * rng.normal(size=n_classes)
        expected = approx_fprime(place, lambda at: shape._loss(at, given)[0], 1e-6)
        np.testing.assert_allclose(shape._loss(place, given)[1], expected, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_classes", [2, 4])
def test_possible_shares_lie_around_the_most_probable(seed, n_classes):
    rng = np.random.default_rng(seed)
    shape = shape_of(np.full(n_classes, 1 / n_classes), rng, 6.0)
    scores = scores_of(rng.choice(n_classes, 100), rng, 6.0, n_classes)
    shares, likelihood = shape.possible_shares(scores)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    assert likelihood.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(likelihood @ shares, shape.shares(scores), atol=0.03)


@pytest.mark.parametrize("seed", range(4))
def test_two_classes_have_the_likelihood_that_integration_gives(seed):
    rng = np.random.default_rng(seed)
    shape = shape_of([0.4, 0.6], rng, 2.0)
    scores = scores_of((np.arange(60) < 20).astype(int), rng, 2.0)
    evidence = shape._evidence(scores, None)
    odds, spreads = np.linspace(-6.0, 6.0, 301) / np.sqrt(2.0), np.linspace(-1.0, 1.0, 41)
    losses = np.array(
        [[shape._loss(np.array([at, spread]), evidence)[0] for spread in spreads] for at in odds]
    )
    weights = np.exp(losses.min() - losses).sum(axis=1)
    second = shape._shares_at(odds[:, None])[:, 1]
    shares, likelihood = shape.possible_shares(scores)
    mean = np.average(second, weights=weights)
    assert likelihood @ shares[:, 1] == pytest.approx(mean, abs=0.01)
    spread_of = np.sqrt(np.average((second - mean) ** 2, weights=weights))
    found = np.sqrt(likelihood @ (shares[:, 1] - mean) ** 2)
    assert found == pytest.approx(spread_of, rel=0.1)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("only", [0, 1])
def test_a_batch_of_one_class_is_told_by_where_it_lay(seed, only):
    rng = np.random.default_rng(seed)
    shape = shape_of([0.5, 0.5], rng, 5.0)
    scores = scores_of(np.full(100, only), rng, 5.0)
    weight = np.ones((25, 1))
    # every feature lies off by batch effects, and all by what makes the class's scores 2.5 away
    shift = 0.05 * rng.normal(size=25) + (2.5 if only else -2.5) / 25
    drift = drift_of(weight, shift, chance=0.001)
    assert shape.shares(scores, drift)[only] > 0.9


@pytest.mark.parametrize("seed", range(4))
def test_batch_effects_alone_leave_the_shares_to_the_shape(seed):
    rng = np.random.default_rng(seed)
    shape = shape_of([0.5, 0.5], rng, 4.0)
    scores = scores_of(np.arange(100) % 2, rng, 4.0)
    weight = rng.normal(size=(50, 1))
    shift = 0.8 * rng.normal(size=50)
    found = shape.shares(scores, drift_of(weight, shift))
    np.testing.assert_allclose(found, shape.shares(scores), atol=0.06)


def test_plates_that_were_centred_before_do_not_drift():
    weight = np.ones((10, 1))
    assert drift_of(weight, np.full(10, 0.1), chance=0.02) is None
    assert drift_of(weight, np.full(10, 0.2), chance=0.02) is not None
    assert drift_of(np.zeros((10, 1)), np.full(10, 0.2)) is None


def test_contrasts_are_orthonormal_and_see_no_common_offset():
    found = contrasts(5)
    np.testing.assert_allclose(found.T @ found, np.eye(4), atol=1e-12)
    np.testing.assert_allclose(found.sum(axis=0), 0.0, atol=1e-12)


def test_centred_logs_of_a_class_that_is_missing_are_finite():
    found = centred_logs(np.array([0.0, 1.0]))
    np.testing.assert_allclose(found, [-np.log(100) / 2, np.log(100) / 2])
