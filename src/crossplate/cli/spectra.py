"""``crossplate spectra``: from instrument files to the table that ``crossplate run`` takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossplate.cli.errors import plain_errors
from crossplate.cli.options import Batch, Label, Subject
from crossplate.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from crossplate.spectra.annotation import AnnotatedSpectra
    from crossplate.spectra.pipeline import SpectraPipeline
    from crossplate.spectra.pipeline_settings import SpectraSettings
    from crossplate.spectra.tabulating import SpectraTable
    from crossplate.table import SampleTable

SPECTRA_EXAMPLES = """\b
Example, and then a plate measured later, with the features of the first:
  crossplate spectra plate1 --metadata plate1.csv --out table1.parquet
  crossplate spectra plate2 --metadata plate2.csv --out table2.parquet \\
      --like table1.pipeline.json

\b
What a metadata table may look like (the first two columns suffice):
  file,batch,label,subject,replicate
  A1.mzML,1,SLE,P001,1
  A2.mzML,1,SLE,P001,2
"""

_PIPELINE, _PAGE = ".pipeline.json", ".quality.html"
# Starting processes takes as long as reading about this many spectra.
_FEWEST_FOR_JOBS, _ALL_CORES = 100, -1

__all__ = ["SPECTRA_EXAMPLES", "spectra_command"]


def spectra_command(
    folder: Annotated[
        str,
        typer.Argument(
            metavar="FOLDER",
            help="Folder of spectra, or one file: .mzML, .mzXML, .imzML, Bruker flex (fid), text "
            "with two columns (.csv, .tsv, .txt, .xy, .asc, also .gz).",
        ),
    ],
    out: Annotated[
        str,
        typer.Option(metavar="FILE", help="Where the table goes: .parquet, .csv, .tsv, .xlsx."),
    ],
    metadata: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Table with a row for each spectrum, file or folder: file, batch, label, subject, "
            "replicate.",
        ),
    ] = None,
    batch: Batch = None,
    label: Label = None,
    subject: Subject = None,
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="'maldi-metabolites' (m/z 100 to 1,000) or 'maldi-proteins' (2,000 to 20,000); by "
            "default the one that covers more of the first spectrum.",
        ),
    ] = None,
    like: Annotated[
        str | None,
        typer.Option(
            metavar="PIPELINE",
            help="Look up the features of an earlier table: its .pipeline.json, or the table.",
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(metavar="N", help="Processes side by side (default: by cores and spectra)."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the files if they exist.")
    ] = False,
) -> None:
    """Turn raw spectra into a table of features.

    Smoothing, baseline, normalisation, alignment, peaks, features common to the spectra, and a
    look at replicates (spectra of one subject in one batch). Spectra that cannot be used are
    left out and listed. Beside the table are written the pipeline, for later plates, and a page
    on the quality of the spectra.
    """
    with plain_errors():
        from crossplate.cli.progress import show_steps
        from crossplate.cli.spectra_summary import spectra_summary
        from crossplate.io import write_frame
        from crossplate.io.reading import file_stem
        from crossplate.spectra.tabulating import tabulate_spectra

        if like is not None and preset is not None:
            raise InputError("--preset and --like were both given; a pipeline has its settings")
        table_file, pipeline_file, page_file = _places(out, overwrite)
        with show_steps() as steps:
            steps.begin("Finding")
            spectra = _found(folder, metadata, batch, label, subject, table_file)
            n_jobs = _jobs(jobs, len(spectra.files))
            pipeline, notices = _pipeline(like, preset, spectra, n_jobs)
            steps.begin("Processing")
            result = tabulate_spectra(spectra, pipeline, n_jobs=n_jobs, progress=steps.count)
            steps.begin("Writing")
            frame, left_out = _frame(result.table)
            notices += left_out
            write_frame(frame, table_file)
            result.pipeline.save(pipeline_file)
            page_file.write_text(_page(result, file_stem(table_file)), encoding="utf-8")
        files = (table_file, pipeline_file, page_file)
        typer.echo(spectra_summary(result, notices, files))


def _places(out: str, overwrite: bool) -> tuple[Path, Path, Path]:
    """Check, before any work is done, that table, pipeline and page can be written."""
    from tempfile import TemporaryDirectory

    import pandas as pd

    from crossplate.io import write_frame
    from crossplate.io.reading import file_stem

    table = Path(out)
    with TemporaryDirectory() as folder:
        # Tells an unknown ending and a package that is not installed.
        write_frame(pd.DataFrame({"a": [0.0]}), Path(folder) / table.name)
    if not table.parent.is_dir():
        raise InputError(f"the folder of {out} does not exist; make it first")
    stem = file_stem(table)
    places = (table, table.with_name(stem + _PIPELINE), table.with_name(stem + _PAGE))
    for place in places:
        if place.exists() and not overwrite:
            raise InputError(f"{place} exists; choose another name or replace it with --overwrite")
    return places


def _found(
    folder: str,
    metadata: str | None,
    batch: str | None,
    label: str | None,
    subject: str | None,
    table: Path,
) -> AnnotatedSpectra:
    """Spectra with their metadata; without a column of batches the table's name is the batch."""
    from crossplate.io.reading import file_stem
    from crossplate.spectra.annotation import annotate, one_batch
    from crossplate.spectra.metadata import read_metadata
    from crossplate.spectra.reading import find_spectra

    if metadata is None:
        for name, column in (("batch", batch), ("label", label), ("subject", subject)):
            if column is not None:
                raise InputError(
                    f"--{name} names a column of the metadata table, but there is none; name it "
                    "with --metadata"
                )
        return one_batch(find_spectra(folder, leave_out=[table]), file_stem(table))
    rows = read_metadata(metadata, batch=batch, label=label, subject=subject)
    return annotate(find_spectra(folder, leave_out=[metadata, table]), rows, file_stem(table))


def _jobs(jobs: int | None, n_spectra: int) -> int:
    if jobs is not None:
        if jobs < 1:
            raise InputError(f"--jobs is {jobs}; give at least 1")
        return jobs
    return 1 if n_spectra < _FEWEST_FOR_JOBS else _ALL_CORES


def _pipeline(
    like: str | None, preset: str | None, spectra: AnnotatedSpectra, n_jobs: int
) -> tuple[SpectraPipeline | SpectraSettings, list[str]]:
    """Pipeline of an earlier table, or settings to learn one; and what was decided."""
    from crossplate.spectra.pipeline_settings import PRESETS

    if like is not None:
        return _loaded(like, n_jobs), []
    if preset is not None:
        for name, settings in PRESETS.items():
            if name == preset:
                return settings, []
        raise InputError(f"--preset is '{preset}'; it is one of {', '.join(PRESETS)}")
    return _fitting_preset(spectra)


def _loaded(like: str, n_jobs: int) -> SpectraPipeline:
    """Pipeline of a file, or of the file beside a table."""
    from crossplate.io.reading import file_stem
    from crossplate.spectra.pipeline import SpectraPipeline

    path = Path(like)
    beside = path.with_name(file_stem(path) + _PIPELINE)
    if path.suffix != ".json" and beside.is_file():
        path = beside
    return SpectraPipeline.load(path, n_jobs=n_jobs)


def _fitting_preset(spectra: AnnotatedSpectra) -> tuple[SpectraSettings, list[str]]:
    """Preset with most points of the first spectrum that can be read in its range."""
    import numpy as np

    from crossplate.spectra.pipeline_settings import PRESETS

    points = dict.fromkeys(PRESETS, 0)
    for file in spectra.files:
        try:
            mz = file.read().mz
        except InputError:
            # The pipeline tells why it cannot be read.
            continue
        for name, settings in PRESETS.items():
            low, high = settings.mz_range
            points[name] = int(np.sum((mz >= low) & (mz <= high)))
        break
    best = max(PRESETS, key=lambda name: points[name])
    low, high = PRESETS[best].mz_range
    return PRESETS[best], [
        f"the preset {best} (m/z {low:,.0f} to {high:,.0f}) was taken, since it covers most of the "
        "first spectrum; choose with --preset"
    ]


def _frame(table: SampleTable) -> tuple[pd.DataFrame, list[str]]:
    """All columns for a file, and what is left out.

    Numbers that describe a sample are kept only under names that are known to be no features, as
    whoever reads the file would learn from them.
    """
    import pandas as pd

    from crossplate.table.cells import as_numbers
    from crossplate.table.columns import CONVENTIONAL_NAMES, squash

    kept: list[str] = []
    left_out: list[str] = []
    for name in map(str, table.metadata.columns):
        column = table.metadata[name]
        text = as_numbers(column)[1].any() and not column.isin(["True", "False"]).any()
        (kept if text or squash(name) in CONVENTIONAL_NAMES else left_out).append(name)
    parts = [part for part in (table.batch, table.label, table.subject) if part is not None]
    frame = pd.concat([*parts, table.metadata[kept], table.features], axis=1)
    if not left_out:
        return frame, []
    return frame, [
        "columns of numbers of the metadata were left out, since they would be taken for "
        f"features: {', '.join(left_out)}"
    ]


def _page(result: SpectraTable, name: str) -> str:
    """The quality page."""
    from datetime import UTC, datetime

    from crossplate import __version__
    from crossplate.report.spectra_quality import render_spectra_page

    return render_spectra_page(
        result.quality,
        title=f"Spectra of {name}",
        version=__version__,
        date=f"{datetime.now(UTC):%Y-%m-%d}",
    )
