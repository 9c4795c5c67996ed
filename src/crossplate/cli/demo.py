"""``crossplate demo``: the whole way on simulated plates, or on public ones."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossplate.cli.errors import plain_errors
from crossplate.cli.options import Overwrite
from crossplate.errors import InputError

if TYPE_CHECKING:
    from crossplate.cli.settings import RunOptions
    from crossplate.table import SampleTable

DEMO_EXAMPLES = """\b
Example:
  crossplate demo --out demo

\b
Example, with public data (see crossplate datasets):
  crossplate demo --dataset cytof_person1 --out cytof
"""
# Quality-control samples are of no diagnosis; the registry's tables label them so.
_QC = "QC"
_LINE = 74

__all__ = ["DEMO_EXAMPLES", "demo_command", "public_plates"]


def demo_command(
    dataset: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A public data set instead (see crossplate datasets)."),
    ] = None,
    out: Annotated[
        str, typer.Option(metavar="FOLDER", help="Where the results go; a new folder.")
    ] = "demo",
    overwrite: Overwrite = None,
) -> None:
    """Show it all on simulated or public plates.

    The first plate teaches, the others are diagnosed; their labels are used for scores only. The
    plates are written too, to FOLDER/plates, which shows what a table looks like.
    """
    with plain_errors():
        from crossplate.cli.progress import show_steps
        from crossplate.cli.workflow import print_summary, run_and_write
        from crossplate.io import check_output_folder

        check_output_folder(out, overwrite=bool(overwrite))
        typer.echo(_introduce(dataset) + "\n")
        with show_steps() as steps:
            steps.begin("Simulating" if dataset is None else "Fetching")
            table = _plates(dataset)
            files = {name: f"plates/{_file_name(name)}.csv" for name in table.batches}
            options = _options(table, [str(Path(out, file)) for file in files.values()], out)
            done = run_and_write(
                table,
                options.study(table.batches[:1], table.batches[1:]),
                options,
                steps,
                overwrite=bool(overwrite),
                also=lambda folder: _write_plates(table, folder, files),
            )
        print_summary(done, out)
        typer.echo(f"\nWith tables of your own, as with those written here:\n{_command(options)}")


def _introduce(dataset: str | None) -> str:
    from crossplate.cli.summary import paragraph

    if dataset is None:
        return paragraph(
            "Two simulated MALDI plates: made up by crossplate, with a batch effect and a disease "
            "that are known; not measurements of anyone."
        )
    from crossplate.datasets.catalogue import find_dataset

    found = find_dataset(dataset)
    return "\n".join(
        paragraph(text) for text in (f"{found.title}. {found.description}", found.citation)
    )


def _plates(dataset: str | None) -> SampleTable:
    from crossplate.datasets import demo_plates

    return demo_plates().table if dataset is None else public_plates(dataset)


def public_plates(dataset: str) -> SampleTable:
    """Plates of a public data set, without its quality-control samples.

    Raises
    ------
    InputError
        If there is no such data set, it cannot be had, or it has one batch only.
    """
    from crossplate.datasets import load

    table = load(dataset)
    assert table.label is not None, "every registered data set has labels"
    control = table.label.str.upper().str.startswith(_QC).fillna(False).to_numpy(dtype=bool)
    if control.any():
        table = table.select(~control).with_notices(
            f"{control.sum()} quality-control samples were left out"
        )
    if len(table.batches) < 2:
        raise InputError(f"{dataset} has one batch only; choose another")
    return table


def _file_name(batch: str) -> str:
    return re.sub(r"[^\w.-]", "_", batch)


def _options(table: SampleTable, files: list[str], out: str) -> RunOptions:
    """Options by which ``crossplate run`` does the same from the written plates."""
    from crossplate.cli.settings import RunOptions

    return RunOptions(
        source=tuple(files[:1]),
        target=tuple(files[1:]),
        label="label",
        subject=None if table.subject is None else "subject",
        metadata=tuple(str(name) for name in table.metadata.columns),
        out=out,
    )


def _write_plates(table: SampleTable, folder: Path, files: dict[str, str]) -> None:
    """Write one file a plate: sample id, label, subject if any, other columns, features."""
    import pandas as pd

    from crossplate.io import write_frame

    columns = [part for part in (table.label, table.subject) if part is not None]
    frame = pd.concat([*columns, table.metadata, table.features], axis=1)
    (folder / "plates").mkdir()
    for batch, file in files.items():
        write_frame(frame[(table.batch == batch).to_numpy()], folder / file)


def _command(options: RunOptions) -> str:
    """The ``crossplate run`` command of these options, in lines of less than 80 characters."""
    words = [
        *(("--source", file) for file in options.source),
        *(("--target", file) for file in options.target),
        ("--label", "label"),
        *(() if options.subject is None else (("--subject", "subject"),)),
        *(("--metadata", name) for name in options.metadata),
        ("--out", "result"),
    ]
    lines = ["  crossplate run"]
    for pair in map(shlex.join, words):
        if len(lines[-1]) + len(pair) > _LINE:
            lines.append(f"      {pair}")
        else:
            lines[-1] += f" {pair}"
    return " \\\n".join(lines)
