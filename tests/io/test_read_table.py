"""Tests of crossplate.io.read_table that hold for every format, and of the real files."""

import csv
import gzip
import importlib
from collections.abc import Callable
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from crossplate.errors import InputError
from crossplate.io import read_table, read_texts, write_frame
from crossplate.io.reading import file_stem

TEXT = [".csv", ".tsv", ".csv.gz", ".tsv.gz"]
FLAT = [*TEXT, ".xlsx", ".parquet"]
ALL = [*FLAT, ".h5ad"]


def a_frame(seed: int = 0) -> pd.DataFrame:
    """Samples with every kind of sample column, and values with 17 digits, zeros and gaps."""
    rng = np.random.default_rng(seed)
    values = rng.lognormal(2, 4, size=(12, 5))
    values[rng.random(values.shape) < 0.2] = np.nan
    values[0, :4] = [0.1 + 0.2, 1e-300, 0.0, -5.0]
    frame = pd.DataFrame(values, columns=["mz 100.01", "1,2-diol", "X;3", "ß-alanine", "X5"])
    frame.insert(0, "sample_id", [f"{k:03d}" for k in range(12)])
    frame.insert(1, "dx", ["case", "control", None] * 4)
    frame.insert(2, "plate", [1] * 6 + [2] * 6)
    frame.insert(3, "person", [f"p{k // 2}" for k in range(12)])
    frame["count"] = rng.integers(0, 1000, 12)
    frame["age"] = rng.integers(20, 80, 12)
    frame["remark"] = ["ok, then", 'a "quoted" one', "two\nlines"] * 4
    return frame


def write_h5ad(frame: pd.DataFrame, path: Path, sparse: bool = False) -> None:
    obs = frame[["dx", "plate", "person", "age", "remark"]].set_axis(frame["sample_id"])
    features = frame.drop(columns=["sample_id", *obs.columns])
    matrix = features.to_numpy(float)
    data = anndata.AnnData(
        X=scipy.sparse.csr_matrix(matrix) if sparse else matrix,
        obs=obs.rename_axis(None),
        var=pd.DataFrame(index=features.columns),
    )
    data.write_h5ad(path)


def save(frame: pd.DataFrame, path: Path) -> Path:
    if path.suffix == ".h5ad":
        write_h5ad(frame, path)
    else:
        write_frame(frame, path)
    return path


@pytest.mark.parametrize("ending", ALL)
@pytest.mark.parametrize("seed", [0, 1])
def test_every_format_gives_the_same_table(tmp_path: Path, ending: str, seed: int) -> None:
    frame = a_frame(seed)
    path = save(frame, tmp_path / f"plates{ending}")
    table = read_table(path, batch="plate", label="dx", subject="person")
    names = ["mz 100.01", "1,2-diol", "X;3", "ß-alanine", "X5", "count"]
    assert table.features.columns.tolist() == names
    assert table.features.index.tolist() == frame["sample_id"].tolist()
    np.testing.assert_array_equal(table.features.to_numpy(), frame[names].to_numpy(float))
    assert table.batches == ["1", "2"]
    assert table.label is not None
    assert table.label.tolist() == ["case", "control", None] * 4
    assert table.subject is not None
    assert table.subject.tolist() == frame["person"].tolist()
    assert table.metadata.columns.tolist() == ["age", "remark"]
    assert table.metadata["age"].tolist() == frame["age"].tolist()
    assert table.metadata["age"].dtype == np.int64
    assert table.metadata["remark"].tolist() == frame["remark"].tolist()


def test_a_sparse_matrix_gives_the_same_table_as_a_dense_one(tmp_path: Path) -> None:
    frame = a_frame()
    for name, sparse in (("dense.h5ad", False), ("sparse.h5ad", True)):
        write_h5ad(frame, tmp_path / name, sparse=sparse)
    dense, sparse_ = (
        read_table(tmp_path / f"{name}.h5ad", batch="plate") for name in ("dense", "sparse")
    )
    pd.testing.assert_frame_equal(dense.features, sparse_.features)


@pytest.mark.parametrize("ending", FLAT)
def test_ids_and_labels_that_look_like_numbers_stay_as_written(tmp_path: Path, ending: str) -> None:
    frame = pd.DataFrame({"id": ["007", "08"], "class": ["01", "02"], "X1": [1.5, 2.5]})
    table = read_table(save(frame, tmp_path / f"a{ending}"), label="class")
    assert table.features.index.tolist() == ["007", "08"]
    assert table.label is not None
    assert table.label.tolist() == ["01", "02"]


@pytest.mark.parametrize("ending", FLAT)
def test_numeric_labels_with_gaps_are_whole_numbers(tmp_path: Path, ending: str) -> None:
    frame = pd.DataFrame({"id": list("abc"), "class": [1.0, np.nan, 0.0], "X1": [1.5, 2.5, 3.0]})
    table = read_table(save(frame, tmp_path / f"a{ending}"), label="class")
    assert table.label is not None
    assert table.label.tolist() == ["1", None, "0"]


@pytest.mark.parametrize("ending", ALL)
def test_the_file_name_is_the_batch_unless_one_is_given(tmp_path: Path, ending: str) -> None:
    path = save(a_frame(), tmp_path / f"day.1{ending}")
    assert file_stem(path) == "day.1"
    assert read_table(path).batches == ["day.1"]
    assert read_table(path, batch_name="monday").batches == ["monday"]
    with pytest.raises(InputError, match="both given"):
        read_table(path, batch="plate", batch_name="monday")


def test_made_ids_begin_with_the_file_or_batch_name(tmp_path: Path) -> None:
    path = save(pd.DataFrame({"run": ["p", "q"], "X1": [1, 2]}), tmp_path / "day1.csv.gz")
    assert read_table(path).features.index.tolist() == ["day1_row1", "day1_row2"]
    assert read_table(path, batch="run").features.index[0] == "day1_row1"
    assert read_table(path, batch_name="monday").features.index[0] == "monday_row1"


@pytest.mark.parametrize(
    ("ending", "place"),
    [*((ending, "line 4") for ending in TEXT), (".xlsx", "row 4"), (".parquet", "row 3")],
)
def test_a_cell_that_is_no_number_is_named_as_the_user_finds_it(
    tmp_path: Path, ending: str, place: str
) -> None:
    frame = pd.DataFrame({"id": list("abcd"), "X1": ["1", "2", "<LOD", "4"], "X2": [1, 2, 3, 4]})
    path = save(frame, tmp_path / f"a{ending}")
    with pytest.raises(InputError) as caught:
        read_table(path)
    for word in (path.name, place, "'X1'", "'<LOD'", "--metadata"):
        assert word in str(caught.value)


@pytest.mark.parametrize("ending", FLAT)
def test_a_header_alone_is_refused(tmp_path: Path, ending: str) -> None:
    path = save(pd.DataFrame({"id": [], "X1": []}), tmp_path / f"a{ending}")
    with pytest.raises(InputError, match=r"a\..* has column names but no rows"):
        read_table(path)


@pytest.mark.parametrize("ending", ALL)
def test_an_empty_file_is_refused(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    path.write_bytes(b"")
    with pytest.raises(InputError, match=r"a\..* is empty"):
        read_table(path)


@pytest.mark.parametrize("ending", ALL)
@pytest.mark.parametrize("content", ["sample_id,X1\na,1\nb,2\n", "gzip", "zip", "PDF", "zeros"])
def test_a_file_that_is_not_what_its_name_says_is_refused(
    tmp_path: Path, ending: str, content: str
) -> None:
    heads = {
        "gzip": b"\x1f\x8b\x08\0",
        "zip": b"PK\x03\x04",
        "PDF": b"%PDF-1.7",
        "zeros": b"\1\2\0",
    }
    data = heads.get(content, content.encode()) + (b"x" * 50 if content in heads else b"")
    path = tmp_path / f"a{ending}"
    path.write_bytes(data)
    if content not in heads and ending in (".csv", ".tsv"):
        expected = "has just one column" if ending == ".tsv" else None
    elif (content, ending) in {("zip", ".xlsx")}:
        expected = "cannot be read as an Excel workbook"
    elif content == "gzip" and ending.endswith(".gz"):
        expected = "is damaged"
    else:
        expected = "whatever its name says"
    if expected is None:
        assert read_table(path).n_samples == 2
        return
    with pytest.raises(InputError, match=expected) as caught:
        read_table(path)
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", [".csv.gz", ".xlsx", ".parquet", ".h5ad"])
def test_a_file_cut_short_is_refused(tmp_path: Path, ending: str) -> None:
    path = save(a_frame(), tmp_path / f"a{ending}")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(InputError) as caught:
        read_table(path)
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("module", "ending", "package", "extra"),
    [
        ("python_calamine", ".xlsx", "python-calamine", "excel"),
        ("pyarrow.parquet", ".parquet", "pyarrow", "parquet"),
        ("anndata", ".h5ad", "anndata", "anndata"),
    ],
)
def test_a_package_that_is_not_installed_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    ending: str,
    package: str,
    extra: str,
) -> None:
    path = save(a_frame(), tmp_path / f"a{ending}")
    original: Callable[..., object] = importlib.import_module

    def without(name: str, *rest: str | None) -> object:
        if name == module:
            raise ImportError(name)
        return original(name, *rest)

    monkeypatch.setattr("crossplate.io.raw.import_module", without)
    with pytest.raises(InputError) as caught:
        read_table(path)
    assert package in str(caught.value)
    assert f'pip install "crossplate[{extra}]"' in str(caught.value)
    assert path.name in str(caught.value)


@pytest.mark.parametrize("name", ["a.xls", "a.csv.zip", "a.feather", "a"])
def test_an_unknown_ending_is_refused_with_the_known_ones(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("id,X1\na,1\n")
    with pytest.raises(InputError, match=r"ending that is not known") as caught:
        read_table(tmp_path / name)
    for ending in ALL:
        assert ending in str(caught.value)


def test_endings_are_known_in_capitals_too(tmp_path: Path) -> None:
    (tmp_path / "A.CSV").write_text("id,X1\na,1\nb,2\n")
    assert read_table(tmp_path / "A.CSV").batches == ["A"]


def test_a_folder_or_an_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        read_table(tmp_path)
    (tmp_path / "plate1.csv").write_text("id,X1\na,1\n")
    with pytest.raises(InputError, match=r"plate\.csv does not exist; did you mean plate1\.csv"):
        read_table(tmp_path / "plate.csv")
    with pytest.raises(InputError, match="nor does its folder"):
        read_table(tmp_path / "nowhere" / "plate.csv")


def test_a_file_that_may_not_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.csv").write_text("id,X1\na,1\n")

    def forbidden(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", forbidden)
    with pytest.raises(InputError, match=r"a\.csv cannot be read \(Permission denied\)"):
        read_table(tmp_path / "a.csv")


# --- real files -----------------------------------------------------------------------------------


def parsed_by_hand(path: Path) -> tuple[list[str], list[list[str]]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    return rows[0], rows[1:]


@pytest.mark.realdata
def test_the_cytof_file_is_read_as_published(real_tables: Path) -> None:
    path = real_tables / "cytof_shaham" / "person1_day1_baseline.csv.gz"
    header, rows = parsed_by_hand(path)
    table = read_table(path, label="label")
    assert table.features.shape == (1858, 25)
    assert table.features.columns.tolist() == [f"X{k}" for k in range(1, 26)]
    expected = np.array([[float(cell) for cell in row[5:]] for row in rows])
    np.testing.assert_array_equal(table.features.to_numpy(), expected)
    assert table.features.index.tolist() == [row[0] for row in rows]
    assert table.label is not None
    assert table.label.tolist() == [row[header.index("label")] for row in rows]
    assert table.label.value_counts().to_dict() == {"0": 1368, "1": 490}
    assert table.metadata.columns.tolist() == ["patient", "day", "condition"]
    assert table.batches == ["person1_day1_baseline"]


@pytest.mark.realdata
def test_the_fiatof_file_is_read_with_batches_and_subjects(real_tables: Path) -> None:
    path = real_tables / "fiatof_ralps" / "data.csv.gz"
    header, rows = parsed_by_hand(path)
    table = read_table(path, batch="batch", label="label", subject="subject_id")
    # Copies of this table differ in how many of the seven batches they hold.
    assert table.features.shape == (len(rows), 375)
    assert table.batches == list(dict.fromkeys(row[header.index("batch")] for row in rows))
    assert len(table.batches) >= 2
    assert table.subject is not None
    assert table.subject.tolist() == [row[header.index("subject_id")] for row in rows]
    assert set(table.label.dropna()) == {"AA", "Bio", "FA", "Full", "PP", "SRM"}  # type: ignore[union-attr]
    assert table.metadata.columns.tolist() == ["level", "injection_order"]
    assert table.metadata["level"].iloc[0] == rows[0][header.index("level")]
    start = header.index("injection_order") + 1
    expected = np.array([[float(cell) for cell in row[start:]] for row in rows])
    np.testing.assert_array_equal(table.features.to_numpy(), expected)


@pytest.mark.parametrize("ending", FLAT)
def test_texts_are_read_as_they_stand(tmp_path: Path, ending: str) -> None:
    frame = pd.DataFrame({"who ": ["007", "b", "c"], "diagnosis": ["SLE", None, "1"]})
    path = tmp_path / f"labels{ending}"
    if ending == ".xlsx":
        frame.to_excel(path, index=False)
    elif ending == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if ".tsv" in ending else ",")
    found = read_texts(path)
    assert list(found.columns) == ["who", "diagnosis"]
    assert list(found["who"]) == ["007", "b", "c"]
    assert found["diagnosis"].isna().tolist() == [False, True, False]
    with pytest.raises(InputError, match="does not exist"):
        read_texts(tmp_path / "none.csv")
