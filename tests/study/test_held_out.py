"""Predictions of source rows by networks that had not learned from them."""

import numpy as np
import pandas as pd
import pytest

from crossplate.study.held_out import held_out, quick_held_out


@pytest.fixture(scope="module")
def labels(table):
    return table.labels_of((table.batch == "plate1").to_numpy())


def right(proba, labels):
    known = pd.notna(labels)
    return (proba[known].idxmax(axis=1) == labels[known]).mean()


def test_quick_networks_tell_the_classes_and_are_as_sure_as_committees(result, table, labels):
    known = pd.notna(labels)
    quick, slow = (way(result.model, table, labels, 0) for way in (quick_held_out, held_out))
    for proba in (quick, slow):
        assert list(proba.columns) == list(result.model.classes_)
        assert proba[~known].isna().all(axis=None)
        np.testing.assert_allclose(proba[known].sum(axis=1), 1.0)
        assert right(proba, labels) > 0.85
    assert quick[known].max(axis=1).mean() == pytest.approx(slow[known].max(axis=1).mean(), abs=0.1)


@pytest.mark.parametrize("seed", range(2))
def test_labels_that_mean_nothing_cannot_be_told(result, table, labels, seed):
    subject, known = table.subject.to_numpy(), pd.notna(labels)
    people = pd.unique(subject[known])
    rng = np.random.default_rng(seed)
    drawn = dict(
        zip(people, rng.permutation(np.resize(["SLE", "control"], len(people))), strict=True)
    )
    noise = np.array([drawn.get(name) for name in subject], dtype=object)
    assert right(quick_held_out(result.model, table, noise, seed), noise) < 0.75


def test_seed_decides(result, table, labels):
    first, again, other = (quick_held_out(result.model, table, labels, k) for k in (0, 0, 1))
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    assert not first.equals(other)
