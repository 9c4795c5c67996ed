"""From the files of a run to one table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from crossplate.cli.settings import RunOptions
from crossplate.errors import InputError

if TYPE_CHECKING:
    from crossplate.study import StudySettings
    from crossplate.table import SampleTable

__all__ = ["name_batches", "read_plates"]


def read_plates(options: RunOptions) -> tuple[SampleTable, StudySettings]:
    """Read the tables of a run.

    Returns
    -------
    table
        All samples; the first source file gives the order of features.
    settings
        Which batches are source and target, and how to train.

    Raises
    ------
    InputError
        If a file cannot be read, or the files do not fit together.
    """
    from crossplate.io import read_table
    from crossplate.table import combine_tables

    if options.table is not None:
        table = read_table(
            options.table,
            batch=options.batch,
            label=options.label,
            subject=options.subject,
            sample_id=options.sample_id,
            metadata=options.metadata,
        )
        return table, options.study(options.source_batch, options.target_batch)
    files = (*options.source, *options.target)
    names = name_batches(files)
    n_sources = len(options.source)
    tables = [
        read_table(
            file,
            batch_name=name,
            label=options.label,
            subject=options.subject,
            sample_id=options.sample_id,
            metadata=options.metadata,
            label_required=at < n_sources,
        )
        for at, (file, name) in enumerate(zip(files, names, strict=True))
    ]
    combined = combine_tables(tables, features=options.feature_rule(), distinct_batches=True)
    return combined, options.study(names[:n_sources], names[n_sources:])


def name_batches(files: Sequence[str]) -> list[str]:
    """Name of the batch in each file: the file name without ending, with its folder where needed.

    Raises
    ------
    InputError
        If a file is given twice, or names stay equal.
    """
    from crossplate.io.reading import file_stem

    places = Counter(Path(file).resolve() for file in files)
    for file in files:
        if places[Path(file).resolve()] > 1:
            raise InputError(f"{file} is given twice; each file is a batch, to be given once")
    stems = Counter(file_stem(file) for file in files)
    names = [
        f"{Path(file).resolve().parent.name}/{file_stem(file)}"
        if stems[file_stem(file)] > 1
        else file_stem(file)
        for file in files
    ]
    for name, count in Counter(names).items():
        if count > 1:
            raise InputError(
                f"{count} files make a batch called '{name}'; rename them, since each is a batch "
                "named after its file"
            )
    return names
