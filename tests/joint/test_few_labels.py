"""A few labels on the plate to be predicted: they teach, and place its scores."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from crossplate import JointClassifier
from crossplate.datasets import make_plates
from crossplate.joint.few_labels import _folds, batches_with_few, correction, own_places


def test_batches_with_few_labels_are_those_mostly_unlabelled():
    batch = np.repeat([0, 1, 2, 3], 10)
    codes = np.full(40, -1)
    codes[:10] = 0  # all
    codes[10:12] = 1  # two of ten
    codes[20:26] = 1  # six of ten
    np.testing.assert_array_equal(batches_with_few(codes, batch), [1])


def test_the_batch_with_the_most_labels_teaches_however_few_they_are():
    codes = np.full(20, -1)
    codes[[0, 1, 2, 10]] = [0, 1, 1, 0]
    np.testing.assert_array_equal(batches_with_few(codes, np.repeat([0, 1], 10)), [1])


def shifted_rows(seed, n_known, shift, n_classes=2):
    """Two batches; the second, whose scores are off by a shift, has labels of a few rows."""
    rng = np.random.default_rng(seed)
    classes = np.tile(np.arange(n_classes), 60)
    batch = np.repeat([0, 1], len(classes) // 2)
    z = rng.normal(size=(len(classes), 8))
    z[np.arange(len(classes)), classes] += 2.5
    z[batch == 1, 0] += shift
    codes = np.where(batch == 0, classes, -1)
    for code in range(n_classes):
        first = np.flatnonzero((batch == 1) & (classes == code))[:n_known]
        codes[first] = code
    return z, codes, batch


@pytest.mark.parametrize("seed", range(3))
def test_a_few_labels_place_the_scores_of_their_batch(seed):
    places = own_places(*shifted_rows(seed, 10, 2.0), 10.0)
    assert places.shape == (2, 1)
    # the class of feature 0 would be called too often there, so class 1 has to gain
    assert places[0, 0] == 0.0
    assert places[1, 0] > 0.5
    assert abs(own_places(*shifted_rows(seed, 10, 0.0), 10.0)[1, 0]) < places[1, 0] / 2


def test_three_classes_are_placed_one_by_one():
    places = own_places(*shifted_rows(0, 10, 2.0, n_classes=3), 10.0)[1]
    assert places[0] < min(places[1], places[2])


@pytest.mark.parametrize("seed", range(3))
def test_no_correction_where_the_guess_is_right(seed):
    found = correction(*shifted_rows(seed, 10, 0.0), 1, None, 10.0)
    assert found.shape == (1,)
    assert abs(found[0]) < 0.5


@pytest.mark.parametrize("n_classes", [2, 3])
def test_nothing_is_told_where_the_others_lack_a_class(n_classes):
    z, codes, batch = shifted_rows(0, 5, 0.0, n_classes)
    codes[(batch == 0) & (codes == n_classes - 1)] = -1
    assert not correction(z, codes, batch, 1, None, 10.0).any()
    assert not own_places(z, codes, batch, 10.0).any()


def test_folds_keep_subjects_together_and_classes_apart():
    codes = np.repeat([0, 1], 20)
    subject = np.repeat([f"s{i}" for i in range(20)], 2)
    folds = _folds(codes, subject)
    assert (folds[::2] == folds[1::2]).all()
    for code in (0, 1):
        np.testing.assert_array_equal(np.bincount(folds[codes == code]), np.full(5, 4))


def plates_with_few(seed, n_known, n_features=60):
    """Class shares differ; ``n_known`` subjects a class of the second plate have labels."""
    table = make_plates(
        n_subjects=(60, 80),
        n_features=n_features,
        n_informative=20,
        effect_size=1.0,
        max_replicates=1,
        class_shares=(0.25, 0.75),
        random_state=seed,
    ).table
    target = (table.batch == "plate2").to_numpy()
    known = ~target
    for label in ("SLE", "control"):
        known[np.flatnonzero(target & (table.label == label).to_numpy())[:n_known]] = True
    return table, target, known


def test_ten_labels_a_class_do_better_than_none():
    scores = {"none": [], "ten": []}
    for seed in range(4):
        table, target, known = plates_with_few(seed, 10)
        rest = target & ~known
        for name, labelled in (("none", ~target), ("ten", known)):
            model = JointClassifier(random_state=0)
            model.fit(table.features, table.label.where(labelled), batch=table.batch)
            found = model.predict(table.features[rest], batch=table.batch[rest])
            scores[name].append(balanced_accuracy_score(table.label[rest], found))
            assert set(model.offsets_) == {"plate2"}
            assert model.reference_batch_ == "plate1"
    assert np.mean(scores["ten"]) > np.mean(scores["none"]) + 0.01


def test_a_plate_with_few_labels_does_not_decide_which_features_are_read():
    table, _, known = plates_with_few(0, 5, n_features=40)
    values = table.features.to_numpy().copy()
    values[(table.batch == "plate2").to_numpy(), 3] = 7.0
    model = JointClassifier(n_members=1, epochs=2, random_state=0)
    model.fit(values, table.label.where(known), batch=table.batch)
    assert not model.scaler_.informative_[3]


def test_rows_without_a_batch_belong_to_the_plate_with_few_labels():
    table, _, known = plates_with_few(0, 5, n_features=40)
    model = JointClassifier(n_members=1, epochs=2, random_state=0)
    model.fit(table.features, table.label.where(known), batch=table.batch)
    assert model.default_batch_ == "plate2"
    assert set(model.labelled_batches_) == {"plate1", "plate2"}
