"""The metadata table: which batch, subject, replicate and label each spectrum has."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from crossplate.errors import InputError
from crossplate.io.delimited import read_delimited
from crossplate.io.excel import read_excel
from crossplate.io.parquet import read_parquet
from crossplate.io.raw import IsText, RawTable
from crossplate.spectra.reading import path_key
from crossplate.table.cells import as_metadata, as_text
from crossplate.table.columns import (
    ID_NAMES,
    column_name,
    require_column,
    require_unique_names,
    squash,
)

__all__ = ["MetadataTable", "read_metadata"]

RowName = Callable[[int], str]

_READERS: dict[str, Callable[[Path, IsText], RawTable]] = {
    **dict.fromkeys((".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz"), read_delimited),
    ".xlsx": read_excel,
    ".parquet": read_parquet,
}
_FILE_NAMES = ("file", "filename", "filepath", "path", "spectrum", "spectrumfile", "folder")
_ROLE_NAMES = {
    "batch": ("batch", "plate"),
    "label": ("label", "labels", "diagnosis"),
    "subject": ("subject", "subjectid", "patient", "patientid", "donor", "donorid"),
    "replicate": ("replicate", "rep"),
}


@dataclass(frozen=True)
class MetadataTable:
    """A metadata table, read and sorted by what its columns mean.

    Attributes
    ----------
    source
        File name.
    keys
        What names the spectrum, file or folder of each row.
    row_name
        Turns the 0-based number of a row into file and line, for messages.
    ids
        Sample id of each row, None where the table has no column of ids beside the keys.
    columns
        One row for each row of the table: ``batch``, ``label``, ``subject`` and ``replicate`` (as
        text, None where missing) as far as the table has them, then all other columns.
    """

    source: str
    keys: tuple[str, ...]
    row_name: RowName
    ids: tuple[str | None, ...] | None
    columns: pd.DataFrame


def read_metadata(
    path: str | os.PathLike[str],
    *,
    batch: str | None = None,
    label: str | None = None,
    subject: str | None = None,
) -> MetadataTable:
    """Read a metadata table from a .csv, .tsv, .txt (also .gz), .xlsx or .parquet file.

    One row names a spectrum, a file (and then all spectra in it) or a folder (and all in it), in
    a column called file, file name, path, spectrum or folder, or else sample id, sample or id.
    An ending such as ``.mzML`` and the folders before may be left out.

    Parameters
    ----------
    path
        The table.
    batch, label, subject
        Names of these columns; by default columns with a usual name (batch or plate; label or
        diagnosis; subject, patient or donor). Replicates are told by a column replicate or rep.

    Raises
    ------
    InputError
        If the table cannot be read, a named column is missing, no column names the spectra, or a
        name is missing or stands twice.
    """
    path = Path(path)
    raw = _read(path)
    frame = raw.frame.set_axis([column_name(name) for name in raw.frame.columns], axis=1)
    names = [str(name) for name in frame.columns]
    require_unique_names(names, path.name)
    key, roles = _roles(names, path.name, {"batch": batch, "label": label, "subject": subject})
    filled = np.flatnonzero(~frame.isna().to_numpy().all(axis=1))
    frame = frame.iloc[filled].reset_index(drop=True)

    def row_name(row: int) -> str:
        return f"{path.name}, {raw.row_name(int(filled[row]))}"

    others = [name for name in names if name not in roles.values() and name not in (key, "")]
    ids = _first_of(ID_NAMES, others)
    columns = {role: as_text(frame[name], fold_whole_numbers=True) for role, name in roles.items()}
    for name in others:
        if name != ids and name not in _ROLE_NAMES:
            columns[name] = as_metadata(frame[name])
    return MetadataTable(
        source=path.name,
        keys=_keys(frame[key], row_name),
        row_name=row_name,
        ids=None if ids is None else tuple(as_text(frame[ids], fold_whole_numbers=False)),
        columns=pd.DataFrame(columns, index=frame.index),
    )


def _roles(
    names: Sequence[str], source: str, given: dict[str, str | None]
) -> tuple[str, dict[str, str]]:
    """Column that names the spectra, and the columns of the roles that the table has."""
    for role, name in given.items():
        if name is not None:
            require_column(name, names, source, f"--{role}")
    key = _first_of((*_FILE_NAMES, *ID_NAMES), names)
    if key is None:
        raise InputError(
            f"{source}: no column names the spectra; call it 'file' (its columns are "
            f"{', '.join(names[:6])})"
        )
    free = [name for name in names if name != key]
    roles = {role: given.get(role) or _first_of(usual, free) for role, usual in _ROLE_NAMES.items()}
    return key, {role: name for role, name in roles.items() if name is not None}


def _read(path: Path) -> RawTable:
    fitting = [ending for ending in _READERS if path.name.lower().endswith(ending)]
    if not path.is_file():
        raise InputError(f"metadata table {path} does not exist; check the spelling")
    if not fitting:
        raise InputError(
            f"{path.name} has an ending that is not known; metadata tables end in "
            f"{', '.join(_READERS)}"
        )
    try:
        return _READERS[max(fitting, key=len)](path, lambda _: True)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror or error}); check that you may open it"
        ) from error


def _first_of(wanted: Sequence[str], names: Sequence[str]) -> str | None:
    """Column whose name comes first among the wanted ones."""
    by_name = {squash(name): name for name in reversed(names)}
    return next((by_name[name] for name in wanted if name in by_name), None)


def _keys(column: pd.Series, row_name: RowName) -> tuple[str, ...]:
    keys = as_text(column, fold_whole_numbers=False)
    seen: dict[str, int] = {}
    for at, key in enumerate(keys):
        if key is None:
            raise InputError(
                f"{row_name(at)}: the column '{column.name}' is empty, so it names no spectrum; "
                "fill it in or delete the row"
            )
        if path_key(key) in seen:
            raise InputError(
                f"{row_name(at)}: '{key}' was named before ({row_name(seen[path_key(key)])}); "
                "keep one row for each spectrum or file"
            )
        seen[path_key(key)] = at
    return tuple(keys)
