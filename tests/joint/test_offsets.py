"""Scores of batches without labels are moved to where their class shares put them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.metrics import balanced_accuracy_score

from crossplate import JointClassifier, make_plates
from crossplate.joint.minibatches import Member
from crossplate.joint.offsets import (
    CENTRE,
    Offsets,
    balanced_centres,
    offset_probabilities,
    offsets_of,
)


class Given:
    """Networks whose scores are given."""

    def __init__(self, scores: np.ndarray) -> None:
        self.found = scores

    def scores(self, z: np.ndarray) -> np.ndarray:
        return self.found[:, z[:, 0].astype(int)]


def member(classes, batch, held_out=()):
    rows = np.setdiff1d(np.arange(len(classes)), held_out)
    return Member(np.array(classes), np.array(batch), rows, np.array(held_out, dtype=int), 0)


def test_centre_is_the_mean_with_equal_classes():
    scores = np.array([[[0.0], [0.0], [0.0], [4.0], [9.0], [1.0], [3.0]]])
    its = member([0, 0, 0, 1, 1, 0, -1], [0, 0, 0, 0, 0, 1, 1], held_out=[4])
    z = np.arange(7.0)[:, None]
    # batch 0: (0 + 4) / 2, batch 1: 1; row 4 is held out
    np.testing.assert_allclose(balanced_centres(Given(scores), z, [its]), [[1.5]])


def test_members_have_centres_of_their_own_labels():
    scores = np.random.default_rng(0).normal(size=(2, 6, 3))
    members = [member([0, 1, 2, 0, 0, 0], [0] * 6), member([0, 1, 2, 0, 1, 2], [0] * 6)]
    found = balanced_centres(Given(scores), np.arange(6.0)[:, None], members)
    by_class = np.array([scores[0, [0, 3, 4, 5]].mean(axis=0), scores[0, 1], scores[0, 2]])
    np.testing.assert_allclose(found[0], by_class.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(found[1], scores[1].mean(axis=0), rtol=1e-6)


def test_without_a_regression_scores_of_each_batch_move_half_way_to_the_centre():
    scores = np.random.default_rng(1).normal(size=(2, 5, 1))
    batch, centres = np.array([0, 1, 1, 0, 0]), np.array([[1.0], [-2.0]])
    arrays = {CENTRE: centres}
    origins = np.zeros((2, 4))
    proba = offset_probabilities(scores, 0.0 * scores, batch, arrays, origins)
    moved = logit(proba[:, :, 1:])
    for number in (0, 1):
        before, after = (its[:, batch == number] for its in (scores, moved))
        np.testing.assert_allclose(after.mean(axis=1), (before.mean(axis=1) + centres) / 2)
        np.testing.assert_allclose(
            after - before, (after - before)[:, :1].repeat(3 if number == 0 else 2, 1)
        )
        offsets = offsets_of(before, 0.0 * before, arrays, origins[number])
        np.testing.assert_allclose((after - before)[:, 0], offsets.mean)


def test_probabilities_are_averaged_over_offsets():
    scores = np.random.default_rng(2).normal(size=(2, 4, 1))
    values = np.array([[[0.0], [2.0]], [[-1.0], [1.0]]])
    offsets = Offsets(values, np.array([[0.25, 0.75], [1.0, 0.0]]))
    np.testing.assert_allclose(offsets.mean, [[1.5], [-1.0]])
    found = offsets.probabilities(scores)
    np.testing.assert_allclose(found.sum(axis=2), 1.0)
    first = 0.25 * expit(scores[0]) + 0.75 * expit(scores[0] + 2.0)
    np.testing.assert_allclose(found[0, :, 1:], first)
    np.testing.assert_allclose(found[1, :, 1:], expit(scores[1] - 1.0))


@pytest.mark.parametrize("seed", range(3))
def test_other_class_proportions_in_the_target_cost_little(seed):
    plates = make_plates(
        n_subjects=(80, 80),
        n_features=60,
        n_informative=20,
        effect_size=1.0,
        max_replicates=1,
        class_shares=(0.25, 0.75),
        random_state=seed,
    )
    table = plates.table
    target = (table.batch == "plate2").to_numpy()
    known = table.label.where(~target)
    model = JointClassifier(n_members=1, random_state=seed)
    model.fit(table.features, known, batch=table.batch)
    truth = table.label[target]
    rows, batch = table.features[target], table.batch[target]
    moved = balanced_accuracy_score(truth, model.predict(rows, batch=batch))
    model.weights_ = {name: its for name, its in model.weights_.items() if name != CENTRE}
    plain = balanced_accuracy_score(truth, model.predict(rows, batch=batch))
    assert moved > plain + 0.01


def test_a_new_batch_is_offset_by_its_own_scores():
    table = make_plates(n_subjects=(30, 30), n_features=30, n_informative=10, random_state=3).table
    target = (table.batch == "plate2").to_numpy()
    known = table.label.where(~target)
    model = JointClassifier(n_members=2, random_state=0)
    model.fit(table.features, known, batch=table.batch)
    rows = table.features[target]
    fitted = model.predict_proba(rows, batch=table.batch[target])
    as_new = model.predict_proba(rows, batch=np.full(target.sum(), "the same plate again"))
    np.testing.assert_allclose(as_new, fitted, rtol=1e-6)
    assert set(model.offsets_) == {"plate2"}
