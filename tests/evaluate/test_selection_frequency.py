"""Selection over half-samples: what is chosen, how much, and that it can be repeated."""

from __future__ import annotations

import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.evaluate.selection_frequency import (
    _chosen,
    _halves,
    features_in_model,
    selection_frequency,
)


def planted(seed: int, n_classes: int = 2, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Standardised rows of 40 features, the first four of which differ between classes."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % n_classes
    x = rng.normal(size=(n, 40))
    for feature in range(4):
        x[:, feature] += 2.5 * (codes == feature % n_classes)
    return (x - x.mean(axis=0)) / x.std(axis=0), codes


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_classes", [2, 3])
def test_planted_features_are_chosen_and_others_are_not(seed: int, n_classes: int) -> None:
    x, codes = planted(seed, n_classes)
    frequency = selection_frequency(x, codes, 9, n_pairs=15, random_state=seed)
    assert (frequency[:4] > 0.8).all()
    assert (frequency[4:] < 0.8).all()


def test_a_model_is_the_largest_that_is_small_enough() -> None:
    x, codes = planted(0)
    target = (codes == 1)[:, None] / 5.0
    half = next(_halves(codes, 1, 0))
    sizes = [int(_chosen(x, target, half, most).sum()) for most in (1, 3, 6, 12, 40)]
    assert all(size <= most for size, most in zip(sizes, (1, 3, 6, 12, 40), strict=True))
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[1] > 0


def test_twins_are_chosen_together() -> None:
    x, codes = planted(1)
    rng = np.random.default_rng(0)
    twins = x[:, :4] + 0.1 * rng.normal(size=(60, 4))
    frequency = selection_frequency(np.hstack([x, twins]), codes, 16, n_pairs=15)
    assert (frequency[:4] > 0.65).all()
    assert (frequency[40:] > 0.65).all()


def test_halves_are_complementary_and_stratified() -> None:
    codes = np.repeat([0, 1], [21, 10])
    sizes = set()
    for half in _halves(codes, 20, 0):
        sizes.add((int(half[:21].sum()), int(half[21:].sum())))
    assert sizes == {(10, 5), (11, 5)}


def test_size_of_a_model_keeps_the_bound() -> None:
    # Shah and Samworth 2013: 4 (1 - 0.9 + 1/100) / (1 + 1/50) at 50 pairs.
    factor = 4 * 0.11 / 1.02
    q = features_in_model(814, 0.9, 50)
    assert factor * q**2 / 814 <= 1 < factor * (q + 1) ** 2 / 814
    assert features_in_model(814, 0.9, 50, n_different=30) == 30 + features_in_model(784, 0.9, 50)
    assert features_in_model(814, 0.6, 50) < features_in_model(814, 0.75, 50) < q
    assert features_in_model(25, 0.9, 50, n_different=25) == 25
    assert features_in_model(1, 0.55, 2) == 1


def test_nothing_to_choose_from_constant_features() -> None:
    assert selection_frequency(np.zeros((20, 3)), np.arange(20) % 2, 2, n_pairs=2).tolist() == [
        0.0,
        0.0,
        0.0,
    ]


def test_equal_seeds_and_processes_give_equal_results() -> None:
    x, codes = planted(2)
    told: list[tuple[int, int]] = []
    one = selection_frequency(
        x, codes, 5, n_pairs=4, progress=lambda done, total: told.append((done, total))
    )
    two = selection_frequency(x, codes, 5, n_pairs=4, n_jobs=1)
    other = selection_frequency(x, codes, 5, n_pairs=4, random_state=1)
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_too_few_subjects() -> None:
    with pytest.raises(InputError, match="rarest class has 3 subjects"):
        selection_frequency(np.zeros((9, 2)), np.repeat([0, 1], [6, 3]), 1)
