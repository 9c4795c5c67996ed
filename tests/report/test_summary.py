import json

import numpy as np
import pandas as pd
import pytest

from crossplate.report import pca_embedding, summarise
from crossplate.report.summary import MAX_EPOCHS_SHOWN


def test_summary_is_plain_data(summary):
    again = json.loads(json.dumps(summary.to_dict()))
    assert again["title"] == "Calls for plate2"
    assert again["date"] == "2025-01-02"
    assert again["version"] == "0.1.0"
    assert len(again["embedding"]["before"]) == 120
    assert [level["noun"] for level in again["levels"]] == ["subject", "sample"]
    assert again["scored_on"] == "target labels, unused in training"


def test_subjects_are_listed_where_there_are_any(make_pieces):
    pieces = make_pieces()
    summary = summarise(**pieces)
    assert summary.calls.caption == "Calls, as in subjects.csv"
    assert summary.calls.column("subject") == pieces["subjects"].index.tolist()
    for none in (None, pieces["subjects"].iloc[:0]):
        by_sample = summarise(**pieces | {"subjects": none})
        assert by_sample.calls.caption == "Calls, as in predictions.csv"
        assert "60 samples:" in by_sample.sentences[0].text


def test_calls_by_batch_only_with_several_batches(make_pieces, summary):
    pieces = make_pieces(n=4)
    pieces["predictions"]["batch"] = ["x", "x", "y", "y"]
    several = summarise(**pieces)
    assert several.title == "Calls for x and y"
    assert [row[:2] for row in several.batches.rows] == [("x", 2), ("y", 2)]
    assert summary.batches is None


def test_what_is_absent_is_left_out(bare_summary):
    assert bare_summary.levels == ()
    assert bare_summary.batch_effect is None
    assert bare_summary.distances == ()
    assert bare_summary.losses == ()
    assert bare_summary.embedding is None
    assert bare_summary.notices == ()
    assert bare_summary.settings == ()
    assert bare_summary.citation[0] == "crossplate (software)."


def test_distances_are_the_means_over_pairs(make_pieces):
    pieces = make_pieces()
    found = summarise(**pieces).distances
    assert [one.data for one in found] == ["as measured", "calibrated"]
    for when, one in zip(("before", "after"), found, strict=True):
        effect = pieces["metrics"]["batch_effect"][when]
        assert one.across == effect["across"]["root_biased"]
        assert one.in_batch == effect["in_batch"]["root_biased"]


def test_losses_are_one_line_a_member_from_epoch_one(make_pieces, summary):
    curve = {curve.name: curve for curve in summary.losses}["Classification"]
    history = make_pieces()["history"]
    for member, line in enumerate(curve.members):
        own = history[history["member"] == member]
        assert [epoch for epoch, _ in line] == (own["epoch"] + 1).tolist()
        assert [value for _, value in line] == own["classification"].tolist()
    assert len(summary.losses) == 5


def test_a_loss_never_recorded_has_no_curve(make_pieces):
    pieces = make_pieces()
    pieces["history"]["held_out"] = np.nan
    assert "held-out" not in "".join(curve.name for curve in summarise(**pieces).losses)


@pytest.mark.parametrize("epochs", [300, 301, 2000])
def test_long_curves_are_thinned_and_end_at_the_end(make_pieces, epochs):
    history = pd.DataFrame({"member": 0, "epoch": range(epochs), "total": np.arange(epochs) / 7})
    (curve,) = summarise(**make_pieces() | {"history": history}).losses
    (line,) = curve.members
    assert epochs / 8 < len(line) <= MAX_EPOCHS_SHOWN
    assert line[-1] == (epochs, (epochs - 1) / 7)
    assert all(value == (epoch - 1) / 7 for epoch, value in line)


def test_a_drawn_embedding_is_a_notice(make_pieces):
    x = np.random.default_rng(0).normal(size=(60, 3))
    pieces = make_pieces() | {"embedding": pca_embedding(x, x, 20)}
    *others, last = summarise(**pieces).notices
    assert others == pieces["notices"]
    assert last.endswith("shows 20 of 60 samples, drawn at random.")


def test_settings_become_text_by_group(summary):
    groups = dict(summary.settings)
    assert groups["General"] == (("format", "1"), ("date", "2025-01-02"))
    assert groups["Options of the command"] == (
        ("label", "diagnosis"),
        ("overwrite", "no"),
        ("config", "–"),
    )
    assert groups["Model"] == (("head", "none"), ("epochs", "–"), ("alpha", "1.0"))


def test_nested_settings_are_flattened(make_pieces):
    settings = {"study": {"weights": {"alpha": 1, "beta": [1, 2]}}, "empty": {}}
    summary = summarise(**make_pieces() | {"settings": settings})
    assert summary.settings == (("Study", (("weights.alpha", "1"), ("weights.beta", "1, 2"))),)
    assert summary.version == summary.date == ""


def test_the_paper_is_to_be_cited(summary):
    assert summary.citation[0] == "crossplate 0.1.0 (software)."
    assert "doi:10.1186/s12859-022-04758-z" in summary.citation[1]
