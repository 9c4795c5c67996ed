"""``crossplate run``: what it writes, what it prints, and that it can be repeated."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

import crossplate
from crossplate.io import read_table, write_frame

FILES = {
    ".crossplate",
    "calibrated.csv",
    "evaluation.json",
    "figures",
    "latent.csv",
    "metrics.json",
    "model",
    "predictions.csv",
    "report.html",
    "settings.json",
    "subjects.csv",
}


read_exactly = partial(pd.read_csv, float_precision="round_trip")


def predictions(folder):
    return read_exactly(folder / "predictions.csv").set_index("sample_id")


def test_writes_all_files_and_predicts_the_target_alone(trained, plates):
    assert {path.name for path in trained.iterdir()} == FILES
    found = predictions(trained)
    assert list(found) == [
        *("batch", "subject", "predicted", "called", "p_SLE", "p_control", "p_std")
    ]
    target = plates[plates["batch"] == "plate2"]
    assert list(found.index) == list(target["sample_id"])
    np.testing.assert_allclose(found["p_SLE"] + found["p_control"], 1, atol=1e-6)


def test_scores_are_those_of_the_written_predictions(trained, plates):
    found = predictions(trained)
    truth = plates.set_index("sample_id").loc[found.index, "label"]
    metrics = json.loads((trained / "metrics.json").read_text())
    assert metrics["scored_on"] == "target labels, unused in training"
    assert metrics["sample_level"]["crossplate"]["balanced_accuracy"] == pytest.approx(
        balanced_accuracy_score(truth, found["predicted"])
    )


def test_same_as_the_python_functions(trained):
    tables = [
        read_table(trained.parent / f"{name}.csv", label="label", subject="subject")
        for name in ("plate1", "plate2")
    ]
    settings = crossplate.study.StudySettings(
        source_batches=("plate1",), target_batches=("plate2",), epochs=2, n_members=1
    )
    result = crossplate.run_study(crossplate.table.combine_tables(tables), settings)
    np.testing.assert_array_equal(result.predictions["p_SLE"], predictions(trained)["p_SLE"])


def test_repeats_bit_for_bit_from_its_settings_in_another_process(trained, tmp_path):
    again = tmp_path / "again"
    command = [sys.executable, "-c", "from crossplate.cli import main; main()", "run"]
    done = subprocess.run(
        [*command, "--config", str(trained / "settings.json"), "--out", "again"],
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # no progress where there is no terminal, and no warnings
    assert max(map(len, done.stdout.splitlines())) <= 80
    for name in ("predictions.csv", "subjects.csv", "calibrated.csv", "latent.csv"):
        assert (again / name).read_bytes() == (trained / name).read_bytes()


def test_another_seed_gives_other_predictions(cli, trained, tmp_path):
    config = trained / "settings.json"
    done = cli("run", "--config", config, "--seed", 2, "--out", tmp_path / "other")
    assert done.code == 0, done.err
    assert json.loads((tmp_path / "other/settings.json").read_text())["run"]["seed"] == 2
    assert not predictions(tmp_path / "other")["p_SLE"].equals(predictions(trained)["p_SLE"])


def test_labels_of_the_target_do_not_reach_the_training(cli, quick, files, trained, tmp_path):
    blind = pd.read_csv(files["plate2"], float_precision="round_trip").drop(columns="label")
    (tmp_path / "blind").mkdir()
    write_frame(blind, tmp_path / "blind/plate2.csv")
    done = cli(
        *("run", "--source", files["plate1"], "--target", tmp_path / "blind/plate2.csv"),
        *("--label", "label", "--subject", "subject", "--out", tmp_path / "out", *quick),
    )
    assert done.code == 0, done.err
    assert "Scores" not in done.out
    assert json.loads((tmp_path / "out/metrics.json").read_text())["scored_on"] is None
    written = [folder / "predictions.csv" for folder in (tmp_path / "out", trained)]
    assert written[0].read_bytes() == written[1].read_bytes()


@pytest.mark.parametrize(
    ("words", "target"),
    [
        (("--target-batch", "plate3"), {"plate3"}),
        (("--source-batch", "plate1"), {"plate2", "plate3"}),
        (("--source-batch", "plate3", "--target-batch", "plate1"), {"plate1"}),
    ],
)
def test_one_table_with_a_batch_column(cli, quick, files, tmp_path, words, target):
    done = cli(
        *("run", files["all"], "--batch", "batch", "--label", "label", "--metadata", "subject"),
        *(*words, "--out", tmp_path / "out", *quick),
    )
    assert done.code == 0, done.err
    assert set(predictions(tmp_path / "out")["batch"]) == target
    assert not (tmp_path / "out/subjects.csv").exists()


def test_several_sources_and_targets(cli, quick, files, tmp_path):
    copy = tmp_path / "plate4.csv"
    frame = pd.read_csv(files["plate3"])
    write_frame(frame.assign(sample_id="x" + frame["sample_id"]), copy)
    done = cli(
        *("run", "--source", files["plate1"], "--source", files["plate2"]),
        *("--target", files["plate3"], "--target", copy),
        *("--label", "label", "--subject", "subject", "--out", tmp_path / "out", *quick),
    )
    assert done.code == 0, done.err
    metrics = json.loads((tmp_path / "out/metrics.json").read_text())
    assert set(metrics["counts"]["source"]) == {"plate1", "plate2"}
    assert set(metrics["counts"]["target"]) == {"plate3", "plate4"}


def test_equal_file_names_in_two_folders_are_told_apart(cli, quick, files, tmp_path):
    paths = []
    for day, plate in (("monday", "plate1"), ("friday", "plate2")):
        (tmp_path / day).mkdir()
        paths.append(files[plate].rename(tmp_path / day / "data.csv"))
    done = cli(
        *("run", "--source", paths[0], "--target", paths[1], "--label", "label"),
        *("--subject", "subject", "--out", tmp_path / "out", *quick),
    )
    assert done.code == 0, done.err
    assert set(predictions(tmp_path / "out")["batch"]) == {"friday/data"}


def test_summary_counts_calls_of_subjects_and_samples(cli, trained, tmp_path):
    done = cli("run", "--config", trained / "settings.json", "--out", tmp_path / "out")
    lines = [line.split() for line in done.out.splitlines()]
    for name, frame in (
        ("subjects", pd.read_csv(trained / "subjects.csv")),
        ("samples", predictions(trained)),
    ):
        counts = frame["predicted"].where(frame["called"]).value_counts(dropna=False)
        wanted = [str(counts.get(label, 0)) for label in ("SLE", "control", np.nan)]
        assert [name, "called", *wanted] in lines
    scores = json.loads((trained / "metrics.json").read_text())["subject_level"]["crossplate"]
    shown = [f"{scores[name]:.3f}" for name in ("accuracy", "balanced_accuracy", "f1", "mcc")]
    assert ["crossplate", *shown, f"{scores['roc_auc']:.3f}"] in lines
    assert f"Written to {tmp_path / 'out'}:" in done.out


def test_notices_tell_what_was_left_out_and_filled_in(cli, quick, files, tmp_path):
    first, second = pd.read_csv(files["plate1"]), pd.read_csv(files["plate2"])
    names = list(first.columns[3:])
    first.loc[0, names[5]] = np.nan
    first[names[0]] = 7.0
    second[names[0]] = 7.0
    write_frame(first.assign(age=50, batch_of_resin=1.5), files["plate1"])
    write_frame(second.drop(columns=names[1]), files["plate2"])
    done = cli(
        *("run", "--source", files["plate1"], "--target", files["plate2"], "--label", "label"),
        *("--subject", "subject", "--out", tmp_path / "out", *quick),
    )
    assert done.code == 0, done.err
    text = " ".join(done.out.split())
    for wanted in (
        f"lacks 2 of the 13 features of batch plate1 ({names[1]}, batch_of_resin)",
        f"did not vary within any batch and was dropped: {names[0]}",
        "kept as metadata because of their names, not used as features: age",
        "1 missing cells",
    ):
        assert wanted in text


def test_wrong_units_are_reported_with_figures(cli, quick, files, tmp_path):
    second = pd.read_csv(files["plate2"])
    second.iloc[:, 3:] *= 1e6
    write_frame(second, files["plate2"])
    done = cli(
        *("run", "--source", files["plate1"], "--target", files["plate2"], "--label", "label"),
        *("--subject", "subject", "--out", tmp_path / "out", *quick),
    )
    assert done.code == 0, done.err
    assert "12 of 12 features lies outside their usual range" in " ".join(done.out.split())


def test_collapsed_classifier_is_reported(cli, quick, tmp_path):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=["a", "b", "c"])
    frame.iloc[30:] = 0.5  # alike in the target, so that all its samples are called alike
    frame["diagnosis"] = ["ill", "well"] * 15 + [None] * 30
    frame["plate"] = ["one"] * 30 + ["two"] * 30
    write_frame(frame, tmp_path / "table.csv")
    done = cli(
        *("run", tmp_path / "table.csv", "--batch", "plate", "--label", "diagnosis"),
        *("--out", tmp_path / "out", *quick),
    )
    assert done.code == 0, done.err
    (called,) = set(predictions(tmp_path / "out")["predicted"])
    assert "CAUTION: all samples are called the same" in done.out
    assert f"all 30 target samples are called '{called}'" in " ".join(done.out.split())


def test_overwrite_replaces_a_result_and_nothing_else(cli, trained, tmp_path):
    config, out = trained / "settings.json", tmp_path / "out"
    out.mkdir()
    (out / "thesis.doc").write_text("years of work")
    refused = cli("run", "--config", config, "--out", out, "--overwrite")
    assert refused.code == 2
    assert "was not written by crossplate" in refused.err
    assert (out / "thesis.doc").read_text() == "years of work"
    (out / "thesis.doc").unlink()
    assert cli("run", "--config", config, "--out", out).code == 0
    refused = cli("run", "--config", config, "--out", out)
    assert refused.code == 2
    assert "--overwrite" in refused.err
    assert cli("run", "--config", config, "--out", out, "--overwrite").code == 0


def test_paper_preset_and_log_reach_the_model(cli, files, tmp_path):
    done = cli(
        *("run", "--source", files["plate1"], "--target", files["plate2"], "--label", "label"),
        *("--subject", "subject", "--preset", "paper", "--epochs", 1, "--log", "always"),
        *("--out", tmp_path / "out"),
    )
    assert done.code == 0, done.err
    model = json.loads((tmp_path / "out/settings.json").read_text())["model"]
    assert (model["gamma"], model["epochs"], model["log"]) == (0.01, 1, "always")


def test_options_from_toml_and_the_command_line_wins(cli, files, tmp_path):
    config = tmp_path / "settings.toml"
    config.write_text(
        "\n".join(
            [
                f'source = "{files["plate1"]}"',
                f'target = ["{files["plate2"]}"]',
                'label = "label"',
                'sample-id = "sample_id"',
                "seed = 5",
                "epochs = 1",
                "members = 1",
            ]
        )
    )
    done = cli(
        *("run", "--config", config, "--metadata", "subject", "--seed", 6),
        *("--out", Path(tmp_path, "deep", "out")),
    )
    assert done.code == 0, done.err
    run = json.loads((tmp_path / "deep/out/settings.json").read_text())["run"]
    assert run["seed"] == 6
    assert run["epochs"] == 1
    assert run["metadata"] == ["subject"]
    assert "out" not in run


def test_inputs_in_the_output_folder_are_not_deleted(cli, trained, tmp_path, files):
    out = tmp_path / "out"
    config = trained / "settings.json"
    assert cli("run", "--config", config, "--out", out).code == 0
    for source in (out / "plate1.csv", out / "plates" / "plate1.csv"):
        source.parent.mkdir(exist_ok=True)
        source.write_bytes(files["plate1"].read_bytes())
        words = ("--source", source, "--out", out, "--overwrite")
        done = cli("run", "--config", config, *words)
        assert done.code == 2
        assert "lies in the output folder" in done.err
        assert source.exists()
    done = cli("predict", out, files["plate3"], "--out", out, "--overwrite")
    assert done.code == 2
    assert "lies in the output folder" in done.err
    assert (out / "model").exists()
