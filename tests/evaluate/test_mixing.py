"""Mixing of batches: apart, mixed, by hand, and replicates left out."""

from __future__ import annotations

import json

import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.evaluate.mixing import batch_mixing


@pytest.mark.parametrize("seed", range(3))
def test_mixed_batches_reach_what_shuffling_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    batch = rng.choice(["a", "b", "c"], 300, p=[0.5, 0.3, 0.2])
    found = batch_mixing(rng.normal(size=(300, 4)), batch)
    assert found.mixed == pytest.approx(1.0, abs=0.06)
    assert 1.0 < found.expected < 3.0
    assert json.loads(json.dumps(found.to_dict()))["n_neighbours"] == 30


def test_batches_apart_do_not_mix() -> None:
    rng = np.random.default_rng(0)
    batch = np.repeat(["a", "b"], 100)
    found = batch_mixing(rng.normal(size=(200, 3)) + 50.0 * (batch == "b")[:, None], batch)
    assert (found.mean, found.mixed) == (1.0, 0.0)


def test_by_hand_on_a_line() -> None:
    # Forty points in a row, batches in turn: of the four nearest, inner points have three or one
    # of a batch or two of each.
    x = np.arange(40.0)[:, None] ** 1.001
    batch = np.array(["a", "b"] * 20)
    found = batch_mixing(x, batch, n_neighbours=4)
    distance = np.abs(x - x.T) + np.diag(np.full(40, np.inf))
    nearest = np.argsort(distance, axis=1)[:, :4]
    share = (batch[nearest] == "a").mean(axis=1)
    assert found.mean == pytest.approx(np.mean(1 / (share**2 + (1 - share) ** 2)))


def test_replicates_are_no_neighbours() -> None:
    rng = np.random.default_rng(1)
    subject = np.repeat(np.arange(60), 5)
    batch = np.where(subject % 2 == 0, "a", "b")
    x = rng.normal(size=(60, 3))[subject] + 0.001 * rng.normal(size=(300, 3))
    told = batch_mixing(x, batch, subject=subject)
    untold = batch_mixing(x, batch)
    assert told.mixed == pytest.approx(1.0, abs=0.2)
    assert untold.mixed < told.mixed - 0.1


def test_rows_are_capped() -> None:
    rng = np.random.default_rng(2)
    found = batch_mixing(rng.normal(size=(200, 2)), rng.choice(["a", "b"], 200), max_rows=60)
    assert (found.n_rows, found.n_neighbours) == (60, 6)


@pytest.mark.parametrize(
    ("x", "batch", "subject", "said"),
    [
        (np.ones((30, 1)), ["a"] * 30, None, "30 rows of 1 batches"),
        (np.ones((10, 1)), ["a", "b"] * 5, None, "10 rows of 2 batches"),
        (np.ones((30, 1)), ["a", "b"] * 15, ["s"] * 30, "too few"),
        (np.full((30, 1), np.nan), ["a", "b"] * 15, None, "30 missing"),
    ],
)
def test_bad_input(x: np.ndarray, batch: list[str], subject: list[str] | None, said: str) -> None:
    with pytest.raises(InputError, match=said):
        batch_mixing(x, batch, subject=subject)
