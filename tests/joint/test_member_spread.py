"""No member of a committee is further apart in its scores than the source's regression."""

import numpy as np
import pytest
import torch

from crossplate import JointClassifier
from crossplate.joint.inference import TrainedNetworks
from crossplate.joint.member_spread import with_spread_of_source
from crossplate.joint.offsets import share_scores, slope

from .conftest import make_rows


def test_slope_is_that_of_least_squares():
    rng = np.random.default_rng(0)
    telling = rng.normal(size=(50, 1))
    scores = 2.5 * telling + 0.3 * rng.normal(size=(50, 1)) + 4.0
    fitted = np.polyfit(telling[:, 0], scores[:, 0], 1)
    assert slope(scores, telling) == pytest.approx(fitted[0])
    many = rng.normal(size=(50, 3))
    assert slope(1.5 * many + rng.normal(size=(50, 1)), many) == pytest.approx(1.5)
    assert slope(scores, np.ones((50, 1))) == 0.0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("classes", [("control", "disease"), ("a", "b", "c")])
def test_trained_members_have_the_spread_of_the_regression(seed, classes):
    rows = make_rows(seed, p=40, classes=classes, distance=1.0)
    problem, codes = JointClassifier().pose(rows.X, rows.y, batch=rows.batch)
    members = problem.committee(codes, range(5))
    cpu = torch.device("cpu")
    trained = problem.train(members, cpu)
    target = problem.z[codes < 0]
    scores = TrainedNetworks(problem.architecture, trained.weights, cpu).scores(target)
    telling = share_scores(target, trained.weights)
    assert not members[4].linear
    assert slope(scores[4], telling[4]) <= 1.0 + 1e-4


def test_only_members_that_are_further_apart_change():
    rows = make_rows(p=40, distance=1.0)
    problem, codes = JointClassifier().pose(rows.X, rows.y, batch=rows.batch)
    members = problem.committee(codes, range(5))
    trained = problem.train(members, torch.device("cpu"))
    weights = {name: value.copy() for name, value in trained.weights.items()}
    weights["discriminator.0.weight"][3:] *= 3.0
    weights["discriminator.0.bias"][3:] *= 3.0
    found = with_spread_of_source(weights, problem.architecture, problem.z, members)
    for name, value in weights.items():
        np.testing.assert_array_equal(found[name][:4], value[:4])
    before = trained.weights["discriminator.0.weight"][4]
    np.testing.assert_allclose(found["discriminator.0.weight"][4], before, rtol=1e-4)
