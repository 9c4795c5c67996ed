"""``crossplate evaluate``: a finished run taken up again, and ``run --full``."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from crossplate.io import write_frame


@pytest.fixture
def folder(cli, quick, files, plates, tmp_path):
    """A run whose target had no labels, and the labels in a file beside it."""
    target = plates[plates["batch"] == "plate2"]
    write_frame(target.drop(columns=["batch", "label"]), files["plate2"])
    write_frame(target[["subject", "label"]].drop_duplicates(), tmp_path / "later.csv")
    out = tmp_path / "result"
    done = cli(
        *("run", "--source", files["plate1"], "--target", files["plate2"]),
        *("--label", "label", "--subject", "subject", "--out", out, *quick),
    )
    assert done.code == 0, done.err
    assert "Expected accuracy of a subject" in done.out
    assert "held out of the training" in done.out
    return out


def read(folder, name):
    return json.loads((folder / name).read_text())


def leaves(values, place=""):
    """Each leaf of nested values with its place."""
    if isinstance(values, dict | list):
        items = values.items() if isinstance(values, dict) else enumerate(values)
        for name, value in items:
            yield from leaves(value, f"{place}/{name}")
    else:
        yield place, values


def test_labels_that_came_later_score_the_same_calls(cli, folder, tmp_path, plates):
    before = (folder / "predictions.csv").read_bytes()
    model = {path.name: path.read_bytes() for path in (folder / "model").iterdir()}
    assert read(folder, "metrics.json")["scored_on"] is None
    done = cli("evaluate", folder, "--labels", tmp_path / "later.csv")
    assert done.code == 0, done.err
    assert (folder / "predictions.csv").read_bytes() == before
    assert {path.name: path.read_bytes() for path in (folder / "model").iterdir()} == model
    found = pd.read_csv(folder / "predictions.csv").set_index("sample_id")
    truth = plates.set_index("sample_id").loc[found.index, "label"]
    accuracy = (found["predicted"] == truth).mean()
    scores = read(folder, "metrics.json")["sample_level"]["crossplate"]
    assert scores["accuracy"] == pytest.approx(accuracy)
    evaluation = read(folder, "evaluation.json")
    assert evaluation["intervals"]["sample"]["scores"]["accuracy"]["estimate"] == scores["accuracy"]
    assert sum(map(sum, evaluation["confusion"]["counts"])) == truth.index.str[:7].nunique()
    settings = read(folder, "settings.json")
    assert settings["evaluate"] == {"labels": str(tmp_path / "later.csv"), "full": False}
    text = " ".join(done.out.split())
    assert "by labels of the target" in text
    assert "target samples were labelled by" in text
    assert not list(folder.glob(".evaluate*"))
    again = cli("run", "--config", folder / "settings.json", "--out", tmp_path / "again")
    assert again.code == 0, again.err


def test_same_files_without_new_labels(cli, trained, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(trained, copy)
    done = cli("evaluate", copy)
    assert done.code == 0, done.err
    for name in ("predictions.csv", "subjects.csv", "metrics.json"):
        assert (copy / name).read_bytes() == (trained / name).read_bytes(), name
    again, before = (dict(leaves(read(place, "evaluation.json"))) for place in (copy, trained))
    assert list(again) == list(before)
    for place, value in before.items():
        # Linear algebra may differ in the last digit with where an array lies in memory.
        close = pytest.approx(value, rel=1e-6, abs=1e-9) if isinstance(value, float) else value
        assert again[place] == close, place


def test_full_run_has_all_parts_and_stays_full(cli, files, tmp_path, monkeypatch):
    monkeypatch.setattr("crossplate.study.thorough.N_PERMUTATIONS", 2)
    out = tmp_path / "out"
    done = cli(
        *("run", "--source", files["plate1"], "--target", files["plate2"], "--label", "label"),
        *("--subject", "subject", "--out", out, "--epochs", 2, "--members", 1, "--full"),
    )
    assert done.code == 0, done.err
    assert read(out, "settings.json")["run"]["full"] is True
    parts = ("permutation", "ceiling", "cross_batch", "biomarkers", "attribution")
    first = read(out, "evaluation.json")
    assert all(first[name] for name in parts), first["left_out"]
    assert len(first["permutation"]["null"]) == 2
    done = cli("evaluate", out)
    assert done.code == 0, done.err
    assert read(out, "evaluation.json")["permutation"] == first["permutation"]


def test_folders_that_are_no_run_are_refused(cli, trained, files, tmp_path):
    for place, words in (
        (tmp_path / "nowhere", "there is no folder"),
        (tmp_path, "is not the folder of a run"),
    ):
        done = cli("evaluate", place)
        assert done.code == 2
        assert words in done.err
    later = tmp_path / "later"
    assert cli("predict", trained, files["plate3"], "--out", later).code == 0
    done = cli("evaluate", later)
    assert done.code == 2
    assert "a plate predicted later" in done.err


def test_other_tables_than_those_of_the_run_are_refused(cli, folder, files):
    frame = pd.read_csv(files["plate1"])
    write_frame(frame.rename(columns={frame.columns[-1]: "another"}), files["plate1"])
    before = (folder / "evaluation.json").read_bytes()
    done = cli("evaluate", folder)
    assert done.code == 2
    assert "give the tables of that run" in " ".join(done.err.split())
    assert (folder / "evaluation.json").read_bytes() == before


def test_labels_of_nobody_are_refused(cli, folder, tmp_path):
    write_frame(pd.DataFrame({"subject": ["x"], "label": ["SLE"]}), tmp_path / "other.csv")
    done = cli("evaluate", folder, "--labels", tmp_path / "other.csv")
    assert done.code == 2
    assert "none of the 1 subjects" in done.err


def test_predicted_plates_are_called_as_surely(cli, trained, files, tmp_path):
    done = cli(
        "predict", trained, files["plate3"], "--subject", "subject", "--out", tmp_path / "out"
    )
    assert done.code == 0, done.err
    calling = read(trained, "evaluation.json")["calling"]["sample"]
    found = pd.read_csv(tmp_path / "out/predictions.csv")
    least = np.inf if calling["threshold"] is None else calling["threshold"]
    assert (found["called"] == (found[["p_SLE", "p_control"]].max(axis=1) >= least)).all()
    assert (
        read(tmp_path / "out", "metrics.json")["calling"]["sample"]["threshold"]
        == (calling["threshold"])
    )
