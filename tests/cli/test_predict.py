"""``crossplate predict``: a plate that arrives later, and models that cannot be used."""

import json
import re
import shutil
from functools import partial

import numpy as np
import pandas as pd
import pytest

import crossplate
from crossplate.io import write_frame

read_exactly = partial(pd.read_csv, float_precision="round_trip")


def predictions(folder):
    return read_exactly(folder / "predictions.csv").set_index("sample_id")


@pytest.mark.parametrize("part", ["", "model"])
def test_new_plate_from_the_run_folder_or_its_model(cli, trained, files, tmp_path, part):
    out = tmp_path / "out"
    words = ("--label", "label", "--subject", "subject", "--out", out)
    done = cli("predict", trained / part, files["plate3"], *words)
    assert done.code == 0, done.err
    found = predictions(out)
    table = read_exactly(files["plate3"]).set_index("sample_id")
    model = crossplate.load(trained / "model")
    wanted = model.predict_proba(table[list(model.feature_names_in_)], batch=["new"] * len(table))
    np.testing.assert_array_equal(found[["p_SLE", "p_control"]].to_numpy(), wanted)
    assert set(found["batch"]) == {"plate3"}
    assert len(pd.read_csv(out / "subjects.csv")) == table["subject"].nunique()
    assert "Diagnosed plate3" in done.out
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["sample_level"]["crossplate"]["accuracy"] == pytest.approx(
        (found["predicted"] == table["label"]).mean()
    )
    assert not (out / "history.csv").exists()


def test_features_in_another_order_one_missing_one_more(cli, trained, files, tmp_path):
    frame = pd.read_csv(files["plate3"]).drop(columns="label")
    features = list(frame.columns[2:])
    changed = frame[["sample_id", "subject", *features[:0:-1]]].assign(extra=1.0)
    write_frame(changed, files["plate3"])
    done = cli("predict", trained, files["plate3"], "--out", tmp_path / "out")
    assert done.code == 0, done.err
    text = " ".join(done.out.split())
    assert "1 of the model's 12 features are not in the table and were imputed" in text
    assert f"such as '{features[0]}'" in text
    assert "1 features that the model does not know were left out" in text
    assert "Scores" not in text


def test_batch_names(cli, trained, files, tmp_path):
    frame = pd.read_csv(files["plate3"])
    frame["plate"] = np.where(np.arange(len(frame)) < 10, "early", "late")
    write_frame(frame, files["plate3"])
    done = cli("predict", trained, files["plate3"], "--batch", "plate", "--out", tmp_path / "a")
    assert done.code == 0, done.err
    assert set(predictions(tmp_path / "a")["batch"]) == {"early", "late"}
    done = cli("predict", trained, files["plate3"], "--batch-name", "x", "--out", tmp_path / "b")
    assert done.code == 0, done.err
    assert set(predictions(tmp_path / "b")["batch"]) == {"x"}


def test_a_plate_of_the_training_has_to_be_named_on_purpose(cli, trained, files, tmp_path):
    words = ("predict", trained, files["plate2"], "--subject", "subject", "--out", tmp_path / "out")
    done = cli(*words)
    assert done.code == 2
    assert "which the model was trained on" in done.err
    assert not (tmp_path / "out").exists()
    done = cli(*words, "--batch-name", "plate2")
    assert done.code == 0, done.err
    again, before = (folder / "predictions.csv" for folder in (tmp_path / "out", trained))
    assert again.read_bytes() == before.read_bytes()


def newer(folder):
    path = folder / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))


@pytest.mark.parametrize(
    ("harm", "pattern"),
    [
        (newer, r"model\.json has format 99, .*update crossplate"),
        (lambda folder: (folder / "model.json").write_text("{"), r"model\.json is damaged"),
        (lambda folder: (folder / "model.json").unlink(), r"holds no model"),
        (
            lambda folder: (folder / "arrays.safetensors").write_bytes(b"\0" * 9),
            r"arrays\.safetensors is missing or damaged",
        ),
        (shutil.rmtree, r"broken"),
    ],
)
def test_broken_models(cli, trained, files, tmp_path, harm, pattern):
    broken, out = tmp_path / "broken", tmp_path / "out"
    shutil.copytree(trained / "model", broken)
    harm(broken)
    done = cli("predict", broken, files["plate3"], "--out", out)
    assert done.code == 2
    assert re.fullmatch(r"crossplate: [^\n]*\n", done.err)
    assert re.search(pattern, done.err), done.err
    assert not out.exists()


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (("--label", "diagnosis"), r"plate3\.csv: there is no column 'diagnosis'"),
        (("--batch", "plate"), r"plate3\.csv: there is no column 'plate'"),
        (("--batch", "a", "--batch-name", "b"), r"were both given"),
    ],
)
def test_bad_options(cli, trained, files, tmp_path, words, pattern):
    done = cli("predict", trained, files["plate3"], "--out", tmp_path / "out", *words)
    assert done.code == 2
    assert re.search(pattern, done.err), done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        (lambda frame: frame.head(1), r"batch 'plate3' has only 1 sample"),
        (
            lambda frame: frame.rename(columns=lambda name: name.replace("mz", "ion")),
            r"none of the model's 12 features \(such as 'mz_",
        ),
    ],
)
def test_plates_that_cannot_be_predicted(cli, trained, files, tmp_path, change, pattern):
    write_frame(change(pd.read_csv(files["plate3"])), files["plate3"])
    done = cli("predict", trained, files["plate3"], "--out", tmp_path / "out")
    assert done.code == 2
    assert re.search(pattern, done.err), done.err
    assert not (tmp_path / "out").exists()
