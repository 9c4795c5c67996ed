"""Public data by name: list, describe, fetch, load."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from crossplate.datasets.catalogue import DataFile, Dataset, datasets, find_dataset
from crossplate.datasets.convert import with_replicates
from crossplate.datasets.download import fetch_dataset
from crossplate.errors import InputError
from crossplate.io import read_table
from crossplate.table import SampleTable, combine_tables


def available() -> list[Dataset]:
    """List all registered data sets."""
    return list(datasets().values())


def describe(name: str) -> str:
    """Say in some lines of text what a data set is and how to get it.

    Raises
    ------
    InputError
        If no data set has this name.
    """
    dataset = find_dataset(name)
    files = ", ".join(file.name for file in dataset.files)
    access = "direct download" if dataset.downloadable else f"no download: {dataset.how_to_get}"
    return "\n".join(
        [
            f"{dataset.name}: {dataset.title}",
            dataset.description,
            f"Files (folder {dataset.folder}): {files}",
            f"Access: {access}",
            f"Licence: {dataset.licence}",
            f"Citation: {dataset.citation}",
        ]
    )


def fetch(
    name: str,
    *,
    folder: str | os.PathLike[str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Path]:
    """Give the files of a data set, downloading what is not on this machine yet.

    A folder named by the environment variable ``CROSSPLATE_DATA`` is looked into first: for
    ``<CROSSPLATE_DATA>/<folder of the data set>/<file>`` and ``<CROSSPLATE_DATA>/<file>``. Files
    with a direct download are verified wherever they come from.

    Parameters
    ----------
    name
        Name of the data set, see :func:`available`.
    folder
        Where downloads are kept and looked for; default the user's cache folder.
    progress
        Called with one line of text for each file.

    Returns
    -------
    dict
        Path of each file by its name, in the order of the registry.

    Raises
    ------
    InputError
        If no data set has this name, there is no direct download and no local copy, the network
        fails, a file is not the registered one, or the folder cannot be written to.
    """
    return _fetch(find_dataset(name), folder, progress)[0]


def load(
    name: str,
    *,
    folder: str | os.PathLike[str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> SampleTable:
    """Read a data set into one table, fetching it first where needed.

    Parameters
    ----------
    name, folder, progress
        As for :func:`fetch`.

    Returns
    -------
    SampleTable
        All samples of all batches, labels and subjects included. Quality-control samples keep
        the label they have in the file.

    Raises
    ------
    InputError
        As for :func:`fetch`, or if a file cannot be read as a table.
    """
    dataset = find_dataset(name)
    paths, notices = _fetch(dataset, folder, progress)
    tables = [_read(dataset, file, paths) for file in dataset.files if file.role == "table"]
    table = tables[0] if len(tables) == 1 else combine_tables(tables, features="error")
    return table.with_notices(*notices)


def _fetch(
    dataset: Dataset,
    folder: str | os.PathLike[str] | None,
    progress: Callable[[str], None] | None,
) -> tuple[dict[str, Path], tuple[str, ...]]:
    place = None if folder is None else Path(folder)
    return fetch_dataset(dataset, place, progress or _silent)


def _silent(line: str) -> None:
    """Progress that nobody watches."""


def _read(dataset: Dataset, file: DataFile, paths: dict[str, Path]) -> SampleTable:
    columns = dataset.columns
    table = read_table(
        paths[file.name],
        batch=columns.batch,
        batch_name=file.batch,
        label=columns.label,
        subject=columns.subject,
        sample_id=columns.sample_id,
        metadata=columns.metadata,
    )
    if table.label is not None and dataset.label_names:
        names = dataset.label_names
        table = replace(table, label=table.label.map(lambda label: names.get(label, label)))
    if file.replicates and file.batch:
        counts = _read_counts(paths[file.replicates])
        prefix = file.batch.replace("plate", "P")
        table = with_replicates(table, counts, prefix, file.replicates)
    return table


def _read_counts(path: Path) -> pd.Series:
    """Spectra of each subject: one whole number a line under one heading."""
    try:
        return pd.read_csv(path, dtype="int64").iloc[:, 0]
    except (ValueError, IndexError) as error:
        raise InputError(
            f"{path.name} is no list of whole numbers under one heading ({error}); "
            "remove it and fetch it anew"
        ) from error
