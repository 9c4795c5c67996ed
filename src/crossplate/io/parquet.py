"""Parquet files."""

from pathlib import Path

import pandas as pd

from crossplate.errors import InputError
from crossplate.io.raw import IsText, RawTable, optional_module, require_kind
from crossplate.table.columns import require_unique_names


def read_parquet(path: Path, is_text: IsText) -> RawTable:
    """Read a Parquet file; an index that pandas stored in it is an ordinary column, put first.

    Parameters
    ----------
    path
        The file.
    is_text
        Not needed: columns carry their type.

    Raises
    ------
    InputError
        If pyarrow is not installed, or the file is not Parquet, damaged, or has repeated columns.
    """
    arrow = optional_module("pyarrow", package="pyarrow", extra="parquet", purpose=path.name)
    parquet = optional_module(
        "pyarrow.parquet", package="pyarrow", extra="parquet", purpose=f"reading {path.name}"
    )
    require_kind(path, "Parquet", "a Parquet file")
    try:
        with parquet.ParquetFile(path) as file:
            require_unique_names(file.schema_arrow.names, path.name)
            frame: pd.DataFrame = file.read().to_pandas()
    except (arrow.ArrowException, OSError) as error:
        raise InputError(
            f"{path.name} is damaged or cut short ({error}); copy it or write it again"
        ) from error
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.rename_axis(index=lambda name: name or "").reset_index()
    return RawTable(frame, lambda row: f"row {row + 1}")


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame as Parquet, without its index.

    Raises
    ------
    InputError
        If pyarrow is not installed.
    """
    optional_module("pyarrow", package="pyarrow", extra="parquet", purpose=f"writing {path.name}")
    frame.rename(columns=str).to_parquet(path, engine="pyarrow", index=False)
