"""The folder of a comparison: parts that are complete or absent, and what they belong to."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crossplate.compare.parts import Folder, basis_of
from crossplate.compare.scoring import COLUMNS, Scored
from crossplate.compare.settings import CompareSettings
from crossplate.compare.work import Unit
from crossplate.errors import InputError

from .tables import make_table, relabelled

SETTINGS = CompareSettings(repeats=2)


def unit(source="p1", target="p2", method="combat"):
    return Unit(source, target, method, ("forest",), 1)


def scored(source="p1", target="p2", accuracy=0.1 + 0.2, note=""):
    row = dict.fromkeys(COLUMNS, np.nan) | {
        **{"source": source, "target": target, "method": "combat", "classifier": "forest"},
        **{"level": "sample", "seed": 0, "accuracy": accuracy, "note": note, "seconds": 1 / 3},
    }
    calls = pd.DataFrame({"level": "sample", "id": ["1", "NA"], "unit": "NA", "truth": "NA"})
    return Scored(pd.DataFrame([row], columns=list(COLUMNS)), calls.assign(**{"forest:0": "NA"}))


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "out", basis_of(make_table(), SETTINGS))


def test_a_part_comes_back_to_the_last_digit(folder):
    assert not folder.has(unit())
    written = scored()
    folder.write(unit(), written)
    assert folder.has(unit())
    pd.testing.assert_frame_equal(folder.rows(unit()), written.rows, check_exact=True)
    pd.testing.assert_frame_equal(folder.calls(unit()), written.predictions)


@pytest.mark.parametrize("name", ["NA", "a/b", "día 1", "", "..", "x" * 300])
def test_batches_of_any_name_have_a_part(folder, name):
    folder.write(unit(source=name), scored(source=name))
    assert folder.rows(unit(source=name))["source"].tolist() == [name]
    assert len(list((folder.path / "parts").iterdir())) == 2


def test_names_that_look_alike_do_not_share_a_part(folder):
    folder.write(unit(source="a/b"), scored())
    assert not folder.has(unit(source="a_b"))
    assert not folder.has(unit(source="a_b-p2", target=""))


def test_a_part_that_failed_is_not_finished(folder):
    folder.write(unit(), scored(accuracy=np.nan, note="POT is not installed"))
    assert not folder.has(unit())
    assert folder.rows(unit())["note"][0] == "POT is not installed"


def test_calls_alone_are_no_part(folder):
    folder.write(unit(), scored())
    (rows,) = (folder.path / "parts").glob("*.csv")
    rows.unlink()
    assert not folder.has(unit())


def test_the_same_again_goes_on_and_anything_else_is_refused(folder):
    table = make_table()
    assert Folder(folder.path, basis_of(table, SETTINGS)).path == folder.path
    more = replace(SETTINGS, methods=("dwd",), pairs=(("p2", "p1"),))
    assert Folder(folder.path, basis_of(table, more)).path == folder.path
    for other, what in (
        (replace(SETTINGS, repeats=3), r"another repeats \(2; now 3\)"),
        (replace(SETTINGS, classifiers=("forest",)), "another classifiers"),
        (replace(SETTINGS, method_settings={"joint": {"epochs": 3}}), "another method settings"),
    ):
        with pytest.raises(InputError, match=what):
            Folder(folder.path, basis_of(table, other))
    changed = table.features.copy()
    changed.iloc[3, 3] += 1e-9
    renamed = table.features.rename(columns={"mz_1": "mz_9"})
    for other in (
        replace(table, features=changed),
        replace(table, features=renamed),
        relabelled(table, "p2", "SLE"),
        replace(table, batch=table.batch.replace("p2", "p3")),
        replace(table, subject=pd.Series(table.features.index, table.features.index)),
    ):
        with pytest.raises(InputError, match="another table"):
            Folder(folder.path, basis_of(other, SETTINGS))


def test_folders_of_something_else_are_left_alone(tmp_path):
    basis = basis_of(make_table(), SETTINGS)
    (tmp_path / "file").write_text("x")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("x")
    (tmp_path / "study").mkdir()
    (tmp_path / "study/settings.json").write_text('{"format": 1, "run": {}}')
    (tmp_path / "newer").mkdir()
    (tmp_path / "newer/settings.json").write_text('{"format": 2, "comparison": {}}')
    for name, message in {
        "file": "is a file",
        "mine": "is not empty and holds no comparison",
        "study": "was written by something else",
        "newer": "has format 2 and this crossplate reads 1",
    }.items():
        with pytest.raises(InputError, match=message):
            Folder(tmp_path / name, basis)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]
    with pytest.raises(InputError, match="cannot be written"):
        Folder(tmp_path / "file" / "inside", basis)


def test_settings_can_be_read_by_the_first_format(folder):
    record = json.loads((folder.path / "settings.json").read_text())
    assert record["format"] == 1
    assert record["comparison"]["repeats"] == 2
    assert {"crossplate", "torch", "python"} <= set(record["versions"])
    record["date"] = record["versions"] = None
    (folder.path / "settings.json").write_text(json.dumps(record))
    assert Folder(folder.path, basis_of(make_table(), SETTINGS)).path == folder.path
