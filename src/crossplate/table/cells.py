"""What a single cell of a user's table means: missing, text or number."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crossplate.errors import InputError

#: Cell texts that stand for a missing value, in every format.
MISSING_CELLS = frozenset({"", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NULL", "null"})

_WHOLE_NUMBER = re.compile(r"([+-]?\d+)\.0+")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+(\.\d{3})*,\d+([eE][+-]?\d+)?")
_LEADING_ZERO = re.compile(r"[+-]?0\d")


@dataclass(frozen=True)
class Place:
    """Where cells come from, so that an error can point at them.

    Attributes
    ----------
    source
        Name of the file or table as the user knows it.
    row_name
        Turns the 0-based number of a row into the name a user finds it by, such as ``line 5``.
    """

    source: str
    row_name: Callable[[int], str]

    def at(self, row: int, column: str | None = None) -> str:
        """Name a row, or one cell of it, as the beginning of an error message."""
        where = f"{self.source}, {self.row_name(row)}"
        return where if column is None else f"{where}, column '{column}'"


def counted(number: int, noun: str) -> str:
    """Write a count with its noun for a message: ``1 row``, ``2 rows``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def first_few(names: Sequence[str] | pd.Index, count: int = 5) -> str:
    """List the first names of a longer list for a message."""
    shown = ", ".join(str(name) for name in names[:count])
    return shown + (", …" if len(names) > count else "")


def is_missing(column: pd.Series) -> NDArray[np.bool_]:
    """Mark the missing cells of a column, shape (n,): NaN and every text in `MISSING_CELLS`."""
    missing: NDArray[np.bool_] = column.isna().to_numpy(dtype=bool)
    if _holds_numbers(column):
        return missing
    texts = (isinstance(cell, str) and cell.strip() in MISSING_CELLS for cell in column)
    written: NDArray[np.bool_] = np.fromiter(texts, dtype=bool, count=len(column))
    return np.logical_or(missing, written)


def as_text(column: pd.Series, *, fold_whole_numbers: bool) -> pd.Series:
    """Write every cell as text without surrounding blanks; missing cells become None.

    Parameters
    ----------
    column
        Cells of any type.
    fold_whole_numbers
        Whether the text ``1.0`` becomes ``1``. Wanted for labels and batches, which some programs
        write as decimals as soon as one of them is missing. Cells that are numbers (not text) are
        written as whole numbers where they are whole, whatever this is.
    """
    texts = [
        None if missing else _cell_text(cell, fold_whole_numbers)
        for cell, missing in zip(column, is_missing(column), strict=True)
    ]
    return pd.Series(texts, index=column.index, name=column.name, dtype=object)


def as_numbers(column: pd.Series) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Read a column as numbers.

    Returns
    -------
    numbers
        float64, shape (n,), NaN where the cell is missing or not a number.
    unreadable
        Shape (n,), true where a cell is neither missing nor a number.
    """
    if _holds_numbers(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan), np.zeros(len(column), dtype=bool)
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "Mm":
        # Dates would be read as nanoseconds since 1970.
        return np.full(len(column), np.nan), ~is_missing(column)
    missing = is_missing(column)
    cells = pd.Series(column.to_numpy(dtype=object, copy=True), dtype=object)
    cells[missing] = np.nan
    numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return numbers, np.isnan(numbers) & ~missing


def as_metadata(column: pd.Series) -> pd.Series:
    """Give a sample column that is no feature the type its cells suggest.

    Numbers stay or become numbers (int64 where all are whole and none is missing), anything else
    is text with NaN for missing cells. Texts such as ``007`` stay text: they are names.
    """
    if pd.api.types.is_bool_dtype(column) or isinstance(column.dtype, pd.DatetimeTZDtype):
        return column
    numbers, unreadable = as_numbers(column)
    names = any(isinstance(cell, str) and _LEADING_ZERO.match(cell.strip()) for cell in column)
    if unreadable.any() or names:
        if isinstance(column.dtype, np.dtype) and column.dtype.kind in "Mm":
            return column
        text = as_text(column, fold_whole_numbers=False)
        text[text.isna()] = np.nan
        return text
    whole = bool(np.all(np.isfinite(numbers)) and np.all(numbers == np.rint(numbers)))
    whole = whole and bool(np.all(np.abs(numbers) < 2**53))
    return pd.Series(
        numbers.astype(np.int64) if whole else numbers, index=column.index, name=column.name
    )


def require_text(
    column: pd.Series, place: Place, *, meaning: str, remedy: str, fold_whole_numbers: bool
) -> pd.Series:
    """Write a column as text (see `as_text`) and refuse missing cells.

    Raises
    ------
    InputError
        If a cell is missing; names the first one, the count and the remedy.
    """
    text = as_text(column, fold_whole_numbers=fold_whole_numbers)
    missing = np.flatnonzero(text.isna().to_numpy())
    if missing.size:
        raise InputError(
            f"{place.at(int(missing[0]), str(column.name))}: the {meaning} is missing "
            f"({counted(missing.size, 'such row')}); {remedy}"
        )
    return text


def require_numbers(column: pd.Series, place: Place) -> NDArray[np.float64] | None:
    """Read a column as a feature.

    Returns
    -------
    numbers
        float64, shape (n,), NaN for missing cells; None if the column is plain text, without a
        single number.

    Raises
    ------
    InputError
        If some cells are numbers and others are not, or if the numbers carry a decimal comma.
    """
    numbers, unreadable = as_numbers(column)
    bad = np.flatnonzero(unreadable)
    if not bad.size:
        return numbers
    row = int(bad[0])
    cell = str(column.iloc[row]).strip()
    where = place.at(row, str(column.name))
    if _DECIMAL_COMMA.fullmatch(cell):
        raise InputError(
            f"{where}: the cell '{cell}' has a decimal comma or thousands comma; save the table "
            "with decimal points and without thousands separators"
        )
    if np.isnan(numbers).all():
        return None
    shown = cell if len(cell) <= 40 else cell[:37] + "..."
    cells = counted(bad.size, "such cell")
    raise InputError(
        f"{where}: the cell '{shown}' is not a number ({cells} in this column); leave a cell empty "
        f"if its value is missing, or keep the column out of the features with "
        f"--metadata '{column.name}'"
    )


def _holds_numbers(column: pd.Series) -> bool:
    real = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_complex_dtype(column)
    return real or pd.api.types.is_bool_dtype(column.dtype)


def _cell_text(cell: object, fold_whole_numbers: bool) -> str:
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    text = str(cell).strip()
    whole = _WHOLE_NUMBER.fullmatch(text) if fold_whole_numbers else None
    return whole.group(1) if whole else text
