"""MMD between batches: against loops over pairs of rows and against known truth."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.evaluate import BatchEffect, batch_effect


def loop_mmd2(x: np.ndarray, y: np.ndarray, widths: list[float]) -> tuple[float, float]:
    """Biased and unbiased MMD², straight from the definition."""

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return sum(math.exp(-sum((a - b) ** 2) / (2 * width**2)) for width in widths)

    n, m = len(x), len(y)
    xx = sum(kernel(a, b) for a in x for b in x)
    yy = sum(kernel(a, b) for a in y for b in y)
    xy = sum(kernel(a, b) for a in x for b in y) / (n * m)
    off_xx = sum(kernel(x[i], x[j]) for i in range(n) for j in range(n) if i != j)
    off_yy = sum(kernel(y[i], y[j]) for i in range(m) for j in range(m) if i != j)
    return (
        xx / n**2 + yy / m**2 - 2 * xy,
        off_xx / (n * (n - 1)) + off_yy / (m * (m - 1)) - 2 * xy,
    )


def plates(
    seed: int, sizes: list[int], shifts: list[float], p: int = 4
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = np.concatenate(
        [rng.normal(shift, 1.0, size=(size, p)) for size, shift in zip(sizes, shifts, strict=True)]
    )
    batch = np.repeat([f"plate {i + 1}" for i in range(len(sizes))], sizes)
    order = rng.permutation(len(x))
    return x[order], batch[order]


@pytest.mark.parametrize("seed", range(3))
def test_against_loops_when_halves_leave_no_choice(seed: int) -> None:
    # Rows that repeat within each batch: whichever rows are drawn, the value is known.
    rng = np.random.default_rng(seed)
    one, other = rng.normal(size=3), rng.normal(size=3)
    x = np.vstack([np.tile(one, (8, 1)), np.tile(other, (6, 1))])
    batch = np.repeat(["a", "b"], [8, 6])
    widths = [0.5, 2.0]
    result = batch_effect(x, batch, bandwidths=widths)
    biased, unbiased = loop_mmd2(np.tile(one, (3, 1)), np.tile(other, (3, 1)), widths)
    (pair,) = result.pairs
    assert pair.n_rows == 3
    assert pair.across.root_biased == pytest.approx(math.sqrt(biased))
    assert pair.across.unbiased == pytest.approx(unbiased)
    assert pair.across.root_biased_sd == pytest.approx(0.0, abs=1e-9)
    assert pair.in_batch.root_biased == pytest.approx(0.0, abs=1e-7)
    assert pair.in_batch.unbiased == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_mean_and_sd_lie_within_what_loops_over_all_draws_allow(seed: int) -> None:
    """Of two batches of four rows, a draw is one of 36: every mean must come from them."""
    x, batch = plates(seed, [4, 4], [0.0, 1.0])
    widths = [1.0]
    result = batch_effect(x, batch, bandwidths=widths, n_draws=500, random_state=seed)
    first, second = x[batch == "plate 1"], x[batch == "plate 2"]
    two_of_four = [(i, j) for i in range(4) for j in range(i + 1, 4)]
    across = np.array(
        [
            loop_mmd2(first[list(i)], second[list(j)], widths)
            for i in two_of_four
            for j in two_of_four
        ]
    )
    halves = np.array(
        [
            loop_mmd2(rows[list(i)], rows[[k for k in range(4) if k not in i]], widths)
            for rows in (first, second)
            for i in two_of_four
        ]
    )
    for got, expected in ((result.across, across), (result.in_batch, halves)):
        assert got is not None
        roots, plain = np.sqrt(expected[:, 0]), expected[:, 1]
        # Five standard errors of a mean of 500 draws.
        assert got.root_biased == pytest.approx(roots.mean(), abs=5 * roots.std() / 22)
        assert got.unbiased == pytest.approx(plain.mean(), abs=5 * plain.std() / 22)
        assert got.root_biased_sd == pytest.approx(roots.std(), rel=0.25)
        assert got.unbiased_sd == pytest.approx(plain.std(), rel=0.25)


@pytest.mark.parametrize("seed", range(6))
def test_one_distribution_shows_no_effect(seed: int) -> None:
    x, batch = plates(seed, [300, 200], [0.0, 0.0])
    (pair,) = batch_effect(x, batch, random_state=seed).pairs
    assert pair.n_rows == 100
    # In truth 0; the two batches are one draw of many, so their own chance counts too.
    assert abs(pair.across.unbiased) < 4 * pair.in_batch.unbiased_sd
    assert pair.across.root_biased == pytest.approx(pair.in_batch.root_biased, rel=0.35)
    assert pair.in_batch.root_biased > 0.02


@pytest.mark.parametrize("seed", range(6))
def test_a_shift_shows_and_grows(seed: int) -> None:
    found = []
    for shift in (0.5, 1.5):
        x, batch = plates(seed, [200, 200], [0.0, shift])
        (pair,) = batch_effect(x, batch, random_state=seed).pairs
        assert pair.across.unbiased > 5 * pair.in_batch.unbiased_sd
        assert pair.across.root_biased > pair.in_batch.root_biased + 3 * pair.across.root_biased_sd
        assert abs(pair.in_batch.unbiased) < 3 * pair.in_batch.unbiased_sd
        found.append(pair.across.unbiased)
    assert found[1] > 2 * found[0]


def test_rows_are_equal_in_number_across_and_in_batch() -> None:
    x, batch = plates(0, [1100, 90], [0.0, 0.0])
    assert batch_effect(x, batch, n_draws=2).pairs[0].n_rows == 45
    assert batch_effect(x, batch, n_draws=2, n_rows=20).pairs[0].n_rows == 20
    x, batch = plates(0, [1100, 1001], [0.0, 0.0])
    assert batch_effect(x, batch, n_draws=2).pairs[0].n_rows == 500


def test_more_batches_give_all_pairs_and_their_mean() -> None:
    x, batch = plates(4, [60, 60, 60], [0.0, 0.0, 2.0])
    result = batch_effect(x, batch)
    assert len(result.pairs) == 3
    assert {frozenset(pair.batches) for pair in result.pairs} == {
        frozenset(["plate 1", "plate 2"]),
        frozenset(["plate 1", "plate 3"]),
        frozenset(["plate 2", "plate 3"]),
    }
    for kind in ("across", "in_batch"):
        mean = getattr(result, kind)
        parts = [getattr(pair, kind) for pair in result.pairs]
        assert mean.root_biased == pytest.approx(np.mean([part.root_biased for part in parts]))
        assert mean.unbiased == pytest.approx(np.mean([part.unbiased for part in parts]))
    near, far = result.pair("plate 2", "plate 1"), result.pair("plate 3", "plate 1")
    assert near is not None
    assert far is not None
    assert far.across.unbiased > 10 * abs(near.across.unbiased)
    assert result.pair("plate 1", "plate 9") is None


def test_two_batches_their_mean_is_the_pair() -> None:
    x, batch = plates(0, [40, 50], [0.0, 1.0])
    result = batch_effect(x, batch)
    assert result.across == result.pairs[0].across
    assert result.in_batch == result.pairs[0].in_batch


def test_bandwidths_are_of_the_data_or_given() -> None:
    x, batch = plates(0, [40, 50], [0.0, 1.0])
    own = batch_effect(x, batch)
    distances = [math.dist(x[i], x[j]) for i in range(90) for j in range(i)]
    middle = float(np.median(distances))
    assert min(own.bandwidths) < middle < max(own.bandwidths)
    assert batch_effect(x, batch, bandwidths=own.bandwidths) == own
    assert batch_effect(x, batch, bandwidths=3).bandwidths == (3.0,)
    # Data and bandwidths in other units: the same figures.
    scaled = batch_effect(100 * x + 7, batch)
    assert scaled.bandwidths == pytest.approx([100 * width for width in own.bandwidths])
    assert scaled.pairs[0].across.unbiased == pytest.approx(own.pairs[0].across.unbiased)


def test_sd_of_few_draws_has_divisor_n_minus_1() -> None:
    # More draws begin with the same draws, so three means tell the single values.
    x, batch = plates(0, [30, 30], [0.0, 0.5])
    two, three = (batch_effect(x, batch, n_draws=n).pairs[0].across for n in (2, 3))
    half = two.unbiased_sd / np.sqrt(2)
    values = [two.unbiased - half, two.unbiased + half, 3 * three.unbiased - 2 * two.unbiased]
    assert three.unbiased_sd == pytest.approx(np.std(values, ddof=1))


def test_seeds() -> None:
    x, batch = plates(0, [60, 70], [0.0, 0.5])
    assert batch_effect(x, batch, random_state=3) == batch_effect(x, batch, random_state=3)
    assert batch_effect(x, batch, random_state=3) != batch_effect(x, batch, random_state=4)


@pytest.mark.parametrize("label", [str, int])
def test_batch_names_become_text(label: type) -> None:
    x, _ = plates(0, [8, 8], [0.0, 0.5])
    batch = np.array([label(i % 2 + 1) for i in range(16)])
    assert batch_effect(x, batch).pairs[0].batches == ("1", "2")


def test_single_batch_and_small_batches() -> None:
    x, batch = plates(0, [30], [0.0])
    alone = batch_effect(x, batch)
    assert alone.pairs == ()
    assert alone.across is None
    assert alone.in_batch is None
    x, batch = plates(0, [30, 3, 20], [0.0, 0.0, 0.0])
    result = batch_effect(x, batch)
    assert result.too_small == ("plate 2",)
    assert [set(pair.batches) for pair in result.pairs] == [{"plate 1", "plate 3"}]


def test_identical_rows_give_zero() -> None:
    result = batch_effect(np.ones((12, 3)), ["a", "b"] * 6)
    assert result.across is not None
    assert result.across.root_biased == pytest.approx(0.0, abs=1e-7)


def test_to_dict_is_json() -> None:
    def stored(result: BatchEffect) -> dict[str, Any]:
        kept: dict[str, Any] = json.loads(json.dumps(result.to_dict()))
        return kept

    x, batch = plates(0, [20, 20], [0.0, 1.0])
    result = batch_effect(x, batch)
    kept = stored(result)
    assert kept["pairs"][0]["across"]["root_biased"] == result.pairs[0].across.root_biased
    assert kept["bandwidths"] == list(result.bandwidths)
    assert stored(batch_effect(x[:5], ["a"] * 5))["across"] is None


@pytest.mark.parametrize(
    ("x", "batch", "options", "part"),
    [
        (np.zeros((4, 2)), ["a"] * 3, {}, "one batch a row"),
        (np.zeros(4), ["a"] * 4, {}, "samples in rows"),
        (np.zeros((4, 2)), ["a", "a", None, "b"], {}, "1 of 4 rows have no batch"),
        (np.array([[0.0, 1.0], [0.0, np.nan]]), ["a", "b"], {}, "row 1, column 1"),
        (np.zeros((4, 2)), ["a"] * 4, {"bandwidths": [1.0, 0.0]}, "positive"),
        (np.zeros((4, 2)), ["a"] * 4, {"bandwidths": []}, "positive"),
        (np.zeros((4, 2)), ["a"] * 4, {"n_rows": 1}, "at least 2 of each"),
        (np.zeros((4, 2)), ["a"] * 4, {"n_draws": 1}, "at least 2 of each"),
    ],
)
def test_bad_input(x: np.ndarray, batch: list[Any], options: dict[str, Any], part: str) -> None:
    with pytest.raises(InputError, match=part):
        batch_effect(x, batch, **options)
