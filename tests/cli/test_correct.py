"""``crossplate correct``: its files, its words, and what it refuses."""

import json
import os

import numpy as np
import pandas as pd
import pytest

from crossplate.correct.base import Corrector
from crossplate.correct.combat import ComBat
from crossplate.correct.log_scale import OnLogScale
from crossplate.correct.registry import CORRECTORS, make_corrector
from crossplate.correct.saved import load_corrector
from crossplate.io import read_table, write_frame

FILES = {
    "corrected.csv",
    "corrector.safetensors",
    "batch_effect.json",
    "settings.json",
    ".crossplate",
}


@pytest.fixture
def study(plates, tmp_path):
    """Two plates with their batch, complete, and columns that are no features."""
    frame = plates[plates["batch"] != "plate3"].reset_index(drop=True)
    features = frame.columns[4:]
    frame[features] = frame[features].fillna(frame[features].median())
    frame.insert(4, "age", 30 + np.arange(len(frame)) % 40)
    frame.insert(5, "rin", 7.5)
    frame["clinic"] = np.where(np.arange(len(frame)) % 3, "north", "south")
    write_frame(frame, tmp_path / "study.csv")
    return frame


def words(folder, method, *more):
    return ["correct", folder / "study.csv", "--method", method, "--batch", "batch",
            "--label", "label", "--subject", "subject", "--metadata", "rin",
            "--out", folder / "out", *more]  # fmt: skip


def read(path):
    return pd.read_csv(path, float_precision="round_trip")


def features_of(frame):
    return frame[[name for name in frame.columns if name.startswith("mz_")]].to_numpy()


def test_files_and_summary(cli, study, tmp_path):
    done = cli(*words(tmp_path, "combat", "--reference", "plate1", "--covariates", "age,clinic"))
    assert (done.code, done.err) == (0, "")
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} == FILES
    corrected = read(out / "corrected.csv")
    assert list(corrected.columns) == list(study.columns)
    kept = ["sample_id", "batch", "label", "subject", "age", "rin", "clinic"]
    pd.testing.assert_frame_equal(corrected[kept], study[kept])
    by_hand = OnLogScale(ComBat(reference="plate1")).fit_transform(
        features_of(study), batch=study["batch"], covariates=study[["age", "clinic"]]
    )
    np.testing.assert_allclose(features_of(corrected), by_hand, rtol=1e-12)
    first = (study["batch"] == "plate1").to_numpy()
    np.testing.assert_array_equal(features_of(corrected)[first], features_of(study)[first])

    settings = json.loads((out / "settings.json").read_text(encoding="utf-8"))
    assert settings["correction"] == {
        "method": "combat",
        "reference": "plate1",
        "log": "auto",
        "random_state": 0,
    }
    assert settings["columns"]["metadata"] == ["rin", "age", "clinic"]
    assert settings["versions"]["crossplate"]
    corrector = load_corrector(out / "corrector.safetensors")
    assert list(corrector.feature_names_in_) == [n for n in study.columns if n.startswith("mz_")]

    effect = json.loads((out / "batch_effect.json").read_text(encoding="utf-8"))
    before, after = (effect[when]["across"]["root_biased"] for when in ("before", "after"))
    assert after < before
    assert effect["before"]["bandwidths"] == effect["after"]["bandwidths"]
    line = next(line for line in done.out.splitlines() if "between batches" in line)
    assert line.split()[-2:] == [f"{before:.3f}", f"{after:.3f}"]
    assert "Corrected 12 features of plate1" in done.out
    assert "on the log scale" in " ".join(done.out.split())
    for name in FILES - {".crossplate"}:
        assert name in done.out


@pytest.mark.parametrize("name", sorted(set(CORRECTORS) - {"mmd-resnet"}))
def test_every_method(cli, study, tmp_path, name):
    reference = "reference" in make_corrector(name)._get_param_names()
    done = cli(*words(tmp_path, name, *(["--reference", "plate2"] if reference else [])))
    assert (done.code, done.err) == (0, "")
    corrected = features_of(read(tmp_path / "out" / "corrected.csv"))
    assert np.isfinite(corrected).all()
    same = name in {"none", "sva", "fsva"}  # which may find nothing hidden
    assert same or not np.allclose(corrected, features_of(study))


def test_a_method_that_is_trained_repeats_with_its_seed(cli, study, tmp_path, monkeypatch):
    from crossplate.correct.mmd_resnet import MMDResNet

    monkeypatch.setattr(MMDResNet.__init__, "__kwdefaults__", MMDResNet.__init__.__kwdefaults__
                        | {"epochs": 2})  # fmt: skip
    found = []
    for seed in ("1", "1", "2"):
        done = cli(*words(tmp_path, "mmd-resnet", "--seed", seed, "--overwrite"))
        assert (done.code, done.err) == (0, "")
        found.append((tmp_path / "out" / "corrected.csv").read_bytes())
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize(
    ("words_given", "said"),
    [
        (["zscore"], "are z-scores, not intensities"),
        (["ratio-g"], "are ratios to each batch's geometric mean, not intensities"),
        (["ratio-g", "--reference", "plate1"], None),
    ],
)
def test_values_that_are_no_intensities_are_told(cli, study, tmp_path, words_given, said):
    done = cli(*words(tmp_path, *words_given))
    told = " ".join(done.out.split())
    assert (said in told) if said else ("not intensities" not in told)


@pytest.mark.parametrize("method", ["centring", "sva"])
def test_labels_reach_only_methods_that_learn_from_them(cli, study, tmp_path, monkeypatch, method):
    seen = []
    fit = Corrector.fit

    def spying(self, X, y=None, **its):
        seen.append(y)
        return fit(self, X, y, **its)

    monkeypatch.setattr(Corrector, "fit", spying)
    assert cli(*words(tmp_path, method)).code == 0
    (y,) = seen
    assert (y is None) if method == "centring" else y.tolist() == study["label"].tolist()


@pytest.mark.parametrize("ending", ["tsv", "csv.gz", "xlsx", "parquet"])
def test_the_format_is_that_of_the_table(cli, study, tmp_path, ending):
    write_frame(study, tmp_path / f"study.{ending}")
    given = words(tmp_path, "centring")
    given[1] = tmp_path / f"study.{ending}"
    done = cli(*given)
    assert (done.code, done.err) == (0, "")
    table = read_table(tmp_path / "out" / f"corrected.{ending}", batch="batch", metadata=["rin"])
    assert cli(*words(tmp_path, "centring", "--overwrite")).code == 0
    expected = features_of(read(tmp_path / "out" / "corrected.csv"))
    np.testing.assert_array_equal(table.features.to_numpy(), expected)
    assert "the table without the batch effect" in done.out


def test_missing_values_stay_missing_or_are_refused(cli, study, tmp_path):
    study.loc[3, study.columns[7]] = np.nan
    write_frame(study, tmp_path / "study.csv")
    assert cli(*words(tmp_path, "combat")).code == 0
    back = read(tmp_path / "out" / "corrected.csv")
    np.testing.assert_array_equal(np.isnan(features_of(back)), np.isnan(features_of(study)))
    done = cli(*words(tmp_path, "coral", "--overwrite"))
    assert done.code == 2
    assert "coral takes no missing values, and there are 1" in done.err
    assert f"feature '{study.columns[7]}'" in done.err
    assert "choose one of none, zscore, centring, ratio-g, combat" in done.err
    assert (tmp_path / "out" / "corrected.csv").exists()


def test_batch_and_label_that_go_together_are_told(cli, study, tmp_path):
    study["label"] = np.where(study["batch"] == "plate1", "ill", "well")
    write_frame(study, tmp_path / "study.csv")
    done = cli(*words(tmp_path, "centring"))
    assert done.code == 0
    assert "batch and label go together" in " ".join(done.out.split())


def test_a_feature_without_positive_value_is_told(cli, study, tmp_path):
    name = study.columns[8]
    study.loc[study["batch"] == "plate2", name] = 0.0
    write_frame(study, tmp_path / "study.csv")
    done = cli(*words(tmp_path, "ratio-g"))
    assert done.code == 0
    assert f"1 of 12 features have no positive value in some batch and were left as they are " \
           f"there, such as '{name}'" in " ".join(done.out.split())  # fmt: skip


def test_one_batch_only(cli, study, tmp_path):
    alone = study[study["batch"] == "plate1"]
    write_frame(alone, tmp_path / "study.csv")
    done = cli(*words(tmp_path, "combat"))
    assert done.code == 0
    said = " ".join(done.out.split())
    assert "all samples are of batch 'plate1', so nothing was corrected; batches given" in said
    assert "Batch effect" not in done.out
    back = read(tmp_path / "out" / "corrected.csv")
    np.testing.assert_array_equal(features_of(back), features_of(alone))


@pytest.mark.parametrize(
    ("method", "more", "said"),
    [
        ("combatt", [], "no corrector is named 'combatt'; choose from none, zscore"),
        ("zscore", ["--reference", "plate1"], "zscore has no reference batch"),
        ("combat", ["--reference", "plate9"], "'plate9' is not among the batches: plate1, plate2"),
        ("centring", ["--covariates", "age"], "centring takes no covariates"),
        ("combat", ["--covariates", "label"], "covariate 'label' is no column of its own"),
        ("combat", ["--covariates", "weight"], "there is no column 'weight'"),
        ("combat", ["--log", "yes"], "--log is 'yes'; give auto, always or never"),
        ("dwd", ["--log", "always"], "name a batch with --reference"),
    ],
)
def test_bad_input(cli, study, tmp_path, method, more, said):
    done = cli(*words(tmp_path, method, *more))
    assert done.code == 2
    assert done.err.startswith("crossplate: ")
    assert done.err.count("\n") == 1
    assert said in done.err
    assert sorted(os.listdir(tmp_path)) == ["study.csv"]


def test_labels_that_a_method_needs(cli, study, tmp_path):
    study.loc[:4, "label"] = None
    write_frame(study, tmp_path / "study.csv")
    done = cli(*words(tmp_path, "sva"))
    assert done.code == 2
    assert "sva needs the label of every sample and 5 of" in done.err
    assert cli(*words(tmp_path, "fsva")).code == 0
    given = words(tmp_path, "fsva", "--overwrite")
    at = given.index("--label")
    done = cli(*given[:at], *given[at + 2 :])
    assert done.code == 2
    assert "fsva learns from labels; name their column with --label" in done.err


def test_negative_values_have_no_logarithm(cli, study, tmp_path):
    study.loc[2, study.columns[6]] = -4.0
    write_frame(study, tmp_path / "study.csv")
    done = cli(*words(tmp_path, "centring", "--log", "always"))
    assert done.code == 2
    sample = study["sample_id"][2]
    assert f"sample '{sample}', feature '{study.columns[6]}': the value -4 is neg" in done.err
    done = cli(*words(tmp_path, "centring"))
    assert done.code == 0
    assert "negative, so no logarithms were taken" in " ".join((done.out + done.err).split())


def test_an_input_in_the_output_folder_is_kept(cli, study, tmp_path):
    given = words(tmp_path, "centring", "--overwrite")
    given[given.index("--out") + 1] = tmp_path
    assert cli(*given).code == 2
    assert (tmp_path / "study.csv").exists()


def test_help_lists_the_methods_and_warns_of_labels(cli):
    text = " ".join(cli("correct", "--help").out.split())
    assert f"How to correct: {', '.join(CORRECTORS)}." in text
    assert "Labels of a plate to be predicted must not be given" in text
    assert "neither as --label nor among --covariates" in text
