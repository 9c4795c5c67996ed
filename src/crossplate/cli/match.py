"""``crossplate match``: give the same ions of several tables the same names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossplate.cli.errors import plain_errors
from crossplate.cli.options import Batch, Label, Metadata, SampleId, Subject
from crossplate.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from crossplate.spectra.matching import Matching
    from crossplate.table import SampleTable

MATCH_EXAMPLES = """\b
Example, two batches whose ions were found separately:
  crossplate match batch1.csv batch2.csv --ppm 10 --out matched.csv
"""
_SHOWN = 3

__all__ = ["MATCH_EXAMPLES", "match_command"]


def match_command(
    tables: Annotated[
        list[str],
        typer.Argument(
            metavar="TABLE",
            help="Two tables or more, samples in rows, features named by their m/z (123.4, "
            "mz_123.4).",
        ),
    ],
    out: Annotated[
        str,
        typer.Option(metavar="FILE", help="Where the one table goes: .csv, .tsv, .xlsx, .parquet."),
    ],
    ppm: Annotated[
        float,
        typer.Option(metavar="PPM", help="How far apart, without the shift, one ion's m/z may be."),
    ] = 10.0,
    batch: Batch = None,
    label: Label = None,
    subject: Subject = None,
    sample_id: SampleId = None,
    metadata: Metadata = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace FILE if it exists.")
    ] = False,
) -> None:
    """Match feature tables whose m/z lists differ.

    Each table is matched with the first: the shift between them is estimated, then features are
    paired that are nearest to one another within the tolerance. Those found in all tables are
    written under the names of the first, all samples under one another; each TABLE is a batch
    named after its file, unless --batch names a column. The pairs go to FILE.pairs.csv.
    """
    with plain_errors():
        from crossplate.cli.plates import name_batches
        from crossplate.cli.progress import show_steps
        from crossplate.io import read_table, write_frame
        from crossplate.spectra.matching import match_tables

        pairs_file = _check_places(tables, out, overwrite)
        with show_steps() as steps:
            steps.begin("Reading")
            names = name_batches(tables) if len(tables) > 1 else tables
            read = [
                read_table(
                    file,
                    batch=batch,
                    batch_name=None if batch else name,
                    label=label,
                    subject=subject,
                    sample_id=sample_id,
                    metadata=metadata or (),
                    label_required=False,
                )
                for file, name in zip(tables, names, strict=True)
            ]
            steps.begin("Matching")
            matched, matchings = match_tables(read, ppm)
            steps.begin("Writing")
            write_frame(_one_frame(matched), out)
            write_frame(_pairs(read, matchings, names), pairs_file)
        typer.echo(_summary(read, matched, matchings, names, out, pairs_file))


def _check_places(tables: Sequence[str], out: str, overwrite: bool) -> str:
    """Refuse places that must not be written; returns the file of the pairs."""
    from crossplate.io.reading import file_stem

    pairs_file = str(Path(out).with_name(f"{file_stem(out)}.pairs.csv"))
    for place in (out, pairs_file):
        if Path(place).resolve() in [Path(table).resolve() for table in tables]:
            raise InputError(f"--out would replace {place}, which is read; choose another name")
        if Path(place).exists() and not overwrite:
            raise InputError(f"{place} exists; choose another name or replace it with --overwrite")
    return pairs_file


def _one_frame(tables: Sequence[SampleTable]) -> pd.DataFrame:
    """All samples under one another: batch, label and subject if any, other columns, features."""
    import pandas as pd

    from crossplate.table import combine_tables

    table = combine_tables(tables)
    parts = [part for part in (table.batch, table.label, table.subject) if part is not None]
    taken = [str(part.name) for part in parts if part.name in table.metadata.columns]
    if taken:
        raise InputError(
            f"the tables have a column '{taken[0]}' of their own; name it with --{taken[0]} "
            f"{taken[0]}, or rename it"
        )
    return pd.concat([*parts, table.metadata, table.features], axis=1)


def _pairs(
    tables: Sequence[SampleTable], matchings: Sequence[Matching], names: Sequence[str]
) -> pd.DataFrame:
    """All pairs of all tables with the first, one a row."""
    import pandas as pd

    first, *others = [list(table.features.columns) for table in tables]
    frames = []
    for name, features, matching in zip(names[1:], others, matchings, strict=True):
        frame = matching.to_frame(first, features)
        frame.insert(0, "table", name)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _summary(
    tables: Sequence[SampleTable],
    matched: Sequence[SampleTable],
    matchings: Sequence[Matching],
    names: Sequence[str],
    out: str,
    pairs_file: str,
) -> str:
    """What was found, table by table, and where it is."""
    from crossplate.cli.summary import align, paragraph

    rows = [["", "features", "matched", "shift (ppm)", "error (ppm)", "ambiguous"]]
    rows.append([names[0], str(tables[0].n_features), "-", "-", "-", "-"])
    for name, table, matching in zip(names[1:], tables[1:], matchings, strict=True):
        rows.append([name, str(table.n_features), *_figures(matching)])
    parts = [
        paragraph(
            f"{matched[0].n_features} features were found in all {len(tables)} tables; shift and "
            f"error are medians of the differences to {names[0]}."
        ),
        "\n".join(align(rows)),
    ]
    first = tables[0].features.columns
    for name, matching in zip(names[1:], matchings, strict=True):
        doubtful = [str(first[at]) for at in matching.pairs[matching.ambiguous, 0]]
        if doubtful:
            more = f" and {len(doubtful) - _SHOWN} more" if len(doubtful) > _SHOWN else ""
            parts.append(
                paragraph(
                    f"{name}: ambiguous, since another feature lies within the tolerance: "
                    f"{', '.join(doubtful[:_SHOWN])}{more}"
                )
            )
    notices = dict.fromkeys(notice for table in tables for notice in table.notices)
    parts += [paragraph(notice, "  - ", "    ") for notice in notices]
    parts.append(f"Written to {out}, the pairs to {pairs_file}.")
    return "\n\n".join(parts)


def _figures(matching: Matching) -> list[str]:
    import numpy as np

    if not len(matching.pairs):
        return ["0", "-", "-", "0"]
    shift, error = np.median(matching.shift), np.median(np.abs(matching.error))
    return [
        str(len(matching.pairs)),
        f"{shift + 0.0:+.1f}",
        f"{error:.1f}",
        str(int(matching.ambiguous.sum())),
    ]
