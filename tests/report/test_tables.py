import numpy as np
import pandas as pd
import pytest

from crossplate.evaluate import batch_effect
from crossplate.report.tables import (
    MOST_ROWS,
    batch_effect_table,
    batch_table,
    calls_table,
    class_names,
    confusion_table,
    score_table,
)


def test_scores_of_all_methods_stand_side_by_side(make_pieces):
    level = make_pieces()["metrics"]["subject_level"]
    table = score_table(level, "subject")
    assert table.caption == "Scores on 30 subjects"
    assert table.column("Method")[:3] == [
        "crossplate",
        "per-batch z-score + logistic regression",
        "best single feature (mz_100)",
    ]
    for score, name in (("accuracy", "Accuracy"), ("roc_auc", "ROC AUC"), ("brier", "Brier score")):
        assert table.column(name)[:3] == [method[score] for method in level.values()]


def test_commonest_class_is_a_method_of_its_own(level_by_hand):
    counts = {"a": 2, "b": 5, "c": 3, "d": 0}
    table = score_table(level_by_hand(0.9, 0.8, 0.7, counts=counts), "sample")
    truth = np.repeat(["a", "b", "c"], [2, 5, 3])
    recall = [np.mean(truth[truth == name] == "b") for name in "abc"]
    assert table.rows[-1] == (
        "always the commonest class (b)",
        0.5,
        pytest.approx(np.mean(recall)),
        None,
        0.0,
        None,
        None,
    )


def test_an_unknown_method_is_named_by_its_key(level_by_hand):
    level = level_by_hand(0.9, 0.8, 0.7)
    level["random_forest"] = level["zscore_logistic_regression"]
    assert score_table(level, "sample").column("Method")[3] == "random forest"


def test_f1_says_whose_it_is(level_by_hand):
    two = score_table(level_by_hand(0.9, 0.8, 0.7), "sample")
    more = score_table(level_by_hand(0.9, 0.8, 0.7, positive_class=None), "sample")
    assert "F1 is that of class control" in two.notes[0]
    assert "F1 is the mean over classes" in more.notes[0]


def test_confusion_counts_true_in_rows(make_pieces):
    pieces = make_pieces()
    scores = pieces["metrics"]["sample_level"]["crossplate"]
    table = confusion_table(scores, "sample")
    assert [row[0] for row in table.rows] == ["SLE", "control"]
    assert [sum(row[1:]) for row in table.rows] == list(scores["counts"].values())
    called = pieces["predictions"]["predicted"].value_counts()
    assert sum(table.column("called SLE")) == called["SLE"]


def test_distance_rows_hold_mean_spread_and_ratio(effect_by_hand):
    effects = {"before": effect_by_hand(0.4, 0.1), "after": effect_by_hand(0.15, 0.1)}
    table = batch_effect_table(effects)
    assert [row[:5] for row in table.rows] == [
        ("before", "A – B", "0.400 ± 0.010", "0.100 ± 0.010", "4.0"),
        ("after", "A – B", "0.150 ± 0.010", "0.100 ± 0.010", "1.5"),
    ]
    assert table.column("Unbiased MMD²")[0] == "0.1500 ± 0.0010"
    assert table.column("Rows drawn") == [500, 500]
    assert "before: 10 draws, widths 2, 1" in table.notes[1]


def test_several_pairs_have_their_mean_and_small_batches_a_note():
    x = np.random.default_rng(0).normal(size=(35, 3))
    batch = ["A"] * 12 + ["B"] * 10 + ["C"] * 10 + ["D"] * 3
    effect = batch_effect(x, batch).to_dict()
    table = batch_effect_table({"before": effect})
    assert table.column("Batches") == ["A – B", "A – C", "B – C", "mean of all pairs"]
    assert table.rows[3][2].startswith(f"{effect['across']['root_biased']:.3f} ± ")
    assert table.notes[-1] == "Left out, with fewer than four samples: D."
    assert batch_effect_table({"before": batch_effect(x[:4], list("AABB")).to_dict()}) is None


def test_calls_are_shown_as_in_the_file(make_pieces):
    frame = make_pieces()["predictions"]
    table = calls_table(frame, "predictions.csv")
    assert [(column.name, column.kind) for column in table.columns] == [
        ("sample id", "text"),
        ("batch", "text"),
        ("subject", "text"),
        ("called", "text"),
        ("p(SLE)", "score"),
        ("p(control)", "score"),
        ("spread of members", "score"),
    ]
    assert table.column("sample id") == frame.index.tolist()
    assert table.column("p(SLE)") == frame["p_SLE"].tolist()
    assert table.notes == ()
    assert {type(cell) for row in table.rows for cell in row} == {str, float}


def test_long_tables_say_where_the_rest_is(predictions_by_hand):
    n = MOST_ROWS + 234
    table = calls_table(predictions_by_hand(["a"] * n), "predictions.csv")
    assert len(table.rows) == MOST_ROWS == 20_000
    assert table.notes == ("The first 20,000 of 20,234 rows; predictions.csv has all of them.",)


def test_missing_cells_are_none():
    frame = pd.DataFrame(
        {
            "n_samples": np.array([1], dtype=np.int64),
            "predicted": ["a"],
            "p_a": [1.0],
            "spread": [np.nan],
        },
        index=pd.Index(["p1"], name="subject"),
    )
    assert calls_table(frame, "subjects.csv").rows == (("p1", 1, "a", 1.0, None),)


def test_a_class_may_be_called_std():
    columns = ["batch", "predicted", "p_a", "p_std", "p_std"]
    frame = pd.DataFrame([["B", "a", 0.75, 0.25, 0.01]], columns=columns, index=["s1"])
    assert class_names(frame) == ["a", "std"]
    table = calls_table(frame, "predictions.csv")
    assert [column.name for column in table.columns][3:] == ["p(a)", "p(std)", "spread of members"]
    assert table.rows == (("s1", "B", "a", 0.75, 0.25, 0.01),)


def test_calls_are_counted_by_batch(predictions_by_hand):
    calls = predictions_by_hand(list("aabab"), batch=["3", "3", "2", "2", "2"])
    assert batch_table(calls).rows == (("3", 2, 2, 0), ("2", 3, 1, 2))
