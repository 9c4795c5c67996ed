"""``crossplate compare``: all methods on all pairs of batches of a table."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Annotated

import typer

from crossplate.cli.errors import INTERRUPTED, plain_errors
from crossplate.cli.options import Batch, Label, Metadata, SampleId, Subject, Table
from crossplate.errors import InputError

if TYPE_CHECKING:
    from crossplate.compare import Comparison
    from crossplate.compare.executing import Execute
    from crossplate.table import SampleTable

COMPARE_EXAMPLES = """\b
Example, every method from every batch to every other:
  crossplate compare study.csv --batch plate --label diagnosis \\
      --subject patient --out comparison

\b
Example, some methods from plate 1 to plate 2:
  crossplate compare study.csv --batch plate --label diagnosis \\
      --methods combat,joint --pairs 1:2 --out comparison

\b
Example, public data (see crossplate datasets) on a Dask cluster:
  crossplate compare --dataset sacurine --dask tcp://head:8786 \\
      --out comparison
"""
_FILES = {
    "comparison.csv": "scores of each pair, method, classifier, level and seed",
    "summary.csv": "the table above, with every pair",
    "compare.md": "the same to read",
    "parts/": "finished work, taken over when the command is repeated",
}

__all__ = ["COMPARE_EXAMPLES", "compare_command"]


def compare_command(
    out: Annotated[
        str,
        typer.Option(
            metavar="FOLDER",
            help="Where the results go; a new folder, or that of a stopped comparison.",
        ),
    ],
    table: Table = None,
    dataset: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A public data set instead (see crossplate datasets)."),
    ] = None,
    batch: Batch = None,
    label: Label = None,
    subject: Subject = None,
    sample_id: SampleId = None,
    metadata: Metadata = None,
    methods: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Methods with commas between, or 'all': none, zscore, centring, ratio-g, combat, "
            "dwd, fsva, mmd-resnet, normae, coral, ot, joint, remove-r.",
        ),
    ] = "all",
    classifiers: Annotated[
        str,
        typer.Option(metavar="NAMES", help="What follows a method that does not classify itself."),
    ] = "discriminator,logistic,forest",
    pairs: Annotated[
        str | None,
        typer.Option(
            metavar="PAIRS",
            help="Pairs of batches, SOURCE:TARGET with commas between (default: every ordered "
            "pair).",
        ),
    ] = None,
    repeats: Annotated[
        int, typer.Option(metavar="N", help="Seeds of what is drawn at random.")
    ] = 3,
    jobs: Annotated[
        int, typer.Option(metavar="N", help="Processes; -1 for one a core.", show_default=True)
    ] = -1,
    dask: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Scheduler of a Dask cluster to run on instead."),
    ] = None,
) -> None:
    """Compare all methods on all pairs of batches.

    Each labelled batch teaches and each other is predicted, with its labels used for scores only.
    A command that was stopped goes on where it was when it is given again.
    """
    with plain_errors():
        from crossplate.cli.progress import show_steps
        from crossplate.compare import CompareSettings, compare

        given = (table, dataset, batch, label, subject, sample_id, metadata)
        execute = _execute(dask, jobs)
        with show_steps() as steps:
            steps.begin("Reading")
            read = _read(*given)
            settings = CompareSettings(
                methods=() if methods == "all" else _names(methods),
                classifiers=_names(classifiers),
                pairs=() if pairs is None else _pairs(pairs, read.batches),
                repeats=repeats,
            )
            steps.begin("Comparing")
            try:
                found = compare(read, settings, folder=out, progress=steps.count, execute=execute)
            except KeyboardInterrupt:
                typer.echo(
                    f"crossplate: stopped; what was finished is kept in {out}, and the same "
                    "command goes on from there",
                    err=True,
                )
                raise typer.Exit(INTERRUPTED) from None
        typer.echo(_summary(found, out))


def _execute(dask: str | None, jobs: int) -> Execute:
    from crossplate.compare import on_dask, on_this_machine

    return on_this_machine(jobs) if dask is None else on_dask(dask)


def _read(
    table: str | None,
    dataset: str | None,
    batch: str | None,
    label: str | None,
    subject: str | None,
    sample_id: str | None,
    metadata: list[str] | None,
) -> SampleTable:
    from crossplate.cli.demo import public_plates
    from crossplate.io import read_table

    if (table is None) == (dataset is None):
        what = "neither was given" if table is None else "both were given"
        raise InputError(f"name either one TABLE or a --dataset; {what}")
    if dataset is not None:
        if any((batch, label, subject, sample_id, metadata)):
            raise InputError(f"the columns of {dataset} are known; name none with --dataset")
        return public_plates(dataset)
    assert table is not None
    if batch is None:
        raise InputError("which column holds the batch of a sample? name it with --batch")
    if label is None:
        raise InputError("which column holds the diagnosis? name it with --label")
    return read_table(
        table,
        batch=batch,
        label=label,
        subject=subject,
        sample_id=sample_id,
        metadata=metadata or (),
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _pairs(text: str, batches: list[str]) -> tuple[tuple[str, str], ...]:
    """Pairs of batches; a batch's name may hold a colon, so that those there are decide."""
    pairs = []
    for name in _names(text):
        cuts = [(name[:at], name[at + 1 :]) for at, letter in enumerate(name) if letter == ":"]
        if not cuts:
            raise InputError(f"the pair '{name}' has no colon; write SOURCE:TARGET")
        fitting = [cut for cut in cuts if set(cut) <= set(batches)]
        pairs.append(fitting[0] if fitting else cuts[0])
    return tuple(pairs)


def _summary(found: Comparison, out: str) -> str:
    """The table at the level of subjects, or of samples where there are none, and its reading."""
    from crossplate.cli.summary import align, paragraph
    from crossplate.compare.wording import explanation, joint_sentence, table_cells

    summary = found.summary
    across = found.rows[found.rows["source"] != found.rows["target"]]
    n_pairs, n_methods = len(summary.pairs), across["method"].nunique()
    lines = align(table_cells(summary, summary.level, summary.pairs), indent="")
    if max(map(len, lines)) > shutil.get_terminal_size().columns:
        lines = align(table_cells(summary, summary.level, []), indent="")
    parts = [
        paragraph(f"{n_methods} methods on {n_pairs} {'pair' if n_pairs == 1 else 'pairs'}."),
        "\n".join(lines),
        *map(paragraph, explanation(summary)),
    ]
    sentence = joint_sentence(summary)
    parts += [] if sentence is None else [paragraph(sentence)]
    if found.notices:
        notes = (paragraph(notice, "  - ", "    ") for notice in found.notices)
        parts.append("\n".join(["Notes:", *notes]))
    width = max(map(len, _FILES))
    files = (f"  {name:{width}}  {what}" for name, what in _FILES.items())
    parts.append("\n".join([f"Written to {out}:", *files]))
    return "\n\n".join(parts)
