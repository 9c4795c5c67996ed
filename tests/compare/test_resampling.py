"""Intervals and p-values of differences, held against plain computations."""

import warnings
from itertools import product

import numpy as np
import pytest

from crossplate.compare.resampling import PairCalls, contrasts

A, B, C = ("a", "x"), ("b", "x"), ("c", "y")


def calls_of(seed, n=40, target="t", better=0.0, units=None, keys=(A, B), prefix=None):
    rng = np.random.default_rng(seed)
    truth = np.array(rng.permutation(np.resize(["SLE", "control"], n)), dtype=object)
    unit = np.array([f"{prefix or target}{row}" for row in range(n)], dtype=object)
    if units is not None:
        unit = units
    shares = {key: (rng.random((n, 3)) < 0.7 - better * (key != A)).mean(axis=1) for key in keys}
    return PairCalls(target, truth, unit, shares)


def balanced(pair, key, rows=None):
    rows = np.arange(len(pair.truth)) if rows is None else rows
    truth, right = pair.truth[rows], pair.correct[key][rows]
    return np.mean([right[truth == name].mean() for name in sorted(set(truth))])


@pytest.mark.parametrize("seed", range(3))
def test_difference_is_the_mean_over_pairs(seed):
    pairs = [calls_of(seed), calls_of(seed + 10, 25, "u")]
    (found,) = contrasts(pairs, [(A, B)])
    expected = np.mean([balanced(pair, A) - balanced(pair, B) for pair in pairs])
    assert found.difference == pytest.approx(expected, abs=1e-12)
    assert (found.one, found.other, found.n_pairs) == (A, B, 2)
    assert found.low < found.difference < found.high


def test_interval_is_that_of_a_plain_bootstrap():
    pairs = [calls_of(0, better=0.1), calls_of(1, 30, "u", better=0.1)]
    (found,) = contrasts(pairs, [(A, B)])
    rng = np.random.default_rng(99)
    drawn = []
    for _ in range(4000):
        differences = []
        for pair in pairs:
            rows = np.concatenate(
                [
                    rng.choice(np.flatnonzero(pair.truth == name), (pair.truth == name).sum())
                    for name in ("SLE", "control")
                ]
            )
            differences.append(balanced(pair, A, rows) - balanced(pair, B, rows))
        drawn.append(np.mean(differences))
    expected = np.percentile(drawn, [2.5, 97.5])
    np.testing.assert_allclose([found.low, found.high], expected, atol=0.012)


@pytest.mark.parametrize("seed", range(3))
def test_intervals_are_not_too_narrow_with_three_samples_of_a_class(seed):
    """The variance of a sum over strata, its unbiased estimate, known in closed form."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(["SLE", "control"], 3).astype(object)
    pairs, variance = [], 0.0
    for batch in range(40):
        right = {A: rng.random(6), B: rng.random(6)}
        unit = np.array([f"{batch}-{row}" for row in range(6)], dtype=object)
        pairs.append(PairCalls(f"t{batch}", truth, unit, right))
        for rows in (slice(0, 3), slice(3, 6)):
            variance += np.var((right[A] - right[B])[rows], ddof=1) / 3 / (2 * 40) ** 2
    (found,) = contrasts(pairs, [(A, B)])
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.sqrt(variance), rel=0.06)


def test_samples_of_a_subject_are_drawn_together():
    n = 60
    alone = calls_of(3, n)
    subjects = np.repeat([f"s{at}" for at in range(20)], 3).astype(object)
    truth = np.repeat(["SLE", "control"], 30).astype(object)
    right = np.repeat(np.random.default_rng(0).integers(0, 2, 20), 3).astype(float)
    right_of = {A: right, B: np.full(n, 0.5)}
    (by_sample,) = contrasts([PairCalls("t", truth, alone.unit, right_of)], [(A, B)])
    (by_subject,) = contrasts([PairCalls("t", truth, subjects, right_of)], [(A, B)])
    ratio = (by_subject.high - by_subject.low) / (by_sample.high - by_sample.low)
    assert 1.5 < ratio < 2.0  # √3: a third as many independent answers
    assert by_subject.difference == by_sample.difference


def test_a_subject_in_two_batches_is_drawn_for_both():
    one = calls_of(4, better=0.2)
    copy = PairCalls("u", one.truth, one.unit, one.correct)
    other = PairCalls("u", one.truth, one.unit + "'", one.correct)
    (single,) = contrasts([one], [(A, B)])
    (same,) = contrasts([one, copy], [(A, B)])
    (independent,) = contrasts([one, other], [(A, B)])
    width = single.high - single.low
    assert same.high - same.low == pytest.approx(width, rel=0.1)
    assert independent.high - independent.low == pytest.approx(width / np.sqrt(2), rel=0.1)
    assert same.p_value == pytest.approx(single.p_value, rel=0.2)
    assert independent.p_value < single.p_value


@pytest.mark.parametrize("seed", range(3))
def test_p_value_is_that_of_all_exchanges(seed):
    pair = calls_of(seed, 12, better=0.25)
    (found,) = contrasts([pair], [(A, B)])
    count = {name: (pair.truth == name).sum() for name in pair.truth}
    weights = np.array([1 / count[name] for name in pair.truth])
    parts = weights * (pair.correct[A] - pair.correct[B])
    signs = np.array(list(product([-1, 1], repeat=12)))
    expected = (np.abs(signs @ parts) >= abs(parts.sum()) - 1e-12).mean()
    assert found.p_value == pytest.approx(expected, abs=0.02)


def test_p_values_without_a_difference_are_those_of_chance():
    p_values = [contrasts([calls_of(seed, 30)], [(A, B)])[0].p_value for seed in range(40)]
    assert 0.3 < np.mean(p_values) < 0.7
    assert np.mean(np.array(p_values) < 0.05) < 0.15


def test_a_clear_difference_is_found_and_the_direction_is_told():
    pair = calls_of(0, 100, better=0.4)
    forward, backward = contrasts([pair], [(A, B), (B, A)])
    assert forward.low > 0.2
    assert forward.p_value == pytest.approx(1e-4)
    assert backward.difference == -forward.difference
    assert backward.p_value == pytest.approx(1e-4)


def test_a_pair_that_one_did_not_answer_is_left_out():
    with_c = calls_of(0, keys=(A, B, C))
    without = calls_of(1, 30, "u")
    with warnings.catch_warnings(action="error"):
        to_b, to_c = contrasts([with_c, without], [(A, B), (A, C)])
        (never,) = contrasts([without], [(A, C)])
    assert (to_b.n_pairs, to_c.n_pairs, never.n_pairs) == (2, 1, 0)
    assert to_c.difference == pytest.approx(balanced(with_c, A) - balanced(with_c, C))
    assert np.isnan([never.difference, never.low, never.high, never.p_value]).all()


def test_equal_calls_differ_by_nothing():
    pair = calls_of(0)
    same = PairCalls("t", pair.truth, pair.unit, {A: pair.correct[A], B: pair.correct[A]})
    (found,) = contrasts([same], [(A, B)])
    assert (found.difference, found.low, found.high, found.p_value) == (0.0, 0.0, 0.0, 1.0)


def test_more_than_two_classes_and_a_class_of_one():
    truth = np.array(["a"] * 10 + ["b"] * 10 + ["c"], dtype=object)
    unit = np.array([str(row) for row in range(21)], dtype=object)
    rng = np.random.default_rng(0)
    right = {A: rng.random(21), B: rng.random(21)}
    pair = PairCalls("t", truth, unit, right)
    (found,) = contrasts([pair], [(A, B)])
    assert found.difference == pytest.approx(balanced(pair, A) - balanced(pair, B))
    assert found.low < found.difference < found.high
