"""Bad input: one sentence that says where, exit code 2, and nothing written."""

import gzip
import re

import numpy as np
import pandas as pd
import pytest

from crossplate.io import write_frame


def text_change(old, new, count=1):
    """Change in a file's text, once or everywhere."""

    def change(path):
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, count))

    return change


def frame_change(function):
    """Change in a file's table."""

    def change(path):
        write_frame(function(pd.read_csv(path)), path)

    return change


def duplicate_header(path):
    lines = path.read_text().splitlines()
    names = lines[0].split(",")
    names[5] = names[4]
    path.write_text("\n".join([",".join(names), *lines[1:]]))


def set_cell(row, column, value):
    def change(frame):
        name = frame.columns[column]
        frame[name] = frame[name].astype(object)
        frame.loc[row, name] = value
        return frame

    return frame_change(change)


# Name: (file to change, how, more options, what the sentence must say)
CASES = {
    "label column missing": (
        *("plate1", text_change("label", "diagnosis"), ()),
        r"plate1\.csv: there is no column 'label' \(asked for as --label\)",
    ),
    "subject column missing": (
        *("plate2", text_change("subject", "person"), ()),
        r"plate2\.csv: there is no column 'subject' \(asked for as --subject\)",
    ),
    "no labelled row": (
        *("plate1", frame_change(lambda frame: frame.assign(label=None)), ()),
        r"plate1.* has a label",
    ),
    "only one class": (
        *("plate1", frame_change(lambda frame: frame.assign(label="SLE")), ()),
        r"only one class, 'SLE', among \d+ labelled rows",
    ),
    "batch of one sample": (
        *("plate2", frame_change(lambda frame: frame.head(1)), ()),
        r"batch 'plate2' has only 1 sample",
    ),
    "no common features": (
        *("plate2", text_change("mz_", "ion_", count=-1), ()),
        r"batch plate2 has no feature in common with batch plate1 \(such as 'ion_",
    ),
    "features differ": (
        *("plate2", frame_change(lambda frame: frame.iloc[:, :-1]), ("--features", "error")),
        r"batch plate2 lacks 1 of the 12 features of batch plate1 \(mz_",
    ),
    "duplicate ids": (
        *("plate1", set_cell(1, 0, "P1_S001_R1"), ()),
        r"plate1\.csv: the sample id 'P1_S001_R1' in column 'sample_id' stands more than once",
    ),
    "ids in both files": (
        *("plate2", set_cell(1, 0, "P1_S001_R1"), ()),
        r"sample id 'P1_S001_R1' stands in batch plate1 and in batch plate2",
    ),
    "duplicate feature names": (
        *("plate1", duplicate_header, ()),
        r"plate1\.csv: the column name 'mz_\S+' stands 2 times in the header",
    ),
    "text in a feature": (
        *("plate2", set_cell(3, 6, "high"), ()),
        r"plate2\.csv, line 5, column 'mz_\S+'.*'high'",
    ),
    "infinite value": (
        *("plate1", set_cell(2, 4, np.inf), ()),
        r"plate1\.csv, line 4, column 'mz_\S+': the value is infinite",
    ),
    "negative values and a log": (
        *("plate2", set_cell(2, 4, -1.0), ("--log", "always")),
        r"batch plate2, sample 'P2_S\w+', feature 'mz_\S+': the value -1 is negative.*--log never",
    ),
    "empty file": ("plate2", lambda path: path.write_text(""), (), r"plate2\.csv is empty"),
    "header only": (
        *("plate2", lambda path: path.write_text(path.read_text().splitlines()[0]), ()),
        r"plate2\.csv has column names but no rows",
    ),
    "wrong encoding": (
        *("plate1", lambda path: path.write_bytes(path.read_text().encode("utf-16")), ()),
        r"plate1\.csv is not UTF-8 text, it looks like UTF-16",
    ),
    "a packed file named .csv": (
        *("plate1", lambda path: path.write_bytes(gzip.compress(path.read_bytes())), ()),
        r"plate1\.csv is not a text table, whatever its name says",
    ),
    "file missing": ("plate2", lambda path: path.unlink(), (), r"plate2\.csv does not exist"),
    "zero epochs": ("plate2", None, ("--epochs", "0"), r"--epochs is 0; give at least 1"),
    "no members": ("plate2", None, ("--members", "-1"), r"--members is -1; give at least 1"),
    "negative seed": ("plate2", None, ("--seed", "-1"), r"--seed is -1; give at least 0"),
    "huge seed": ("plate2", None, ("--seed", 2**32), r"--seed is 4294967296; give at most"),
    "unknown preset": ("plate2", None, ("--preset", "best"), r"--preset is 'best'; it is one of"),
    "unknown log": ("plate2", None, ("--log", "yes"), r"--log is 'yes'; it is one of auto, "),
    "unknown rule": ("plate2", None, ("--features", "all"), r"--features is 'all'; it is one of"),
    "a batch column for files": ("plate2", None, ("--batch", "plate"), r"--batch belongs to one"),
}


def assert_refused(done, out, pattern):
    """One sentence on stderr, exit code 2, and nothing where the output was to be."""
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert done.err.startswith("crossplate: ")
    assert re.search(pattern, done.err), done.err
    assert done.out == ""
    assert not out.exists()
    left = [path.name for path in out.parent.iterdir() if ".partial" in path.name]
    assert left == []


@pytest.mark.parametrize("name", CASES)
def test_bad_files_and_options(cli, quick, files, tmp_path, name):
    changed, change, words, pattern = CASES[name]
    if change is not None:
        change(files[changed])
    out = tmp_path / "out"
    done = cli(
        *("run", "--source", files["plate1"], "--target", files["plate2"]),
        *("--label", "label", "--subject", "subject", "--out", out, *quick, *words),
    )
    assert_refused(done, out, pattern)


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (("--batch", "plate"), r"all\.csv: there is no column 'plate' \(asked for as --batch\)"),
        ((), r"name it with --batch"),
        (("--batch", "batch"), r"every batch \(plate1, plate2, plate3\) is a labelled source"),
        (("--batch", "batch", "--target-batch", "plate7"), r"there is no batch 'plate7'"),
        (
            ("--batch", "batch", "--source-batch", "plate1", "--target-batch", "plate1"),
            r"batch 'plate1' is named as source and as target",
        ),
    ],
)
def test_bad_batches_of_a_table(cli, quick, files, tmp_path, words, pattern):
    out = tmp_path / "out"
    done = cli("run", files["all"], "--label", "label", "--out", out, *quick, *words)
    assert_refused(done, out, pattern)


@pytest.mark.parametrize(
    ("left_out", "pattern"),
    [
        ("--source", r"no --source file was given"),
        ("--target", r"no --target file was given"),
        ("--label", r"name it with --label"),
        ("--out", r"name a folder with --out"),
    ],
)
def test_missing_options(cli, files, tmp_path, left_out, pattern):
    options = {
        "--source": files["plate1"],
        "--target": files["plate2"],
        "--label": "label",
        "--out": tmp_path / "out",
    }
    words = [word for name, value in options.items() if name != left_out for word in (name, value)]
    assert_refused(cli("run", *words), tmp_path / "out", pattern)


def test_neither_table_nor_files_and_both(cli, files, tmp_path):
    out = tmp_path / "out"
    done = cli("run", "--label", "label", "--out", out)
    assert_refused(done, out, "neither was given")
    done = cli("run", files["all"], "--source", files["plate1"], "--label", "label", "--out", out)
    assert_refused(done, out, "both were given")


def test_a_file_given_twice(cli, files, tmp_path):
    same = tmp_path / "." / files["plate1"].name
    done = cli(
        *("run", "--source", files["plate1"], "--target", same, "--label", "label"),
        *("--out", tmp_path / "out"),
    )
    assert_refused(done, tmp_path / "out", r"plate1\.csv is given twice")


def test_output_below_a_file_is_refused_before_anything_is_read(cli, files, tmp_path):
    blocker = tmp_path / "note.txt"
    blocker.write_text("a file, not a folder")
    done = cli(
        *("run", "--source", "absent.csv", "--target", files["plate2"], "--label", "label"),
        *("--out", blocker / "out"),
    )
    assert done.code == 2
    assert re.fullmatch(r"crossplate: output folder .*note\.txt.* is a file; .*\n", done.err)
    assert blocker.read_text() == "a file, not a folder"


def test_output_folder_that_is_not_empty(cli, files, tmp_path):
    done = cli(
        *("run", "--source", files["plate1"], "--target", files["plate2"], "--label", "label"),
        *("--out", tmp_path),
    )
    assert done.code == 2
    assert re.search(r"output folder .* is not empty.*--overwrite", done.err)


@pytest.mark.parametrize(
    ("name", "text", "pattern"),
    [
        ("s.toml", "lable = 'x'", r"s\.toml: there is no option 'lable'; did you mean .*label\?"),
        ("s.toml", "zzz = 1", r"there is no option 'zzz'; there are table, source"),
        ("s.toml", "seed = 'one'", r"option 'seed' is \"one\"; it must be a whole number"),
        ("s.toml", "seed = true", r"option 'seed' is true; it must be a whole number"),
        ("s.toml", "label = 3", r"option 'label' is 3; it must be text in quotes"),
        ("s.toml", "source = [1]", r"option 'source' is \[1\]; it must be a list of texts"),
        ("s.toml", "overwrite = 1", r"option 'overwrite' is 1; it must be true or false"),
        ("s.toml", "sample-id = 'a'\nsample_id = 'a'", r"option 'sample_id' is given twice"),
        ("s.toml", "label = ", r"s\.toml is not TOML"),
        ("s.json", "{", r"s\.json is not JSON"),
        ("s.json", "[]", r"s\.json has no 'run' and 'format'"),
        ("s.json", '{"run": {}, "format": 2}', r"s\.json has format 2, .* update crossplate"),
        ("s.json", '{"run": {}}', r"s\.json has no 'run' and 'format'"),
        ("s.json", '{"run": {"epoch": 3}, "format": 1}', r"no option 'epoch'; did you mean epochs"),
    ],
)
def test_bad_settings_files(cli, tmp_path, name, text, pattern):
    (tmp_path / name).write_text(text)
    done = cli("run", "--config", tmp_path / name, "--out", tmp_path / "out")
    assert_refused(done, tmp_path / "out", pattern)


def test_settings_file_that_cannot_be_read(cli, tmp_path):
    out = tmp_path / "out"
    done = cli("run", "--config", tmp_path / "absent.toml", "--out", out)
    assert_refused(done, out, r"absent\.toml cannot be read \(No such file")
    (tmp_path / "latin.toml").write_bytes("label = 'é'".encode("latin-1"))
    done = cli("run", "--config", tmp_path / "latin.toml", "--out", out)
    assert_refused(done, out, r"latin\.toml cannot be read \(it is not UTF-8 text\)")
