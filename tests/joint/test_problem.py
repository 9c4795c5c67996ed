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
