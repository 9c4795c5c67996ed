"""Tables of an evaluation, from entries by hand."""

import pytest

from crossplate.evaluate.trust.calling import NOT_CALLED as CALLED_SO
from crossplate.report.evaluation_tables import (
    agreement_table,
    attribution_table,
    biomarker_table,
    ceiling_table,
    cross_batch_tables,
    interval_text,
    mixing_table,
    with_intervals,
)
from crossplate.report.tables import NOT_CALLED, batch_table


def test_intervals_stand_below_the_own_scores(summary):
    level = summary.levels[0]
    scores = {"accuracy": {"estimate": 0.9, "low": 0.8, "high": 0.95}, "mcc": None}
    found = {"subject": {"n_subjects": 30, "confidence": 0.9, "scores": scores}}
    made = with_intervals(level, found).scores
    assert made.rows[0] == level.scores.rows[0]
    assert made.rows[1] == ("90% interval", "0.80–0.95", *[None] * 5)
    assert made.rows[2:] == level.scores.rows[1:]
    assert "30 subjects" in made.notes[-1]
    assert with_intervals(level, None) is level
    assert with_intervals(level, {"sample": found["subject"]}) is level


@pytest.mark.parametrize(
    ("ends", "text"), [((0.8, 0.951), "0.80–0.95"), ((-0.1, 0.2), "-0.10 to 0.20"), (None, None)]
)
def test_an_interval_is_written_so_that_a_minus_is_seen(ends, text):
    assert interval_text(ends) == text


def test_subjects_count_where_they_are_scored():
    entry = {"batch": "A", "scores": {"accuracy": 0.8, "mcc": 0.6}}
    table = ceiling_table({"per_batch": [entry]})
    assert table.rows == (("A", 0.8, 0.6),)
    assert "samples" in table.caption
    people = entry | {"subject_scores": {"accuracy": 0.9, "mcc": 0.7}}
    assert ceiling_table({"per_batch": [people]}).rows == (("A", 0.9, 0.7),)
    assert ceiling_table(None) is None


def test_pairs_of_batches_make_a_table_a_method_with_the_ceiling_on_the_diagonal():
    entries = [
        {"source": "A", "target": "B", "method": "crossplate", "accuracy": 0.7},
        {"source": "B", "target": "A", "method": "crossplate", "subject": {"accuracy": 0.8}},
        {"source": "A", "target": "B", "method": "no_correction", "score": 0.5},
    ]
    ceiling = {"per_batch": [{"batch": "A", "scores": {"accuracy": {"estimate": 0.9}}}]}
    own, other = cross_batch_tables(entries, ceiling)
    assert own.rows == (("A", 0.9, 0.7), ("B", 0.8, None))
    assert own.notes
    assert other.caption.endswith("no correction")
    assert other.rows == (("A", None, 0.5), ("B", None, None))
    assert other.notes == ()
    assert cross_batch_tables(None, ceiling) == ()


def test_candidates_come_first_and_missing_numbers_are_none():
    columns = {
        "feature": ["x", "y", "z"],
        "batch": ["A"] * 3,
        "frequency": [0.5, 0.95, 0.5],
        "p": [0.2, 0.01, None],
        "q": [0.3, None, 0.1],
        "effect": [0.1, -0.5, 0.2],
        "effect_label": ["ill"] * 3,
        "selected": [False, True, False],
    }
    table = biomarker_table({"features": columns})
    assert table.column("Feature") == ["y", "x", "z"]
    assert table.rows[0] == ("y", "A", "yes", 0.95, 0.01, None, -0.5, "ill")
    assert table.column("p")[2] is None
    assert biomarker_table({"features": {}}) is None
    assert biomarker_table(None) is None


def test_what_is_missing_makes_no_table():
    assert agreement_table({"agreement": []}) is None
    assert attribution_table({"features": []}) is None
    assert mixing_table({"before": None}) is None


def test_attribution_is_ordered():
    rows = [{"feature": name, "importance": at} for name, at in (("a", 0.1), ("b", 0.3))]
    assert attribution_table({"features": rows}).rows == (
        ("b", 0.3, None, None),
        ("a", 0.1, None, None),
    )


def test_calls_left_open_have_a_column_of_their_own(predictions_by_hand):
    calls = predictions_by_hand(["u", "v", "u"], batch=["A", "A", "B"])
    calls.loc["s1", "predicted"] = NOT_CALLED
    table = batch_table(calls)
    assert [column.name for column in table.columns][2:] == ["called u", "called v", "not called"]
    assert table.rows == (("A", 2, 1, 0, 1), ("B", 1, 1, 0, 0))
    assert NOT_CALLED == CALLED_SO
