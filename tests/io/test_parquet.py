"""Tests of crossplate.io.parquet beyond what all formats share."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from crossplate.errors import InputError
from crossplate.io import read_table


@pytest.mark.parametrize("name", [None, "code", "sample_id"])
def test_a_stored_index_of_text_is_the_sample_ids(tmp_path: Path, name: str | None) -> None:
    frame = pd.DataFrame({"X1": [1.0, 2.0], "X2": [3, 4]}, index=pd.Index(["a", "b"], name=name))
    frame.to_parquet(tmp_path / "a.parquet")
    table = read_table(tmp_path / "a.parquet", sample_id="code" if name == "code" else None)
    assert table.features.index.tolist() == ["a", "b"]
    assert table.features.columns.tolist() == ["X1", "X2"]


def test_nullable_and_categorical_columns_are_read(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "id": ["a", "b", "c"],
            "dx": pd.Categorical(["x", None, "y"]),
            "X1": pd.array([1, None, 3], dtype="Int64"),
            "X2": pd.array([True, False, None], dtype="boolean"),
        }
    )
    frame.to_parquet(tmp_path / "a.parquet")
    table = read_table(tmp_path / "a.parquet", label="dx")
    assert table.features["X1"].isna().tolist() == [False, True, False]
    assert table.features["X2"].tolist()[:2] == [1.0, 0.0]
    assert table.label is not None
    assert table.label.tolist() == ["x", None, "y"]


def test_repeated_columns_are_refused(tmp_path: Path) -> None:
    columns = pa.table([["a"], [1.0], [2.0]], names=["id", "X1", "X1"])
    pa.parquet.write_table(columns, tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"a\.parquet.*'X1' stands 2 times"):
        read_table(tmp_path / "a.parquet")
