"""`read_table`: a file of any supported format becomes a `SampleTable`."""

import difflib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from crossplate.errors import InputError
from crossplate.io.delimited import read_delimited
from crossplate.io.excel import read_excel
from crossplate.io.h5ad import read_h5ad
from crossplate.io.parquet import read_parquet
from crossplate.io.raw import IsText, RawTable
from crossplate.table import SampleTable
from crossplate.table.columns import ColumnRoles, column_name

_READERS: dict[str, Callable[[Path, IsText], RawTable]] = {
    ".csv": read_delimited,
    ".csv.gz": read_delimited,
    ".tsv": read_delimited,
    ".tsv.gz": read_delimited,
    ".txt": read_delimited,
    ".txt.gz": read_delimited,
    ".xlsx": read_excel,
    ".parquet": read_parquet,
    ".h5ad": read_h5ad,
}


def read_table(
    path: str | os.PathLike[str],
    *,
    batch: str | None = None,
    label: str | None = None,
    subject: str | None = None,
    sample_id: str | None = None,
    metadata: Sequence[str] = (),
    batch_name: str | None = None,
    label_required: bool = True,
) -> SampleTable:
    """Read a table of samples from a .csv, .tsv, .txt (also .gz), .xlsx, .parquet or .h5ad file.

    Samples are in rows. Columns of numbers are features, unless they are named here or bear a
    conventional name of a sample column such as ``age`` or ``injection_order``; what was decided
    is told in the table's notices. Empty cells, NA, N/A, NaN and null are missing.

    Parameters
    ----------
    path
        File; its ending tells the format.
    batch
        Column with the batch of each sample. Without it the whole file is one batch.
    label
        Column with the class; an empty cell marks an unlabelled sample.
    subject
        Column with the subject a sample was taken from.
    sample_id
        Column with the sample ids. By default a column called ``sample_id``, ``sample``,
        ``sample name`` or ``id``, else ids are made from the batch name or file name and the row
        number; for h5ad the obs_names.
    metadata
        Further columns that are kept but are no features.
    batch_name
        Name of the only batch, by default the file name without its ending.
    label_required
        Whether a file without the label column is refused. False for new plates.

    Raises
    ------
    InputError
        If the file cannot be read or its content cannot be used; the message says where and why.
    """
    path = Path(path)
    if batch is not None and batch_name is not None:
        raise InputError(
            f"{path.name}: a batch column and a batch name were both given; give one of them"
        )
    roles = ColumnRoles(batch, label, subject, sample_id, tuple(metadata))
    raw = read_raw(path, roles.describes_sample)
    return table_of(raw, path, roles, batch_name=batch_name, label_required=label_required)


def table_of(
    raw: RawTable,
    path: Path,
    roles: ColumnRoles,
    *,
    batch_name: str | None = None,
    label_required: bool = True,
) -> SampleTable:
    """Sort the columns of a file that was read into features and sample columns.

    Parameters
    ----------
    raw
        What was read.
    path
        The file, for its name.
    roles
        The columns that were named.
    batch_name, label_required
        As in :func:`read_table`.

    Raises
    ------
    InputError
        If the content cannot be used.
    """
    table = SampleTable.from_frame(
        raw.frame,
        source_name=path.name,
        batch=roles.batch,
        label=roles.label,
        subject=roles.subject,
        sample_id=roles.sample_id,
        metadata=roles.metadata,
        batch_name=(batch_name or file_stem(path)) if roles.batch is None else None,
        label_required=label_required,
        row_name=raw.row_name,
        id_prefix=batch_name or file_stem(path),
        sample_columns=raw.sample_columns,
    )
    return table.with_notices(*raw.notices)


def read_texts(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a table of any of the formats as it stands, all columns as text, empty cells missing.

    Parameters
    ----------
    path
        File; its ending tells the format.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    frame = read_raw(Path(path), lambda _: True).frame
    return frame.set_axis([column_name(name) for name in frame.columns], axis=1)


def file_stem(path: str | os.PathLike[str]) -> str:
    """Return the file name without folder and without a known ending (``.csv.gz`` and so on)."""
    name = Path(path).name
    ending = file_ending(name)
    return name[: -len(ending)] if ending else Path(name).stem


def file_ending(name: str) -> str | None:
    """Return the ending that tells a table's format (``.csv.gz`` and so on), None for another."""
    fitting = [ending for ending in _READERS if name.lower().endswith(ending)]
    return max(fitting, key=len) if fitting else None


def read_raw(path: Path, is_text: IsText) -> RawTable:
    """Read a file as it stands.

    Parameters
    ----------
    path
        File; its ending tells the format.
    is_text
        Tells which columns are kept as text.

    Raises
    ------
    InputError
        If the file cannot be read, in one sentence whatever the system reports.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a table file in it")
    if not path.exists():
        raise InputError(f"{path} does not exist{_similar_file(path)}")
    ending = file_ending(path.name)
    if ending is None:
        raise InputError(
            f"{path.name} has an ending that is not known; tables end in {', '.join(_READERS)}"
        )
    try:
        if path.stat().st_size == 0:
            raise InputError(
                f"{path.name} is empty; give a file with a header and one row a sample"
            )
        return _READERS[ending](path, is_text)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror or error}); check that you may open it"
        ) from error


def _similar_file(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f", nor does its folder {folder}; check the spelling"
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError:
        names = []
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"; did you mean {close[0]}?" if close else "; check the spelling"
