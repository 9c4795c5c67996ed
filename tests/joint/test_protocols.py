"""Predictions within and across batches."""

import numpy as np
import pandas as pd
import pytest

from crossplate import InputError, JointClassifier
from crossplate.joint.protocols import (
    predict_across_batches,
    predict_held_out,
    predict_within_batches,
)

from .conftest import make_rows

QUICK = JointClassifier(n_members=2, epochs=60, random_state=0)


def three_plates(seed=0, n=40):
    first, second = make_rows(seed, n=n), make_rows(seed, n=n)
    X = np.concatenate([first.X, 3.0 * second.X[:n] + 1.0])
    truth = np.concatenate([first.truth, second.truth[:n]])
    batch = np.concatenate([first.batch, np.full(n, "plate C")])
    return X, truth, batch


def accuracy(classes, probabilities, truth):
    return (classes[probabilities.argmax(axis=1)] == truth).mean()


@pytest.mark.parametrize("seed", range(2))
def test_within_batches_each_row_is_predicted_without_its_label(seed):
    X, truth, batch = three_plates(seed)
    truth[batch == "plate C"] = None
    classes, found = predict_within_batches(QUICK, X, truth, batch=batch, n_splits=4)
    assert list(classes) == ["control", "disease"]
    known = batch != "plate C"
    assert np.isnan(found[~known]).all()
    np.testing.assert_allclose(found[known].sum(axis=1), 1.0)
    assert accuracy(classes, found[known], truth[known]) > 0.75
    # labels that mean nothing cannot be predicted, so no label reached its own prediction
    noise = truth.copy()
    noise[known] = np.random.default_rng(seed).permutation(truth[known])
    classes, found = predict_within_batches(QUICK, X, noise, batch=batch, n_splits=4)
    assert 0.3 < accuracy(classes, found[known], noise[known]) < 0.7


def test_held_out_rows_of_the_source_are_predicted_without_their_labels():
    X, truth, batch = three_plates()
    y = np.where(batch == "plate C", None, truth)
    classes, found = predict_held_out(QUICK, X, y, batch=batch, n_splits=4)
    known = batch != "plate C"
    assert np.isnan(found[~known]).all()
    np.testing.assert_allclose(found[known].sum(axis=1), 1.0)
    assert accuracy(classes, found[known], truth[known]) > 0.75
    y[known] = np.random.default_rng(0).permutation(truth[known])
    classes, found = predict_held_out(QUICK, X, y, batch=batch, n_splits=4)
    assert accuracy(classes, found[known], y[known]) < 0.7
    lone = np.where(np.arange(len(y)) == 0, "rare", None).astype(object)
    lone[1:9] = "common"
    with pytest.raises(InputError, match="the source needs labels of two classes"):
        predict_held_out(QUICK, X, lone, batch=batch)


def test_samples_of_a_subject_are_never_on_both_sides():
    rng = np.random.default_rng(0)
    subject = np.repeat([f"s{k}" for k in range(30)], 4)
    labels = np.repeat(rng.permutation(np.repeat(["a", "b"], 15)), 4)
    # a subject's samples are nearly the same, and classes are not told apart otherwise
    X = np.repeat(rng.normal(size=(30, 40)), 4, axis=0) + 0.01 * rng.normal(size=(120, 40))
    batch = np.full(120, "only")
    _, leaking = predict_within_batches(QUICK, X, labels, batch=batch, n_splits=5)
    classes, found = predict_within_batches(
        QUICK, X, labels, batch=batch, subject=subject, n_splits=5
    )
    assert accuracy(classes, leaking, labels) > 0.95
    assert accuracy(classes, found, labels) < 0.8


def test_across_batches_every_ordered_pair_is_predicted():
    X, truth, batch = three_plates(n=120)
    classes, found = predict_across_batches(QUICK, X, truth, batch=batch)
    names = ["plate A", "plate B", "plate C"]
    assert set(found) == {(a, b) for a in names for b in names if a != b}
    for (_, target), probabilities in found.items():
        assert accuracy(classes, probabilities, truth[batch == target]) > 0.8


def test_a_pair_never_sees_its_targets_labels():
    X, truth, batch = three_plates()
    changed = truth.copy()
    changed[batch == "plate B"] = "control"
    changed[np.flatnonzero(batch == "plate B")[0]] = "disease"
    _, found = predict_across_batches(QUICK, X, truth, batch=batch)
    _, other = predict_across_batches(QUICK, X, changed, batch=batch)
    for pair in (("plate A", "plate B"), ("plate C", "plate B"), ("plate A", "plate C")):
        np.testing.assert_allclose(found[pair], other[pair], atol=1e-4)
    assert not np.allclose(found["plate B", "plate A"], other["plate B", "plate A"], atol=0.1)


def test_unlabelled_batches_are_targets_only():
    X, truth, batch = three_plates()
    truth[batch == "plate C"] = None
    _, found = predict_across_batches(QUICK, X, truth, batch=batch)
    assert {source for source, _ in found} == {"plate A", "plate B"}
    assert {target for _, target in found} == {"plate A", "plate B", "plate C"}


def test_what_cannot_be_done_is_told():
    X, truth, batch = three_plates()
    with pytest.raises(InputError, match="one batch only"):
        predict_across_batches(QUICK, X, truth, batch=np.full(len(X), "a"))
    truth[batch == "plate B"] = "control"
    with pytest.raises(InputError, match="'plate B' has labels of one class only"):
        predict_across_batches(QUICK, X, truth, batch=batch)
    with pytest.raises(InputError, match="'plate B' needs labels of two classes"):
        predict_within_batches(QUICK, X, truth, batch=batch)
    assert pd.notna(truth).all()
