"""``crossplate evaluate``: evaluate a finished run again, with labels that came later."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossplate.cli.errors import plain_errors
from crossplate.cli.options import Full
from crossplate.errors import InputError

if TYPE_CHECKING:
    from crossplate.study import StudySettings

EVALUATE_EXAMPLES = """\b
Example, when the diagnoses of the target have come:
  crossplate evaluate result --labels diagnoses.csv

\b
Example, with all that takes long:
  crossplate evaluate result --full
"""

__all__ = ["EVALUATE_EXAMPLES", "evaluate_command"]


def evaluate_command(
    result_folder: Annotated[
        str, typer.Argument(metavar="RESULT_FOLDER", help="The folder that crossplate run wrote.")
    ],
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="TABLE",
            help="Labels of the target that came later: the run's label column, and sample ids or "
            "the run's subject column.",
        ),
    ] = None,
    full: Full = None,
) -> None:
    """Evaluate a finished run again.

    The run's tables are read anew and its model is used as it is: nothing is learned from labels
    that came later, they are used for scores only. The files in the folder are brought up to date.
    """
    with plain_errors():
        from crossplate.cli.plates import read_plates
        from crossplate.cli.progress import show_steps
        from crossplate.cli.settings import merge_options
        from crossplate.cli.workflow import Written, print_summary

        folder = Path(result_folder)
        roles = _roles(folder)
        given = {"out": result_folder, "full": full}
        options = merge_options(given, str(folder / "settings.json"))
        with show_steps() as steps:
            steps.begin("Reading")
            table, settings = read_plates(options)
            settings = _with_roles(settings, roles)
            if labels is not None:
                from crossplate.io import read_texts
                from crossplate.study.later_labels import with_later_labels

                table = with_later_labels(
                    table,
                    table.batch.isin(settings.target_batches).to_numpy(dtype=bool),
                    read_texts(labels),
                    label=options.label or "",
                    subject=options.subject,
                    sample_id=options.sample_id,
                    name=labels,
                )
            from crossplate.joint.saved import load
            from crossplate.study import evaluate_study, study_of
            from crossplate.study.files import rewrite_study

            steps.begin("Predicting")
            result = study_of(load(folder / "model"), table, settings)
            evaluation = evaluate_study(result, full=options.full, progress=steps.part)
            steps.begin("Writing")
            evaluate = {"labels": labels, "full": options.full}
            rewrite_study(
                result, folder, run=options.to_dict(), evaluation=evaluation, evaluate=evaluate
            )
        print_summary(Written(result, evaluation), result_folder)


def _roles(folder: Path) -> dict[str, list[str]]:
    """Source and target batches of a run, as counted in its metrics.

    Raises
    ------
    InputError
        The folder is not that of a run.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; give the folder that crossplate run wrote")
    try:
        counts: dict[str, Any] = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))[
            "counts"
        ]
        roles = {role: list(counts[role]) for role in ("source", "target")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{folder} is not the folder of a run: its metrics.json is missing or cannot be read; "
            "give the folder that crossplate run wrote"
        ) from error
    if not roles["source"]:
        raise InputError(
            f"{folder} is of a plate predicted later, which has no source to evaluate the model "
            "by; give the folder of the run"
        )
    return roles


def _with_roles(settings: StudySettings, roles: dict[str, list[str]]) -> StudySettings:
    """Settings that name the batches, since labels that came later must not make a source."""
    return replace(
        settings, source_batches=tuple(roles["source"]), target_batches=tuple(roles["target"])
    )
