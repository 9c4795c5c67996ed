"""Excel workbooks (.xlsx)."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crossplate.errors import InputError
from crossplate.io.raw import IsText, RawTable, optional_module, require_kind

_MAX_ROWS, _MAX_COLUMNS = 1_048_576, 16_384


def read_excel(path: Path, is_text: IsText) -> RawTable:
    """Read the first worksheet that is not empty.

    The first row with a cell in it is the header. Cells with an Excel error (``#N/A``, ``#DIV/0!``)
    are missing, and so are formulas whose result was never computed.

    Parameters
    ----------
    path
        The file.
    is_text
        Not needed: cells carry their type.

    Raises
    ------
    InputError
        If python-calamine is not installed, or the file is no workbook, damaged or empty.
    """
    calamine = optional_module(
        "python_calamine", package="python-calamine", extra="excel", purpose=f"reading {path.name}"
    )
    require_kind(path, "zip", "an Excel workbook (.xlsx)")
    try:
        book = calamine.CalamineWorkbook.from_path(str(path))
        sheets = {
            sheet.name: book.get_sheet_by_name(sheet.name).to_python(skip_empty_area=False)
            for sheet in book.sheets_metadata
            if sheet.typ == calamine.SheetTypeEnum.WorkSheet
        }
    except (calamine.CalamineError, OSError) as error:
        raise InputError(
            f"{path.name} cannot be read as an Excel workbook ({error}); open it in Excel and save "
            "it again as .xlsx"
        ) from error
    filled = [name for name, rows in sheets.items() if any(_has_cells(row) for row in rows)]
    if not filled:
        raise InputError(f"{path.name} is empty: no worksheet has a cell in it; give a filled one")
    notices: tuple[str, ...] = ()
    if len(filled) > 1:
        notices = (
            f"{path.name}: of {len(filled)} worksheets the first, '{filled[0]}', was read; save "
            "another one to a file of its own to use it",
        )
    rows = sheets[filled[0]]
    header = next(number for number, row in enumerate(rows) if _has_cells(row))
    cells = [[np.nan if cell == "" else cell for cell in row] for row in rows[header + 1 :]]
    frame = pd.DataFrame(cells, columns=rows[header], dtype=object).infer_objects()
    return RawTable(frame, lambda row: f"row {row + header + 2}", notices=notices)


def write_excel(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame to the only worksheet of a workbook, numbers with all their digits.

    Raises
    ------
    InputError
        If openpyxl is not installed, or a worksheet cannot hold so many rows or columns.
    """
    openpyxl = optional_module(
        "openpyxl", package="openpyxl", extra="excel", purpose=f"writing {path.name}"
    )
    if len(frame) >= _MAX_ROWS or frame.shape[1] > _MAX_COLUMNS:
        raise InputError(
            f"{path.name}: a worksheet holds at most {_MAX_ROWS - 1} rows and {_MAX_COLUMNS} "
            f"columns, but there are {len(frame)} and {frame.shape[1]}; write .csv or .parquet"
        )
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("table")
    sheet.append(_sheet_row(openpyxl, sheet, frame.columns))
    columns: Sequence[Iterable[object]] = [frame.iloc[:, at] for at in range(frame.shape[1])]
    for row in zip(*columns, strict=True):
        sheet.append(_sheet_row(openpyxl, sheet, row))
    # Through memory: openpyxl does not clean up after itself if the disk refuses.
    buffer = io.BytesIO()
    book.save(buffer)
    path.write_bytes(buffer.getvalue())


def _has_cells(row: Sequence[object]) -> bool:
    return any(cell != "" for cell in row)


def _sheet_row(openpyxl: Any, sheet: Any, cells: Iterable[object]) -> list[Any]:
    """Turn values into cells: floats to 17 digits (openpyxl keeps 16), text never as formula."""
    row: list[Any] = []
    for value in cells:
        if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
            row.append(None)
        elif isinstance(value, float | np.floating) and np.isfinite(value):
            cell = openpyxl.cell.WriteOnlyCell(sheet, value=repr(float(value)))
            cell.data_type = "n"
            row.append(cell)
        elif isinstance(value, str | float):
            cell = openpyxl.cell.WriteOnlyCell(sheet, value=str(value))
            cell.data_type = "s"
            row.append(cell)
        else:
            row.append(value.item() if isinstance(value, np.generic) else value)
    return row
