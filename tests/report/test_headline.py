"""The first sentence, and calls that are left open."""

import pytest

from crossplate.report.headline import (
    calls_told,
    calls_with_doubt,
    expectation,
    standing,
    threshold_of,
)
from crossplate.report.sentences import result_sentences


def test_accuracy_stands_beside_chance_and_the_best_simple_method(level_by_hand):
    level = level_by_hand(0.87, 0.83, 0.81)
    assert standing(level, None) == "Accuracy 0.87, chance 0.57, best simple method 0.83."
    interval = {"estimate": 0.87, "low": 0.8234, "high": 0.9149}
    assert standing(level, interval) == (
        "Accuracy 0.87 (0.82–0.91), chance 0.57, best simple method 0.83."
    )
    assert standing(level, interval | {"low": None}) == standing(level, None)
    alone = {"crossplate": level["crossplate"]}
    assert standing(alone, None) == "Accuracy 0.87, chance 0.57."


def test_without_labels_the_source_tells_what_to_expect(predictions_by_hand):
    scores = {"accuracy": {"estimate": 0.87, "low": 0.82, "high": 0.91}}
    expected = {"scores": scores, "chance": 0.52, "zscore_logistic_regression": 0.83}
    assert expectation(expected) == (
        "Expected accuracy 0.87 (0.82–0.91), chance 0.52, best simple method 0.83."
    )
    assert expectation(None) == ""
    calls = predictions_by_hand(["SLE"] * 3)
    first, *others = result_sentences({}, calls, None, {"expected": {"sample": expected}})
    assert first.text == (
        "Batch B, 3 samples: 3 called SLE. "
        "Expected accuracy 0.87 (0.82–0.91), chance 0.52, best simple method 0.83."
    )
    assert "source samples held out of training" in others[0].text


def test_calls_below_the_confidence_are_left_open(predictions_by_hand):
    calls = predictions_by_hand(["SLE"] * 5 + ["control"] * 3)
    calls.loc[["s0", "s6"], ["p_SLE", "p_control"]] = [0.55, 0.45]
    assert calls_with_doubt(calls, None) is calls
    doubted = calls_with_doubt(calls, 0.6)
    assert doubted["predicted"].tolist() == ["not called", *["SLE"] * 4, "control", "not called",
                                             "control"]  # fmt: skip
    assert calls_with_doubt(calls, 0.55)["predicted"].tolist() == calls["predicted"].tolist()
    assert calls_told(doubted, None) == (
        "Batch B, 8 samples: 4 called SLE, 2 control, 2 not called."
    )
    assert list(doubted.columns)[1:3] == ["likeliest", "predicted"]
    assert doubted["likeliest"].tolist() == calls["predicted"].tolist()
    nothing = calls_with_doubt(calls, float("inf"))
    assert set(nothing["predicted"]) == {"not called"}
    assert calls_told(nothing, None) == (
        "Batch B, 8 samples: none sure enough to be called; likely 5 SLE, 3 control."
    )


def test_the_confidence_is_that_of_the_level():
    one = {"threshold": 0.7}
    assert threshold_of(None, "subject") is None
    assert threshold_of({"calling": None}, "subject") is None
    assert threshold_of({"calling": one}, "subject") == 0.7
    both = {"calling": {"subject": one, "sample": {"threshold": None}}}
    assert threshold_of(both, "subject") == 0.7
    assert threshold_of(both, "sample") == float("inf")


@pytest.mark.parametrize(("threshold", "warning"), [(0.6, False), (None, True)])
def test_why_calls_are_left_open_is_said(predictions_by_hand, threshold, warning):
    calling = {"calling": {"sample": {"threshold": threshold, "wanted_accuracy": 0.95}}}
    _, sentence, *_ = result_sentences({}, predictions_by_hand(["a", "b"]), None, calling)
    assert "accuracy of 95%" in sentence.text
    assert sentence.warning == warning


@pytest.mark.parametrize(("p", "warning"), [(1 / 101, False), (0.2, True)])
def test_shuffles_and_ceiling_are_told(predictions_by_hand, p, warning):
    evaluation = {
        "permutation": {"p_value": p, "null": [0.5], "n_permutations": 100, "score": "accuracy"},
        "ceiling": {
            "per_batch": [
                {"batch": "A", "scores": {"accuracy": 0.9}, "subject_scores": {"accuracy": 0.95}},
                {"batch": "B", "scores": {"accuracy": {"estimate": 0.8}}},
            ]
        },
    }
    told = result_sentences({}, predictions_by_hand(["a", "b"]), None, evaluation)
    (shuffled,) = [one for one in told if "shuffled 100 times" in one.text]
    assert shuffled.warning == warning
    assert any("0.95 on A and 0.80 on B" in one.text for one in told)
