"""Labels that the other subjects speak against count less."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from crossplate import JointClassifier, make_plates
from crossplate.joint import label_trust as module
from crossplate.joint.label_trust import WRONG_LABELS, label_trust

EFFECTS = ("level", "mass", "scale", "noise", "saturation", "offset")
WHO = np.array(["a", "b", "c", "d"])


def test_a_label_that_is_likely_counts_fully_and_an_unlikely_one_hardly():
    trust = label_trust(-np.log([0.999, 0.5, 0.05, 1e-9]), WHO, 2)
    np.testing.assert_allclose(trust, [0.947, 0.9, 0.474, 0.0], atol=1e-3)


def test_it_is_the_share_of_right_labels_among_such():
    """Rows drawn with so many wrong labels, by what a regression says of each label."""
    rng = np.random.default_rng(0)
    n = 200_000
    says = rng.uniform(size=n)
    truth = rng.uniform(size=n) < says
    drawn_anew = rng.uniform(size=n) < WRONG_LABELS
    label = np.where(drawn_anew, rng.uniform(size=n) < 0.5, truth)
    of_label = np.where(label, says, 1.0 - says)
    rare = of_label < 0.1
    trust = label_trust(-np.log(of_label[rare]), np.arange(rare.sum()).astype(str), 2)
    assert trust.mean() == pytest.approx(np.mean(~drawn_anew[rare]), abs=0.01)


def test_replicates_of_a_subject_count_alike():
    trust = label_trust(np.array([0.1, 8.0, 0.1, 8.0]), np.array(["a", "a", "b", "c"]), 3)
    assert trust[0] == trust[1]
    assert trust[3] < trust[0] < trust[2]


def balanced_accuracy(seed):
    """On the second plate, learned from a first of which one label in eight is wrong."""
    table = make_plates(
        n_subjects=(80, 200),
        n_features=60,
        max_replicates=1,
        **dict.fromkeys(EFFECTS, 0.0),
        random_state=seed,
    ).table
    on_first = (table.batch == table.batches[0]).to_numpy(dtype=bool)
    truth = table.labels_of(np.ones(table.n_samples, dtype=bool)).astype(str)
    classes = np.unique(truth)
    y = truth.astype(object)
    for row in np.random.default_rng(seed).permutation(np.flatnonzero(on_first))[:10]:
        y[row] = classes[0] if truth[row] == classes[1] else classes[1]
    y[~on_first] = None
    x, batch = table.features.to_numpy(), table.batch.to_numpy()
    model = JointClassifier(n_members=1, random_state=0).fit(x, y, batch=batch)
    called = model.predict(x[~on_first], batch=batch[~on_first])
    return balanced_accuracy_score(truth[~on_first], called)


def test_wrong_labels_on_the_source_cost_less(monkeypatch):
    believed_less = np.mean([balanced_accuracy(seed) for seed in range(6)])
    monkeypatch.setattr(module, "WRONG_LABELS", 0.0)
    all_believed = np.mean([balanced_accuracy(seed) for seed in range(6)])
    assert believed_less > all_believed
