"""``crossplate adapt``: take a plate that arrives later into a model."""

from typing import TYPE_CHECKING, Annotated

import typer

from crossplate.cli.errors import plain_errors
from crossplate.cli.options import (
    Batch,
    BatchName,
    Metadata,
    ModelFolder,
    NewTable,
    Overwrite,
    SampleId,
)
from crossplate.cli.predict import model_folder

if TYPE_CHECKING:
    from crossplate.study.adapting import Adapted

ADAPT_EXAMPLES = """\b
Example, with the folder that crossplate run wrote:
  crossplate adapt result plate4.csv --out with4

\b
Later samples of that plate, one or many:
  crossplate predict with4 late.csv --batch-name plate4 --out late
"""
_MEANINGS = {
    "model": "the model, for crossplate predict",
    "evaluation.json": "how sure a call has to be, from the model's run",
    "settings.json": "all settings and versions",
}
_SHOWN = 5

__all__ = ["ADAPT_EXAMPLES", "adapt_command"]


def adapt_command(
    model_dir: ModelFolder,
    new_table: NewTable,
    out: Annotated[str, typer.Option(metavar="FOLDER", help="Where the model goes; a new folder.")],
    batch: Batch = None,
    batch_name: BatchName = None,
    sample_id: SampleId = None,
    metadata: Metadata = None,
    overwrite: Overwrite = None,
) -> None:
    """Take a plate that arrives after the training into a model.

    The plate's own statistics are kept in the model, so that its later samples, single ones too,
    are diagnosed alike whatever comes along with them; without this, crossplate predict wants the
    whole plate. No labels are needed, and results of all other plates stay exactly as they were.
    Give as much of the plate as there is. A plate that was taken in before is taken in anew, from
    NEW_TABLE alone.
    """
    with plain_errors():
        from crossplate.cli.progress import show_steps
        from crossplate.cli.workflow import check_places
        from crossplate.io import output_folder, read_table

        replace = bool(overwrite)
        check_places(out, replace, (model_dir, new_table))
        with show_steps() as steps:
            steps.begin("Reading")
            table = read_table(
                new_table,
                batch=batch,
                batch_name=batch_name,
                sample_id=sample_id,
                metadata=metadata or (),
            )
            steps.begin("Adapting")
            from crossplate.joint.saved import load
            from crossplate.study.adapting import adapt_model, write_adapted
            from crossplate.study.files import calling_beside

            folder = model_folder(model_dir)
            done = adapt_model(load(folder), table)
            steps.begin("Writing")
            run = {
                "model_dir": model_dir,
                "new_table": new_table,
                "batch": batch,
                "batch_name": batch_name,
                "sample_id": sample_id,
                "metadata": metadata,
            }
            given = {name: word for name, word in run.items() if word is not None}
            with output_folder(out, overwrite=replace) as place:
                write_adapted(done, place, run=given, calling=calling_beside(folder))
        typer.echo(_summary(done, out))


def _summary(done: "Adapted", out: str) -> str:
    """What the model was adapted to, and where it is."""
    from pathlib import Path

    from crossplate.cli.summary import paragraph

    entries = [
        f"{name} ({n} samples{', anew' if name in done.replaced else ''})"
        for name, n in done.samples.items()
    ]
    more = f" and {len(entries) - _SHOWN} more plates" if len(entries) > _SHOWN else ""
    parts = [
        paragraph(
            f"The model now knows {', '.join(entries[:_SHOWN])}{more}; this took "
            f"{done.seconds:.1f} s. Results of all other plates stay as they were."
        )
    ]
    if done.table.notices:
        notes = (paragraph(notice, "  - ", "    ") for notice in done.table.notices)
        parts.append("\n".join(["Notes:", *notes]))
    names = sorted(path.name for path in Path(out).iterdir() if path.name in _MEANINGS)
    width = max(map(len, names))
    files = [f"  {name:{width}}  {_MEANINGS[name]}" for name in names]
    return "\n\n".join([*parts, "\n".join([f"Written to {out}:", *files])])
