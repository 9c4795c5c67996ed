"""``crossplate compare``: what it writes and prints, that it goes on, and what it refuses."""

import pandas as pd
import pytest

from crossplate.io import write_frame

FEW = ("--methods", "none,combat", "--classifiers", "logistic", "--repeats", "1", "--jobs", "1")
COLUMNS = ("--batch", "batch", "--label", "label", "--subject", "subject")


@pytest.fixture
def study(files, tmp_path):
    """The words of a quick comparison of three plates."""
    return ("compare", files["all"], *COLUMNS, *FEW, "--out", tmp_path / "out")


def test_compares_all_pairs_and_prints_a_table(cli, study, tmp_path):
    done = cli(*study)
    assert (done.code, done.err) == (0, "")
    rows = pd.read_csv(tmp_path / "out/comparison.csv")
    across = rows[rows["source"] != rows["target"]]
    assert len(across) == 6 * 3 * 2  # pairs, methods, levels
    assert set(across["method"]) == {"none", "combat", "zscore"}
    text = done.out
    assert text.startswith("3 methods on 6 pairs.")
    table = text.split("\n\n")[1].splitlines()
    lines = [line.split() for line in table if "+ logistic" in line]
    means = across[across["level"] == "subject"].groupby("method")["balanced_accuracy"].mean()
    shown = {words[0]: words[3] for words in lines if words[0] != "in-batch:"}
    assert shown == {name: f"{mean:.3f}" for name, mean in means.items()}
    assert max(map(len, table)) <= 80
    for name in ("comparison.csv", "summary.csv", "compare.md", "parts/"):
        assert name in text.split("Written to")[1]


def test_the_same_command_goes_on_and_another_is_refused(cli, study, tmp_path):
    study = (*study, "--pairs", "plate1:plate2")
    assert cli(*study).code == 0
    parts = {path: path.stat().st_mtime_ns for path in (tmp_path / "out/parts").iterdir()}
    again = cli(*study)
    assert again.code == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out/parts").iterdir()} == parts
    other = cli(*study, "--repeats", "2")
    assert other.code == 2
    assert "holds a comparison with another repeats (1; now 2)" in other.err


def test_named_pairs_alone(cli, study, tmp_path):
    done = cli(*study, "--pairs", "plate1:plate2, plate3:plate2")
    assert done.code == 0, done.err
    rows = pd.read_csv(tmp_path / "out/comparison.csv")
    pairs = set(zip(rows["source"], rows["target"], strict=True))
    assert pairs == {("plate1", "plate2"), ("plate3", "plate2"), ("plate2", "plate2")}


def test_batches_with_a_colon_in_their_name(cli, plates, tmp_path):
    frame = plates.assign(batch=plates["batch"].replace({"plate1": "a:1", "plate2": "a"}))
    write_frame(frame, tmp_path / "colon.csv")
    words = ("compare", tmp_path / "colon.csv", *COLUMNS, *FEW, "--out", tmp_path / "out")
    assert cli(*words, "--pairs", "a:1:a,a:a:1").code == 0
    rows = pd.read_csv(tmp_path / "out/comparison.csv")
    pairs = set(zip(rows["source"], rows["target"], strict=True))
    assert pairs == {("a:1", "a"), ("a", "a:1"), ("a", "a"), ("a:1", "a:1")}


def test_public_data(cli, plates, tmp_path, monkeypatch):
    frame = plates[plates["batch"] != "plate3"].drop(columns="subject")
    frame.insert(3, "subject_id", frame["sample_id"])
    frame.insert(4, "injection_order", range(len(frame)))
    frame.loc[0, "label"] = "QC"
    (tmp_path / "data/mtbls79").mkdir(parents=True)
    write_frame(frame, tmp_path / "data/mtbls79/data.csv.gz")
    monkeypatch.setenv("CROSSPLATE_DATA", str(tmp_path / "data"))
    done = cli("compare", "--dataset", "mtbls79", *FEW, "--out", tmp_path / "out")
    assert done.code == 0, done.err
    assert "1 quality-control samples were left out" in " ".join(done.out.split())
    assert done.out.startswith("3 methods on 2 pairs.")
    both = cli("compare", "--dataset", "mtbls79", "--batch", "b", "--out", tmp_path / "two")
    assert both.code == 2
    assert "name none with --dataset" in both.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--methods", "combatt"), "there is no method 'combatt' to compare; choose from none"),
        (("--classifiers", "svm"), "there is no classifier 'svm'"),
        (("--pairs", "plate1"), "the pair 'plate1' has no colon; write SOURCE:TARGET"),
        (("--pairs", "plate1:plate9"), "there is no batch 'plate9' in the table"),
        (("--pairs", "plate1:plate1"), "is one batch"),
        (("--repeats", "0"), "repeats is 0"),
        (("--jobs", "0"), "jobs is 0"),
        (("--dataset", "sacurine"), "both were given"),
    ],
)
def test_options_that_cannot_be_meant(cli, study, tmp_path, words, message):
    done = cli(*study, *words)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert message in done.err
    assert not (tmp_path / "out").exists()


def test_needed_options(cli, files, tmp_path):
    for words, message in (
        ((), "neither was given"),
        ((files["all"],), "name it with --batch"),
        ((files["all"], "--batch", "batch"), "name it with --label"),
    ):
        done = cli("compare", *words, "--out", tmp_path / "out")
        assert done.code == 2
        assert message in done.err


def test_interruption_says_that_it_goes_on(cli, study, tmp_path, monkeypatch):
    def stop(task):
        raise KeyboardInterrupt

    from crossplate.compare.methods import METHODS

    study = (*study, "--pairs", "plate1:plate2")
    with monkeypatch.context() as patch:
        patch.setitem(METHODS, "combat", stop)
        done = cli(*study)
    assert done.code == 130
    assert "what was finished is kept" in done.err
    assert len(list((tmp_path / "out/parts").glob("*.csv"))) == 2
    assert cli(*study).code == 0


def test_no_scheduler_at_the_address(cli, study, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("crossplate.compare.executing._CONNECT_SECONDS", 0.2)
    done = cli(*study, "--dask", "tcp://127.0.0.1:1")
    assert done.code == 2
    assert done.err.startswith("crossplate: no Dask scheduler answers at tcp://127.0.0.1:1; ")


def test_help_names_every_method(cli):
    from crossplate.compare.methods import METHODS

    text = " ".join(cli("compare", "--help").out.split())
    assert ", ".join(METHODS) in text
