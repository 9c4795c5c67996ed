"""Biomarkers: planted ones found, batches compared, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crossplate import make_plates
from crossplate.errors import InputError
from crossplate.evaluate.biomarkers import Biomarkers, find_biomarkers
from crossplate.table import SampleTable


def plates(seed: int = 0, n_informative: int = 10, **settings: object):
    """Three plates of 60 subjects whose disease shifts ten of eighty features much."""
    return make_plates(
        **{
            "n_subjects": (60, 60, 60),
            "class_shares": (0.5, 0.5, 0.5),
            "n_features": 80,
            "n_informative": n_informative,
            "effect_size": 1.2,
            "noise": 0.3,
            "max_replicates": 2,
            "random_state": seed,
        }
        | settings
    )


def search(table: SampleTable, **settings: object) -> Biomarkers:
    return find_biomarkers(table, **{"n_resamples": 20} | settings)


@pytest.mark.parametrize("seed", range(2))
def test_planted_biomarkers_are_found_with_their_direction(seed: int) -> None:
    made = plates(seed)
    found = search(made.table, random_state=seed)
    chosen = found.features[found.features["selected"]]
    true = chosen["feature"].isin(made.informative.index)
    assert true.mean() > 0.85
    assert len(chosen) > 9  # of three plates times ten
    # The second label is "control", and a positive planted effect makes the diseased higher.
    signs = made.informative["effect"].reindex(chosen.loc[true, "feature"]).to_numpy()
    assert (np.sign(chosen.loc[true, "effect"].to_numpy()) == -np.sign(signs)).all()
    assert (chosen["effect_label"] == "control").all()
    several = [one for one in found.intersections if len(one.batches) > 1]
    assert sum(len(one.features) for one in several) >= 2
    assert all(one.n_same_direction == len(one.features) for one in several)
    assert (found.agreement["p_both"] < 0.05).all()
    assert (found.agreement["effect_correlation"] > 0.15).all()


def test_hardly_anything_is_found_where_there_is_nothing() -> None:
    numbers = []
    for seed in range(3):
        found = search(plates(seed, n_informative=0).table, random_state=seed)
        numbers += found.features.groupby("batch")["selected"].sum().tolist()
    assert np.mean(numbers) <= 1.0


def test_shape_and_limits_of_the_result() -> None:
    made = plates()
    found = search(made.table, frequency=0.8, p=0.01, n_resamples=11)
    assert found.n_resamples == 12
    assert found.batches == ("plate1", "plate2", "plate3")
    frame = found.features
    assert len(frame) == 240
    np.testing.assert_array_equal(
        frame["selected"], (frame["frequency"] > 0.8) & (frame["p"] < 0.01)
    )
    ordered = found.to_frame()
    assert ordered["selected"].is_monotonic_decreasing
    chosen = set(frame.loc[frame["selected"], "feature"])
    assert set(found.ranked()) == chosen
    sizes = [(frame["feature"].eq(name) & frame["selected"]).sum() for name in found.ranked()]
    assert sizes == sorted(sizes, reverse=True)
    texts = found.intersections_frame()
    assert texts["n_features"].sum() == len(chosen)
    assert texts["batches"].iloc[-1].count(" & ") == 0
    record = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert len(record["selected"]) == frame["selected"].sum()
    assert record["n_in_model"].keys() == {"plate1", "plate2", "plate3"}


def test_equal_seeds_find_the_same_and_progress_is_told() -> None:
    table = plates().table
    told: list[tuple[int, int]] = []
    settings = {"n_resamples": 6, "random_state": 3}
    one = search(table, progress=lambda done, total: told.append((done, total)), **settings)
    two = search(table, **settings)
    pd.testing.assert_frame_equal(one.features, two.features)
    assert told == [(done, 9) for done in range(1, 10)]


def test_a_batch_effect_changes_nothing_within_a_batch() -> None:
    table = plates(noise=0.0, offset=0.0, saturation=0.0, detection=0.0).table
    rows = (table.batch == "plate2").to_numpy()
    shifted = table.features.copy()
    shifted.loc[rows] *= np.exp(np.random.default_rng(0).normal(size=80))
    one, two = (search(t) for t in (table, replace(table, features=shifted)))
    np.testing.assert_allclose(one.features["p"], two.features["p"])
    assert (one.features["selected"] == two.features["selected"]).mean() > 0.98


def test_gaps_and_features_missing_in_one_batch() -> None:
    made = plates(1)
    x = made.table.features.mask(np.random.default_rng(0).random((made.table.n_samples, 80)) < 0.1)
    gone = made.informative.index[0]
    x.loc[(made.table.batch == "plate1").to_numpy(), gone] = np.nan
    found = search(replace(made.table, features=x))
    row = found.features.query("feature == @gone and batch == 'plate1'").iloc[0]
    assert np.isnan(row["p"])
    assert not row["selected"]
    assert found.features["selected"].sum() > 8


def test_three_labels() -> None:
    rng = np.random.default_rng(0)
    index = pd.Index([f"r{row}" for row in range(180)], name="sample_id")
    label = pd.Series(np.array(list("abc"), dtype=object)[np.arange(180) % 3], index=index)
    x = pd.DataFrame(rng.normal(size=(180, 20)), index=index, columns=[f"f{i}" for i in range(20)])
    x["f0"] += 2.0 * (label == "a")
    x["f1"] -= 2.0 * (label == "c")
    batch = pd.Series(np.repeat(["p", "q"], 90), index=index, dtype=object)
    found = search(SampleTable(features=x, batch=batch, label=label))
    chosen = found.features[found.features["selected"]].set_index(["feature", "batch"])
    for name in "pq":
        assert chosen.loc[("f0", name), ["effect_label"]].item() == "a"
        assert chosen.loc[("f0", name), "effect"] > 0.7
        assert chosen.loc[("f1", name), "effect"] < -0.7
    assert set(found.intersections[0].features) >= {"f0", "f1"}
    assert found.intersections[0].n_same_direction == len(found.intersections[0].features)


def test_batches_with_too_few_subjects_are_left_out() -> None:
    table = plates().table
    label = table.label.copy()
    label[(table.batch == "plate1").to_numpy()] = None
    label[((table.batch == "plate3") & (table.subject > "P3_S003")).to_numpy()] = "SLE"
    found = search(replace(table, label=label))
    assert found.batches == ("plate2",)
    assert found.agreement.empty
    assert "'plate1' was left out: it has no labelled subjects" in found.notices[0]
    assert "'plate3' was left out" in found.notices[1]
    alone = table.batch == "plate1"
    with pytest.raises(InputError, match="no batch has 4 subjects of each of two labels"):
        search(replace(table, label=table.label.where(alone).where(table.label == "SLE")))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"frequency": 1.0}, "frequency is 1 and p 0.05; give a frequency from 0.55 to 0.99"),
        ({"frequency": 0.5}, "frequency is 0.5"),
        ({"p": 0.0}, "p 0; give"),
        ({"n_resamples": 1}, "n_resamples is 1"),
    ],
)
def test_limits_out_of_range(settings: dict[str, float], said: str) -> None:
    with pytest.raises(InputError, match=said):
        search(plates().table, **settings)
