"""From the form in which data was published to the form in which it is kept and used."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from crossplate.errors import InputError
from crossplate.table import SampleTable


def jdlber_cytof(raw: bytes, name: str) -> bytes:
    """Turn a CyTOF file of the JDLBER repository into a table with sample ids, as CSV.

    The published file has the columns ``labels``, ``board`` (the day) and X1 … X25; no value is
    changed.

    Parameters
    ----------
    raw
        Content of the published file.
    name
        Name under which the table is kept; it tells the person and the day.

    Raises
    ------
    ValueError
        If the content is no such file.
    """
    match = re.match(r"person(\d)_day(\d)_", name)
    if match is None:
        raise ValueError(f"{name} tells no person and day")
    person, day = match.groups()
    published = pd.read_csv(io.BytesIO(raw))
    markers = [f"X{i}" for i in range(1, 26)]
    if list(published.columns) != ["labels", "board", *markers]:
        raise ValueError("its columns are not labels, board and X1 to X25")
    samples = pd.DataFrame(
        {
            "sample_id": [f"P{person}D{day}_baseline_{row:05d}" for row in range(len(published))],
            "patient": person,
            "day": published["board"],
            "condition": "baseline",
            "label": published["labels"],
        }
    )
    table = pd.concat([samples, published[markers].astype(float)], axis=1)
    return table.to_csv(index=False, lineterminator="\n").encode()


CONVERTERS: Mapping[str, Callable[[bytes, str], bytes]] = {"jdlber_cytof": jdlber_cytof}


def with_replicates(table: SampleTable, counts: pd.Series, prefix: str, source: str) -> SampleTable:
    """Name the subjects of a table whose rows are the replicates of one subject after another.

    Parameters
    ----------
    table
        Spectra in rows.
    counts
        Spectra of each subject, in the order of the rows, shape (subjects,).
    prefix
        Start of the names: subject ``<prefix>_S001``, sample ``<prefix>_S001_R1``.
    source
        Name of the file with the counts, for the message.

    Raises
    ------
    InputError
        If the counts do not add up to the number of rows.
    """
    if counts.sum() != table.n_samples:
        raise InputError(
            f"{source} counts {counts.sum()} spectra but batch {table.batches[0]} has "
            f"{table.n_samples} rows; fetch both files anew from one place"
        )
    number = np.repeat(np.arange(1, len(counts) + 1), counts)
    replicate = np.concatenate([np.arange(1, count + 1) for count in counts])
    subjects = [f"{prefix}_S{n:03d}" for n in number]
    index = pd.Index(
        [f"{s}_R{r}" for s, r in zip(subjects, replicate, strict=True)],
        name="sample_id",
        dtype=object,
    )
    return replace(
        table,
        features=table.features.set_axis(index),
        batch=table.batch.set_axis(index),
        label=None if table.label is None else table.label.set_axis(index),
        subject=pd.Series(subjects, index=index, name="subject", dtype=object),
        metadata=table.metadata.set_axis(index),
    )
