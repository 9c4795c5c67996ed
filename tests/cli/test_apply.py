"""``crossplate apply``: new samples through a saved corrector, and what it refuses."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crossplate.correct.saved import load_corrector
from crossplate.io import read_table, write_frame

FORMAT_1 = Path(__file__).parent / "files" / "correction_format_1"


def read(path):
    return pd.read_csv(path, float_precision="round_trip", dtype={"sample_id": str})


def features_of(frame):
    return frame[[name for name in frame.columns if name.startswith("mz_")]].to_numpy()


@pytest.fixture
def study(plates, tmp_path):
    """Three plates without gaps; the first two are in ``study.csv``, the third in ``new.csv``."""
    frame = plates.copy()
    features = frame.columns[4:]
    frame[features] = frame[features].fillna(frame[features].median())
    frame["age"] = 30 + np.arange(len(frame)) % 40
    frame["rin"] = 7.5
    third = frame["batch"] == "plate3"
    write_frame(frame[~third], tmp_path / "study.csv")
    write_frame(frame[third], tmp_path / "new.csv")
    return frame


@pytest.fixture
def fitted(cli, study, tmp_path):
    """Fit a method to the first two plates; gives the folder."""

    def fit(method, *more):
        done = cli(
            *("correct", tmp_path / "study.csv", "--method", method, "--batch", "batch"),
            *("--label", "label", "--metadata", "rin", "--out", tmp_path / "fit", *more),
        )
        assert done.code == 0, done.err
        return tmp_path / "fit"

    return fit


@pytest.mark.parametrize("method", ["none", "zscore", "centring", "ratio-g", "combat", "dwd",
                                    "sva", "fsva", "coral", "ot"])  # fmt: skip
def test_samples_of_the_fit_come_out_as_they_did_then(cli, fitted, tmp_path, method):
    takes = method in {"centring", "ratio-g", "combat", "dwd", "coral", "ot"}
    folder = fitted(method, *(["--reference", "plate1"] if takes else []))
    some = slice(1, None, 5)
    write_frame(read(tmp_path / "study.csv").iloc[some], tmp_path / "some.csv")
    done = cli("apply", folder, tmp_path / "some.csv", "--out", tmp_path / "out.csv")
    assert (done.code, done.err) == (0, "")
    then = read(folder / "corrected.csv").iloc[some].reset_index(drop=True)
    now = read(tmp_path / "out.csv")
    assert list(now.columns) == list(then.columns)
    np.testing.assert_allclose(features_of(now), features_of(then), rtol=1e-9)
    pd.testing.assert_frame_equal(now[["sample_id", "label", "rin"]],
                                  then[["sample_id", "label", "rin"]])  # fmt: skip
    assert "samples, as in the fit)" in " ".join(done.out.split())


@pytest.mark.parametrize("log", ["always", "never"])
@pytest.mark.parametrize("method", ["zscore", "centring", "ratio-g", "combat"])
def test_a_new_batch_with_the_log_of_the_fit(cli, fitted, study, tmp_path, method, log):
    takes = ["--reference", "plate1"] if method != "zscore" else []
    folder = fitted(method, "--log", log, *takes)
    done = cli("apply", folder, tmp_path / "new.csv", "--out", tmp_path / "out.csv")
    assert (done.code, done.err) == (0, "")
    corrector = load_corrector(folder / "corrector.safetensors")
    assert (corrector.log_unit_ is None) == (log == "never" or method == "ratio-g")
    new = study[study["batch"] == "plate3"]
    expected = corrector.transform(new[list(corrector.feature_names_in_)], batch=new["batch"])
    np.testing.assert_array_equal(features_of(read(tmp_path / "out.csv")), expected)
    said = " ".join(done.out.split())
    assert f"plate3 ({len(new)} samples, new)" in said
    assert f"was corrected by its own {len(new)} samples: give all there are" in said


def test_features_are_matched_by_name(cli, fitted, study, tmp_path):
    folder = fitted("centring", "--reference", "plate1")
    new = study[study["batch"] == "plate3"]
    names = [name for name in new.columns if name.startswith("mz_")]
    lacking = names[2]
    shuffled = new[["age", *names[::-1], "sample_id", "batch", "rin"]].drop(columns=lacking)
    shuffled.insert(3, "mz_9999", 1.0)
    write_frame(shuffled, tmp_path / "shuffled.csv")
    done = cli("apply", folder, tmp_path / "shuffled.csv", "--out", tmp_path / "a.csv")
    assert done.code == 0
    assert cli("apply", folder, tmp_path / "new.csv", "--out", tmp_path / "b.csv").code == 0
    found, whole = read(tmp_path / "a.csv"), read(tmp_path / "b.csv")
    assert list(found.columns) == [name for name in shuffled.columns if name != "mz_9999"]
    pd.testing.assert_frame_equal(found, whole[list(found.columns)])
    said = " ".join(done.out.split())
    assert f"1 of the 12 features of the fit are not in the table, such as '{lacking}'" in said
    assert "1 features that were not in the fit were left out, such as 'mz_9999'" in said

    done = cli("apply", fitted("coral", "--overwrite"), tmp_path / "shuffled.csv",
               "--out", tmp_path / "c.csv")  # fmt: skip
    assert done.code == 2
    assert "CORAL needs all of them" in done.err


def test_a_file_that_is_one_batch(cli, fitted, tmp_path):
    folder = fitted("combat")
    without = read(tmp_path / "new.csv").drop(columns=["batch", "age"])
    write_frame(without, tmp_path / "plate3.csv")
    done = cli("apply", folder, tmp_path / "plate3.csv", "--out", tmp_path / "a.csv")
    assert done.code == 2
    assert "has no column 'batch', which held the batch in the fit" in done.err
    done = cli("apply", folder, tmp_path / "plate3.csv", "--batch-name", "plate3",
               "--out", tmp_path / "a.csv")  # fmt: skip
    assert done.code == 0
    assert cli("apply", folder, tmp_path / "new.csv", "--out", tmp_path / "b.csv").code == 0
    both = (features_of(read(tmp_path / name)) for name in ("a.csv", "b.csv"))
    np.testing.assert_array_equal(*both)


def test_covariates_of_the_fit_are_needed_again(cli, fitted, study, tmp_path):
    folder = fitted("combat", "--covariates", "age")
    done = cli("apply", folder, tmp_path / "new.csv", "--out", tmp_path / "out.csv")
    assert (done.code, done.err) == (0, "")
    corrector = load_corrector(folder / "corrector.safetensors")
    new = study[study["batch"] == "plate3"]
    expected = corrector.transform(
        new[list(corrector.feature_names_in_)], batch=new["batch"], covariates=new[["age"]]
    )
    np.testing.assert_array_equal(features_of(read(tmp_path / "out.csv")), expected)
    write_frame(new.drop(columns="age"), tmp_path / "new.csv")
    done = cli("apply", folder, tmp_path / "new.csv", "--out", tmp_path / "again.csv")
    assert done.code == 2
    assert "new.csv has no column 'age', which was a covariate in the fit" in done.err


def test_other_formats(cli, fitted, tmp_path):
    folder = fitted("centring")
    write_frame(read(tmp_path / "new.csv"), tmp_path / "new.parquet")
    done = cli("apply", folder, tmp_path / "new.parquet", "--out", tmp_path / "out.parquet")
    assert done.code == 0
    assert cli("apply", folder, tmp_path / "new.csv", "--out", tmp_path / "out.csv").code == 0
    table = read_table(tmp_path / "out.parquet", batch="batch", metadata=["rin"])
    expected = features_of(read(tmp_path / "out.csv"))
    np.testing.assert_array_equal(table.features.to_numpy(), expected)


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("dwd", "batch 'plate3' was not in fit, and DWD cannot correct a new batch"),
        ("sva", "were not in fit, and SVA cannot correct new samples: use FSVA"),
    ],
)
def test_what_a_method_cannot_correct(cli, fitted, tmp_path, method, said):
    folder = fitted(method, *(["--reference", "plate1"] if method == "dwd" else []))
    before = sorted(os.listdir(tmp_path))
    done = cli("apply", folder, tmp_path / "new.csv", "--out", tmp_path / "out.csv")
    assert done.code == 2
    assert said in done.err
    assert sorted(os.listdir(tmp_path)) == before


def test_values_that_the_fitted_method_cannot_take(cli, fitted, study, tmp_path):
    folder = fitted("centring", "--log", "always")
    new = study[study["batch"] == "plate3"].reset_index(drop=True)
    names = [name for name in new.columns if name.startswith("mz_")]
    write_frame(new.assign(**{names[0]: -1.0}), tmp_path / "new.csv")
    done = cli("apply", folder, tmp_path / "new.csv", "--out", tmp_path / "out.csv")
    assert done.code == 2
    assert f"feature '{names[0]}': the value -1 is negative and has no logarithm" in done.err
    write_frame(new.assign(**{names[0]: np.where(new.index == 1, np.nan, 1.0)}),
                tmp_path / "new.csv")  # fmt: skip
    done = cli("apply", fitted("coral", "--overwrite"), tmp_path / "new.csv",
               "--out", tmp_path / "out.csv")  # fmt: skip
    assert done.code == 2
    assert "CORAL takes no missing values, and there are 1 (the first: sample" in done.err
    write_frame(new.rename(columns=lambda name: name.replace("mz_", "ion_")), tmp_path / "new.csv")
    done = cli("apply", folder, tmp_path / "new.csv", "--out", tmp_path / "out.csv")
    assert done.code == 2
    assert "none of the 12 features of the fit" in done.err


def test_places_that_must_not_be_written(cli, fitted, tmp_path):
    folder = fitted("centring")
    for out, said in (
        ("new.csv", "--out would replace"),
        ("study.csv", "exists; choose another name or replace it with --overwrite"),
        ("out.xlsx", "let its name end in .csv"),
        ("no/out.csv", "does not exist; make it"),
    ):
        done = cli("apply", folder, tmp_path / "new.csv", "--out", tmp_path / out)
        assert (done.code, said in done.err) == (2, True), done.err
    given = ("apply", folder, tmp_path / "new.csv", "--out", tmp_path / "study.csv")
    assert cli(*given, "--overwrite").code == 0


def test_folders_that_hold_no_corrector(cli, fitted, tmp_path):
    given = (tmp_path / "new.csv", "--out", tmp_path / "out.csv")
    done = cli("apply", tmp_path, *given)
    assert done.code == 2
    assert "holds no corrector" in done.err
    folder = fitted("centring")
    text = (folder / "settings.json").read_text()
    for changed, said in (
        (text.replace('"format": 1', '"format": 2'), "has format 2, this crossplate reads up to 1"),
        (text[:50], "is missing or damaged"),
    ):
        (folder / "settings.json").write_text(changed)
        done = cli("apply", folder, *given)
        assert (done.code, said in done.err) == (2, True), done.err
    assert not (tmp_path / "out.csv").exists()


def test_a_folder_of_the_first_format_is_read(cli, tmp_path):
    done = cli("apply", FORMAT_1, FORMAT_1 / "new.csv", "--out", tmp_path / "out.csv")
    assert (done.code, done.err) == (0, "")
    found, expected = read(tmp_path / "out.csv"), read(FORMAT_1 / "expected.csv")
    assert not np.allclose(features_of(expected), features_of(read(FORMAT_1 / "new.csv")))
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12)


def test_help_says_what_a_new_batch_needs(cli):
    text = " ".join(cli("apply", "--help").out.split())
    assert "Features are matched by name." in text
    assert "A new batch is corrected by its own samples" in text
