"""``crossplate demo``: the tables it writes, and that ``run`` does the same with them."""

import json
import shlex

import pandas as pd
import pytest

from crossplate.datasets import make_plates
from crossplate.io import write_frame


@pytest.fixture
def small_plates(monkeypatch):
    """Plates of less work than the demo's own, and a short training."""
    monkeypatch.setattr("crossplate.joint.minibatches.FEWEST_STEPS", 10)
    plates = make_plates(n_subjects=(8, 8), n_features=8, n_informative=4, max_replicates=2)
    monkeypatch.setattr("crossplate.datasets.demo_plates", lambda: plates)
    return plates


def test_demo_writes_plates_that_give_the_same_again(cli, small_plates, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = cli("demo")
    assert done.code == 0, done.err
    assert "simulated" in done.out.splitlines()[0]
    assert "not measurements of anyone" in " ".join(done.out.split())
    table = small_plates.table
    for name in ("plate1", "plate2"):
        frame = pd.read_csv(f"demo/plates/{name}.csv", float_precision="round_trip")
        rows = (table.batch == name).to_numpy()
        assert list(frame)[:3] == ["sample_id", "label", "subject"]
        pd.testing.assert_frame_equal(
            frame.set_index("sample_id").iloc[:, 2:], table.features[rows], check_names=False
        )
        assert list(frame["label"]) == list(table.label[rows])
    command = done.out.split("written here:")[1].replace("\\\n", " ")
    again = cli(*shlex.split(command)[1:])
    assert again.code == 0, again.err
    files = [tmp_path / folder / "predictions.csv" for folder in ("demo", "result")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_demo_does_not_touch_a_folder_of_yours(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo/notes.txt").write_text("mine")
    for words in ((), ("--overwrite",)):
        done = cli("demo", *words)
        assert done.code == 2
        assert done.out == ""
        assert [path.name for path in (tmp_path / "demo").iterdir()] == ["notes.txt"]


def test_public_data_without_quality_controls(cli, tmp_path, monkeypatch, small_plates):
    table = small_plates.table
    frame = table.features.iloc[:, :6].reset_index()
    frame.insert(1, "batch", table.batch.map({"plate1": "1", "plate2": "2"}).to_numpy())
    frame.insert(2, "label", table.label.to_numpy())
    frame.insert(3, "subject_id", table.subject.to_numpy())
    frame.insert(4, "injection_order", range(len(frame)))
    frame.loc[[0, len(frame) - 1], "label"] = "QC"
    folder = tmp_path / "data/mtbls79"
    folder.mkdir(parents=True)
    write_frame(frame.assign(subject_id=frame["sample_id"]), folder / "data.csv.gz")
    monkeypatch.setenv("CROSSPLATE_DATA", str(tmp_path / "data"))
    out = tmp_path / "out"
    done = cli("demo", "--dataset", "mtbls79", "--out", out)
    assert done.code == 0, done.err
    text = " ".join(done.out.split())
    assert "MTBLS79" in text
    assert "Kirwan" in text
    assert "2 quality-control samples were left out" in text
    assert "differs from the copy of mtbls79" in text
    run = json.loads((out / "settings.json").read_text())["run"]
    assert run["source"] == [str(out / "plates/1.csv")]
    assert run["metadata"] == ["injection_order"]
    assert list(pd.read_csv(out / "predictions.csv"))[3:] == [
        *("predicted", "called", "p_SLE", "p_control", "p_std")
    ]
    again = cli("run", "--config", out / "settings.json", "--out", tmp_path / "again")
    assert again.code == 0, again.err
    files = [folder / "predictions.csv" for folder in (out, tmp_path / "again")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_unknown_data_set(cli, tmp_path):
    done = cli("demo", "--dataset", "cytof", "--out", tmp_path / "out")
    assert done.code == 2
    assert done.err.startswith("crossplate: there is no data set 'cytof'; ")
    assert not (tmp_path / "out").exists()
