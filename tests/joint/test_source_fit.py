"""Logistic regressions on the labelled rows choose the ridge and score what they did not learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score

from crossplate.joint.settings import JointSettings
from crossplate.joint.source_fit import RIDGES, class_weights, fit_source

SETTINGS = JointSettings(balance=1.0)
ORIGIN = np.zeros(1)
"""Not looked at here."""


def study(seed, n=60, p=20, effect=1.5, n_classes=2):
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % n_classes
    z = rng.normal(size=(n, p))
    z[:, :n_classes] += effect * np.eye(n_classes)[codes]
    return z, codes, np.zeros(n, dtype=int)


@pytest.mark.parametrize("seed", range(3))
def test_weak_signals_take_a_stronger_ridge(seed):
    weak, strong = (
        fit_source(*study(seed, p=100, effect=effect), None, SETTINGS, ORIGIN)
        for effect in (0.0, 4.0)
    )
    assert weak.ridge > strong.ridge
    assert {weak.ridge, strong.ridge} <= set(RIDGES)


def test_a_given_ridge_is_taken():
    settings = JointSettings(balance=1.0, ridge=7.0)
    assert fit_source(*study(0), None, settings, ORIGIN).ridge == 7.0


@pytest.mark.parametrize("p", [5, 200])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_regression_is_the_plain_one(p, n_classes):
    z, codes, batch = study(0, p=p, n_classes=n_classes)
    found = fit_source(z, codes, batch, None, JointSettings(balance=1.0, ridge=2.0), ORIGIN)
    seen = z * found.feature_weights
    plain = LogisticRegression(C=0.5, class_weight="balanced", tol=1e-8, max_iter=5000)
    plain.fit(seen, codes)
    scores = plain.decision_function(seen).reshape(len(z), -1)
    np.testing.assert_allclose(z @ found.weight + found.bias, scores, atol=0.05)


def taught_and_new(seed, markers, effect, p=200):
    """Rows of two classes, those of a second draw behind; so many features tell the classes."""
    rng = np.random.default_rng(seed)
    codes = np.arange(260) % 2
    z = rng.normal(size=(260, p))
    z[:, :markers] += effect * (codes[:, None] - 0.5)
    return z[:60], codes[:60], z[60:], codes[60:]


@pytest.mark.parametrize("seed", range(3))
def test_a_few_markers_count_more_than_the_many_features_beside_them(seed):
    z, codes, new, truth = taught_and_new(seed, markers=2, effect=2.0)
    found = fit_source(z, codes, np.zeros(60, dtype=int), None, SETTINGS, ORIGIN)
    assert found.feature_weights[:2].min() > 1.3 * found.feature_weights[2:].max()
    right = balanced_accuracy_score(truth, (new @ found.weight + found.bias)[:, 0] > 0)
    plain = LogisticRegression(C=1 / found.ridge, class_weight="balanced").fit(z, codes)
    assert right > balanced_accuracy_score(truth, plain.predict(new)) + 0.05


@pytest.mark.parametrize("seed", range(3))
def test_where_every_feature_tells_a_little_all_count_alike(seed):
    z, codes, _, _ = taught_and_new(seed, markers=200, effect=0.3)
    found = fit_source(z, codes, np.zeros(60, dtype=int), None, SETTINGS, ORIGIN)
    np.testing.assert_array_equal(found.feature_weights, 1.0)


@pytest.mark.parametrize("seed", range(3))
def test_scores_are_of_subjects_held_out(seed):
    """Labels that mean nothing are learned by heart, but not told of subjects held out."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(rng.permutation(np.arange(40) % 2), 3)
    z = np.repeat(rng.normal(size=(40, 200)), 3, axis=0) + 0.01 * rng.normal(size=(120, 200))
    who = np.repeat(np.arange(40), 3).astype(str)
    found = fit_source(z, codes, np.zeros(120, dtype=int), who, SETTINGS, ORIGIN)
    learned = z @ found.weight + found.bias
    assert balanced_accuracy_score(codes, learned[:, 0] > 0) > 0.9
    assert balanced_accuracy_score(codes, found.scores[:, 0] > 0) < 0.7
    assert found.rows_a_subject == 3.0


def test_shares_count_subjects_and_every_batch_alike():
    z, _, _ = study(0, n=14)
    codes = np.array([0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1])
    batch = np.repeat([0, 1], [6, 8])
    who = np.array(list("aabbcdefghijkl"))  # batch 0: two subjects of each class
    found = fit_source(z, codes, batch, who, SETTINGS, ORIGIN)
    np.testing.assert_allclose(found.shares, [(0.5 + 0.25) / 2, (0.5 + 0.75) / 2])


def test_rows_without_label_or_batch_change_nothing():
    z, codes, batch = study(1)
    plain = fit_source(z, codes, batch, None, SETTINGS, ORIGIN)
    more = np.concatenate([z, 100 + z[:10]])
    codes = np.concatenate([codes, np.full(5, -1), codes[:5]])
    batch = np.concatenate([batch, np.zeros(5, dtype=int), np.full(5, -1)])
    found = fit_source(more, codes, batch, None, SETTINGS, ORIGIN)
    np.testing.assert_array_equal(found.scores, plain.scores)


def test_a_class_of_one_subject_cannot_be_cross_validated():
    z, codes, batch = study(0, n=11)
    codes[:] = 0
    codes[0] = 1
    assert fit_source(z, codes, batch, None, SETTINGS, ORIGIN) is None


def test_class_weights():
    codes = np.array([0, 0, 0, 1])
    assert class_weights(codes, SETTINGS) == pytest.approx({0: 2 / 3, 1: 2.0})
    assert class_weights(codes, JointSettings(balance=0.0)) == pytest.approx({0: 1.0, 1: 1.0})
