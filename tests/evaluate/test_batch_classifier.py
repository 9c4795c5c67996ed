"""Telling the batch: an effect that is seen, none that is not, and subjects kept together."""

from __future__ import annotations

import json

import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.evaluate.batch_classifier import classify_batches


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossplate.evaluate.batch_classifier._TREES", 20)


def test_an_effect_is_seen_before_and_not_after() -> None:
    rng = np.random.default_rng(0)
    batch = np.repeat(["a", "b", "c"], [60, 40, 40])
    x = rng.normal(size=(140, 5))
    shift = np.repeat([0.0, 2.0, -2.0], [60, 40, 40])[:, None]
    found = classify_batches({"before": x + shift, "after": x}, batch)
    frame = found.to_frame().set_index(["data", "classifier"])
    assert found.chance == pytest.approx(60 / 140)
    assert found.n_rows == {"a": 60, "b": 40, "c": 40}
    for classifier in ("logistic_regression", "random_forest"):
        before, after = frame.loc[("before", classifier)], frame.loc[("after", classifier)]
        assert before["accuracy"] > 0.9
        assert before["low"] > found.chance
        assert abs(after["balanced_accuracy"] - 1 / 3) < 0.15
    assert json.loads(json.dumps(found.to_dict()))["n_splits"] == 5


def test_a_difference_in_spread_is_seen_by_the_forest_alone() -> None:
    rng = np.random.default_rng(1)
    batch = np.repeat(["a", "b"], 100)
    x = rng.normal(size=(200, 5)) * np.repeat([0.4, 2.0], 100)[:, None]
    frame = classify_batches({"x": x}, batch).to_frame().set_index("classifier")
    assert frame.loc["logistic_regression", "accuracy"] < 0.65
    assert frame.loc["random_forest", "accuracy"] > 0.85


def test_replicates_do_not_tell_the_batch_of_their_subject() -> None:
    rng = np.random.default_rng(2)
    subject = np.repeat(np.arange(40), 5)
    batch = np.where(subject < 20, "a", "b")
    x = rng.normal(size=(40, 30))[subject] + 0.01 * rng.normal(size=(200, 30))
    apart = classify_batches({"x": x}, batch).to_frame()["accuracy"]
    together = classify_batches({"x": x}, batch, subject=subject).to_frame()["accuracy"]
    assert (apart > 0.8).all()
    assert (together < 0.7).all()


def test_rows_are_capped_and_the_same_for_all_data() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(100, 3))
    batch = np.array(["a"] * 69 + ["b"] * 30 + ["c"])
    found = classify_batches({"x": x, "y": x}, batch, max_rows=25)
    assert found.n_rows == {"a": 25, "b": 25}
    assert found.too_small == ("c",)
    frame = found.to_frame()
    assert frame["accuracy"].tolist()[:2] == frame["accuracy"].tolist()[2:]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"batch": ["a"] * 6}, "1 batches have two subjects"),
        ({"subject": list("sssttt")}, "0 batches have two subjects"),
        ({"data": {"x": np.ones((5, 1))}}, "data 'x' has shape"),
        ({"data": {"x": np.full((6, 1), np.nan)}}, "6 missing or infinite"),
        ({"n_splits": 1}, "n_splits is 1"),
    ],
)
def test_bad_input(change: dict[str, object], said: str) -> None:
    given = {"data": {"x": np.ones((6, 1))}, "batch": list("aaabbb")} | change
    with pytest.raises(InputError, match=said):
        classify_batches(given.pop("data"), given.pop("batch"), **given)
