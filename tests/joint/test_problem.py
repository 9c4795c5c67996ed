"""Committees: how many members are linear, and what the model says when it has one member only."""

import numpy as np
import pytest

from crossplate import JointClassifier

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
