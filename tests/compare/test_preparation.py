"""Logs, gaps and scale around a corrector."""

from dataclasses import replace

import numpy as np
import pytest

from crossplate.compare.blind import BlindTask, blind_task
from crossplate.compare.preparation import (
    Preparation,
    SourceScale,
    fill_by_batch,
    fill_from_source,
)
from crossplate.errors import InputError

from .tables import make_table


def task_of(x):
    """A task with the first half of the rows as source."""
    half = len(x) // 2
    batch = np.repeat(["a", "b"], [half, len(x) - half])
    return BlindTask(np.asarray(x, float), batch, None, np.full(len(x), None), "a", "b")


def test_logs_of_skewed_intensities_and_of_nothing_else():
    task = blind_task(make_table(n_subjects=40), "p1", "p2")
    preparation = Preparation.of(task)
    assert preparation.log_unit == 1.0
    np.testing.assert_allclose(preparation.logged(task.x), np.log1p(task.x))
    logged = replace(task, x=np.log(task.x) - 6.0)
    assert Preparation.of(logged).log_unit is None
    np.testing.assert_array_equal(Preparation.of(logged).logged(logged.x), logged.x)


def test_a_task_without_features_is_refused():
    with pytest.raises(InputError, match="no feature differs between two samples of batch 'a'"):
        Preparation.of(task_of(np.ones((4, 0))))


def test_gaps_before_a_correction_are_filled_from_their_own_batch():
    nan = np.nan
    task = task_of([[1, 10], [3, nan], [nan, 30], [100, nan], [300, nan], [nan, nan]])
    filled = fill_by_batch(task.x, task)
    expected = [[1, 10], [3, 20], [2, 30], [100, 20], [300, 20], [200, 20]]
    np.testing.assert_array_equal(filled, expected)
    assert np.isnan(task.x).sum() == 6


def test_gaps_after_a_correction_are_filled_from_the_source():
    nan = np.nan
    task = task_of([[1, 10], [3, nan], [nan, 30], [100, nan], [300, nan], [nan, nan]])
    filled = fill_from_source(task.x, task)
    expected = [[1, 10], [3, 20], [2, 30], [100, 20], [300, 20], [2, 20]]
    np.testing.assert_array_equal(filled, expected)


def test_scale_is_that_of_the_source_alone():
    rng = np.random.default_rng(0)
    task = task_of(rng.normal(5.0, 3.0, (20, 3)))
    z = SourceScale.of(task.x, task).standardised(task.x)
    source = task.x[:10]
    np.testing.assert_allclose(z, (task.x - source.mean(axis=0)) / source.std(axis=0))


def test_a_feature_constant_in_the_source_says_nothing_of_the_target():
    task = task_of([[1e6, 1], [1e6 + 1e-7, 2], [5, 3], [7, 4]])
    z = SourceScale.of(task.x, task).standardised(task.x)
    np.testing.assert_array_equal(z[:, 0], 0.0)
    np.testing.assert_allclose(z[:, 1], [-1, 1, 3, 5])
