"""The slow parts of an evaluation, on little data."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from crossplate import InputError
from crossplate.study import evaluate_study
from crossplate.study.held_out import unfitted
from crossplate.study.thorough import OWN, UNCORRECTED, across_batches, permuted, within_batches


@pytest.fixture(scope="module")
def full(result):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("crossplate.study.thorough.N_PERMUTATIONS", 8)
        told = []
        found = evaluate_study(result, full=True, progress=lambda *what: told.append(what))
    return found, told


def test_all_parts_are_there(full, result):
    found, told = full
    values = found.to_dict()
    assert [name for name, value in values.items() if value is None] == []
    json.dumps(values, allow_nan=False)
    parts = list(dict.fromkeys(what for what, _, _ in told))
    assert parts[-2:] == ["Biomarkers", "Attribution"]
    assert told[-1][1] == told[-1][2] > 1
    features = set(result.table.features.columns)
    assert set(values["biomarkers"]["features"]["feature"]) == features
    assert {one["feature"] for one in values["attribution"]["features"]} == features


def test_permutation_compares_with_shuffles(full):
    found = full[0].permutation
    assert len(found["null"]) == found["n_permutations"] == 8
    # so strong a difference is found by chance too, with the right or the wrong sign
    assert found["observed"] > np.median(found["null"])
    as_good = sum(one >= found["observed"] for one in found["null"])
    assert found["p_value"] == pytest.approx((1 + as_good) / 9)


def test_matrix_has_both_directions_and_the_diagonal(full):
    rows = pd.DataFrame(full[0].cross_batch)
    found = {(one.source, one.target, one.method) for one in rows.itertuples()}
    pairs = {("plate1", "plate2"), ("plate2", "plate1")}
    same = {(name, name, OWN) for name in ("plate1", "plate2")}
    assert found == {(*pair, way) for pair in pairs for way in (UNCORRECTED, OWN)} | same
    own = rows[rows["method"] == OWN].set_index(["source", "target"])["accuracy"]
    plain = rows[rows["method"] == UNCORRECTED].set_index(["source", "target"])["accuracy"]
    assert own.min() > 0.8
    assert all(0.8 < one["accuracy"] <= 1 for one in rows.loc[rows["method"] == OWN, "subject"])
    assert own.loc[list(pairs)].mean() > plain.mean()
    assert [one["scores"]["accuracy"] for one in full[0].ceiling["per_batch"]] == [
        own["plate1", "plate1"],
        own["plate2", "plate2"],
    ]


def test_a_batch_of_one_class_is_scored_and_teaches_nothing(result):
    table = result.table
    one_class = (table.batch == "plate2").to_numpy() & (table.label != "SLE").to_numpy()
    kept = table.select(one_class | (table.batch == "plate1").to_numpy())
    model = unfitted(result.model, random_state=0, n_members=1, epochs=10)
    pairs = {(row["source"], row["target"]) for row in across_batches(kept, model)}
    assert pairs == {("plate1", "plate2")}
    (only,) = within_batches(kept, model)
    assert only["batch"] == "plate1"


def test_without_labels_there_is_nothing_to_score(result):
    table = result.table
    model = unfitted(result.model, random_state=0)
    bare = dataclasses.replace(table, label=None)
    with pytest.raises(InputError, match="no batch has labels"):
        within_batches(bare, model)
    with pytest.raises(InputError, match="fewer than two batches"):
        across_batches(bare, model)
    source = (table.batch == "plate1").to_numpy()
    label = table.label.astype(object).where(source, None)
    with pytest.raises(InputError, match="nothing to score on"):
        permuted(model, dataclasses.replace(table, label=label), np.asarray(source))
