"""Checks between batches: whether there is an effect at all, and the source's support."""

from __future__ import annotations

import math

import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.evaluate.trust import check_batch_effect, check_support, outside_support
from crossplate.evaluate.trust.batch_difference import mmd_p_value
from crossplate.evaluate.trust.support import FAR, N_NEIGHBOURS

N = 50
BATCH = np.repeat(["plate1", "plate2"], N)
TARGET = BATCH == "plate2"


def rows(seed: int, shift: float = 0.0, p: int = 20) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(2 * N, p))
    x[TARGET] += shift
    return x


def test_p_values_are_uniform_without_an_effect() -> None:
    found = []
    for seed in range(60):
        x = rows(seed, p=5)[::2]
        found.append(mmd_p_value(x, np.arange(N) % 3, np.random.default_rng(seed)))
    assert np.mean(np.array(found) < 0.5) == pytest.approx(0.5, abs=0.2)
    assert np.mean(np.array(found) < 0.1) == pytest.approx(0.1, abs=0.1)


@pytest.mark.parametrize("seed", range(4))
def test_batch_effect(seed: int) -> None:
    assert check_batch_effect(rows(seed, 0.5), BATCH).verdict == "ok"
    assert check_batch_effect(np.exp(rows(seed, 0.5)), BATCH).verdict == "ok"
    found = check_batch_effect(rows(seed), BATCH)
    assert found.verdict == "look"
    assert "calibration is not needed" in found.advice


def test_a_difference_in_spread_is_an_effect() -> None:
    x = rows(0)
    x[TARGET] *= 1.6
    assert check_batch_effect(x, BATCH).verdict == "ok"


def test_replicates_are_no_evidence_of_an_effect() -> None:
    x, subject = np.repeat(rows(1), 4, axis=0), np.repeat(np.arange(2 * N), 4)
    x += 0.01 * np.random.default_rng(0).normal(size=x.shape)
    assert check_batch_effect(x, np.repeat(BATCH, 4), subject).verdict == "look"
    assert check_batch_effect(x, np.repeat(BATCH, 4)).verdict == "ok"


def test_small_batches_are_left_out_and_missing_values_imputed() -> None:
    x = rows(0, 0.5)
    x[::7, 3] = np.nan
    batch = BATCH.astype(object)
    batch[:4] = "plate3"
    found = check_batch_effect(x, batch)
    assert found.details == {"batches": 2, "subjects": 2 * N - 4}
    assert found.verdict == "ok"
    assert check_batch_effect(x[: N + 5], BATCH[: N + 5]).verdict is None
    assert check_batch_effect(None, BATCH).verdict is None


def test_batch_effect_refuses_infinity() -> None:
    x = rows(0)
    x[0, 0] = np.inf
    with pytest.raises(InputError, match="1 values of it infinite"):
        check_batch_effect(x, BATCH)


def test_distances_against_loops() -> None:
    x = rows(0)
    subject = np.arange(2 * N) // 2
    found = outside_support(x, TARGET, BATCH, subject)

    def mean_distance(i: int) -> float:
        others = [j for j in range(N) if subject[j] != subject[i]]
        return float(np.mean(sorted(math.dist(x[i], x[j]) for j in others)[:N_NEIGHBOURS]))

    expected = [mean_distance(i) for i in range(2 * N)]
    assert found.distance == pytest.approx(expected[N:])
    assert found.limit == pytest.approx(FAR * np.quantile(expected[:N], 0.99))
    own = [np.mean(expected[2 * i : 2 * i + 2]) for i in range(N // 2)]
    assert found.source_subjects == pytest.approx(own)
    assert found.to_frame()["outside"].tolist() == (found.distance > found.limit).tolist()


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = outside_support(rows(0), TARGET, BATCH).distance
    monkeypatch.setattr("crossplate.evaluate.trust.support.BLOCK", 7)
    assert outside_support(rows(0), TARGET, BATCH).distance == pytest.approx(whole)


@pytest.mark.parametrize("seed", range(4))
def test_support(seed: int) -> None:
    x = rows(seed)
    assert check_support(x, TARGET, BATCH).verdict == "ok"
    x[-8:] += 3.0
    found = check_support(x, TARGET, BATCH)
    assert found.verdict == "look"
    assert found.details["subjects_outside"] == 8
    assert outside_support(x, TARGET, BATCH).outside.nonzero()[0].tolist() == list(range(42, 50))
    x[TARGET] += 3.0
    assert check_support(x, TARGET, BATCH).verdict == "stop"


def test_one_strange_subject_is_no_matter_for_the_whole() -> None:
    x = rows(0)
    x[-1] += 5.0
    found = check_support(x, TARGET, BATCH)
    assert found.details["subjects_outside"] == 1
    assert found.verdict == "ok"


def test_support_not_applicable() -> None:
    assert check_support(None, TARGET, BATCH).verdict is None
    assert check_support(rows(0)[40:], TARGET[40:], BATCH[40:]).verdict is None
    assert check_support(rows(0), np.zeros(2 * N, dtype=bool), BATCH).verdict is None
