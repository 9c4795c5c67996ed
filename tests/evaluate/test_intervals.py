"""Intervals of scores: the scores behind them, what is resampled, and the ends of the range."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from scipy.stats import binomtest
from scipy.stats import t as student

from crossplate.errors import InputError
from crossplate.evaluate import score, score_subjects
from crossplate.evaluate.intervals import (
    score_intervals,
    subject_score_intervals,
)

NAMES = ["accuracy", "balanced_accuracy", "f1", "mcc", "roc_auc", "brier"]


def random_case(
    seed: int, n_classes: int, n: int = 90
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes, probabilities with ties, and subjects."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(n_classes, size=n)
    share = rng.dirichlet(np.ones(n_classes), size=n) + 0.5 * np.eye(n_classes)[codes]
    p = rng.multinomial(10, share / share.sum(axis=1, keepdims=True)) / 10
    return codes, p, rng.integers(25, size=n)


def test_estimates_are_the_scores() -> None:
    codes, p, who = random_case(0, 2)
    found = score_intervals(codes, p, [0, 1], subject=who)
    whole = score(codes, p, [0, 1])
    frame = found.to_frame()
    assert frame.index.tolist() == NAMES
    for name in NAMES:
        assert frame.loc[name, "estimate"] == getattr(whole, name)
        assert frame.loc[name, "low"] < frame.loc[name, "estimate"] < frame.loc[name, "high"]
    assert (found.n, found.n_subjects) == (90, len(np.unique(who)))
    assert json.loads(json.dumps(found.to_dict()))["scores"]["mcc"]["estimate"] == whole.mcc


@pytest.mark.parametrize("share", [0.6, 0.9])
def test_accuracy_of_independent_rows_has_the_interval_of_a_proportion(share: float) -> None:
    n = 200
    right = np.arange(n) < share * n
    codes = np.arange(n) % 2
    p = np.where((codes == 1) == right, 0.8, 0.2)
    found = score_intervals(codes, np.c_[1 - p, p], [0, 1], n_resamples=4000).scores["accuracy"]
    reach = student.ppf(0.975, n - 2) / np.sqrt(n * share * (1 - share))
    assert found is not None
    assert found.low == pytest.approx(expit(logit(share) - reach), abs=0.006)
    assert found.high == pytest.approx(expit(logit(share) + reach), abs=0.006)


def test_replicates_add_nothing() -> None:
    codes, p, _ = random_case(1, 2)
    once = score_intervals(codes, p, [0, 1])
    thrice = score_intervals(
        np.repeat(codes, 3), np.repeat(p, 3, axis=0), [0, 1], subject=np.repeat(np.arange(90), 3)
    )
    as_rows = score_intervals(np.repeat(codes, 3), np.repeat(p, 3, axis=0), [0, 1])
    pd.testing.assert_frame_equal(once.to_frame(), thrice.to_frame())
    width = [one.to_frame().eval("high - low") for one in (once, as_rows)]
    assert (width[1] < 0.7 * width[0]).all()


def test_all_right_or_all_wrong_has_the_exact_bound() -> None:
    codes = np.repeat([0, 1], [30, 20])
    perfect = np.eye(2)[codes]
    found = score_intervals(codes, perfect, [0, 1]).scores
    for name, n in (("accuracy", 50), ("balanced_accuracy", 20), ("roc_auc", 20)):
        exact = binomtest(n, n).proportion_ci(0.95, "exact")
        assert found[name].high == 1.0
        assert found[name].low == pytest.approx(exact.low)
    assert found["mcc"].low == pytest.approx(2 * found["balanced_accuracy"].low - 1)
    assert found["brier"].to_dict() == {
        "estimate": 0.0,
        "low": 0.0,
        "high": pytest.approx(binomtest(0, 50).proportion_ci(0.95, "exact").high),
    }
    wrong = score_intervals(codes, perfect[:, ::-1], [0, 1]).scores
    assert (wrong["accuracy"].low, wrong["mcc"].low) == (0.0, -1.0)


def test_no_interval_where_nothing_moves() -> None:
    codes = np.repeat([0, 1], 20)
    found = score_intervals(codes, np.tile([0.9, 0.1], (40, 1)), [0, 1]).scores
    assert found["balanced_accuracy"].to_dict() == {"estimate": 0.5, "low": None, "high": None}
    assert found["mcc"].low is None
    assert found["accuracy"].low < 0.5 < found["accuracy"].high


def test_scores_that_do_not_exist() -> None:
    found = score_intervals(["a"] * 9 + [None], np.tile([0.7, 0.3], (10, 1)), ["a", "b"])
    assert found.scores["roc_auc"] is None
    assert found.scores["f1"] is None
    assert found.n == 9
    assert "roc_auc" not in found.to_frame().index


def test_wider_with_more_confidence_and_equal_with_equal_seeds() -> None:
    codes, p, who = random_case(2, 3)
    narrow, wide, again = (
        score_intervals(codes, p, range(3), subject=who, confidence=c).to_frame()
        for c in (0.8, 0.95, 0.95)
    )
    assert (wide["low"] < narrow["low"]).all()
    assert (wide["high"] > narrow["high"]).all()
    pd.testing.assert_frame_equal(wide, again)


def test_blocks_of_resamples_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    codes, p, who = random_case(3, 2)
    whole = score_intervals(codes, p, [0, 1], subject=who, n_resamples=50).to_frame()
    monkeypatch.setattr("crossplate.evaluate.intervals._BLOCK", 700)
    parts = score_intervals(codes, p, [0, 1], subject=who, n_resamples=50).to_frame()
    pd.testing.assert_frame_equal(whole, parts)


def test_subject_level_agrees_with_its_scores() -> None:
    codes, p, _ = random_case(4, 2)
    who = np.arange(90) // 3
    label = np.array(["control", "disease"], dtype=object)[codes[::3].repeat(3)]
    index = [f"r{row}" for row in range(90)]
    proba = pd.DataFrame(p, index=index, columns=["control", "disease"])
    subject, labels = (pd.Series(part, index=index) for part in (who.astype(str), label))
    found = subject_score_intervals(proba, subject, labels)
    whole = score_subjects(proba, subject, labels)
    assert (found.n, found.n_subjects) == (30, 30)
    assert found.scores["accuracy"].estimate == whole.accuracy
    assert found.scores["roc_auc"].estimate == whole.roc_auc


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"subject": ["s"] * 4}, "one subject only"),
        ({"subject": ["s", None, "t", "u"]}, "1 rows have no subject"),
        ({"subject": ["s"]}, "1 entries for 4 rows"),
        ({"confidence": 1.0}, "confidence is 1.0"),
        ({"n_resamples": 1}, "at least 2 resamples"),
    ],
)
def test_bad_input(change: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        score_intervals([0, 1, 0, 1], np.full((4, 2), 0.5), [0, 1], **change)
