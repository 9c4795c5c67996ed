"""What is known of each public data set: read from ``registry.toml`` beside this file."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, Literal

from crossplate.errors import InputError


@dataclass(frozen=True)
class DataFile:
    """One file of a data set.

    Attributes
    ----------
    name
        File name as it is kept on disk.
    role
        ``"table"``: samples in rows; ``"counts"``: spectra a subject, in row order of a table.
    batch
        The one batch of the whole file; None where a column holds the batch.
    url
        Where it can be downloaded; None where there is no direct download.
    sha256
        SHA-256 of the (uncompressed) content, None if not known.
    git_blob
        Git blob id of the (uncompressed) content, None if not known.
    converter
        Name of the function that turns the download into this file; None if it is the file.
    replicates
        Name of the counts file from which the subjects of this table follow.
    """

    name: str
    role: Literal["table", "counts"] = "table"
    batch: str | None = None
    url: str | None = None
    sha256: str | None = None
    git_blob: str | None = None
    converter: str | None = None
    replicates: str | None = None


@dataclass(frozen=True)
class Columns:
    """Names of the sample columns in the tables; all others are features."""

    sample_id: str | None = None
    batch: str | None = None
    label: str | None = None
    subject: str | None = None
    metadata: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """A public data set and where its files are.

    Attributes
    ----------
    name
        Short name by which it is asked for.
    title, licence, citation, description
        Texts for the reader.
    folder
        Name of the folder that holds the files; several data sets may share one.
    files
        The files, all needed.
    columns
        Which columns of the tables are batch, label and so on.
    label_names
        Clearer names for the labels in the file, empty if they are clear.
    how_to_get
        What to do where there is no direct download; empty otherwise.
    """

    name: str
    title: str
    licence: str
    citation: str
    description: str
    folder: str
    files: tuple[DataFile, ...]
    columns: Columns
    label_names: Mapping[str, str] = field(default_factory=dict)
    how_to_get: str = ""

    @property
    def downloadable(self) -> bool:
        """Whether every file has a direct download."""
        return all(file.url for file in self.files)


@cache
def datasets() -> Mapping[str, Dataset]:
    """All registered data sets by name, in the order of the registry."""
    text = resources.files("crossplate.datasets").joinpath("registry.toml").read_text("utf-8")
    entries: list[dict[str, Any]] = tomllib.loads(text)["dataset"]
    return {entry["name"]: _dataset(entry) for entry in entries}


def find_dataset(name: str) -> Dataset:
    """Return the data set of this name.

    Raises
    ------
    InputError
        If there is none; the message lists those there are.
    """
    known = datasets()
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean '{close[0]}', or another" if close else "name one"
        raise InputError(f"there is no data set '{name}'; {hint} of {', '.join(known)}")
    return known[name]


def _dataset(entry: Mapping[str, Any]) -> Dataset:
    texts = {key: value.strip() for key, value in entry.items() if isinstance(value, str)}
    columns = entry["columns"]
    return Dataset(
        **texts,
        files=tuple(DataFile(**file) for file in entry["file"]),
        columns=Columns(**{**columns, "metadata": tuple(columns.get("metadata", ()))}),
        label_names=dict(entry.get("label_names", {})),
    )
