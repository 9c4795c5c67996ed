"""Cross-validation within a batch."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from crossplate.compare.ceiling import answer_within, folds, labelled_batch
from crossplate.compare.work import Unit

from .tables import QUICK, make_table, relabelled


def unit(method, *classifiers, repeats=1, **settings):
    return Unit("p1", "p1", method, classifiers, repeats, settings)


def accuracy(proba, truth):
    return (proba.columns.to_numpy()[proba.to_numpy().argmax(axis=1)] == truth).mean()


@pytest.mark.parametrize("replicates", [1, 3])
def test_folds_are_those_of_the_joint_model(monkeypatch, replicates):
    batch = labelled_batch(make_table(replicates=replicates), "p1")
    ours = [np.flatnonzero(tested) for tested in folds(batch, 5)]
    theirs = []
    split = StratifiedGroupKFold.split

    def spied(self, *given):
        for training, tested in split(self, *given):
            theirs.append(tested)
            yield training, tested

    monkeypatch.setattr(StratifiedGroupKFold, "split", spied)
    settings = {**QUICK["joint"], "random_state": 5}
    (answer,) = answer_within(unit("joint", "joint", **settings), batch)
    assert answer.note == ""
    assert len(ours) == 8
    # after the model's folds come those that choose its ridge, within each
    for one, other in zip(ours, theirs[:8], strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("seed", range(2))
def test_subjects_stay_together_and_each_row_is_tested_once(seed):
    batch = labelled_batch(make_table(replicates=3), "p1")
    tested = np.array(list(folds(batch, seed)))
    assert (tested.sum(axis=0) == 1).all()
    for rows in tested:
        subjects = batch.rows.subject
        assert not set(subjects[rows]) & set(subjects[~rows])


@pytest.mark.parametrize(("method", "classifier"), [("zscore", "logistic"), ("joint", "joint")])
def test_learns_the_batch_and_not_labels_without_meaning(method, classifier):
    table = make_table(2, n_subjects=60)
    settings = {"n_members": 1} if method == "joint" else {}
    batch = labelled_batch(table, "p1")
    (answer,) = answer_within(unit(method, classifier, **settings), batch)
    assert list(answer.proba.columns) == ["SLE", "control"]
    assert accuracy(answer.proba, batch.y) > 0.85
    assert np.isnan([answer.mmd_before, answer.mmd_after]).all()
    noise = replace(batch, y=np.random.default_rng(0).permutation(batch.y))
    (answer,) = answer_within(unit(method, classifier, **settings), noise)
    # the rows of a fold would be known by heart by a network passed on from another fold
    assert 0.25 < accuracy(answer.proba, noise.y) < 0.7


def test_every_seed_draws_its_own_folds():
    batch = labelled_batch(make_table(1, distance=0.3), "p1")
    answers = answer_within(unit("zscore", "logistic", repeats=3), batch)
    assert [answer.seed for answer in answers] == [0, 1, 2]
    assert not answers[0].proba.equals(answers[1].proba)


def test_unlabelled_samples_and_other_batches_take_no_part():
    table = relabelled(make_table(), "p2", [None] * 4 + ["SLE", "control"] * 6)
    batch = labelled_batch(table, "p2")
    assert len(batch.y) == len(batch.rows.x) == 12
    rows = (table.batch == "p2").to_numpy() & table.labelled
    np.testing.assert_array_equal(batch.rows.x, table.features[rows])
    assert set(batch.rows.y) == {None}


@pytest.mark.parametrize("labels", ["SLE", ["SLE"] * 15 + ["control"]])
@pytest.mark.parametrize(("method", "classifier"), [("zscore", "logistic"), ("joint", "joint")])
def test_a_batch_that_cannot_be_cross_validated_is_a_note(method, classifier, labels):
    table = relabelled(make_table(), "p1", labels)
    settings = QUICK["joint"] if method == "joint" else {}
    (answer,) = answer_within(unit(method, classifier, **settings), labelled_batch(table, "p1"))
    assert answer.proba is None
    assert "two classes" in answer.note or "only one class" in answer.note
