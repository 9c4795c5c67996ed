"""``crossplate match``: files in, one table and the pairs out, and what it says of bad input."""

import pandas as pd
import pytest

from crossplate.io import read_table


@pytest.fixture
def batches(tmp_path):
    """Two tables with the same ions, the second 5 ppm higher and with one ion more."""
    mz = [100.0, 150.0, 200.0, 250.0, 300.0]
    files = []
    for number, shift in ((1, 0.0), (2, 5e-6)):
        names = [f"mz_{x * (1 + shift):.5f}" for x in mz] + ["mz_777.0"] * (number == 2)
        frame = pd.DataFrame(
            [[row * 10 + at + number / 10 for at in range(len(names))] for row in range(3)],
            columns=names,
        )
        frame.insert(0, "sample_id", [f"b{number}s{row}" for row in range(3)])
        frame.insert(1, "diagnosis", ["SLE", "control", "SLE"])
        path = tmp_path / f"b{number}.csv"
        frame.to_csv(path, index=False)
        files.append(path)
    return files


def test_one_table_with_the_names_of_the_first(cli, batches, tmp_path):
    out = tmp_path / "matched.csv"
    done = cli("match", *batches, "--label", "diagnosis", "--out", out)
    assert (done.code, done.err) == (0, "")
    table = read_table(out, batch="batch", label="label")
    assert table.batches == ["b1", "b2"]
    assert list(table.features.columns) == [f"mz_{x:.5f}" for x in (100, 150, 200, 250, 300)]
    assert table.features.loc["b2s1"].tolist() == [10.2, 11.2, 12.2, 13.2, 14.2]
    assert table.label.tolist() == ["SLE", "control", "SLE"] * 2
    assert "5 features were found in all 2 tables" in done.out
    assert [line.split() for line in done.out.splitlines() if line.startswith("  b2")] == [
        ["b2", "6", "5", "+5.0", "0.0", "0"]
    ]
    pairs = pd.read_csv(tmp_path / "matched.pairs.csv")
    assert pairs["table"].tolist() == ["b2"] * 5
    assert pairs["feature_b"][4] == "mz_300.00150"
    assert not pairs["ambiguous"].any()


def test_columns_of_samples_are_kept_without_being_named(cli, batches, tmp_path):
    out = tmp_path / "matched.csv"
    assert cli("match", *batches, "--out", out).code == 0
    assert pd.read_csv(out)["diagnosis"].tolist() == ["SLE", "control", "SLE"] * 2


def test_ambiguous_features_are_told(cli, batches, tmp_path):
    frame = pd.read_csv(batches[1])
    frame["mz_300.00350"] = 1.0
    frame.to_csv(batches[1], index=False)
    done = cli("match", *batches, "--out", tmp_path / "matched.csv")
    assert (
        "b2: ambiguous, since another feature lies within the tolerance: mz_300.00000" in done.out
    )


def test_batches_of_a_column(cli, batches, tmp_path):
    for path in batches:
        pd.read_csv(path).assign(batch=["x", "x", "y"]).to_csv(path, index=False)
    done = cli("match", *batches, "--out", tmp_path / "matched.csv")
    assert done.code == 2
    assert "have a column 'batch' of their own; name it with --batch batch" in done.err
    done = cli("match", *batches, "--batch", "batch", "--out", tmp_path / "matched.csv")
    assert done.code == 0
    assert pd.read_csv(tmp_path / "matched.csv")["batch"].tolist() == ["x", "x", "y"] * 2


def test_places_that_must_not_be_written(cli, batches, tmp_path):
    out = tmp_path / "matched.csv"
    out.write_text("mine")
    done = cli("match", *batches, "--out", out)
    assert done.code == 2
    assert done.err.endswith("exists; choose another name or replace it with --overwrite\n")
    assert out.read_text() == "mine"
    assert cli("match", *batches, "--out", out, "--overwrite").code == 0
    done = cli("match", *batches, "--out", batches[0], "--overwrite")
    assert done.code == 2
    assert "which is read; choose another name" in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--ppm", "0"], "the tolerance is 0 ppm; it must be above 0"),
        (["--ppm", "-1"], "the tolerance is -1 ppm"),
    ],
)
def test_bad_tolerances(cli, batches, tmp_path, words, said):
    done = cli("match", *batches, *words, "--out", tmp_path / "matched.csv")
    assert done.code == 2
    assert said in done.err
    assert not (tmp_path / "matched.csv").exists()


def test_one_table_alone(cli, batches, tmp_path):
    done = cli("match", batches[0], "--out", tmp_path / "matched.csv")
    assert done.code == 2
    assert "there is only one table" in done.err
