"""The permutation test of any procedure."""

from __future__ import annotations

import json
from functools import partial

import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.evaluate.shuffling import ShuffleTest, shuffle_test


def difference(x: np.ndarray, labels: np.ndarray) -> float:
    """A score: distance of the class means."""
    return abs(float(x[labels == "a"].mean() - x[labels == "b"].mean()))


def test_an_effect_is_found_and_none_is_not() -> None:
    rng = np.random.default_rng(0)
    labels = np.array(["a", "b"] * 30, dtype=object)
    x = rng.normal(size=60)
    strong = shuffle_test(lambda y: difference(x + 2 * (labels == "a"), y), labels)
    assert strong.p_value == pytest.approx(1 / 101)
    p_values = [
        shuffle_test(
            partial(difference, np.random.default_rng(seed).normal(size=60)),
            labels,
            n_permutations=19,
            random_state=seed,
        ).p_value
        for seed in range(60)
    ]
    assert 0.38 < np.mean(p_values) < 0.67
    assert json.loads(json.dumps(strong.to_dict()))["p_value"] == strong.p_value


def test_what_is_shuffled() -> None:
    seen: list[np.ndarray] = []
    labels = np.array(["a", "a", "b", "b", "a", "b", None, None], dtype=object)
    batch = np.array(["p"] * 4 + ["q"] * 4)
    subject = np.array([0, 0, 1, 1, 2, 3, 4, 4])
    told: list[tuple[int, int]] = []
    shuffle_test(
        lambda y: float(seen.append(y) or 0.0),
        labels,
        batch=batch,
        subject=subject,
        n_permutations=20,
        progress=lambda done, total: told.append((done, total)),
    )
    np.testing.assert_array_equal(seen[0], labels)
    for y in seen[1:]:
        assert y[0] == y[1] != y[2] == y[3]
        assert {y[4], y[5]} == {"a", "b"}
        assert y[6] is None
    assert len({tuple(y) for y in seen}) == 4
    assert told[-1] == (20, 20)


def test_p_value_counts_ties_and_itself() -> None:
    assert ShuffleTest(0.8, np.array([0.5, 0.8, 0.9, 0.4])).p_value == 3 / 5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n_permutations": 0}, "n_permutations is 0"),
        ({"subject": ["s"] * 4}, "samples with different labels"),
        ({"labels": ["a"] * 4}, "only one class"),
        ({"batch": ["p"]}, "1 entries for 4 rows"),
    ],
)
def test_bad_input(change: dict[str, object], said: str) -> None:
    given = {"labels": list("abab")} | change
    with pytest.raises(InputError, match=said):
        shuffle_test(lambda _: 0.0, given.pop("labels"), **given)
