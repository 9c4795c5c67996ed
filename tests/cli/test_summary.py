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


def test_align():
    assert align([["", "ab"], ["xyz", "1"]]) == ["       ab", "  xyz   1"]


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_paragraphs_keep_to_the_terminal(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    words = ["word"] * 80
    lines = paragraph(" ".join(words), "- ", "  ").splitlines()
    assert max(map(len, lines)) <= min(columns, 100)
    assert " ".join(line.strip("- ") for line in lines).split() == words
