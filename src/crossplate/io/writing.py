"""`write_frame`: a data frame becomes a file, complete or not at all."""

import gzip
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pandas as pd

from crossplate.errors import InputError
from crossplate.io.excel import write_excel
from crossplate.io.parquet import write_parquet


def write_delimited(frame: pd.DataFrame, path: Path, *, delimiter: str, gzipped: bool) -> None:
    """Write a frame as text without its index, floats with all digits they need.

    Parameters
    ----------
    frame
        What to write.
    path
        Where to.
    delimiter
        What stands between the cells.
    gzipped
        Whether the file is compressed.
    """
    text = frame.to_csv(index=False, sep=delimiter, lineterminator="\n").encode()
    # A gzip header without time, so that the same frame gives the same bytes.
    path.write_bytes(gzip.compress(text, mtime=0) if gzipped else text)


_WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    ".csv": partial(write_delimited, delimiter=",", gzipped=False),
    ".csv.gz": partial(write_delimited, delimiter=",", gzipped=True),
    ".tsv": partial(write_delimited, delimiter="\t", gzipped=False),
    ".tsv.gz": partial(write_delimited, delimiter="\t", gzipped=True),
    ".xlsx": write_excel,
    ".parquet": write_parquet,
}


def write_frame(frame: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write a frame as .csv, .tsv (also .gz), .xlsx or .parquet, by the ending of the path.

    A named index is written as the first columns, an unnamed one is not written. Floats are
    written with as many digits as it takes to read the same number back; a missing value is an
    empty cell. The file is replaced in one step if it exists.

    Parameters
    ----------
    frame
        What to write.
    path
        Where to; the folder must exist.

    Raises
    ------
    InputError
        If the ending is not one of these, a package is not installed, or the place is not
        writable.
    """
    path = Path(path)
    fitting = [ending for ending in _WRITERS if path.name.lower().endswith(ending)]
    if not fitting:
        raise InputError(
            f"{path.name} has an ending that cannot be written; tables end in {', '.join(_WRITERS)}"
        )
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    ending = max(fitting, key=len)
    with whole_file(path) as place:
        _WRITERS[ending](frame, place)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary place for a file that takes its name, in one step, once it is written.

    Parameters
    ----------
    path
        Where the file goes; the folder must exist.

    Yields
    ------
    Path
        Where to write, with the name of ``path`` in a folder beside it.

    Raises
    ------
    InputError
        If the place is not writable.
    """
    # A folder beside the file keeps the file's name in error messages.
    folder = path.with_name(f".{uuid.uuid4().hex}.partial")
    try:
        folder.mkdir()
        yield folder / path.name
        (folder / path.name).replace(path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror or error}); choose a folder that exists "
            "and that you may write to"
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
