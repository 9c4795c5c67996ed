"""``crossplate spectra``: files in, table, pipeline and page out; bad spectra listed, no crash."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from crossplate.io import read_table

PEAKS = np.array([120.1, 155.2, 204.1, 268.1, 303.2, 365.1, 420.3, 496.3, 524.4, 610.2, 758.6])


def write_spectrum(path, seed, *, shift_ppm=0.0, heights=None):
    """A MALDI spectrum of small molecules, m/z 90 to 900."""
    rng = np.random.default_rng(seed)
    mz = np.linspace(np.sqrt(90.0), np.sqrt(900.0), 8000) ** 2
    height = np.full(len(PEAKS), 2000.0) if heights is None else heights
    centre = PEAKS * (1 + shift_ppm * 1e-6)
    profile = height * np.exp(-0.5 * ((mz[:, np.newaxis] - centre) / (1.2e-4 * PEAKS)) ** 2)
    ions = 50.0 + profile.sum(axis=1)
    counts = ions + rng.normal(0.0, np.sqrt(ions))
    text = "".join(f"{x:.5f}\t{y:.2f}\n" for x, y in zip(mz, counts, strict=True))
    path.write_text(text)


@pytest.fixture(scope="module")
def plates(tmp_path_factory):
    """Two plates of four subjects with two spectra each, and their metadata."""
    folder = tmp_path_factory.mktemp("plates")
    rng = np.random.default_rng(1)
    (folder / "spectra").mkdir()
    rows = []
    for plate in (1, 2):
        for subject in range(4):
            heights = rng.uniform(1000, 4000, len(PEAKS))
            for replicate in (1, 2):
                name = f"p{plate}s{subject}r{replicate}"
                shift = rng.uniform(-30, 30) + 40 * (plate - 1)
                path = folder / "spectra" / f"{name}.txt"
                write_spectrum(path, len(rows), shift_ppm=shift, heights=heights)
                label = "SLE" if subject % 2 else "control"
                rows.append((f"{name}.txt", plate, f"P{plate}{subject}", label, replicate, 7.5))
    columns = ["file", "plate", "patient", "diagnosis", "replicate", "dose"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "meta.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def made(cli, plates):
    """The command run once on both plates."""
    out = plates / "out"
    out.mkdir()
    done = cli("spectra", plates / "spectra", "--metadata", plates / "meta.csv", "--out",
               out / "table.parquet")  # fmt: skip
    return done, out


def test_table_has_features_batches_labels_and_subjects(made):
    done, out = made
    assert (done.code, done.err) == (0, "")
    table = read_table(out / "table.parquet", batch="batch", label="label", subject="subject")
    assert table.n_samples == 16
    assert table.batches == ["1", "2"]
    assert table.label["p1s1r2"] == "SLE"
    assert table.subject["p2s3r1"] == "P23"
    assert list(table.metadata.columns) == ["replicate"]
    mz = np.array([float(name) for name in table.features.columns])
    assert np.abs(mz[:, np.newaxis] / PEAKS - 1).min(axis=0).max() < 150e-6


def n_features(out) -> int:
    return len(json.loads((out / "table.pipeline.json").read_text())["feature_mz"])


def test_what_is_told(made):
    done, out = made
    assert f"16 of 16 spectra became samples, with {n_features(out)} features" in done.out
    rows = [line.split() for line in done.out.splitlines() if line.startswith("  1 ")]
    assert rows[0][:3] == ["1", "8", "8"]
    told = " ".join(done.out.split())
    assert "the preset maldi-metabolites (m/z 100 to 1,000) was taken" in told
    assert "columns of numbers of the metadata were left out" in told
    assert "dose" in told
    for name in ("table.parquet", "table.pipeline.json", "table.quality.html"):
        assert str(out / name) in done.out
        assert (out / name).is_file()


def test_page_stands_alone(made):
    page = (made[1] / "table.quality.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "16 of 16 spectra in 2 batches are in the table" in page
    assert page.count("<script") == 2  # data and the page's own
    assert not [
        part for part in page.split('"') if part.startswith("http") and "w3.org" not in part
    ]


def test_the_table_feeds_run(cli, made, quick, tmp_path):
    done = cli("run", made[1] / "table.parquet", "--batch", "batch", "--label", "label",
               "--subject", "subject", "--target-batch", "2", "--out", tmp_path / "result",
               *quick)  # fmt: skip
    assert done.code == 0
    assert f"Learned from 1 (8 samples) with {n_features(made[1])} features" in done.out


@pytest.mark.parametrize("like", ["table.pipeline.json", "table.parquet"])
def test_a_later_plate_gets_the_features_of_the_first(cli, plates, made, tmp_path, like):
    meta = pd.read_csv(plates / "meta.csv")
    meta[meta["plate"] == 2].to_csv(tmp_path / "meta.csv", index=False)
    done = cli("spectra", plates / "spectra", "--metadata", tmp_path / "meta.csv", "--out",
               tmp_path / "two.csv", "--like", made[1] / like)  # fmt: skip
    assert done.code == 0
    assert f"8 of 8 spectra became samples, with {n_features(made[1])} features" in done.out
    both = read_table(made[1] / "table.parquet", batch="batch")
    later = read_table(tmp_path / "two.csv", batch="batch")
    again = both.features.loc[later.features.index]
    pd.testing.assert_frame_equal(later.features, again, check_exact=True)


@pytest.mark.slow
def test_processes_side_by_side_give_the_same_table(cli, plates, made, tmp_path):
    done = cli("spectra", plates / "spectra", "--metadata", plates / "meta.csv", "--out",
               tmp_path / "table.parquet", "--jobs", 2)  # fmt: skip
    assert done.code == 0
    one, two = (pd.read_parquet(folder / "table.parquet") for folder in (made[1], tmp_path))
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_without_metadata_the_table_names_the_batch(cli, plates, tmp_path):
    done = cli("spectra", plates / "spectra" / "p1s0r1.txt", "--out", tmp_path / "one.csv",
               "--preset", "maldi-metabolites")  # fmt: skip
    assert done.code == 0
    frame = pd.read_csv(tmp_path / "one.csv")
    assert frame[["sample_id", "batch"]].to_numpy().tolist() == [["p1s0r1", "one"]]
    assert "preset" not in done.out


def test_bad_spectra_are_listed_and_the_others_processed(cli, plates, tmp_path):
    folder = tmp_path / "spectra"
    folder.mkdir()
    for path in sorted((plates / "spectra").iterdir()):
        (folder / path.name).write_text(path.read_text())
    text = (folder / "p1s0r1.txt").read_text()
    (folder / "p1s0r1.txt").write_text(text[:4000] + text[2000:])
    (folder / "p1s1r1.txt").write_text("")
    (folder / "p1s2r1.txt").write_text(re.sub(r"\t[\d.]+\n", "\tNaN\n", text, count=1))
    (folder / "p1s3r1.txt").write_text("".join(f"{100 + n}\t5\n" for n in range(900)))
    (folder / "p2s0r1.txt").unlink()
    (folder / "more.txt").write_text(text)
    (folder / "empty.imzML").write_text("")
    done = cli("spectra", folder, "--metadata", plates / "meta.csv", "--out", tmp_path / "t.csv")
    assert done.code == 0
    told = " ".join(done.out.split())
    assert "11 of 15 spectra became samples" in told
    for reason in (
        "p1s0r1.txt: m/z is not in order",
        "p1s1r1.txt: the spectrum is empty",
        "is missing (NaN)",
        "p1s3r1: all intensities are 5",
        "there is no spectrum 'p2s0r1.txt'",
        "more.txt: no row of meta.csv names it",
        "empty.imzML",
    ):
        assert reason in told
    page = (tmp_path / "t.quality.html").read_text(encoding="utf-8")
    assert "Batch 1: 4 of 8 spectra were left out" in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--preset", "fast"], "--preset is 'fast'; it is one of maldi-metabolites, maldi-prot"),
        (["--preset", "maldi-proteins", "--like", "x.json"], "were both given"),
        (["--like", "x.json"], "x.json"),
        (["--jobs", "0"], "--jobs is 0; give at least 1"),
        (["--batch", "plate"], "--batch names a column of the metadata table, but there is none"),
        (["--out", "t.png"], "t.png has an ending that cannot be written"),
        (["--out", "no/t.csv"], "the folder of no/t.csv does not exist"),
        (["--metadata", "no.csv"], "metadata table no.csv does not exist"),
        (["--preset", "maldi-proteins"], "none of 16 spectra can be used"),
    ],
)
def test_bad_options_are_refused_before_anything_is_written(
    cli, plates, tmp_path, monkeypatch, words, said
):
    monkeypatch.chdir(tmp_path)
    words = words if "--out" in words else [*words, "--out", "t.csv"]
    done = cli("spectra", plates / "spectra", *words)
    assert done.code == 2
    assert said in done.err
    assert list(tmp_path.iterdir()) == []


def test_files_are_replaced_only_when_asked_to(cli, plates, tmp_path):
    (tmp_path / "t.pipeline.json").write_text("mine")
    words = ("spectra", plates / "spectra", "--out", tmp_path / "t.csv")
    done = cli(*words)
    assert done.code == 2
    assert done.err.endswith("exists; choose another name or replace it with --overwrite\n")
    assert cli(*words, "--overwrite").code == 0
    assert json.loads((tmp_path / "t.pipeline.json").read_text())["feature_mz"]


def test_absent_folder(cli, tmp_path):
    done = cli("spectra", tmp_path / "absent", "--out", tmp_path / "t.csv")
    assert done.code == 2
    assert "absent does not exist" in done.err


@pytest.mark.slow
@pytest.mark.parametrize(("study", "n"), [("seldi_imac", 40), ("fiedler2009subset", 16)])
def test_real_studies(cli, real_spectra, tmp_path, study, n):
    folder = real_spectra / study
    done = cli("spectra", folder, "--metadata", folder / "metadata.csv", "--out",
               tmp_path / "t.parquet")  # fmt: skip
    assert done.code == 0
    assert f"{n} of {n} spectra became samples" in done.out
    table = read_table(tmp_path / "t.parquet", batch="batch", label="label", subject="subject")
    assert table.n_features >= 40
    page = (tmp_path / "t.quality.html").read_text(encoding="utf-8")
    assert f"{n} of {n} spectra in" in page
    assert "<b>Warning:</b>" not in page


def test_counts_are_shown_in_the_bar():
    from rich.progress import Progress

    from crossplate.cli.progress import Steps

    Steps().count(1, 2)
    progress = Progress(disable=True)
    steps = Steps(progress)
    steps.count(1, 2)
    steps.begin("Processing")
    steps.count(1500, 3000)
    (task,) = progress.tasks
    assert (task.completed, task.total) == (1500, 3000)
    assert task.fields["detail"] == "1,500 of 3,000"
