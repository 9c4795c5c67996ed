"""A table written again in its own format with other numbers in it."""

import gzip

import numpy as np
import pandas as pd
import pytest

from crossplate import InputError
from crossplate.io import open_table, read_table

TEXT = """\
id{d}plate{d}age{d}mz_1{d}comment{d}mz_2
007{d}A{d}34{d}1.5{d}good{d}0.1
008{d}A{d}{d}2.5{d}{d}0.2
{d}{d}{d}{d}{d}
009{d}B{d}51{d}NA{d}"a{d}b"{d}0.30000000000000004
"""
COLUMNS = {"id", "plate", "age"}


def doubled(table):
    return table.features * 2.0


@pytest.mark.parametrize(
    ("ending", "delimiter"),
    [("csv", ","), ("csv", ";"), ("tsv", "\t"), ("txt", "\t"), ("csv.gz", ","), ("tsv.gz", "\t")],
)
def test_text_keeps_its_delimiter_its_columns_and_their_cells(tmp_path, ending, delimiter):
    path, out = tmp_path / f"in.{ending}", tmp_path / f"out.{ending}"
    data = TEXT.format(d=delimiter).encode()
    path.write_bytes(gzip.compress(data) if ending.endswith("gz") else data)
    file = open_table(path, text_columns=COLUMNS)
    file.write(doubled(file.table(batch="plate")), out)
    written = out.read_bytes()
    written = gzip.decompress(written) if ending.endswith("gz") else written
    lines = written.decode().splitlines()
    d = delimiter
    assert lines[0] == f"id{d}plate{d}age{d}mz_1{d}comment{d}mz_2"
    assert lines[1] == f"007{d}A{d}34{d}3.0{d}good{d}0.2"
    assert lines[2] == f"008{d}A{d}{d}5.0{d}{d}0.4"
    assert lines[3] == f'009{d}B{d}51{d}{d}"a{d}b"{d}0.6000000000000001'
    assert len(lines) == 4
    assert sorted(place.name for place in tmp_path.iterdir()) == sorted([path.name, out.name])


def frame():
    return pd.DataFrame(
        {
            "sample": ["s1", "s2", "s3"],
            "day": [1, 1, 2],
            "taken": pd.to_datetime(["2026-01-02", "2026-01-03", "2026-01-04"]),
            "b": [0.25, 1.0, np.nan],
            "a": [3, 4, 5],
        }
    )


@pytest.mark.parametrize("ending", ["xlsx", "parquet"])
def test_workbooks_and_parquet(tmp_path, ending):
    path, out = tmp_path / f"in.{ending}", tmp_path / f"out.{ending}"
    if ending == "xlsx":
        frame().to_excel(path, index=False)
        read = pd.read_excel
    else:
        frame().to_parquet(path, index=False)
        read = pd.read_parquet
    file = open_table(path)
    table = file.table(batch="day")
    assert list(table.features.columns) == ["b", "a"]
    file.write(doubled(table), out, without=["a"])
    expected = frame().drop(columns="a").assign(b=[0.5, 2.0, np.nan])
    pd.testing.assert_frame_equal(read(out), expected, check_dtype=False)


def test_an_anndata_file_keeps_all_that_is_not_in_x(tmp_path):
    anndata = pytest.importorskip("anndata")
    data = anndata.AnnData(
        np.arange(12.0, dtype=np.float32).reshape(4, 3),
        obs=pd.DataFrame({"plate": list("AABB"), "age": [1, 2, 3, 4]}, index=list("wxyz")),
        var=pd.DataFrame({"mz": [1.0, 2.0, 3.0]}, index=["f1", "f2", "f3"]),
    )
    data.layers["raw"] = data.X.copy()
    data.uns["made"] = "here"
    data.write_h5ad(tmp_path / "in.h5ad")
    file = open_table(tmp_path / "in.h5ad")
    table = file.table(batch="plate")
    file.write(doubled(table)[["f3", "f1"]], tmp_path / "out.h5ad", without=["f2"])
    back = anndata.read_h5ad(tmp_path / "out.h5ad")
    np.testing.assert_array_equal(back.X, 2.0 * data.X[:, [0, 2]])
    np.testing.assert_array_equal(back.layers["raw"], data.X[:, [0, 2]])
    assert back.var["mz"].tolist() == [1.0, 3.0]
    assert back.obs["age"].tolist() == [1, 2, 3, 4]
    assert back.uns["made"] == "here"


def test_what_is_written_is_read_as_the_same_table(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text(TEXT.format(d=","))
    file = open_table(path, text_columns=COLUMNS)
    table = file.table(batch="plate")
    pd.testing.assert_frame_equal(table.features, read_table(path, batch="plate").features)
    file.write(table.features, tmp_path / "out.csv")
    back = read_table(tmp_path / "out.csv", batch="plate")
    pd.testing.assert_frame_equal(back.features, table.features)
    pd.testing.assert_frame_equal(back.metadata, table.metadata)


def test_a_place_that_cannot_be_written(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text(TEXT.format(d=","))
    file = open_table(path)
    with pytest.raises(InputError, match="cannot be written"):
        file.write(doubled(file.table(batch="plate")), tmp_path / "no" / "out.csv")
