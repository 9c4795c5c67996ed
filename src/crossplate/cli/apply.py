"""``crossplate apply``: new samples corrected with what was fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossplate.cli.errors import plain_errors
from crossplate.cli.options import Metadata, SampleId
from crossplate.errors import InputError

if TYPE_CHECKING:
    from crossplate.correct.base import Corrector
    from crossplate.io import TableFile
    from crossplate.table import SampleTable

APPLY_EXAMPLES = """\b
Example, with the folder that crossplate correct wrote:
  crossplate apply corrected new.csv --out new_corrected.csv

\b
Example, a file that is one new batch:
  crossplate apply corrected plate4.csv --batch-name 4 \\
      --out plate4_corrected.csv
"""
_SHOWN = 5

__all__ = ["APPLY_EXAMPLES", "apply_command"]


def apply_command(
    fitted: Annotated[
        str, typer.Argument(metavar="FOLDER", help="The folder that crossplate correct wrote.")
    ],
    table: Annotated[str, typer.Argument(metavar="TABLE", help="The new samples, in rows.")],
    out: Annotated[
        str,
        typer.Option(
            metavar="FILE", help="Where the corrected table goes; it has the format of TABLE."
        ),
    ],
    batch: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="The batch of a sample (default: the column named in the fit)."
        ),
    ] = None,
    batch_name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Name of the batch, where the whole TABLE is one."),
    ] = None,
    sample_id: SampleId = None,
    metadata: Metadata = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace FILE if it exists.")
    ] = False,
) -> None:
    """Correct new samples with what crossplate correct fitted.

    Features are matched by name. Samples of a batch of the fit are corrected as that batch was,
    one or many. A new batch is corrected by its own samples, so give all of them together; a
    method that cannot correct new batches (such as dwd) or new samples (sva) says so. Logs are
    taken where they were in the fit. No labels are needed.
    """
    with plain_errors():
        from crossplate.cli.progress import show_steps
        from crossplate.io import open_table
        from crossplate.study.correcting import apply_correction, covariates_of
        from crossplate.study.correction_files import load_correction

        _check_place(table, out, overwrite)
        with show_steps() as steps:
            steps.begin("Reading")
            saved = load_correction(Path(fitted))
            given = {"batch": batch, "sample_id": sample_id, "metadata": metadata or ()}
            file = open_table(table, text_columns=_texts(saved.columns, given))
            columns = _columns(saved.columns, given, batch_name, file)
            samples = file.table(batch_name=batch_name, **columns)
            steps.begin("Correcting")
            covariates = covariates_of(samples, saved.columns["covariates"])
            corrected, notices = apply_correction(saved.corrector, samples, covariates=covariates)
            steps.begin("Writing")
            extra = [name for name in samples.features.columns if name not in corrected.columns]
            file.write(corrected, out, without=extra)
        typer.echo(_summary(samples, saved.corrector, corrected.shape[1], notices, out))


def _check_place(table: str, out: str, overwrite: bool) -> None:
    """Refuse, before any work is done, a place that must not or cannot be written."""
    from crossplate.io.reading import file_ending

    place, ending = Path(out), file_ending(Path(table).name)
    if ending is not None and not place.name.lower().endswith(ending):
        raise InputError(f"{out} gets the format of {table}; let its name end in {ending}")
    if place.resolve() == Path(table).resolve():
        raise InputError(f"--out would replace {out}, which is read; choose another name")
    if place.is_dir():
        raise InputError(f"{out} is a folder; name a file in it")
    if place.exists() and not overwrite:
        raise InputError(f"{out} exists; choose another name or replace it with --overwrite")
    if not place.resolve().parent.is_dir():
        raise InputError(f"the folder of {out} does not exist; make it, or choose another place")


def _of_fit(fitted: Mapping[str, Any]) -> list[str]:
    """Sample columns of the fit that are no features in a later table either."""
    its = (fitted["label"], fitted["subject"], *fitted["metadata"])
    return list(dict.fromkeys(name for name in its if name is not None))


def _texts(fitted: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """All columns that may be sample columns, so that their cells are kept as written."""
    one = (fitted["batch"], fitted["sample_id"], given["batch"], given["sample_id"])
    return [*(name for name in one if name is not None), *_of_fit(fitted), *given["metadata"]]


def _columns(
    fitted: Mapping[str, Any], given: Mapping[str, Any], batch_name: str | None, file: TableFile
) -> dict[str, Any]:
    """Columns of the new table with a meaning: those named now, else those of the fit."""
    there = set(file.columns)
    batch, sample_id = given["batch"], given["sample_id"]
    if batch is None and batch_name is None:
        batch = fitted["batch"]
        if batch not in there:
            raise InputError(
                f"{file.path.name} has no column '{batch}', which held the batch in the fit; name "
                "another with --batch, or the batch of all samples with --batch-name"
            )
    if sample_id is None and fitted["sample_id"] in there:
        sample_id = fitted["sample_id"]
    absent = [name for name in fitted["covariates"] if name not in there]
    if absent:
        raise InputError(
            f"{file.path.name} has no column '{absent[0]}', which was a covariate in the fit; add "
            "it for every sample"
        )
    others = [name for name in (fitted["batch"], *_of_fit(fitted)) if name in there]
    taken = {batch, sample_id}
    metadata = [name for name in (*given["metadata"], *others) if name not in taken]
    return {"batch": batch, "sample_id": sample_id, "metadata": list(dict.fromkeys(metadata))}


def _summary(
    table: SampleTable, corrector: Corrector, n_features: int, notices: Sequence[str], out: str
) -> str:
    """What was corrected, batch by batch, and where it is."""
    from crossplate.cli.summary import paragraph

    counts = table.batch.value_counts(sort=False)
    known = set(corrector.batches_)
    shown = [
        f"{name} ({n} samples, {'as in the fit' if name in known else 'new'})"
        for name, n in list(counts.items())[:_SHOWN]
    ]
    more = f" and {len(counts) - _SHOWN} more batches" if len(counts) > _SHOWN else ""
    parts = [paragraph(f"Corrected {n_features} features of {', '.join(shown)}{more}.")]
    if notices:
        notes = (paragraph(notice, "  - ", "    ") for notice in notices)
        parts.append("\n".join(["Notes:", *notes]))
    return "\n\n".join([*parts, f"Written to {out}."])
