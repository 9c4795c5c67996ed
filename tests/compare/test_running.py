"""Whole comparisons: what comes out, that no method sees the target's labels, and going on."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crossplate.compare import CompareSettings, compare
from crossplate.compare.aligning import Aligned, measured
from crossplate.compare.classifiers import CLASSIFIERS
from crossplate.compare.discriminator import Discriminator
from crossplate.compare.executing import on_this_machine
from crossplate.compare.methods import METHODS
from crossplate.compare.running import RESULTS, pairs_of
from crossplate.compare.scoring import COLUMNS, SCORES
from crossplate.errors import InputError
from crossplate.evaluate import fit_predict

from .tables import QUICK, make_table, relabelled

SIMPLE = CompareSettings(methods=("none", "centring"), classifiers=("logistic",), repeats=1)


def parts(folder):
    return {path: path.stat().st_mtime_ns for path in sorted((folder / "parts").glob("*.csv"))}


@pytest.fixture(scope="module")
def table():
    return make_table(1, replicates=2)


@pytest.fixture(scope="module")
def found(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare") / "out"
    settings = CompareSettings(
        methods=("none", "combat", "joint"),
        classifiers=("logistic", "discriminator"),
        repeats=2,
        method_settings={"joint": QUICK["joint"]},
    )
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CLASSIFIERS, "discriminator", quick_discriminator)
        result = compare(table, settings, folder=folder, progress=lambda *done: seen.append(done))
    return result, folder, seen


def quick_discriminator(z, y, target, seed):
    return fit_predict(Discriminator(epochs=2, random_state=seed), z, y, target)


def test_one_row_a_pair_method_classifier_level_and_seed(found):
    result, folder, _ = found
    rows = result.rows
    assert tuple(rows.columns) == COLUMNS
    across = rows[rows["source"] != rows["target"]]
    runs = across.groupby(["source", "target", "method", "classifier", "level"])["seed"].agg(list)
    levels = ("sample", "subject")
    expected = {
        **{(m, "logistic"): [0] for m in ("zscore", "none", "combat")},
        **{(m, "discriminator"): [0, 1] for m in ("zscore", "none", "combat")},
        ("joint", "joint"): [0, 1],
    }
    assert runs.to_dict() == {
        (*pair, *key, level): seeds
        for pair in (("p1", "p2"), ("p2", "p1"))
        for key, seeds in expected.items()
        for level in levels
    }
    within = rows[rows["source"] == rows["target"]]
    assert set(zip(within["method"], within["classifier"], strict=True)) == {
        *(("zscore", "logistic"), ("zscore", "discriminator"), ("joint", "joint"))
    }
    assert (rows["note"] == "").all()
    assert rows[[*SCORES, "seconds"]].notna().all(axis=None)
    read = pd.read_csv(folder / "comparison.csv", float_precision="round_trip")
    pd.testing.assert_frame_equal(
        read.drop(columns="note"), rows.drop(columns="note"), check_exact=True
    )


def test_progress_counts_the_units_of_work(found):
    _, _, seen = found
    assert seen == [(done, 12) for done in range(13)]


def test_other_files(found):
    result, folder, _ = found
    assert {path.name for path in folder.iterdir()} == {*RESULTS, "settings.json", "parts"}
    text = (folder / "compare.md").read_text(encoding="utf-8")
    assert "## By subject" in text
    assert "The joint model is" in text
    summary = pd.read_csv(folder / "summary.csv")
    assert list(summary["method"]) == list(result.summary.frame["method"])


def oracle(task):
    """A method that takes any label of the target that it can get hold of."""
    target = task.target_rows
    held = [getattr(task, field.name) for field in fields(task)]
    held += [getattr(value, "base", None) for value in held]
    held += [getattr(task, name, None) for name in ("table", "label", "labels", "truth", "parent")]
    held += list(vars(task).values()) + list(vars(type(task)).values())
    answer = np.full(target.sum(), "", dtype=object)
    for value in held:
        if isinstance(value, np.ndarray) and value.dtype == object and len(value) == len(target):
            seen = value[target]
            answer = np.where(pd.isna(seen), answer, seen)
    if not (answer != "").any():  # an honest guess
        answer[:] = task.y[task.source_rows][0]
    classes = sorted(set(task.y[task.source_rows]))
    proba = pd.DataFrame({name: (answer == name).astype(float) for name in classes})
    return Aligned(measured(task)[0], proba)


def test_an_oracle_that_tries_to_read_the_labels_of_the_target_fails(table, tmp_path, monkeypatch):
    monkeypatch.setitem(METHODS, "none", oracle)
    rows = compare(table, SIMPLE, folder=tmp_path / "out").rows
    of_oracle = rows[rows["method"] == "none"]
    assert (of_oracle["balanced_accuracy"] == 0.5).all()  # one class for all
    assert len(of_oracle) == 4


def test_the_oracle_would_succeed_if_it_were_told(table):
    """So the test above tests something."""
    from crossplate.compare.blind import blind_task

    task = blind_task(table, "p1", "p2")
    both = table.batch.isin(["p1", "p2"]).to_numpy()
    told = replace(task, y=table.label[both].to_numpy())
    truth = table.label[(table.batch == "p2").to_numpy()].to_numpy()
    assert (oracle(told).proba.idxmax(axis=1).to_numpy() == truth).all()


def test_calls_of_every_method_are_the_same_whatever_the_labels_of_the_target(table, tmp_path):
    """What a method answers does not depend on what it is scored on."""
    names = tuple(METHODS)
    settings = replace(
        SIMPLE,
        methods=names,
        pairs=(("p1", "p2"),),
        method_settings={name: its for name, its in QUICK.items() if name in names},
    )
    truth = table.label[(table.batch == "p2").to_numpy()].to_numpy()
    swapped = relabelled(table, "p2", np.where(truth == "SLE", "control", "SLE"))
    called = []
    for number, each in enumerate((table, swapped)):
        compare(each, settings, folder=tmp_path / str(number))
        files = sorted((tmp_path / str(number) / "parts").glob("p1-p2-*.calls.csv.gz"))
        assert len(files) == len(names)
        frames = [pd.read_csv(file).drop(columns="truth") for file in files]
        called.append(pd.concat(frames, axis=1))
    pd.testing.assert_frame_equal(*called)


def test_finished_parts_are_not_computed_again(table, tmp_path, monkeypatch):
    folder = tmp_path / "out"
    first = compare(table, SIMPLE, folder=folder)
    made = parts(folder)
    monkeypatch.setitem(METHODS, "none", None)  # would raise if it were called
    again = compare(table, SIMPLE, folder=folder)
    assert parts(folder) == made
    pd.testing.assert_frame_equal(again.rows, first.rows)
    pd.testing.assert_frame_equal(again.summary.frame, first.summary.frame)


def test_other_methods_and_pairs_come_into_the_same_folder(table, tmp_path):
    folder = tmp_path / "out"
    compare(table, replace(SIMPLE, pairs=(("p1", "p2"),)), folder=folder)
    made = parts(folder)
    more = compare(table, replace(SIMPLE, methods=("none", "coral")), folder=folder)
    assert {path: parts(folder)[path] for path in made} == made
    across = more.rows[more.rows["source"] != more.rows["target"]]
    assert set(across["method"]) == {"zscore", "none", "coral"}
    assert set(across["source"]) == {"p1", "p2"}


def stopping_after(count):
    """Run units in this process and be interrupted after some."""

    def execute(work):
        for done, result in enumerate(on_this_machine()(work)):
            if done == count:
                raise KeyboardInterrupt
            yield result

    return execute


def test_an_interrupted_comparison_goes_on(table, tmp_path):
    folder = tmp_path / "out"
    compare(table, SIMPLE, folder=folder)
    for name in RESULTS[1:]:
        (folder / name).write_text("of an earlier comparison")
    more = replace(SIMPLE, methods=("none", "centring", "coral", "combat"))
    with pytest.raises(KeyboardInterrupt):
        compare(table, more, folder=folder, execute=stopping_after(3))
    assert not any((folder / name).exists() for name in RESULTS)
    made = parts(folder)
    assert len(made) == 8 + 3
    seen = []
    result = compare(table, more, folder=folder, progress=lambda *done: seen.append(done))
    assert seen == [(11, 12), (12, 12)]
    assert {path: parts(folder)[path] for path in made} == made
    whole = compare(table, more, folder=tmp_path / "whole").rows
    pd.testing.assert_frame_equal(
        result.rows.drop(columns="seconds"), whole.drop(columns="seconds")
    )


HANGING = """
import sys, time
from pathlib import Path
from crossplate.compare import CompareSettings, compare
from crossplate.compare.methods import METHODS
from tables import make_table

def hang(task):
    Path(sys.argv[1], "hanging").write_text("")
    time.sleep(600)

METHODS["coral"] = hang
settings = CompareSettings(("none", "centring", "coral"), ("logistic",), repeats=1)
compare(make_table(1, replicates=2), settings, folder=Path(sys.argv[1], "out"))
"""


def test_a_killed_comparison_loses_what_was_in_flight(table, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HANGING, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )
    try:
        while not (tmp_path / "hanging").exists():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    folder = tmp_path / "out"
    made = parts(folder)
    assert len(made) == 3  # zscore, none, centring from p1 to p2
    assert not any((folder / name).exists() for name in RESULTS)
    result = compare(table, replace(SIMPLE, methods=("none", "centring", "coral")), folder=folder)
    assert {path: parts(folder)[path] for path in made} == made
    assert result.rows["accuracy"].notna().all()


def test_a_method_that_fails_is_told_and_tried_again(table, tmp_path, monkeypatch):
    def refuses(task):
        raise InputError("these plates cannot be corrected")

    folder = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setitem(METHODS, "none", refuses)
        result = compare(table, SIMPLE, folder=folder)
    failed = result.rows[result.rows["method"] == "none"]
    assert failed[list(SCORES)].isna().all(axis=None)
    assert (failed["note"] == "these plates cannot be corrected").all()
    assert "none failed on p1:p2 and 1 more: these plates cannot be corrected" in result.notices
    summary = result.summary.frame.set_index(["protocol", "level", "method"])
    assert summary.loc[("across", "subject", "none"), "n_pairs"] == 0
    assert compare(table, SIMPLE, folder=folder).rows["accuracy"].notna().all()


def test_subjects_on_both_plates_are_told(table, tmp_path):
    same = replace(table, subject=table.subject.str.replace("p2", "p1"))
    same = relabelled(same, "p2", same.label[(same.batch == "p1").to_numpy()].to_numpy())
    result = compare(same, SIMPLE, folder=tmp_path / "out")
    assert any("16 of 16 subjects are in source and target" in text for text in result.notices)


def test_two_processes_give_the_figures_of_one(table, tmp_path):
    settings = replace(
        SIMPLE, methods=("joint",), method_settings={"joint": QUICK["joint"]}, repeats=2
    )
    one = compare(table, settings, folder=tmp_path / "one").rows
    two = compare(table, settings, folder=tmp_path / "two", execute=on_this_machine(2)).rows
    pd.testing.assert_frame_equal(
        one.drop(columns="seconds"), two.drop(columns="seconds"), check_exact=True
    )
    with pytest.raises(InputError, match="jobs is 0"):
        on_this_machine(0)


def test_all_ordered_pairs_that_can_be_learned_from_and_scored():
    table = make_table(batches=("p1", "p2", "p3", "p4"))
    table = relabelled(table, "p2", "SLE")
    table = relabelled(table, "p3", None)
    table = relabelled(table, "p4", "XY")
    assert pairs_of(table, CompareSettings()) == [("p1", "p2")]
    assert pairs_of(make_table(), CompareSettings()) == [("p1", "p2"), ("p2", "p1")]
    for pair, message in {
        ("p1", "p9"): "there is no batch 'p9' in the table",
        ("p2", "p1"): "batch 'p2' has labels of 1 classes",
        ("p3", "p1"): "batch 'p3' has labels of 0 classes",
        ("p1", "p4"): "batch 'p4' has no label of a class that 'p1' has",
        ("p1", "p3"): "batch 'p3' has no label of a class",
    }.items():
        with pytest.raises(InputError, match=message):
            pairs_of(table, CompareSettings(pairs=(pair,)))
    features = make_table().features.copy()
    features.loc[features.index.str.startswith("p2"), :] = np.nan
    with pytest.raises(InputError, match="leave the pair p1:p2 out"):
        pairs_of(replace(make_table(), features=features), CompareSettings(pairs=(("p1", "p2"),)))
    with pytest.raises(InputError, match="no two of the 2 batches have labels"):
        pairs_of(replace(make_table(), features=features), CompareSettings())
    with pytest.raises(InputError, match="no two of the 2 batches have labels"):
        pairs_of(relabelled(make_table(), "p2", None), CompareSettings())


def test_tables_that_cannot_be_compared_leave_no_folder(table, tmp_path):
    contradicting = relabelled(table, "p2", ["SLE", "control"] * 16)
    single = table.select(~table.batch.eq("p2").to_numpy() | (np.arange(64) == 40))
    for bad, message in ((contradicting, "different labels"), (single, "only 1 sample")):
        with pytest.raises(InputError, match=message):
            compare(bad, SIMPLE, folder=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"methods": ("combatt",)}, "there is no method 'combatt' to compare; choose from none"),
        ({"methods": ("sva",)}, "there is no method 'sva'"),
        ({"methods": ("dwd", "dwd")}, "method 'dwd' is named twice"),
        ({"classifiers": ("svm",)}, "there is no classifier 'svm'"),
        ({"classifiers": ()}, "no classifier was named"),
        ({"pairs": (("p1", "p1"),)}, "the pair p1:p1 is one batch"),
        ({"repeats": 0}, "repeats is 0; give at least 1"),
        ({"method_settings": {"nothing": {}}}, "there is no method 'nothing'"),
    ],
)
def test_settings_that_cannot_be_meant(given, message):
    with pytest.raises(InputError, match=message):
        CompareSettings(**given)


def test_the_baseline_is_always_run():
    settings = CompareSettings(methods=("dwd",), classifiers=("forest",))
    assert settings.methods_run() == ("zscore", "dwd")
    assert settings.classifiers_of("zscore") == ("forest", "logistic")
    assert settings.classifiers_of("dwd") == ("forest",)
    assert settings.classifiers_of("joint") == ("joint",)
    assert CompareSettings().methods_run() == tuple(METHODS)


def test_settings_are_kept(found):
    _, folder, _ = found
    record = json.loads((folder / "settings.json").read_text())
    assert record["comparison"]["classifiers"] == ["logistic", "discriminator"]
    assert record["comparison"]["method_settings"] == {"joint": QUICK["joint"]}
