"""Find the files of a data set on this machine, or download and verify them."""

from __future__ import annotations

import gzip
import hashlib
import os
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

from crossplate.datasets.catalogue import DataFile, Dataset
from crossplate.datasets.convert import CONVERTERS
from crossplate.errors import InputError

DATA_VARIABLE = "CROSSPLATE_DATA"
TIMEOUT_SECONDS = 60

Progress = Callable[[str], None]


def fetch_dataset(
    dataset: Dataset, folder: Path | None, progress: Progress
) -> tuple[dict[str, Path], tuple[str, ...]]:
    """Give the path of each file, downloading what is not on this machine.

    Looks first into the folder that the environment variable CROSSPLATE_DATA names, then into
    `folder` (default: the user's cache), then downloads into the latter.

    Parameters
    ----------
    dataset
        What to get.
    folder
        Where downloads are kept.
    progress
        Called with a line of text for each file.

    Returns
    -------
    paths
        Path of each file by its name.
    notices
        Files that differ from the registered copy, where there is no direct download and the
        user's own copy is used.

    Raises
    ------
    InputError
        If a file cannot be had or is not what it should be; see :func:`crossplate.datasets.fetch`.
    """
    paths: dict[str, Path] = {}
    notices: list[str] = []
    for file in dataset.files:
        path = find_local(dataset, file, folder)
        if path is None:
            path = download(dataset, file, (folder or _cache(dataset)) / file.name, progress)
        else:
            progress(f"{file.name}: found at {path}")
            problem = mismatch(file, content(path))
            if problem and file.url:
                raise InputError(
                    f"{path} is not the registered file of {dataset.name} ({problem}); "
                    "remove it, so that it is downloaded anew"
                )
            if problem:
                notices.append(
                    f"{path.name} differs from the copy of {dataset.name} that was registered "
                    f"({problem}); it is used as it is"
                )
        paths[file.name] = path
    return paths, tuple(notices)


def find_local(dataset: Dataset, file: DataFile, folder: Path | None) -> Path | None:
    """Path of the file if it is on this machine, else None.

    In the folder named by CROSSPLATE_DATA the file may lie in a folder called like the data set's
    or directly. Directly, a name that many data sets have (``data.csv.gz``) only counts if the
    folder is the data set's.

    Raises
    ------
    InputError
        If CROSSPLATE_DATA names no folder.
    """
    candidates = []
    variable = os.environ.get(DATA_VARIABLE)
    if variable:
        root = Path(variable).expanduser()
        if not root.is_dir():
            raise InputError(
                f"{DATA_VARIABLE} names {variable}, which is no folder; correct or unset it"
            )
        candidates.append(root / dataset.folder / file.name)
        if not _ambiguous(file) or root.resolve().name == dataset.folder:
            candidates.append(root / file.name)
    candidates.append((folder or _cache(dataset)) / file.name)
    return next((path for path in candidates if path.is_file()), None)


def content(path: Path) -> bytes:
    """Content of a file, uncompressed if the name ends in ``.gz``.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        raw = path.read_bytes()
        return gzip.decompress(raw) if path.suffix == ".gz" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(
            f"{path} cannot be read ({error}); remove it, or put a whole copy in its place"
        ) from error


def git_blob_id(data: bytes) -> str:
    """Id that git gives to a file of this content."""
    # The id is a name agreed upon, no protection: SHA-1 is what git uses.
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def mismatch(file: DataFile, data: bytes) -> str | None:
    """Say how the content differs from what is registered, None if it does not."""
    if file.sha256 is not None:
        found = hashlib.sha256(data).hexdigest()
        if found != file.sha256:
            return f"SHA-256 of its content {found[:16]}… instead of {file.sha256[:16]}…"
    if file.git_blob is not None:
        found = git_blob_id(data)
        if found != file.git_blob:
            return f"git blob id {found[:16]}… instead of {file.git_blob[:16]}…"
    return None


def download(dataset: Dataset, file: DataFile, target: Path, progress: Progress) -> Path:
    """Download, convert, verify and keep one file; `target` appears complete or not at all.

    Raises
    ------
    InputError
        If there is no direct download, the network fails, the content is not the registered one,
        or the file cannot be written.
    """
    remedy = f"put {file.name} into a folder named by the environment variable {DATA_VARIABLE}"
    if file.url is None:
        raise InputError(
            f"{dataset.name} has no direct download: {dataset.how_to_get}, then put the file "
            f"{dataset.folder}/{file.name} into a folder named by the environment variable "
            f"{DATA_VARIABLE}"
        )
    progress(f"{file.name}: downloading {file.url}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".download-") as scratch:
            data = _retrieve(file.url, Path(scratch) / "raw", remedy)
            data = _verified(file, data, remedy)
            part = Path(scratch) / file.name
            part.write_bytes(gzip.compress(data, mtime=0) if target.suffix == ".gz" else data)
            part.replace(target)
    except OSError as error:
        raise InputError(
            f"{file.name} cannot be kept in {target.parent} ({error.strerror or error}); "
            "name a folder that can be written to"
        ) from error
    return target


def _retrieve(url: str, path: Path, remedy: str) -> bytes:
    """Content behind the address, by way of a file at `path`."""
    import pooch

    # Loaded with pooch; its errors are OSErrors, told apart here from those of the disk.
    from requests import RequestException

    try:
        pooch.HTTPDownloader(timeout=TIMEOUT_SECONDS)(url, str(path), None)
    except RequestException as error:
        raise InputError(
            f"{url} cannot be downloaded ({type(error).__name__}); check the network, or {remedy}"
        ) from error
    return path.read_bytes()


def _verified(file: DataFile, raw: bytes, remedy: str) -> bytes:
    """Content to keep, converted where that is due, once it is known to be the right one."""
    try:
        data = raw if file.converter is None else CONVERTERS[file.converter](raw, file.name)
    except ValueError as error:
        problem: str | None = f"it cannot be converted: {error}"
    else:
        problem = mismatch(file, data)
        if problem is None:
            return data
    raise InputError(
        f"the download of {file.name} from {file.url} is not the registered file ({problem}); "
        f"try again later, or {remedy}"
    )


def _cache(dataset: Dataset) -> Path:
    import pooch

    return Path(pooch.os_cache("crossplate")) / dataset.folder


def _ambiguous(file: DataFile) -> bool:
    """Whether the name says nothing of the data set."""
    return file.name == "data.csv.gz"
