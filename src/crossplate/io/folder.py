"""Output folders that appear complete or not at all."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crossplate.errors import InputError

#: File by which a folder is known to be written here and may therefore be overwritten.
MARKER = ".crossplate"
_MARKER_TEXT = "crossplate output folder, format 1\n"


def check_output_folder(path: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Check, before any work is done, that a folder can be written.

    Parameters
    ----------
    path
        Folder to come. It may exist if it is empty.
    overwrite
        Whether a folder that is not empty may be replaced. Only one that `output_folder` wrote
        (it holds a file ``.crossplate``) ever is, so that a slip destroys nothing.

    Raises
    ------
    InputError
        If the path is a file, not empty, not ours, the working folder or above it, a mount point,
        or not writable.
    """
    folder = Path(path)
    target = folder.resolve()
    if target.exists():
        _check_replaceable(folder, target, overwrite)
    parent = target.parent
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir():
        raise InputError(
            f"output folder {folder} cannot be made since {parent} is a file; choose another one"
        )
    if not os.access(parent, os.W_OK | os.X_OK):
        raise InputError(
            f"output folder {folder} cannot be made since {parent} is not writable; choose another "
            "place, or ask for the right to write there"
        )


@contextmanager
def output_folder(path: str | os.PathLike[str], *, overwrite: bool) -> Iterator[Path]:
    """Give a temporary folder that takes its final name once all is written.

    On success the folder is renamed to `path` in one step; what stood there is removed only after
    that. If the block raises, the temporary folder is removed and `path` is as it was. A file
    ``.crossplate`` is added, which marks the folder as replaceable.

    Parameters
    ----------
    path
        Final folder; folders above it are made if need be.
    overwrite
        As in `check_output_folder`.

    Yields
    ------
    Path
        Temporary folder beside the final one, to write into.

    Raises
    ------
    InputError
        As in `check_output_folder`, at entering and again before the renaming.
    """
    check_output_folder(path, overwrite=overwrite)
    target = Path(path).resolve()
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.partial")
    made = _make_folders(part, Path(path))
    try:
        (part / MARKER).write_text(_MARKER_TEXT, encoding="utf-8")
        yield part
        check_output_folder(path, overwrite=overwrite)
        _swap(part, target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        for folder in made:
            if not any(folder.iterdir()):
                folder.rmdir()
        raise


def _check_replaceable(folder: Path, target: Path, overwrite: bool) -> None:
    if not target.is_dir():
        raise InputError(f"output folder {folder} is a file; choose another name for the folder")
    if target == Path.cwd() or target in Path.cwd().parents or target.is_mount():
        raise InputError(
            f"output folder {folder} cannot be replaced as a whole while it is in use; name a new "
            "folder inside it"
        )
    if not os.listdir(target):
        return
    if not overwrite:
        raise InputError(
            f"output folder {folder} is not empty; choose another one, or "
            "replace it with --overwrite"
        )
    if not (target / MARKER).is_file():
        raise InputError(
            f"output folder {folder} was not written by crossplate (it has no file {MARKER}), so "
            "--overwrite leaves it alone; choose another one or delete it yourself"
        )


def _make_folders(part: Path, shown: Path) -> list[Path]:
    """Make a folder and those above; returns which of those above were made, deepest first."""
    absent = [folder for folder in part.parents if not folder.exists()]
    try:
        part.mkdir(parents=True)
    except OSError as error:
        raise InputError(
            f"output folder {shown} cannot be made ({error.strerror}); choose another place"
        ) from error
    return absent


def _swap(part: Path, target: Path) -> None:
    """Rename the finished folder into place; the old one comes back if that fails."""
    if not target.exists():
        part.rename(target)
        return
    aside = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.old")
    target.rename(aside)
    try:
        part.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)
