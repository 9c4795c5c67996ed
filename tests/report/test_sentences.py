import numpy as np
import pytest

from crossplate.evaluate import batch_effect, by_subject
from crossplate.report.sentences import result_sentences

UNUSED = "target labels, unused in training"


@pytest.fixture
def texts(predictions_by_hand):
    """Sentences about metrics, those about 118 and 94 calls left out."""
    calls = predictions_by_hand(["SLE"] * 118 + ["control"] * 94)

    def told(**metrics):
        first, *others = result_sentences(metrics, calls, None)
        called, _, standing = first.text.partition(". ")
        assert called.removesuffix(".") == "Batch B, 212 samples: 118 called SLE, 94 control"
        scored = metrics.get("sample_level") or metrics.get("subject_level")
        assert standing.startswith("Accuracy ") == bool(scored)
        return others

    return told


def test_subjects_are_counted_where_there_are_any(predictions_by_hand):
    calls = predictions_by_hand(["SLE", "SLE", "control", "SLE"], subject=["p1", "p1", "p2", None])
    subjects = by_subject(
        calls[["p_SLE", "p_control"]].set_axis(["SLE", "control"], axis=1), calls["subject"]
    )
    (sentence, *_) = result_sentences({}, calls, subjects)
    assert sentence.text == (
        "Batch B, 2 subjects (4 samples): 1 called SLE, 1 control. "
        "Not counted: 1 sample without a subject."
    )


def test_several_batches_are_named_together(predictions_by_hand):
    calls = predictions_by_hand(["a", "b", "b"], batch=["2", "3", "3"])
    (sentence, *_) = result_sentences({}, calls, None)
    assert sentence.text == "2 batches (2 and 3), 3 samples: 2 called b, 1 a."


def test_a_class_never_called_is_mentioned(predictions_by_hand):
    calls = predictions_by_hand(["a", "a"])
    calls.insert(2, "p_b c", 0.0)
    (sentence, *_) = result_sentences({}, calls, None)
    assert sentence.text == "Batch B, 2 samples: 2 called a, 0 b c."


def test_collapse_is_said_first(predictions_by_hand):
    calls = predictions_by_hand(["SLE"] * 7)
    first, second, *_ = result_sentences({"collapsed": True}, calls, None)
    assert first.warning
    assert first.text.startswith("All 7 samples were called SLE.")
    assert "collapsed: do not rely" in first.text
    assert second.text == "Batch B, 7 samples: 7 called SLE."
    assert not second.warning


def test_accuracy_stands_beside_the_simple_methods(texts, level_by_hand):
    (sentence,) = texts(sample_level=level_by_hand(0.87, 0.83, 0.81), scored_on=UNUSED)
    assert sentence.text == (
        "Scored on 100 samples (labels of the target were not used in training): per-batch "
        "z-score + logistic regression reaches an accuracy of 0.83, the best single feature (X5) "
        "0.81, always naming the commonest class 0.57."
    )
    assert not sentence.warning


def test_without_simple_methods_there_is_the_commonest_class(texts, level_by_hand):
    level = {"crossplate": level_by_hand(0.87, 0.83, 0.81)["crossplate"]}
    (sentence,) = texts(sample_level=level)
    assert sentence.text == (
        "Scored on 100 samples: always naming the commonest class reaches an accuracy of 0.57."
    )


def test_subject_level_leads(texts, level_by_hand):
    told = texts(
        sample_level=level_by_hand(0.80, 0.70, 0.60),
        subject_level=level_by_hand(0.90, 0.70, 0.60, counts={"SLE": 5, "control": 5}),
        scored_on=UNUSED,
    )
    (sentence,) = told
    assert sentence.text.startswith("Scored on 10 subjects ")


def test_other_labels_to_score_on_are_named_as_they_are(texts, level_by_hand):
    told = texts(sample_level=level_by_hand(0.87, 0.83, 0.81), scored_on="a later reading")
    assert "on 100 samples (a later reading):" in told[0].text
    told = texts(sample_level=level_by_hand(0.87, 0.83, 0.81), scored_on=None)
    assert "on 100 samples: per-batch" in told[0].text


def test_below_a_simple_method_is_said_plainly(texts, level_by_hand):
    _, warning = texts(sample_level=level_by_hand(0.83, 0.87, 0.81))
    assert warning.warning
    assert warning.text == (
        "crossplate is below per-batch z-score + logistic regression: "
        "accuracy 0.83 against 0.87 and balanced accuracy 0.83 against 0.87."
    )


def test_level_with_a_simple_method_is_said_plainly(texts, level_by_hand):
    _, warning = texts(sample_level=level_by_hand(0.83, 0.81, 0.83))
    assert warning.warning
    assert warning.text == (
        "crossplate is no better than the best single feature (X5): "
        "accuracy 0.83 against 0.83 and balanced accuracy 0.83 against 0.83."
    )


def test_below_by_balanced_accuracy_alone_is_said(texts, level_by_hand):
    level = level_by_hand(0.87, 0.83, 0.81)
    level["zscore_logistic_regression"]["balanced_accuracy"] = 0.88
    _, warning = texts(sample_level=level)
    assert warning.text == (
        "crossplate is below per-batch z-score + logistic regression: "
        "balanced accuracy 0.87 against 0.88."
    )


def test_commonest_class_not_beaten_is_said(texts, level_by_hand):
    told = texts(sample_level=level_by_hand(0.56, 0.5, 0.5))
    assert [sentence.warning for sentence in told] == [False, True]
    assert told[1].text == (
        "crossplate is below always naming the commonest class: accuracy 0.56 against 0.57."
    )


def test_the_level_is_named_where_there_are_two(texts, level_by_hand):
    told = texts(
        sample_level=level_by_hand(0.80, 0.82, 0.60), subject_level=level_by_hand(0.9, 0.8, 0.7)
    )
    assert [sentence.text.split(" is below ")[0] for sentence in told if sentence.warning] == [
        "On samples, crossplate"
    ]


def test_rows_that_are_not_scored_are_mentioned(texts, level_by_hand):
    told = texts(sample_level=level_by_hand(0.87, 0.83, 0.81, n_unlabelled=12, n_unknown_class=3))
    assert "on the 100 of 112 samples with a label" in told[0].text
    assert told[1].warning
    assert told[1].text.startswith("3 samples of a class that the source does not have")


def test_without_labels_nothing_is_claimed(texts):
    (sentence,) = texts(sample_level=None, subject_level=None)
    assert sentence.text == (
        "No labels of these samples are known, so how many calls are right is not known."
    )


def test_what_was_learned_from_is_counted(texts):
    counts = {
        "samples": 1500,
        "features": 814,
        "source": {"A": 1000, "C": 100},
        "target": {"B": 400},
        "labelled": {"SLE": 500, "control": 599},
        "imputed_cells": 37,
    }
    told = texts(counts=counts)
    assert told[0].text == (
        "Learned from batches A and C: 1,100 samples, 814 features; "
        "labelled: 500 SLE, 599 control. 37 missing values were imputed."
    )
    told = texts(counts=counts | {"source": {}})
    assert [sentence.text for sentence in told if "Learned" in sentence.text] == []


def effect_texts(told):
    return [(one.text, one.warning) for one in told if "labels" not in one.text]


def test_distance_stands_beside_the_halves_of_one_batch(texts, effect_by_hand):
    effects = {"before": effect_by_hand(0.41, 0.07), "after": effect_by_hand(0.09, 0.07)}
    assert effect_texts(texts(batch_effect=effects)) == [
        (
            "Distance between batches (root MMD): 0.41 before, 0.09 after; "
            "two random halves of one batch differ by 0.07.",
            False,
        )
    ]
    effects["after"] = effect_by_hand(0.09, 0.08)
    ((text, _),) = effect_texts(texts(batch_effect=effects))
    assert text.endswith("differ by 0.07 before and 0.08 after.")


@pytest.mark.parametrize(
    ("before", "after", "says", "warning"),
    [
        ((0.41, 0.07), (0.21, 0.07), "still 3.0 times as far apart", False),
        ((0.41, 0.07), (0.50, 0.07), "did not bring the batches closer", True),
        # Half the distance in a space half as wide is no gain.
        ((0.40, 0.10), (0.20, 0.05), "did not bring the batches closer", True),
        ((0.08, 0.07), (0.07, 0.07), "there was little to remove", False),
    ],
)
def test_verdict_on_the_distance(texts, effect_by_hand, before, after, says, warning):
    effects = {"before": effect_by_hand(*before), "after": effect_by_hand(*after)}
    _, verdict = effect_texts(texts(batch_effect=effects))
    assert says in verdict[0]
    assert verdict[1] is warning


def test_distance_that_could_not_be_measured(texts):
    unmeasured = batch_effect(np.eye(4), ["A", "A", "B", "B"]).to_dict()
    told = texts(batch_effect={"before": unmeasured, "after": unmeasured})
    assert "was not measured" in told[-1].text
    assert len(effect_texts(texts(batch_effect=None))) == 0
