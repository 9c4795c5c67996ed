"""``crossplate adapt``: a model that takes in a plate, and then calls its samples one by one."""

import json

import numpy as np
import pandas as pd
import pytest

import crossplate
from crossplate.io import write_frame


@pytest.fixture
def adapted(cli, trained, files, tmp_path):
    out = tmp_path / "with3"
    done = cli("adapt", trained, files["plate3"], "--out", out)
    assert done.code == 0, done.err
    return out


def predictions(folder):
    frame = pd.read_csv(folder / "predictions.csv", float_precision="round_trip")
    return frame.set_index("sample_id")


def test_help_fits_a_terminal_and_ends_with_examples(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = cli("adapt", "--help").out.rstrip().splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[-1].strip().startswith("crossplate predict with4 late.csv")


def test_single_samples_are_called_as_the_whole_plate_was(cli, trained, files, adapted, tmp_path):
    whole = cli("predict", trained, files["plate3"], "--out", tmp_path / "whole")
    assert whole.code == 0, whole.err
    one = tmp_path / "one.csv"
    write_frame(pd.read_csv(files["plate3"]).iloc[[4]], one)
    words = ("predict", adapted, one, "--batch-name", "plate3", "--out", tmp_path / "one")
    done = cli(*words)
    assert done.code == 0, done.err
    wanted, found = predictions(tmp_path / "whole").iloc[[4]], predictions(tmp_path / "one")
    columns = ["p_SLE", "p_control", "p_std"]
    np.testing.assert_allclose(found[columns], wanted[columns], atol=1e-12)
    assert found["predicted"].tolist() == wanted["predicted"].tolist()
    assert "collapsed" not in done.out
    # how sure a call has to be came along from the run
    assert found["called"].tolist() == wanted["called"].tolist()
    assert json.loads((tmp_path / "one" / "metrics.json").read_text())["calling"]


def test_other_plates_are_called_as_before_to_the_last_digit(
    cli, trained, files, adapted, tmp_path
):
    words = ("--subject", "subject", "--batch-name", "plate2", "--out", tmp_path / "out")
    done = cli("predict", adapted, files["plate2"], *words)
    assert done.code == 0, done.err
    for name in ("predictions.csv", "subjects.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (trained / name).read_bytes()


def test_what_is_written_and_said(cli, trained, files, adapted, tmp_path):
    assert sorted(path.name for path in adapted.iterdir()) == [
        ".crossplate",
        "evaluation.json",
        "model",
        "settings.json",
    ]
    model = crossplate.load(adapted / "model")
    assert model.batches_.tolist() == ["plate1", "plate2", "plate3"]
    assert model.adapted_batches_.tolist() == ["plate3"]
    record = json.loads((adapted / "settings.json").read_text())
    table = pd.read_csv(files["plate3"])
    assert record["batches"] == {"plate3": len(table)}
    assert record["adapt"]["new_table"] == str(files["plate3"])
    # once more, on top of the adapted model, with the plate in a column and a feature missing
    table["plate"] = np.where(np.arange(len(table)) < 8, "plate3", "late")
    write_frame(table.drop(columns=model.feature_names_in_[0]), files["plate3"])
    words = ("--batch", "plate", "--metadata", "label", "--out", tmp_path / "again")
    done = cli("adapt", adapted, files["plate3"], *words)
    assert done.code == 0, done.err
    text = " ".join(done.out.split())
    assert f"The model now knows plate3 (8 samples, anew), late ({len(table) - 8} samples)" in text
    assert "Results of all other plates stay as they were." in text
    assert "1 of the model's 12 features are not in the table and were imputed" in text
    assert f"Written to {tmp_path / 'again'}" in done.out
    again = crossplate.load(tmp_path / "again" / "model")
    assert again.adapted_batches_.tolist() == ["plate3", "late"]


def test_a_file_named_like_an_adapted_plate_has_to_be_named_on_purpose(
    cli, files, adapted, tmp_path
):
    words = ("predict", adapted, files["plate3"], "--out", tmp_path / "out")
    done = cli(*words)
    assert done.code == 2
    assert "batch 'plate3', which the model was adapted to and whose statistics" in done.err
    done = cli(*words, "--batch-name", "plate3")
    assert done.code == 0, done.err


def test_a_model_without_a_run_beside_it(cli, trained, files, tmp_path):
    crossplate.load(trained / "model").save(tmp_path / "lonely")
    done = cli("adapt", tmp_path / "lonely", files["plate3"], "--out", tmp_path / "out")
    assert done.code == 0, done.err
    assert not (tmp_path / "out" / "evaluation.json").exists()
    assert "evaluation.json" not in done.out


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (("--batch-name", "plate1"), "batch 'plate1' was in fit and stays as it was"),
        (("--batch", "place"), "there is no column 'place'"),
        (("--batch", "label", "--batch-name", "x"), "were both given"),
    ],
)
def test_bad_options(cli, trained, files, tmp_path, words, pattern):
    done = cli("adapt", trained, files["plate3"], "--out", tmp_path / "out", *words)
    assert done.code == 2
    assert pattern in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        (lambda frame: frame.head(1), "batch 'plate3' has one row"),
        (
            lambda frame: frame.rename(columns=lambda name: name.replace("mz", "ion")),
            "none of the model's 12 features",
        ),
    ],
)
def test_plates_that_cannot_be_taken_in(cli, trained, files, tmp_path, change, pattern):
    write_frame(change(pd.read_csv(files["plate3"])), files["plate3"])
    done = cli("adapt", trained, files["plate3"], "--out", tmp_path / "out")
    assert done.code == 2
    assert pattern in done.err
    assert not (tmp_path / "out").exists()


def test_an_output_folder_that_is_there(cli, trained, files, adapted):
    done = cli("adapt", trained, files["plate3"], "--out", adapted)
    assert done.code == 2
    assert "is not empty" in done.err
    done = cli("adapt", trained, files["plate3"], "--out", adapted, "--overwrite")
    assert done.code == 0, done.err
    done = cli("adapt", adapted, files["plate3"], "--out", adapted, "--overwrite")
    assert done.code == 2
    assert "lies in the output folder" in done.err
