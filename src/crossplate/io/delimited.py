"""Text tables: comma, semicolon or tab between the cells, plain or gzipped."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from crossplate.errors import InputError
from crossplate.io.raw import IsText, RawTable, file_kind
from crossplate.table.cells import MISSING_CELLS
from crossplate.table.columns import column_name, require_unique_names

_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


def read_delimited(path: Path, is_text: IsText) -> RawTable:
    """Read a .csv, .tsv or .txt file, also with .gz behind.

    The delimiter of .csv and .txt is found from the first lines; .tsv always has tabs. Numbers are
    read exactly (the nearest double), so that what was written is what is read.

    Parameters
    ----------
    path
        The file.
    is_text
        Tells which columns are kept as text.

    Raises
    ------
    InputError
        If the file is empty, compressed or encoded otherwise than its name says, damaged, has one
        column only, repeated column names, or rows of different lengths.
    """
    data = _read_bytes(path)
    _check_encoding(data, path.name)
    data = data.removeprefix(_BOM)
    delimiter = _find_delimiter(data, path)
    header = _read_header(data, delimiter, path.name)
    frame = _read_cells(data, delimiter, header, is_text, path.name)

    def row_name(row: int) -> str:
        for number, (line, _) in enumerate(_records(data, delimiter)):
            if number == row + 1:
                return f"line {line}"
        return f"row {row + 1}"

    return RawTable(frame, row_name)


def delimiter_of(path: Path) -> str:
    """What stands between the cells of a text table that `read_delimited` can read."""
    return _find_delimiter(_read_bytes(path).removeprefix(_BOM), path)


def _read_bytes(path: Path) -> bytes:
    data = path.read_bytes()
    if not data:
        raise InputError(
            f"{path.name} is empty; give a file with a header line and one row a sample"
        )
    kind = file_kind(data[:512])
    gzipped = path.name.lower().endswith(".gz")
    if gzipped and kind != "gzip":
        found = f"a file of kind {kind}" if kind else "not compressed"
        raise InputError(
            f"{path.name} is not a gzip file, whatever its name says (it is {found}); rename it to "
            "the ending that fits its content"
        )
    if gzipped:
        try:
            data = gzip.decompress(data)
        except EOFError as error:
            raise InputError(
                f"{path.name} is cut short: the gzip data end too early; copy or download it again"
            ) from error
        except (OSError, zlib.error) as error:
            raise InputError(
                f"{path.name} is damaged: the gzip data cannot be unpacked ({error}); copy or "
                "download it again"
            ) from error
        kind = file_kind(data[:512])
    if kind is not None:
        raise InputError(
            f"{path.name} is not a text table, whatever its name says (it is a file of kind "
            f"{kind}); give it the ending that fits its content, or export it as CSV"
        )
    if not data.strip():
        raise InputError(
            f"{path.name} is empty; give a file with a header line and one row a sample"
        )
    return data


def _check_encoding(data: bytes, name: str) -> None:
    remedy = "save it as UTF-8 (in Excel: 'CSV UTF-8')"
    head = data[:4096]
    # ASCII text in UTF-16 has a zero in every second byte.
    if data.startswith(_UTF16_BOMS) or head.count(0) > 0.3 * len(head):
        raise InputError(f"{name} is not UTF-8 text, it looks like UTF-16; {remedy}")
    if b"\0" in data:
        raise InputError(
            f"{name} is not a text table, whatever its name says (it holds zero bytes); export it "
            "again as CSV"
        )
    if data.isascii():
        return
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{name}, line {line}: the text is not UTF-8, it looks like Latin-1 (Windows-1252); "
            f"{remedy}"
        ) from error


def _records(data: bytes, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Go through the rows that are not blank: 1-based number of the first line, and the cells."""
    reader = csv.reader(
        io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline=""), delimiter=delimiter
    )
    line = 1
    for cells in reader:
        if cells:
            yield line, cells
        line = reader.line_num + 1


def _first_records(data: bytes, delimiter: str, name: str) -> tuple[list[str], list[str]]:
    """Read header and first row; the row is empty if there is none."""
    records = _records(data, delimiter)
    try:
        _, header = next(records)
        return header, next(records, (0, []))[1]
    except csv.Error as error:
        raise InputError(
            f"{name} cannot be read as a text table ({error}); check the quotation marks"
        ) from error


def _find_delimiter(data: bytes, path: Path) -> str:
    """Take the delimiter which splits header and first row alike, and into most cells."""
    tabs_only = path.name.lower().removesuffix(".gz").endswith(".tsv")
    best, best_score = "", (False, 1)
    refused = None
    for delimiter in "\t" if tabs_only else ",;\t":
        try:
            header, first = _first_records(data, delimiter, path.name)
        except InputError as error:  # a long line without this delimiter is one too long cell
            refused = error
            continue
        score = (abs(len(header) - len(first)) <= 1, len(header))
        if len(header) > 1 and score > best_score:
            best, best_score = delimiter, score
    if not best and refused is not None:
        raise refused
    if not best:
        wanted = "tab" if tabs_only else "comma, semicolon or tab"
        raise InputError(
            f"{path.name} has just one column: no {wanted} was found in its first line; export the "
            f"table with a {wanted} between the cells"
        )
    return best


def _read_header(data: bytes, delimiter: str, name: str) -> list[str]:
    """Read the column names, one for each cell of a row.

    R writes no name above the row names; the header is then one cell short, and '' is put first.
    A delimiter at the end of each row also makes the rows longer; '' is then put last.
    """
    header, first = _first_records(data, delimiter, name)
    if not first:
        raise InputError(f"{name} has column names but no rows; add one row a sample")
    names = [column_name(cell) for cell in header]
    require_unique_names(names, name)
    if len(first) == len(names) + 1:
        return [*names, ""] if first[-1] == "" else ["", *names]
    return names


def _read_cells(
    data: bytes, delimiter: str, header: list[str], is_text: IsText, name: str
) -> pd.DataFrame:
    try:
        frame = pd.read_csv(
            io.BytesIO(data),
            sep=delimiter,
            header=0,
            # Positions as names: pandas would rename repeated names without a word.
            names=list(range(len(header))),
            dtype={at: str for at, column in enumerate(header) if is_text(column)},
            keep_default_na=False,
            na_values=sorted(MISSING_CELLS),
            float_precision="round_trip",
            low_memory=False,
            encoding="utf-8",
        )
    except pd.errors.ParserError as error:
        _check_lengths(data, delimiter, len(header), name)
        raise InputError(
            f"{name} cannot be read as a text table ({str(error).strip()}); check the quotation "
            "marks"
        ) from error
    # pandas fills short rows up with missing cells, which shows in the last column.
    if frame.iloc[:, -1].isna().any():
        _check_lengths(data, delimiter, len(header), name)
    return frame.set_axis(header, axis=1)


def _check_lengths(data: bytes, delimiter: str, width: int, name: str) -> None:
    """Refuse the first row that has not as many cells as there are columns."""
    try:
        for number, (line, cells) in enumerate(_records(data, delimiter)):
            if number and len(cells) != width:
                raise InputError(
                    f"{name}, line {line}: the row has {len(cells)} cells where the header has "
                    f"{width}; the file may be cut short or a cell may hold an unquoted delimiter"
                )
    except csv.Error as error:
        raise InputError(
            f"{name} cannot be read as a text table ({error}); check the quotation marks"
        ) from error
