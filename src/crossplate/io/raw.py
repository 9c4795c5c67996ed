"""What every format reader returns, and the checks they share."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pandas as pd

from crossplate.errors import InputError

#: Tells by its name whether a column describes samples, so that ``007`` is read as text there.
IsText = Callable[[str], bool]

# First bytes of files that are often renamed by mistake.
_SIGNATURES = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"PAR1": "Parquet",
    b"\x89HDF\r\n\x1a\n": "HDF5",
    b"\xd0\xcf\x11\xe0": "old Excel (.xls)",
    b"%PDF": "PDF",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"Rar!": "RAR",
    b"7z\xbc\xaf": "7z",
}


@dataclass(frozen=True)
class RawTable:
    """A file as it stands, before any column is judged.

    Attributes
    ----------
    frame
        Samples in rows. Column names are those of the file; an index of text is sample ids.
    row_name
        Turns the 0-based number of a row into the name a user finds it by (``line 5``).
    sample_columns
        All columns that describe samples, where the format tells; None where it does not.
    notices
        Sentences about what was decided while reading.
    """

    frame: pd.DataFrame
    row_name: Callable[[int], str]
    sample_columns: Collection[str] | None = None
    notices: tuple[str, ...] = ()


def file_kind(head: bytes) -> str | None:
    """Name the kind of a file from its first bytes; None if they are those of no known kind."""
    for signature, kind in _SIGNATURES.items():
        if head.startswith(signature):
            return kind
    return None


def require_kind(path: Path, wanted: str, meaning: str) -> None:
    """Refuse a file that does not begin the way files with its ending do.

    Parameters
    ----------
    path
        File to look into.
    wanted
        Kind as `file_kind` names it.
    meaning
        What a file with this ending is, for the message, such as ``an Excel workbook``.

    Raises
    ------
    InputError
        Names the file and what it looks like.
    """
    with path.open("rb") as stream:
        head = stream.read(512)
    kind = file_kind(head)
    if kind == wanted:
        return
    if kind is not None:
        found = f"it looks like a file of kind {kind}"
    elif b"\0" not in head:
        found = "it looks like text"
    else:
        found = "its content is of no known kind"
    raise InputError(
        f"{path.name} is not {meaning}, whatever its name says ({found}); give the file the ending "
        "that fits its content, or export it again"
    )


def optional_module(name: str, *, package: str, extra: str, purpose: str) -> ModuleType:
    """Import a module of an optional package.

    Raises
    ------
    InputError
        If it is not installed; says what to install.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise InputError(
            f'{purpose} needs the package {package}; install it with: pip install "crossplate'
            f'[{extra}]"'
        ) from error
