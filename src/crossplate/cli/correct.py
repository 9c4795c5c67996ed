"""``crossplate correct``: a table without batch effects, by the method of choice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossplate.cli.errors import plain_errors
from crossplate.cli.options import Metadata, Overwrite, SampleId
from crossplate.correct.registry import CORRECTORS
from crossplate.errors import InputError

if TYPE_CHECKING:
    from crossplate.joint.trainer import EpochLosses
    from crossplate.scaling import LogChoice
    from crossplate.study.correcting import Correction

CORRECT_EXAMPLES = """\b
Example:
  crossplate correct study.csv --method combat --batch plate \\
      --reference 1 --out corrected

\b
Example, keeping what goes with age and sex:
  crossplate correct study.xlsx --method combat --batch plate \\
      --covariates age,sex --out corrected

\b
Samples that come later:
  crossplate apply corrected new.csv --out new_corrected.csv
"""
_MEANINGS = {
    "corrected": "the table without the batch effect, otherwise as it was",
    "corrector.safetensors": "what was fitted, for crossplate apply and load_corrector",
    "batch_effect.json": "distances between batches before and after",
    "settings.json": "all settings and versions",
}
_SHOWN = 5

__all__ = ["CORRECT_EXAMPLES", "correct_command"]


def correct_command(
    table: Annotated[
        str,
        typer.Argument(
            metavar="TABLE",
            help="One table with all batches: .csv, .tsv, .txt (also .gz), .xlsx, .parquet or "
            ".h5ad, samples in rows.",
        ),
    ],
    method: Annotated[
        str, typer.Option(metavar="NAME", help=f"How to correct: {', '.join(CORRECTORS)}.")
    ],
    batch: Annotated[
        str, typer.Option(metavar="COLUMN", help="The batch (plate, day, site) of a sample.")
    ],
    out: Annotated[str, typer.Option(metavar="FOLDER", help="Where the results go; a new folder.")],
    reference: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The batch that stays as it is and that all others are brought to (default: by "
            "method, a mean of all batches or the largest one).",
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="The diagnosis. sva needs it of every sample, fsva learns from the samples that "
            "have one; other methods do not get it, and it is only looked at whether it goes "
            "together with the batch. Labels of a plate to be predicted must not be given: leave "
            "their cells empty.",
        ),
    ] = None,
    covariates: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMNS",
            help="Columns with commas between, such as age,sex: combat keeps what goes with them. "
            "No sample may lack one. Labels of a plate to be predicted must not be among them.",
        ),
    ] = None,
    log: Annotated[
        str,
        typer.Option(
            metavar="WHEN",
            help="Correct on the log scale and go back: 'auto' (where logs make the data less "
            "skewed), 'always' or 'never'. ratio-g takes none.",
        ),
    ] = "auto",
    subject: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="The subject a sample was taken from; no feature."),
    ] = None,
    sample_id: SampleId = None,
    metadata: Metadata = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Same seed, same table: same result.")] = 0,
    overwrite: Overwrite = None,
) -> None:
    """Remove batch effects from a table.

    The corrected table has the format and the sample columns of TABLE, and its units (except for
    zscore, and for ratio-g without a reference). What was fitted is kept for crossplate apply. How
    far the batches lie apart before and after is printed; crossplate compare tells whether a
    classifier gains by it.

    If plates are to be predicted later, their labels must not be used here in any way, neither as
    --label nor among --covariates: every score would look better than it is.
    """
    with plain_errors():
        from crossplate.cli.progress import show_steps
        from crossplate.cli.workflow import check_places
        from crossplate.io import open_table, output_folder
        from crossplate.study.correcting import CorrectionSettings, correct_table, covariates_of
        from crossplate.study.correction_files import write_correction

        replace = bool(overwrite)
        check_places(out, replace, [table])
        settings = CorrectionSettings(method, reference, _log_choice(log), seed)
        settings.corrector()
        kept = _names(covariates)
        others = list(dict.fromkeys([*(metadata or ()), *kept]))
        named: dict[str, str | None] = {
            "batch": batch,
            "label": label,
            "subject": subject,
            "sample_id": sample_id,
        }
        with show_steps() as steps:
            steps.begin("Reading")
            texts = [*(name for name in named.values() if name is not None), *others]
            file = open_table(table, text_columns=texts)
            samples = file.table(
                batch=batch, label=label, subject=subject, sample_id=sample_id, metadata=others
            )
            steps.begin("Correcting")

            def told(done: EpochLosses) -> None:
                steps.count(done.epoch, done.epochs)

            found = correct_table(
                samples, settings, covariates=covariates_of(samples, kept), progress=told
            )
            steps.begin("Writing")
            with output_folder(out, overwrite=replace) as folder:
                write_correction(
                    found,
                    folder,
                    file=file,
                    settings=settings,
                    columns={**named, "metadata": others, "covariates": kept},
                    table_name=table,
                )
        typer.echo(_summary(found, settings.method, out))


def _log_choice(log: str) -> LogChoice:
    choice: LogChoice
    for choice in ("auto", "always", "never"):
        if log == choice:
            return choice
    raise InputError(f"--log is '{log}'; give auto, always or never")


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def _summary(found: Correction, method: str, out: str) -> str:
    """What was corrected, how far the batches lie apart, and where the files are."""
    from crossplate.cli.summary import align, paragraph

    table = found.table
    counts = table.batch.value_counts(sort=False)
    shown = ", ".join(f"{name} ({n} samples)" for name, n in list(counts.items())[:_SHOWN])
    more = f" and {len(counts) - _SHOWN} more batches" if len(counts) > _SHOWN else ""
    scale = "as they are" if found.corrector.log_unit_ is None else "on the log scale"
    parts = [
        paragraph(f"Corrected {table.n_features} features of {shown}{more} with {method}, {scale}.")
    ]
    rows = [["", "before", "after"]]
    for name, before, after in (
        ("between batches", found.before.across, found.after.across),
        ("between halves of a batch", found.before.in_batch, found.after.in_batch),
    ):
        if before is not None and after is not None:
            rows.append([name, f"{before.root_biased:.3f}", f"{after.root_biased:.3f}"])
    if len(rows) > 1:
        head = paragraph("Batch effect (MMD; without one, both lines would be alike):")
        parts.append("\n".join([head, *align(rows)]))
    if found.notices:
        notes = (paragraph(notice, "  - ", "    ") for notice in found.notices)
        parts.append("\n".join(["Notes:", *notes]))
    names = sorted(path.name for path in Path(out).iterdir())
    meanings = {name: _MEANINGS.get(name, _MEANINGS.get(name.split(".")[0])) for name in names}
    width = max(map(len, names))
    files = [f"  {name:{width}}  {what}" for name, what in meanings.items() if what]
    return "\n\n".join([*parts, "\n".join([f"Written to {out}:", *files])])
