"""Optimal transport against assignment, quantiles and Sinkhorn's rounds written out."""

import sys

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from crossplate import InputError
from crossplate.correct.batch_rows import pooled_scale
from crossplate.correct.optimal_transport import OptimalTransport

from .plates import make_plates

pytest.importorskip("ot", reason="the extra ot is not installed")


@pytest.mark.parametrize("seed", range(3))
def test_equally_large_batches_against_assignment(seed):
    x, batch = make_plates(seed, (15, 15, 15))
    x *= np.logspace(-3, 3, 6)
    found = OptimalTransport(reference="p1").fit_transform(x, batch=batch)
    scale = pooled_scale(x, batch)
    goal = x[batch == "p1"]
    for name in ("p2", "p3"):
        its = x[batch == name]
        _, partner = linear_sum_assignment(cdist(its / scale, goal / scale, "sqeuclidean"))
        np.testing.assert_allclose(found[batch == name], goal[partner], rtol=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_one_feature_against_quantiles(seed):
    # Twice as many goals as origins: each goes to the mean of the two of its rank.
    x, batch = make_plates(seed, (20, 10), p=1)
    found = OptimalTransport(reference="p1").fit_transform(x, batch=batch)[batch == "p2", 0]
    pairs = np.sort(x[batch == "p1", 0]).reshape(10, 2).mean(axis=1)
    rank = x[batch == "p2", 0].argsort().argsort()
    np.testing.assert_allclose(found, pairs[rank])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("entropy", [0.02, 0.5])
def test_entropy_against_sinkhorn_written_out(seed, entropy):
    x, batch = make_plates(seed, (15, 12), p=3)
    found = OptimalTransport(reference="p1", entropy=entropy).fit_transform(x, batch=batch)
    scale = pooled_scale(x, batch)
    origins, goals = x[batch == "p2"] / scale, x[batch == "p1"] / scale
    cost = cdist(origins - origins.mean(axis=0), goals - goals.mean(axis=0), "sqeuclidean")
    kernel = np.exp(-cost / np.median(cost) / entropy)
    u = np.ones(12)
    for _ in range(5000):
        v = 1 / 15 / (kernel.T @ u)
        u = 1 / 12 / (kernel @ v)
    plan = u[:, None] * kernel * v
    expected = plan @ goals / plan.sum(axis=1, keepdims=True) * scale
    # features have a standard deviation around 1; the rounds stop at 1e-3 of the weights
    np.testing.assert_allclose(found[batch == "p2"], expected, atol=0.02)


def test_entropy_draws_the_batch_together():
    x, batch = make_plates(0, (40, 40))
    spread = [
        OptimalTransport(reference="p1", entropy=entropy)
        .fit_transform(x, batch=batch)[batch == "p2"]
        .std(axis=0)
        .mean()
        for entropy in (0.0, 0.05, 0.5, 5.0)
    ]
    assert spread == sorted(spread, reverse=True)
    assert spread[-1] < 0.2 * spread[0]


def test_other_rows_move_as_the_nearest_in_the_plan():
    x, batch = make_plates(1, (60, 50, 4), p=3)
    corrector = OptimalTransport(reference="p1", max_rows=20, random_state=3)
    found = corrector.fit(x, batch=batch).transform(x, batch=batch)
    origins, moves = corrector.origins_["p2"], corrector.moves_["p2"]
    assert origins.shape == moves.shape == (20, 3)
    scaled = x[batch == "p2"] / corrector.scale_
    near = cdist(scaled, origins).argmin(axis=1)
    expected = (scaled + moves[near]) * corrector.scale_
    np.testing.assert_allclose(found[batch == "p2"], expected)
    # a batch that was not in fit gets its own plan
    renamed = np.where(batch == "p2", "new", batch)
    np.testing.assert_array_equal(corrector.transform(x, batch=renamed), found)


def test_draws_follow_the_seed():
    x, batch = make_plates(1, (60, 50), p=3)

    def corrected(seed):
        corrector = OptimalTransport(reference="p1", max_rows=20, random_state=seed)
        return corrector.fit_transform(x, batch=batch)

    np.testing.assert_array_equal(corrected(1), corrected(1))
    assert (corrected(1) != corrected(2)).any()


def test_equal_rows_stay_equal_and_weigh_as_often_as_they_come():
    x, batch = make_plates(2, (12, 8), p=2)
    its = np.flatnonzero(batch == "p2")
    x[its[:5]] = x[its[0]]
    corrector = OptimalTransport(reference="p1").fit(x, batch=batch)
    found = corrector.transform(x, batch=batch)[its]
    assert len(corrector.origins_["p2"]) == 4
    assert (found[:5] == found[0]).all()
    # the plan gives all of the reference away, so the means agree
    np.testing.assert_allclose(found.mean(axis=0), x[batch == "p1"].mean(axis=0))


def test_batches_far_apart_are_carried_over():
    x, batch = make_plates(3, (30, 30), p=3)
    near = OptimalTransport(reference="p1", entropy=0.01).fit_transform(x, batch=batch)
    x[batch == "p2"] += 1e4
    far = OptimalTransport(reference="p1", entropy=0.01).fit_transform(x, batch=batch)
    np.testing.assert_allclose(far, near, rtol=1e-6)


def test_rows_that_are_all_equal():
    x = np.repeat([[1.0, 2.0], [5.0, 2.0]], 4, axis=0)
    batch = np.repeat(["a", "b"], 4)
    for entropy in (0.0, 0.1):
        found = OptimalTransport(reference="a", entropy=entropy).fit_transform(x, batch=batch)
        np.testing.assert_allclose(found, [[1.0, 2.0]] * 8)


def test_what_cannot_be_done_is_refused():
    x, batch = make_plates(5, (30, 25, 1))
    with pytest.raises(InputError, match="'p3' has one row"):
        OptimalTransport().fit(x, batch=batch)
    x, batch = x[batch != "p3"], batch[batch != "p3"]
    with pytest.raises(InputError, match="entropy is -1"):
        OptimalTransport(entropy=-1.0).fit(x, batch=batch)
    with pytest.raises(InputError, match="max_rows is 1; give at least 2"):
        OptimalTransport(max_rows=1).fit(x, batch=batch)
    with pytest.raises(InputError, match="batch 'p2': the transport plan did not settle"):
        OptimalTransport(entropy=1e-5).fit(x, batch=batch)
    with pytest.raises(InputError, match="'new' has one row"):
        OptimalTransport().fit(x, batch=batch).transform(x[:1], batch=["new"])


def test_without_pot_the_message_says_what_to_install(monkeypatch):
    x, batch = make_plates(0)
    monkeypatch.setitem(sys.modules, "ot", None)
    with pytest.raises(InputError, match=r"pip install crossplate\[ot\]"):
        OptimalTransport().fit(x, batch=batch)
    # one batch needs no plan
    np.testing.assert_array_equal(OptimalTransport().fit_transform(x), x)
