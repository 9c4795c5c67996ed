"""``crossplate biomarkers``: its files, its words, and what it refuses."""

import json

import pandas as pd
import pytest

from crossplate import make_plates
from crossplate.io import write_frame

FILES = {
    "agreement.csv",
    "biomarkers.csv",
    "figures",
    "intersections.csv",
    "settings.json",
    ".crossplate",
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Three plates of 40 subjects in one file; what distinguishes the labels is strong."""
    table = make_plates(
        n_subjects=(40, 40, 40),
        class_shares=(0.5, 0.5, 0.5),
        n_features=40,
        n_informative=8,
        effect_size=1.5,
        noise=0.2,
        max_replicates=2,
        random_state=1,
    ).table
    path = tmp_path_factory.mktemp("study") / "study.csv"
    parts = [table.batch, table.label, table.subject, table.features]
    write_frame(pd.concat(parts, axis=1), path)
    return path


@pytest.fixture
def words(study, tmp_path):
    return ["biomarkers", study, "--batch", "batch", "--label", "label", "--subject", "subject",
            "--resamples", "20", "--out", tmp_path / "out"]  # fmt: skip


def test_files_and_summary(cli, words, tmp_path):
    done = cli(*words)
    assert (done.code, done.err) == (0, "")
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} == FILES
    assert {path.name for path in (out / "figures").iterdir()} == {
        "boxplots.svg",
        "boxplots.pdf",
        "intersections.svg",
        "intersections.pdf",
        "captions.md",
    }
    frame = pd.read_csv(out / "biomarkers.csv")
    assert len(frame) == 3 * 40
    chosen = frame[frame["selected"]]
    assert ((chosen["frequency"] > 0.9) & (chosen["p"] < 0.05)).all()
    shared = pd.read_csv(out / "intersections.csv")
    assert shared["n_features"].sum() == chosen["feature"].nunique()
    assert len(pd.read_csv(out / "agreement.csv")) == 3
    settings = json.loads((out / "settings.json").read_text(encoding="utf-8"))
    assert settings["biomarkers"]["resamples"] == 20
    assert settings["versions"]["crossplate"]
    assert f"{chosen['feature'].nunique()} of 40 features are candidate biomarkers" in done.out
    assert "plate1 and plate2 have" in done.out
    assert "agreement.csv" in done.out
    assert chosen["feature"].iloc[0] in done.out


def test_limits_are_taken(cli, words, tmp_path):
    done = cli(*words, "--frequency", "0.7", "--p", "1e-6")
    assert done.code == 0
    frame = pd.read_csv(tmp_path / "out" / "biomarkers.csv")
    assert (frame["selected"] == ((frame["frequency"] > 0.7) & (frame["p"] < 1e-6))).all()
    assert "in over 70% of 20 models" in " ".join(done.out.split())


def test_nothing_found_and_one_batch_only(cli, words, study, tmp_path):
    alone = tmp_path / "alone.csv"
    frame = pd.read_csv(study)
    write_frame(frame[frame["batch"] == "plate1"], alone)
    words[1] = alone
    done = cli(*words, "--p", "1e-30")
    assert done.code == 0
    assert "0 of 40 features are candidate biomarkers" in done.out
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES - {
        "agreement.csv",
        "figures",
    }
    done = cli(*words, "--overwrite")
    assert done.code == 0
    assert not (tmp_path / "out/figures/intersections.svg").exists()
    assert (tmp_path / "out/figures/boxplots.svg").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--frequency", "1"], "give a frequency from 0.55 to 0.99"),
        (["--p", "0"], "a p above 0"),
        (["--resamples", "1"], "n_resamples is 1"),
        (["--label", "nowhere"], "nowhere"),
    ],
)
def test_bad_input(cli, words, tmp_path, more, said):
    done = cli(*words, *more)
    assert done.code == 2
    assert done.err.startswith("crossplate: ")
    assert said in done.err
    assert not (tmp_path / "out").exists()


def test_folders_that_must_not_be_written(cli, words, study, tmp_path):
    words[words.index("--out") + 1] = study.parent
    done = cli(*words, "--overwrite")
    assert done.code == 2
    assert study.exists()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    words[words.index("--out") + 1] = tmp_path / "out"
    assert cli(*words).code == 2


def test_a_subject_with_two_labels(cli, words, study, tmp_path):
    frame = pd.read_csv(study)
    frame.loc[0, "label"] = "other" if frame.loc[0, "label"] == "SLE" else "SLE"
    twice = tmp_path / "twice.csv"
    write_frame(frame, twice)
    words[1] = twice
    done = cli(*words)
    assert done.code == 2
    assert "has samples with different labels in batch" in done.err
