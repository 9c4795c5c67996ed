"""The text that is printed at the end."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from crossplate.cli.summary import align, paragraph, summary


def result(**changes):
    """What the summary reads of a result."""
    metrics = {
        "counts": {
            "features": 7,
            "source": {"one": 4},
            "target": {f"plate{k}": 2 for k in range(7)},
            "labelled": {"0": 3, "1": 1},
        },
        "scored_on": None,
        "sample_level": None,
        "subject_level": None,
        "batch_effect": None,
        "collapsed": False,
    }
    values = {
        "model": SimpleNamespace(classes_=np.array(["0", "1"])),
        "predictions": pd.DataFrame({"predicted": ["0"] * 13 + ["1"]}),
        "subjects": None,
        "metrics": {**metrics, **changes.pop("metrics", {})},
        "notices": (),
    }
    return SimpleNamespace(**{**values, **changes})


def test_counts_of_calls_and_of_many_batches():
    text = summary(result(), "out", ["predictions.csv", "model/"])
    assert text.startswith("Learned from one (4 samples) with 7 features; diagnosed plate0 (2")
    assert "and 2 more batches" in text
    lines = [line.split() for line in text.splitlines()]
    assert ["class", "0", "1"] in lines
    assert ["samples", "learned", "from", "3", "1"] in lines
    assert ["samples", "called", "13", "1"] in lines
    assert "Scores" not in text
    assert "Notes" not in text
    assert "CAUTION" not in text
    assert text.splitlines()[-3] == "Written to out:"
    assert "subjects.csv" not in text


def test_notices_shared_by_files_stand_once():
    text = summary(
        result(notices=("a.csv: age left out", "no colon here", "b.csv: age left out")), "o", []
    )
    notes = text[text.index("Notes:") : text.index("\n\nWritten")].splitlines()
    assert notes == ["Notes:", "  - a.csv, b.csv: age left out", "  - no colon here"]


def test_missing_scores_are_dashes():
    scores = {
        **{"n": 3, "f1_average": "binary", "positive_class": "1", "accuracy": 1.0},
        **{"balanced_accuracy": 1.0, "f1": None, "mcc": 0.0, "roc_auc": None},
    }
    single = {**scores, "f1": 0.5, "feature": "a metabolite with a long name, M+H"}
    levels = {"crossplate": scores, "best_single_feature": single}
    text = summary(result(metrics={"scored_on": "labels", "sample_level": levels}), "o", [])
    assert max(map(len, text.splitlines())) == 80
    assert "best single feature, a metaboli…" in text
    lines = [line.split() for line in text.splitlines()]
    assert ["crossplate", "1.000", "1.000", "-", "0.000", "-"] in lines


def evaluation(**parts):
    """What the summary reads of an evaluation."""
    empty = dict.fromkeys(
        ("intervals", "expected", "calling", "trust", "called_samples", "called_subjects")
    )
    return SimpleNamespace(**{**empty, **parts})


CALLING = {"wanted_accuracy": 0.95, "n_source": 40}
SURE = CALLING | {"threshold": 0.8, "source_accuracy": 0.97, "source_coverage": 0.5}


def test_what_is_not_sure_enough_is_counted_apart():
    called = pd.Series([True] * 10 + [False] * 4)
    found = evaluation(calling={"sample": SURE}, called_samples=called)
    text = " ".join(summary(result(), "o", [], found).split())
    assert "class 0 1 not called samples learned from 3 1 samples called 10 0 4" in text
    assert "a confidence of 0.80 or more" in text
    assert "50% are that sure and 97% of those right" in text
    none = evaluation(
        calling={"sample": CALLING | {"threshold": None}}, called_samples=called & False
    )
    text = " ".join(summary(result(), "o", [], none).split())
    assert "samples called 0 0 14" in text
    assert "No samples are called" in text


def test_expected_accuracy_of_the_target_or_else_of_the_source():
    interval = {"scores": {"accuracy": {"estimate": 0.87, "low": 0.82, "high": 0.91}}}
    simple = {"chance": 0.52, "zscore_logistic_regression": 0.83, "n_subjects": 40}
    found = evaluation(expected={"sample": {**interval, **simple}})
    text = " ".join(summary(result(), "o", [], found).split())
    assert (
        "Expected accuracy of a sample: 0.87 (0.82 to 0.91), chance 0.52, best simple method 0.83 "
        "(z-score + logistic regression); by 40 subjects of the source"
    ) in text
    scores = {
        **{"n": 4, "f1_average": "binary", "positive_class": "1", "counts": {"0": 1, "1": 3}},
        **dict.fromkeys(("accuracy", "balanced_accuracy", "f1", "mcc", "roc_auc"), 0.9),
    }
    levels = {"crossplate": scores, "best_single_feature": scores | {"feature": "X5"}}
    metrics = {"scored_on": "labels", "subject_level": levels, "sample_level": levels}
    open_ended = {"scores": {"accuracy": {"estimate": 0.5, "low": None, "high": None}}}
    found = evaluation(intervals={"subject": open_ended}, expected={"sample": interval | simple})
    text = " ".join(summary(result(metrics=metrics), "o", [], found).split())
    assert "Expected accuracy of a subject: 0.50, chance 0.75, best simple method 0.90" in text
    assert "by labels of the target" in text


def test_trust_checks_that_are_not_ok_have_a_line_the_worst_first():
    checks = [
        {"verdict": verdict, "advice": f"advice {number}"}
        for number, verdict in enumerate(("ok", "look", "stop", None))
    ]
    text = summary(result(), "o", [], evaluation(trust=checks))
    at = text.index("Trust checks:")
    assert text[at:].splitlines()[1:3] == ["  - STOP: advice 2", "  - LOOK: advice 1"]
    assert "advice 0" not in text
    assert "advice 3" not in text
    assert "Trust checks" not in summary(result(), "o", [], evaluation(trust=checks[:1]))


def test_align():
    assert align([["", "ab"], ["xyz", "1"]]) == ["       ab", "  xyz   1"]


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_paragraphs_keep_to_the_terminal(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    words = ["word"] * 80
    lines = paragraph(" ".join(words), "- ", "  ").splitlines()
    assert max(map(len, lines)) <= min(columns, 100)
    assert " ".join(line.strip("- ") for line in lines).split() == words
