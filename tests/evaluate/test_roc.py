"""ROC curves against scikit-learn's areas."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from crossplate.evaluate.roc import MOST_POINTS, roc_curves


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("n_classes", [2, 3])
def test_areas_and_ends(seed, n_classes):
    rng = np.random.default_rng(seed)
    classes = ["a", "b", "c"][:n_classes]
    codes = rng.integers(0, n_classes, 2000)
    proba = rng.dirichlet(np.ones(n_classes), 2000)
    proba[np.arange(2000), codes] += 0.3
    proba /= proba.sum(axis=1, keepdims=True)
    truth = np.array(classes, dtype=object)[codes]
    truth[:5] = None
    curves = roc_curves(truth, proba, classes)
    assert [one.label for one in curves] == (["b"] if n_classes == 2 else classes)
    for one in curves:
        inside = truth[5:] == one.label
        assert one.auc == pytest.approx(roc_auc_score(inside, proba[5:, classes.index(one.label)]))
        points = np.array([one.false_positive_rate, one.true_positive_rate])
        assert points.shape[1] <= MOST_POINTS
        np.testing.assert_array_equal(points[:, [0, -1]], [[0, 1], [0, 1]])
        assert (np.diff(points) >= 0).all()
        assert np.trapezoid(*points[::-1]) == pytest.approx(one.auc, abs=0.01)


def test_one_class_has_no_curve_and_an_absent_one_is_left_out():
    proba = np.array([[0.5, 0.3, 0.2], [0.2, 0.5, 0.3], [0.6, 0.2, 0.2]])
    assert roc_curves(["a", "a", "a"], proba, ["a", "b", "c"]) == ()
    found = roc_curves(["a", "b", "a"], proba, ["a", "b", "c"])
    assert [one.label for one in found] == ["a", "b"]
    assert found[0].to_dict()["auc"] == 1.0
