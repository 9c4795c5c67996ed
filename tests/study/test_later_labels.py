"""Labels that come after the run, by sample or by subject."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from crossplate import InputError
from crossplate.study.later_labels import with_later_labels


@pytest.fixture
def target(table):
    return (table.batch == "plate2").to_numpy()


@pytest.fixture
def unlabelled(table, target):
    label = table.label.astype(object).copy()
    label[target] = None
    return dataclasses.replace(table, label=label)


def names(**changes):
    return {"label": "diagnosis", "subject": "subject", **changes}


def by_subject(table, target):
    frame = pd.DataFrame({"subject": table.subject[target], "diagnosis": table.label[target]})
    return frame.drop_duplicates()


def test_by_subject_all_its_samples(table, unlabelled, target):
    found = with_later_labels(unlabelled, target, by_subject(table, target), **names())
    np.testing.assert_array_equal(found.label, table.label)
    assert f"{target.sum()} of {target.sum()} target samples" in found.notices[-1]


def test_by_sample_which_wins_over_the_subject(table, unlabelled, target):
    ids = table.features.index[target]
    frame = pd.DataFrame({"Sample ID": ids[:5], "diagnosis": "SLE", "subject": "nobody"})
    found = with_later_labels(unlabelled, target, frame, **names())
    assert list(found.label[ids[:5]]) == ["SLE"] * 5
    assert found.label[ids[5:]].isna().all()
    pd.testing.assert_series_equal(found.label[~target], table.label[~target], check_names=False)


def test_labels_of_the_source_stay(table, unlabelled, target):
    frame = pd.DataFrame({"subject": table.subject.unique(), "diagnosis": "new"})
    found = with_later_labels(unlabelled, target, frame, **names())
    assert set(found.label[target]) == {"new"}
    assert "new" not in set(found.label[~target])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"subject": ["a"], "label": ["b"]}, "no column 'diagnosis'"),
        ({"who": ["a"], "diagnosis": ["b"]}, "no column 'sample_id' or 'subject'"),
        ({"subject": ["a", "a"], "diagnosis": ["b", "c"]}, "'a' two labels"),
        ({"subject": ["nobody"], "diagnosis": ["b"]}, "none of the 1 subjects"),
        ({"subject": ["a"], "diagnosis": [None]}, "no row with both"),
    ],
)
def test_tables_that_do_not_fit_are_refused(unlabelled, target, columns, message):
    with pytest.raises(InputError, match=message):
        with_later_labels(unlabelled, target, pd.DataFrame(columns), **names())
