"""What ``run`` and ``demo`` have in common: study a table, write the folder, print the summary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from crossplate.cli.progress import Steps
from crossplate.cli.settings import RunOptions
from crossplate.errors import InputError

if TYPE_CHECKING:
    from crossplate.study import FullEvaluation, StudyResult, StudySettings
    from crossplate.table import SampleTable

__all__ = ["Written", "check_places", "print_summary", "run_and_write", "write_result"]


@dataclass(frozen=True)
class Written:
    """A result and its evaluation, which are written to one folder."""

    result: StudyResult
    evaluation: FullEvaluation


def check_places(out: str, overwrite: bool, inputs: Iterable[str]) -> None:
    """Check, before any work is done, that the output folder can be written.

    Raises
    ------
    InputError
        As `check_output_folder`, or if an input lies in the folder and would be deleted with it.
    """
    from crossplate.io import check_output_folder

    check_output_folder(out, overwrite=overwrite)
    for name in inputs:
        if Path(out).resolve() in (Path(name).resolve(), *Path(name).resolve().parents):
            raise InputError(
                f"{name} lies in the output folder {out}, which would be replaced as a whole; "
                "choose another output folder"
            )


def run_and_write(
    table: SampleTable,
    settings: StudySettings,
    options: RunOptions,
    steps: Steps,
    *,
    overwrite: bool,
    also: Callable[[Path], None] | None = None,
) -> Written:
    """Train, predict, score, evaluate, and write the output folder.

    Parameters
    ----------
    table, settings
        What to study and how.
    options
        Where to write, and what `settings.json` keeps.
    steps
        Told what is going on.
    overwrite
        Whether a folder that crossplate wrote may be replaced.
    also
        Writes more files into the folder.

    Raises
    ------
    InputError
        If the table cannot be studied or the folder cannot be written; there is then no folder.
    """
    from crossplate.study import evaluate_study, run_study

    steps.begin("Preparing")
    result = run_study(table, settings, progress=steps.epoch)
    evaluation = evaluate_study(result, full=options.full, progress=steps.part)
    steps.begin("Writing")
    done = Written(result, evaluation)
    write_result(done, options.out, overwrite, options.to_dict(), also)
    return done


def write_result(
    done: Written,
    out: str,
    overwrite: bool,
    run: Mapping[str, Any],
    also: Callable[[Path], None] | None = None,
) -> None:
    """Write the output folder, complete or not at all."""
    from crossplate.io import output_folder
    from crossplate.study.files import write_study

    with output_folder(out, overwrite=overwrite) as folder:
        write_study(done.result, folder, run=run, evaluation=done.evaluation)
        if also is not None:
            also(folder)


def print_summary(done: Written, out: str) -> None:
    """Print the summary of what was written to a folder."""
    from crossplate.cli.summary import summary

    names = [f"{path.name}/" if path.is_dir() else path.name for path in Path(out).iterdir()]
    typer.echo(summary(done.result, out, names, done.evaluation))
