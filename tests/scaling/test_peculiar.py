"""Directions peculiar to one batch: found where they are, damped to what is usual, undone."""

import numpy as np
import pytest

from crossplate.scaling import PlateScaler
from crossplate.scaling.peculiar import find_peculiar


def two_batches(seed, *, strength=8.0, n=80, p=30, signal=1.0):
    """Standard normal rows; the second batch moves along one direction of its own."""
    rng = np.random.default_rng(seed)
    batch = np.repeat([0, 1], n)
    classes = np.tile([0, 1], n)
    z = rng.normal(size=(2 * n, p))
    z[:, :5] += signal * (2.0 * classes[:, None] - 1.0)
    direction = np.concatenate([np.zeros(p - 20), np.ones(20)]) / np.sqrt(20.0)
    z[batch == 1] += strength * rng.normal(size=(n, 1)) * direction
    return z, batch, np.where(batch == 0, classes, -1), direction


@pytest.mark.parametrize("seed", range(5))
def test_the_one_peculiar_direction_is_found_and_damped(seed):
    z, batch, codes, direction = two_batches(seed)
    found, _ = find_peculiar(z, batch, codes)
    assert set(found) == {1}
    assert found[1].factors.shape == (1,)
    its = found[1].directions[0] / np.linalg.norm(found[1].directions[0])
    assert abs(its @ direction) > 0.9
    before, after = z[batch == 1], found[1].damped(z[batch == 1])
    assert (before @ direction).var() > 10.0
    assert (after @ direction).var() < 6.0
    across = np.eye(30)[0]
    assert np.corrcoef(before @ across, after @ across)[0, 1] > 0.95


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_found_where_batches_vary_alike(seed):
    z, batch, codes, _ = two_batches(seed, strength=0.0)
    assert find_peculiar(z, batch, codes)[0] == {}


def test_damping_can_be_undone():
    z, batch, codes, _ = two_batches(0)
    its = find_peculiar(z, batch, codes)[0][1]
    np.testing.assert_allclose(its.restored(its.damped(z)), z, atol=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_what_tells_the_classes_apart_is_left_alone(seed):
    z, batch, codes, _ = two_batches(seed, strength=0.0, signal=0.0)
    classes = np.tile([0, 1], 80)
    # the classes differ in both batches, in the labelled one five times as much
    z[:, :5] += np.where(batch == 0, 2.5, 0.5)[:, None] * (2.0 * classes[:, None] - 1.0)
    assert find_peculiar(z, batch, codes)[0] == {}
    unlabelled_is_the_strong_one = find_peculiar(z, 1 - batch, np.where(batch == 1, classes, -1))
    assert set(unlabelled_is_the_strong_one[0]) <= {1}


def test_rows_of_one_subject_count_as_drawn_together():
    rng = np.random.default_rng(0)
    people = rng.normal(size=(16, 40))
    z = np.repeat(people, 5, axis=0) + 0.1 * rng.normal(size=(80, 40))
    batch = np.repeat([0, 1], 40)
    subject = np.repeat([f"s{i}" for i in range(16)], 5)
    codes = np.where(batch == 0, np.repeat(np.tile([0, 1], 8), 5), -1)
    assert find_peculiar(z, batch, codes, subject)[0] == {}


def test_one_batch_has_nothing_to_be_compared_with():
    z, _, codes, _ = two_batches(0)
    assert find_peculiar(z, np.zeros(len(z), dtype=int), codes) == ({}, None)


def test_a_later_batch_is_damped_as_one_of_the_fit():
    z, batch, codes, _ = two_batches(0)
    names = np.array(["a", "b"])[batch]
    scaler = PlateScaler("never").fit(z, names, codes >= 0)
    plain = scaler.scale(z, names)
    scaler.learn_peculiar(z, names, codes)
    damped = scaler.scale(z, names)
    assert not np.allclose(damped, plain)
    np.testing.assert_allclose(scaler.standardise(z, names, damped=False), plain)
    later = z[batch == 1]
    as_new = scaler.scale(later, np.full(len(later), "c"))
    np.testing.assert_allclose(as_new, damped[batch == 1], atol=1e-8)
    learned = scaler.statistics_of(later)
    assert learned.peculiar is not None
    np.testing.assert_allclose(scaler.restore(as_new, learned), later, atol=1e-8)
    few = scaler.scale(later[:10], np.full(10, "d"))
    np.testing.assert_allclose(few, scaler.standardise(later[:10], np.full(10, "d"), damped=False))
