"""``crossplate permute``: shuffled labels on tables, or on the tables of a run."""

import json

import numpy as np
import pytest

FILES = {"permutation.json", "settings.json", ".crossplate"}


def read(folder, name):
    return json.loads((folder / name).read_text())


def test_on_the_tables_of_a_run(cli, trained, tmp_path):
    out = tmp_path / "out"
    done = cli(
        *("permute", "--config", trained / "settings.json", "--permutations", 5),
        *("--score", "accuracy", "--out", out),
    )
    assert done.code == 0, done.err
    assert {path.name for path in out.iterdir()} == FILES
    found = read(out, "permutation.json")
    assert len(found["null"]) == found["n_permutations"] == 5
    above = np.sum(np.array(found["null"]) >= found["observed"])
    assert found["p_value"] == pytest.approx((1 + above) / 6)
    text = " ".join(done.out.split())
    assert f"accuracy {found['observed']:.3f}" in text
    settings = read(out, "settings.json")
    assert settings["permute"] == {"n_permutations": 5, "score": "accuracy"}
    assert settings["run"] == read(trained, "settings.json")["run"]
    assert cli("permute", "--config", out / "settings.json", "--out", out).code == 2


def test_on_tables(cli, files, tmp_path):
    words = ("permute", "--source", files["plate1"], "--target", files["plate2"])
    named = ("--label", "label", "--subject", "subject", "--epochs", 2, "--permutations", 3)
    outs = [tmp_path / name for name in ("one", "two")]
    for out in outs:
        done = cli(*words, *named, "--out", out)
        assert done.code == 0, done.err
    first, second = (read(out, "permutation.json") for out in outs)
    assert first == second
    assert first["score"] == "balanced_accuracy"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--permutations", 0), "--permutations is 0"),
        (("--score", "f1"), "--score is 'f1'"),
    ],
)
def test_options_out_of_range(cli, trained, tmp_path, words, message):
    done = cli("permute", "--config", trained / "settings.json", *words, "--out", tmp_path / "out")
    assert done.code == 2
    assert message in done.err
    assert not (tmp_path / "out").exists()


def test_a_target_without_labels_cannot_be_scored(cli, files, plates, tmp_path):
    from crossplate.io import write_frame

    target = plates[plates["batch"] == "plate2"]
    write_frame(target.drop(columns=["batch", "label"]), files["plate2"])
    done = cli(
        *("permute", "--source", files["plate1"], "--target", files["plate2"]),
        *("--label", "label", "--subject", "subject", "--out", tmp_path / "out"),
    )
    assert done.code == 2
    assert "nothing to score on" in done.err
