"""Tests of crossplate.io.excel beyond what all formats share."""

import datetime
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from crossplate.errors import InputError
from crossplate.io import read_table, write_frame


def workbook(path: Path, **sheets: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_empty_rows_above_the_header_and_error_cells(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        [],
        ["id", "X1", "X2", "when"],
        ["a", 1, "#N/A", datetime.date(2022, 1, 1)],
        ["b", 2.5, 4, None],
        ["c", "low", 5, None],
    ]
    path = workbook(tmp_path / "a.xlsx", data=rows)
    with pytest.raises(InputError, match=r"a\.xlsx, row 5, column 'X1': the cell 'low'"):
        read_table(path)
    table = read_table(workbook(path, data=rows[:4]))
    np.testing.assert_array_equal(table.features.to_numpy(), [[1, np.nan], [2.5, 4]])
    assert table.metadata.columns.tolist() == ["when"]


def test_the_first_filled_worksheet_is_read_and_the_others_told(tmp_path: Path) -> None:
    data: list[list[object]] = [["id", "X1"], ["a", 1], ["b", 2]]
    path = workbook(tmp_path / "a.xlsx", empty=[], plate=data, notes=[["hello"]])
    table = read_table(path)
    assert table.features["X1"].tolist() == [1.0, 2.0]
    assert any("2 worksheets" in text and "'plate'" in text for text in table.notices)
    alone = read_table(workbook(tmp_path / "b.xlsx", plate=data))
    assert alone.notices == ()


def test_whole_numbers_in_ids_and_names_are_written_without_point(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", d=[["id", 100.0, 100.5], [1, 2, 3], [2, 3, 4]])
    table = read_table(path)
    assert table.features.index.tolist() == ["1", "2"]
    assert table.features.columns.tolist() == ["100", "100.5"]


def test_repeated_names_and_title_rows_are_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", d=[["id", "X1", "X1"], ["a", 1, 2]])
    with pytest.raises(InputError, match=r"a\.xlsx.*'X1' stands 2 times"):
        read_table(path)
    path = workbook(tmp_path / "b.xlsx", d=[["My study"], ["id", "X1", "X2"], ["a", 1, 2]])
    with pytest.raises(InputError, match=r"b\.xlsx: column 2 has values but no name"):
        read_table(path)


def test_a_workbook_without_cells_is_empty(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.xlsx is empty"):
        read_table(workbook(tmp_path / "a.xlsx", d=[]))


def test_text_that_begins_like_a_formula_stays_text(tmp_path: Path) -> None:
    frame = pd.DataFrame({"=1+1": ["=SUM(A1)", "@x"], "n": [np.int64(3), 4], "f": [True, None]})
    write_frame(frame, tmp_path / "a.xlsx")
    rows = CalamineWorkbook.from_path(tmp_path / "a.xlsx").get_sheet_by_index(0).to_python()
    assert rows == [["=1+1", "n", "f"], ["=SUM(A1)", 3.0, True], ["@x", 4.0, ""]]


def test_too_many_columns_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    frame = pd.DataFrame(np.zeros((1, 16_385)))
    with pytest.raises(InputError, match=r"a\.xlsx: a worksheet holds at most .*16385"):
        write_frame(frame, tmp_path / "a.xlsx")
    assert list(tmp_path.iterdir()) == []
