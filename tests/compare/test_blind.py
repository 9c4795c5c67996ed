"""What a method gets: nothing in it depends on the target's labels, and nothing leads to them."""

import pickle
import warnings
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from crossplate.compare.blind import blind_task, usable_features

from .tables import make_table, relabelled

SECRET = "secret"


def table_that_tells(**shape):
    """A table whose target names its labels everywhere but in the measurements."""
    table = make_table(**shape)
    target = (table.batch == "p2").to_numpy()
    table = relabelled(table, "p2", [f"{SECRET}-{name}" for name in table.label[target]])
    index = pd.Index(
        [f"{name}-{label}" for name, label in zip(table.features.index, table.label, strict=True)],
        name="sample_id",
    )
    parts = {"features": table.features.set_axis(index), "batch": table.batch.set_axis(index)}
    parts["label"] = table.label.set_axis(index)
    parts["metadata"] = pd.DataFrame({"diagnosis": table.label.to_numpy()}, index)
    if table.subject is not None:
        subject = table.subject + "-" + table.label
        parts["subject"] = subject.set_axis(index)
    return replace(table, **parts)


@pytest.mark.parametrize("replicates", [1, 2])
def test_the_whole_task_does_not_hold_a_target_label(replicates):
    table = table_that_tells(replicates=replicates)
    task = blind_task(table, "p1", "p2")
    assert SECRET.encode() not in pickle.dumps(task)
    # numpy keeps text as four bytes a letter
    assert SECRET.encode("utf-32-le") not in pickle.dumps(task)
    assert SECRET.encode() in pickle.dumps(blind_task(table, "p2", "p1"))  # the test can see it


def test_the_task_is_the_same_whatever_the_labels_of_the_target():
    table = make_table(replicates=2)
    as_measured = pickle.dumps(blind_task(table, "p1", "p2"))
    for labels in ("SLE", "something else", None):
        other = relabelled(table, "p2", labels)
        assert pickle.dumps(blind_task(other, "p1", "p2")) == as_measured


def test_labels_of_the_source_are_there_and_those_of_the_target_are_not():
    table = make_table(batches=("p1", "p2", "p3"))
    task = blind_task(table, "p3", "p1")
    assert len(task.x) == 32
    source = (table.batch == "p3").to_numpy()
    assert list(task.y[task.source_rows]) == list(table.label[source])
    assert set(task.y[task.target_rows]) == {None}
    np.testing.assert_array_equal(task.x[task.source_rows], table.features[source])
    assert set(blind_task(table, "p2", "p2").y) == {None}


def test_further_batches_with_and_without_labels():
    table = make_table(batches=("p1", "p2", "p3", "p4"))
    task = blind_task(table, "p1", "p2", labelled=["p3"], unlabelled=["p4"])
    taught = np.isin(task.batch, ["p1", "p3"])
    assert list(task.y[taught]) == list(table.label[table.batch.isin(["p1", "p3"])])
    assert set(task.y[~taught]) == {None}
    assert task.target_rows.sum() == task.source_rows.sum() == 16
    table = relabelled(table, "p2", SECRET)
    told = blind_task(table, "p1", "p2", labelled=["p2", "p3"])
    assert set(told.y[told.target_rows]) == {None}


def test_nothing_is_shared_with_the_table():
    table = make_table(replicates=2)
    before = table.features.copy()
    task = blind_task(table, "p1", "p2")
    for name in ("x", "batch", "subject", "y"):
        array = getattr(task, name)
        assert isinstance(array, np.ndarray)
        assert array.base is None or array.base.base is None
    task.x[:] = 0.0
    pd.testing.assert_frame_equal(table.features, before)
    kinds = {type(getattr(task, field.name)) for field in fields(task)}
    assert kinds == {np.ndarray, str, int}


def test_a_subject_on_both_plates_is_not_known_again():
    table = make_table(replicates=2)
    same = replace(table, subject=table.subject.str.replace("p2", "p1"))
    task = blind_task(same, "p1", "p2")
    assert not set(task.subject[task.source_rows]) & set(task.subject[task.target_rows])
    for rows in (task.source_rows, task.target_rows):
        groups = pd.Series(same.subject.to_numpy()[rows]).groupby(task.subject[rows]).nunique()
        assert (groups == 1).all()
        assert len(groups) == 16


def test_features_that_can_carry_nothing_over_are_left_out():
    table = make_table()
    target = (table.batch == "p2").to_numpy()
    features = table.features.copy()
    features.loc[~target, "mz_0"] = 5.0
    features.loc[~target, "mz_1"] = np.nan
    features.loc[target, "mz_2"] = np.nan
    features.loc[target, "mz_3"] = 5.0
    table = replace(table, features=features)
    with warnings.catch_warnings(action="error"):
        assert usable_features(table, "p1", "p2").tolist() == [False] * 3 + [True] * 3
        assert usable_features(table, "p2", "p1").tolist() == [True] + [False] * 3 + [True] * 2
    np.testing.assert_array_equal(blind_task(table, "p1", "p2").x, features.iloc[:, 3:])
