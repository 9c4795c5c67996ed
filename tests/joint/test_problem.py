"""Committees: how many members are linear, and what the model says when it has one member only."""

import numpy as np
import pytest
import torch

from crossplate import JointClassifier
from crossplate.joint.feeds import Resident
from crossplate.joint.trainer import train

from .conftest import make_rows


@pytest.mark.parametrize(("size", "linear"), [(1, 1), (2, 2), (3, 2), (5, 4), (10, 8)])
def test_a_committee_of_any_size_is_mostly_linear_in_a_small_study(size, linear):
    rows = make_rows()
    problem, codes = JointClassifier().pose(rows.X, rows.y, batch=rows.batch)
    members = problem.committee(codes, range(size))
    assert [member.linear for member in members] == [True] * linear + [False] * (size - linear)


@pytest.mark.parametrize("seed", range(3))
def test_one_member_says_nearly_what_five_say(seed):
    rows = make_rows(seed)
    one, five = (
        JointClassifier(n_members=size, random_state=seed).fit(rows.X, rows.y, batch=rows.batch)
        for size in (1, 5)
    )
    given = {"batch": rows.batch}
    difference = one.predict_proba(rows.X, **given) - five.predict_proba(rows.X, **given)
    assert np.abs(difference).mean() < 0.05


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("only", ["case", "control"])
def test_a_plate_of_one_class_is_called_so_where_batch_effects_are_small(seed, only):
    rng = np.random.default_rng(seed)
    label = np.array(["case", "control"] * 40 + [only] * 40)
    batch = np.repeat(["old", "new"], [80, 40])
    X = rng.normal(size=(120, 40)) + 0.3 * rng.normal(size=(2, 40))[(batch == "new").astype(int)]
    X[:, :10] += 1.5 * (label == "case")[:, None]
    known = np.where(batch == "old", label.astype(object), None)
    model = JointClassifier(n_members=1, random_state=seed).fit(X, known, batch=batch)
    new = batch == "new"
    assert (model.predict(X[new], batch=batch[new]) == only).mean() > 0.9


def test_training_would_leave_a_linear_member_the_identity():
    """Which is why linear members are solved and not trained."""
    rows = make_rows()
    problem, codes = JointClassifier(epochs=5).pose(rows.X, rows.y, batch=rows.batch)
    members = problem.committee(codes, [3, 4])
    assert all(member.linear for member in members)
    x = torch.from_numpy(problem.z.astype(np.float32))
    feed = Resident(x, members, problem.settings)
    trained = train(feed, problem.architecture, problem.settings, 8.0)
    solved = problem.train(members, torch.device("cpu"))
    assert solved.history == []
    for name, value in trained.weights.items():
        if name.startswith("discriminator"):
            assert (solved.weights[name] != value).any()
        elif name.endswith(".1.weight"):
            np.testing.assert_array_equal(value, 0.0)
            np.testing.assert_array_equal(solved.weights[name], 0.0)


def test_members_keep_their_order_whether_solved_or_trained():
    rows = make_rows()
    problem, codes = JointClassifier(epochs=5).pose(rows.X, rows.y, batch=rows.batch)
    members = problem.committee(codes, range(5))
    cpu = torch.device("cpu")
    forwards, backwards = problem.train(members, cpu), problem.train(members[::-1], cpu)
    for name, value in forwards.weights.items():
        np.testing.assert_allclose(backwards.weights[name][::-1], value, atol=1e-6)
    assert {entry["member"] for entry in forwards.history} == {4}
    assert {entry["member"] for entry in backwards.history} == {0}
