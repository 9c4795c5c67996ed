"""The files of a study: what a lab opens after a run."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from crossplate.errors import InputError
from crossplate.io import write_frame
from crossplate.study.evaluation import FullEvaluation
from crossplate.study.reporting import FIGURES, write_report
from crossplate.study.running import StudyResult

FORMAT = 1
"""Version of the output folder's layout."""
EVALUATION = "evaluation.json"
PACKAGES = ("crossplate", "numpy", "pandas", "scikit-learn", "scipy", "torch")

__all__ = [
    "EVALUATION",
    "FORMAT",
    "calling_beside",
    "rewrite_study",
    "settings_record",
    "versions_and_date",
    "write_json",
    "write_study",
]


def settings_record(
    result: StudyResult, run: Mapping[str, Any], evaluate: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Everything needed to repeat a run, ready for JSON.

    Parameters
    ----------
    result
        The study.
    run
        Options of the command line in effect, by name.
    evaluate
        Those of a later evaluation, if there was one.
    """
    later = {} if evaluate is None else {"evaluate": dict(evaluate)}
    return {"format": FORMAT, "run": dict(run), **later, **result.settings, **versions_and_date()}


def versions_and_date() -> dict[str, Any]:
    """Versions of Python and the packages that matter, and the time, ready for JSON."""
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed as a package"
    return {"versions": versions, "date": datetime.now(UTC).isoformat(timespec="seconds")}


def write_study(
    result: StudyResult,
    folder: Path,
    *,
    run: Mapping[str, Any],
    evaluation: FullEvaluation | None = None,
    evaluate: Mapping[str, Any] | None = None,
) -> None:
    """Write a study's files into a folder that exists.

    Parameters
    ----------
    result
        The study.
    folder
        Where to; give the temporary folder of :func:`crossplate.io.output_folder`, so that the
        files appear together or not at all.
    run
        Options of the command line in effect, kept in ``settings.json``.
    evaluation
        What :func:`crossplate.study.evaluate_study` found, for ``evaluation.json`` and the column
        ``called``; None for neither.
    evaluate
        Options of a later evaluation, kept in ``settings.json`` too.
    """
    settings = settings_record(result, run, evaluate)
    metrics, predictions, subjects = result.metrics, result.predictions, result.subjects
    if evaluation is not None:
        metrics = metrics | {"calling": evaluation.calling}
        predictions = _with_calls(predictions, evaluation.called_samples)
        subjects = None if subjects is None else _with_calls(subjects, evaluation.called_subjects)
        write_json(evaluation.to_dict(), folder / EVALUATION)
    tables = {
        "predictions": predictions,
        "subjects": subjects,
        "calibrated": result.calibrated,
        "latent": result.latent,
    }
    for name, frame in tables.items():
        if frame is not None:
            write_frame(frame, folder / f"{name}.csv")
    if result.before is not None and len(result.model.history_):
        write_frame(result.model.history_, folder / "history.csv")
    write_json(metrics, folder / "metrics.json")
    write_json(settings, folder / "settings.json")
    result.model.save(folder / "model")
    write_report(
        result,
        folder,
        settings=settings,
        evaluation=None if evaluation is None else evaluation.to_dict(),
    )


def rewrite_study(
    result: StudyResult,
    folder: Path,
    *,
    run: Mapping[str, Any],
    evaluation: FullEvaluation,
    evaluate: Mapping[str, Any],
) -> None:
    """Put a study that was taken up again in the place of its files; the model stays.

    All files are written beside their places first, so that a failure leaves the folder as it was.

    Parameters
    ----------
    result, run, evaluation, evaluate
        As in :func:`write_study`.
    folder
        The folder of the study.

    Raises
    ------
    InputError
        The folder cannot be written to.
    """
    try:
        with TemporaryDirectory(dir=folder, prefix=".evaluate") as place:
            written = Path(place)
            write_study(result, written, run=run, evaluation=evaluation, evaluate=evaluate)
            for path in written.iterdir():
                if path.is_file():
                    path.replace(folder / path.name)
            if (written / FIGURES).is_dir():
                rmtree(folder / FIGURES, ignore_errors=True)
                (written / FIGURES).replace(folder / FIGURES)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written to ({error.strerror or error}); ask for the right to, or "
            "copy it"
        ) from error


def _with_calls(frame: pd.DataFrame, called: pd.Series | None) -> pd.DataFrame:
    """A table of predictions with a column that says whether they are sure enough to be calls."""
    if called is None:
        return frame
    frame = frame.copy()
    words = called.map({True: "true", False: "false"}).to_numpy()
    frame.insert(list(frame.columns).index("predicted") + 1, "called", words)
    return frame


def calling_beside(model_folder: Path) -> dict[str, Any] | None:
    """How sure the calls of a run had to be, from the evaluation beside its model.

    Parameters
    ----------
    model_folder
        The folder ``model`` that :func:`write_study` wrote.

    Returns
    -------
    ``calling`` of the evaluation; None where there is none.

    Raises
    ------
    InputError
        The evaluation cannot be read.
    """
    path = model_folder.resolve().parent / EVALUATION
    if not path.exists():
        return None
    try:
        found: dict[str, Any] | None = json.loads(path.read_text(encoding="utf-8")).get("calling")
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(
            f"{path} cannot be read ({error}); write it anew with crossplate evaluate, or delete it"
        ) from error
    return found


def write_json(values: Mapping[str, Any], path: Path) -> None:
    """Write values as JSON, one a line; NaN is refused."""
    path.write_text(json.dumps(values, indent=1, allow_nan=False) + "\n", encoding="utf-8")
