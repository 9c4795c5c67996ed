"""Means, ranks and tests of a comparison, by hand."""

import numpy as np
import pandas as pd
import pytest

from crossplate.compare.scoring import COLUMNS
from crossplate.compare.summary import ACROSS, WITHIN, summarise
from crossplate.compare.wording import explanation, joint_sentence, markdown, table_cells

TRUTH = ["SLE", "SLE", "control", "control"]


def row(source, target, method, classifier, seed, balanced, accuracy=0.5, level="sample", note=""):
    return dict.fromkeys(COLUMNS, np.nan) | {
        **{"source": source, "target": target, "method": method, "classifier": classifier},
        **{"level": level, "seed": seed, "accuracy": accuracy, "note": note},
        **{"balanced_accuracy": balanced, "seconds": 2.0},
    }


def calls(level="sample", **runs):
    n = len(TRUTH)
    frame = {"level": [level] * n, "id": range(n), "unit": [f"u{at}" for at in range(n)]}
    return pd.DataFrame({**frame, "truth": TRUTH, **runs})


RIGHT, HALF, WRONG = TRUTH, ["SLE"] * 4, TRUTH[::-1]


@pytest.fixture
def summary():
    """Three methods on two pairs; one fails on the second."""
    rows = [
        row("p1", "p2", "zscore", "logistic", 0, 0.5),
        row("p1", "p2", "combat", "forest", 0, 1.0, 0.9),
        row("p1", "p2", "combat", "forest", 1, 0.5, 0.7),
        row("p1", "p2", "joint", "joint", 0, 1.0),
        row("p2", "p1", "zscore", "logistic", 0, 0.5),
        row("p2", "p1", "combat", "forest", 0, np.nan, np.nan, note="refused"),
        row("p2", "p1", "combat", "forest", 1, np.nan, np.nan, note="refused"),
        row("p2", "p1", "joint", "joint", 0, 0.5),
        row("p2", "p2", "zscore", "logistic", 0, 0.9),
        row("p1", "p1", "zscore", "logistic", 0, 0.7),
    ]
    runs = {
        ("p1", "p2", "zscore"): calls(**{"logistic:0": HALF}),
        ("p1", "p2", "combat"): calls(**{"forest:0": RIGHT, "forest:1": HALF}),
        ("p1", "p2", "joint"): calls(**{"joint:0": RIGHT}),
        ("p2", "p1", "zscore"): calls(**{"logistic:0": HALF}),
        ("p2", "p1", "combat"): calls(),
        ("p2", "p1", "joint"): calls(**{"joint:0": HALF}),
        ("p2", "p2", "zscore"): calls(**{"logistic:0": RIGHT}),
        ("p1", "p1", "zscore"): calls(**{"logistic:0": RIGHT}),
    }
    return summarise(pd.DataFrame(rows, columns=list(COLUMNS)), runs), pd.DataFrame(rows)


def test_means_over_seeds_then_pairs_best_first(summary):
    found, _ = summary
    across = found.rows("sample", ACROSS)
    assert list(across["method"]) == ["combat", "joint", "zscore"]
    assert list(across["balanced_accuracy"]) == [0.75, 0.75, 0.5]
    assert across["accuracy"].iloc[0] == pytest.approx(0.8)
    assert list(across["n_pairs"]) == [1, 2, 2]
    assert list(across["worst_pair"]) == [0.75, 0.5, 0.5]
    assert list(across["seconds"]) == [2.0] * 3
    assert found.pairs == ["p1:p2", "p2:p1"]
    np.testing.assert_array_equal(across["p2:p1"], [np.nan, 0.5, 0.5])


def test_ranks_share_ties_and_put_failures_last(summary):
    found, _ = summary
    ranks = found.rows("sample", ACROSS).set_index("method")["mean_rank"]
    assert ranks["joint"] == (1 + 1.5) / 2
    assert ranks["zscore"] == (3 + 1.5) / 2
    assert ranks["combat"] == (2 + 3) / 2


def test_ceilings_stand_under_the_pairs_of_their_target(summary):
    found, _ = summary
    (ceiling,) = found.rows("sample", WITHIN).to_dict("records")
    assert (ceiling["p1:p2"], ceiling["p2:p1"]) == (0.9, 0.7)
    assert ceiling["balanced_accuracy"] == pytest.approx(0.8)
    assert np.isnan([ceiling["mean_rank"], ceiling["difference"]]).all()


def test_differences_are_to_zscore_and_logistic_regression(summary):
    found, _ = summary
    across = found.rows("sample", ACROSS).set_index("method")
    assert across["difference"]["joint"] == pytest.approx(0.25)
    assert across["difference"]["combat"] == pytest.approx(0.25)  # on the pair it answered
    assert np.isnan(across["difference"]["zscore"])
    assert 0.0 < across["p_value"]["joint"] <= 1.0


def test_the_joint_model_against_the_best_that_is_not_ours(summary):
    found, _ = summary
    assert found.joint.other == ("combat", "forest")
    assert found.joint.difference == pytest.approx(0.25)
    text = joint_sentence(found)
    assert text.startswith("The joint model is 25.0 points of balanced accuracy above")
    assert "combat + forest" in text


def test_a_loss_is_told_as_one():
    rows = [
        row("p1", "p2", "zscore", "logistic", 0, 1.0),
        row("p1", "p2", "joint", "joint", 0, 0.5),
    ]
    runs = {
        ("p1", "p2", "zscore"): calls(**{"logistic:0": RIGHT}),
        ("p1", "p2", "joint"): calls(**{"joint:0": HALF}),
    }
    found = summarise(pd.DataFrame(rows, columns=list(COLUMNS)), runs)
    assert "is 50.0 points of balanced accuracy below" in joint_sentence(found)
    assert found.rows("sample", ACROSS)["method"].tolist() == ["zscore", "joint"]


def test_subjects_come_first_where_there_are_any():
    rows = [row("p1", "p2", "zscore", "logistic", 0, 0.5, level=at) for at in ("sample", "subject")]
    rows += [row("p1", "p2", "dwd", "forest", 0, 1.0, level=at) for at in ("sample", "subject")]
    runs = {
        ("p1", "p2", name): pd.concat(
            [calls(level, **{run: called}) for level in ("sample", "subject")]
        )
        for name, run, called in (("zscore", "logistic:0", HALF), ("dwd", "forest:0", RIGHT))
    }
    found = summarise(pd.DataFrame(rows, columns=list(COLUMNS)), runs)
    assert found.level == "subject"
    assert found.joint is None
    assert joint_sentence(found) is None
    assert list(found.frame["level"]) == ["subject"] * 2 + ["sample"] * 2
    assert (found.frame["difference"].dropna() == 0.5).all()


def test_table_in_words(summary):
    found, rows = summary
    head, *body = table_cells(found, "sample", found.pairs)
    assert head == ["method", "p1→p2", "p2→p1", "mean", "acc.", "rank", "to baseline", "p", "pairs"]
    assert body[0][:6] == ["combat + forest", "0.750", "-", "0.750", "0.800", "2.5"]
    assert body[1][0] == "joint"
    assert body[1][6].startswith("+25.0 [")
    assert body[2][6:] == ["baseline", "-", "2"]
    assert body[3][0] == "in-batch: zscore + logistic"
    assert all(len(cells) == len(head) for cells in body)
    text = markdown(rows, found, ["combat failed on p2:p1: a|b"])
    assert "| joint | 1.000 | 0.500 | 0.750 |" in text
    assert "- combat failed on p2:p1: a|b" in text
    assert "Seeds 0, 1;" in text
    assert any("not adjusted for the 2 comparisons" in text for text in explanation(found))
