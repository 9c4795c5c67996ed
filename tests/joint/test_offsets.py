"""Scores of batches without labels are centred as if their classes were equally frequent."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from crossplate import JointClassifier, make_plates
from crossplate.joint.minibatches import Member
from crossplate.joint.offsets import class_offsets, no_offsets


class Given:
    """Networks whose scores are given."""

    def __init__(self, scores: np.ndarray) -> None:
        self.found = scores

    def scores(self, z: np.ndarray) -> np.ndarray:
        return self.found[:, z[:, 0].astype(int)]


def member(classes, batch, held_out=()):
    rows = np.setdiff1d(np.arange(len(classes)), held_out)
    return Member(np.array(classes), np.array(batch), rows, np.array(held_out, dtype=int), 0)


def test_offset_is_what_equal_classes_would_add_to_the_mean():
    scores = np.array([[[0.0], [0.0], [0.0], [4.0], [9.0], [1.0], [3.0]]])
    its = member([0, 0, 0, 1, 1, 0, -1], [0, 0, 0, 0, 0, 1, 1], held_out=[4])
    z = np.arange(7.0)[:, None]
    # batch 0: (0 + 4) / 2 - 1 = 1; batch 1 has one class: 0; row 4 is held out
    np.testing.assert_allclose(class_offsets(Given(scores), z, [its]), [[0.5]])


def test_members_have_offsets_of_their_own_labels():
    scores = np.random.default_rng(0).normal(size=(2, 6, 3))
    members = [member([0, 1, 2, 0, 0, 0], [0] * 6), member([0, 1, 2, 0, 1, 2], [0] * 6)]
    found = class_offsets(Given(scores), np.arange(6.0)[:, None], members)
    by_class = np.array([scores[0, [0, 3, 4, 5]].mean(axis=0), scores[0, 1], scores[0, 2]])
    np.testing.assert_allclose(found[0], by_class.mean(axis=0) - scores[0].mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(found[1], 0.0, atol=1e-7)


def test_no_offsets_have_the_shape_of_the_scores():
    weights = {
        "discriminator.0.bias": np.zeros((3, 1, 8)),
        "discriminator.1.bias": np.zeros((3, 1, 4)),
        "calibrator.1.bias": np.zeros((3, 1, 9)),
    }
    assert no_offsets(weights).shape == (3, 4)


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
    right = balanced_accuracy_score(
        truth, model.predict(table.features[target], batch=table.batch[target])
    )
    model.weights_ = model.weights_ | {"target.offset": no_offsets(model.weights_)}
    plain = balanced_accuracy_score(
        truth, model.predict(table.features[target], batch=table.batch[target])
    )
    assert right > plain + 0.02
