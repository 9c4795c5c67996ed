"""Checks within the source: single feature, run order, overcorrection, precision."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import mannwhitneyu
from sklearn.metrics import roc_auc_score

from crossplate.errors import InputError
from crossplate.evaluate.trust import (
    check_overcorrection,
    check_precision,
    check_run_order,
    check_single_feature,
)
from crossplate.evaluate.trust.precision import expected_width
from crossplate.evaluate.trust.ranks import feature_auc
from crossplate.evaluate.trust.run_order import N_PERMUTATIONS
from crossplate.evaluate.trust.single_feature import single_feature_auc

N = 120
SOURCE = np.zeros(N, dtype=bool)
ONE = np.full(N, "plate1")
NAMES = np.array(["case", "control"], dtype=object)


def measured(
    seed: int, *, apart: float, single: float = 0.0, p: int = 40
) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Rows whose first ten features together, and whose 21st alone, tell the classes.

    The probabilities are those of the ten.
    """
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.arange(N) % 2)
    x = rng.normal(size=(N, p))
    x[:, :10] += apart * (codes[:, None] - 0.5) / np.sqrt(10)
    x[:, 20] += single * codes
    second = expit(apart * x[:, :10].sum(axis=1) / np.sqrt(10))
    return x, codes, pd.DataFrame({"case": 1 - second, "control": second})


def test_feature_auc_is_that_of_each_feature() -> None:
    rng = np.random.default_rng(0)
    x, codes = rng.integers(0, 9, size=(50, 6)).astype(float), rng.integers(0, 3, 50)
    found = feature_auc(x, codes, 3)
    for k in range(3):
        for j in range(6):
            assert found[k, j] == pytest.approx(roc_auc_score(codes == k, x[:, j]))


@pytest.mark.parametrize("seed", range(4))
def test_a_chosen_noise_feature_scores_as_noise(seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes, x = rng.permutation(np.arange(N) % 2), rng.normal(size=(N, 500))
    found, best = single_feature_auc(x, codes, np.arange(N))
    assert max(feature_auc(x, codes, 2)[1, best], feature_auc(x, codes, 2)[0, best]) > 0.6
    assert found == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_true_single_feature_keeps_its_auc(sign: float) -> None:
    x, codes, _ = measured(0, apart=0.0, single=3.0)
    found, best = single_feature_auc(sign * x, codes, np.arange(N))
    assert best == 20
    assert found == pytest.approx(roc_auc_score(codes, x[:, 20]), abs=0.01)


@pytest.mark.parametrize("seed", range(4))
def test_single_feature(seed: int) -> None:
    x, codes, proba = measured(seed, apart=3.0)
    sound = check_single_feature(x, proba, SOURCE, ONE, NAMES[codes])
    assert sound.verdict == "ok"
    x, codes, proba = measured(seed, apart=3.0, single=4.5)
    named = pd.DataFrame(x).rename(columns=lambda i: f"mz{i}")
    found = check_single_feature(named, proba, SOURCE, ONE, NAMES[codes])
    assert found.verdict == "look"
    assert found.details["feature"] == "mz20"
    assert "mz20 alone" in found.advice


def test_single_feature_not_applicable() -> None:
    x, codes, proba = measured(0, apart=3.0)
    assert check_single_feature(None, proba, SOURCE, ONE, NAMES[codes]).verdict is None
    assert check_single_feature(x, None, SOURCE, ONE, NAMES[codes]).verdict is None
    one_class = np.where(codes == 0, NAMES[codes], None)
    assert check_single_feature(x, proba, SOURCE, ONE, one_class).verdict is None


@pytest.mark.parametrize("seed", range(3))
def test_run_order_p_is_near_the_rank_tests(seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = np.arange(40) % 2
    order = rng.normal(size=40) + 0.7 * codes
    found = check_run_order(order, ["a"] * 40, NAMES[codes])
    exact = mannwhitneyu(order[codes == 0], order[codes == 1]).pvalue
    sd = np.sqrt(exact * (1 - exact) / N_PERMUTATIONS)
    assert found.details["p_value"] == pytest.approx(exact, abs=4 * sd + 0.003)
    auc = roc_auc_score(codes, order)
    assert found.figure == pytest.approx(max(auc, 1 - auc))


@pytest.mark.parametrize("seed", range(4))
def test_run_order_verdicts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    batch = np.repeat(["a", "b"], N // 2)
    codes = rng.permutation(np.arange(N) % 2)
    label = NAMES[codes]
    assert check_run_order(rng.permutation(N), batch, label).verdict == "ok"
    late = rng.normal(size=N) + 1.2 * codes
    assert check_run_order(late, batch, label).verdict == "look"
    # On one plate the cases first, on the other last: no order over both, but within each.
    opposite = np.where(batch == "a", codes, -codes) + 0.01 * rng.normal(size=N)
    assert check_run_order(opposite, batch, label).verdict == "stop"
    # Batches one after the other, of unlike class shares, are no matter of run order.
    label = NAMES[(rng.random(N) < np.where(batch == "a", 0.8, 0.2)).astype(int)]
    assert check_run_order(np.arange(N), batch, label).verdict == "ok"


def test_run_order_of_replicates_counts_subjects() -> None:
    rng = np.random.default_rng(0)
    codes, order = np.arange(30) % 2, rng.normal(size=30) + 0.6 * (np.arange(30) % 2)
    once = check_run_order(order, ["a"] * 30, NAMES[codes])
    found = check_run_order(
        np.repeat(order, 5), ["a"] * 150, np.repeat(NAMES[codes], 5), np.repeat(np.arange(30), 5)
    )
    assert found == once


def test_run_order_missing() -> None:
    label = NAMES[np.arange(10) % 2]
    assert check_run_order(None, ["a"] * 10, label).verdict is None
    assert check_run_order(np.full(10, np.nan), ["a"] * 10, label).verdict is None
    assert check_run_order(np.arange(10), label, label).verdict is None
    with pytest.raises(InputError, match="must be 10 numbers"):
        check_run_order(["first"] * 10, ["a"] * 10, label)


@pytest.mark.parametrize("seed", range(2))
def test_overcorrection(seed: int) -> None:
    x, codes, _ = measured(seed, apart=4.0)
    label = NAMES[codes]
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(40, 40)))[0]
    assert check_overcorrection(x, 3 * x @ turn + 1, SOURCE, ONE, label).verdict == "ok"
    bare = x - np.array([x[codes == k].mean(axis=0) for k in (0, 1)])[codes]
    found = check_overcorrection(x, bare, SOURCE, ONE, label)
    assert found.verdict == "stop"
    assert found.details["before"] > 0.85
    assert found.details["after"] < 0.65
    # The other way round nothing is lost.
    other = check_overcorrection(bare, x, SOURCE, ONE, label)
    assert other.verdict is None
    assert "no signal to lose" in other.advice


def test_overcorrection_reads_no_target() -> None:
    x, codes, _ = measured(0, apart=4.0)
    target = np.arange(N) >= 80
    label = NAMES[codes]
    told = np.where(target, "other", label)
    strange = np.where(target[:, None], 100.0, x)
    assert check_overcorrection(x, x, target, ONE, label) == check_overcorrection(
        strange, strange, target, ONE, told
    )


def test_overcorrection_not_applicable() -> None:
    x, codes, _ = measured(0, apart=4.0)
    assert check_overcorrection(None, x, SOURCE, ONE, NAMES[codes]).verdict is None
    assert check_overcorrection(x, None, SOURCE, ONE, NAMES[codes]).verdict is None
    few = np.where(np.arange(N) < 8, NAMES[codes], None)
    assert "too few" in check_overcorrection(x, x, SOURCE, ONE, few).advice


@pytest.mark.parametrize("recall", [(0.9, 0.9), (0.8, 0.95)])
@pytest.mark.parametrize("subjects", [(100, 100), (40, 160)])
def test_expected_width_is_the_spread_of_simulated_studies(
    recall: tuple[float, float], subjects: tuple[int, int]
) -> None:
    rng = np.random.default_rng(0)
    hits = rng.binomial(subjects, recall, size=(4000, 2)) / subjects
    spread = 2 * 1.96 * hits.mean(axis=1).std()
    width = expected_width(np.array(recall), np.array(subjects, dtype=float))
    assert width == pytest.approx(spread, rel=0.1)


def test_precision() -> None:
    _, codes, proba = measured(0, apart=3.0)
    label = NAMES[codes]
    assert check_precision(proba, SOURCE, ONE, label).verdict == "ok"
    few = check_precision(proba, np.arange(N) >= 24, ONE, label)
    assert few.verdict == "look"
    assert few.details["subjects_needed"] > 50
    assert check_precision(proba, np.arange(N) >= 6, ONE, label).verdict == "stop"
    # Many replicates of few subjects are few subjects.
    who = np.arange(N) % 12
    label = NAMES[(who % 2)]
    found = check_precision(proba, SOURCE, ONE, label, who)
    assert sum(found.details["subjects"].values()) == 12
    assert found.verdict != "ok"


def test_precision_not_applicable() -> None:
    _, codes, proba = measured(0, apart=3.0)
    assert check_precision(None, SOURCE, ONE, NAMES[codes]).verdict is None
    assert check_precision(proba * np.nan, SOURCE, ONE, NAMES[codes]).verdict is None
