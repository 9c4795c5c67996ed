"""The folder that ``crossplate correct`` writes and ``crossplate apply`` reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossplate.correct.log_scale import OnLogScale
from crossplate.correct.saved import load_corrector, save_corrector
from crossplate.errors import InputError
from crossplate.io import TableFile
from crossplate.study.correcting import Correction, CorrectionSettings
from crossplate.study.files import versions_and_date, write_json

FORMAT = 1
"""Version of the folder's layout."""
CORRECTED, CORRECTOR, SETTINGS = "corrected", "corrector.safetensors", "settings.json"
EFFECT = "batch_effect.json"

__all__ = [
    "CORRECTED",
    "CORRECTOR",
    "EFFECT",
    "FORMAT",
    "SETTINGS",
    "SavedCorrection",
    "load_correction",
    "write_correction",
]


@dataclass(frozen=True)
class SavedCorrection:
    """What later samples need.

    Parameters
    ----------
    corrector
        The fitted corrector.
    columns
        The columns that were named, by option: batch, label, subject, sample_id, metadata,
        covariates.
    """

    corrector: OnLogScale
    columns: Mapping[str, Any]


def write_correction(
    correction: Correction,
    folder: Path,
    *,
    file: TableFile,
    settings: CorrectionSettings,
    columns: Mapping[str, Any],
    table_name: str,
) -> None:
    """Write a correction's files into a folder that exists.

    Parameters
    ----------
    correction
        What was corrected.
    folder
        Where to; give the temporary folder of :func:`crossplate.io.output_folder`, so that the
        files appear together or not at all.
    file
        The file that was read; the corrected table has its format and its sample columns.
    settings
        How it was corrected.
    columns
        The columns that were named, by option, for samples that come later.
    table_name
        The file's name as the user gave it.
    """
    file.write(correction.corrected, folder / f"{CORRECTED}{file.ending}")
    save_corrector(correction.corrector, folder / CORRECTOR)
    effect = {"before": correction.before.to_dict(), "after": correction.after.to_dict()}
    write_json(effect, folder / EFFECT)
    record = {
        "format": FORMAT,
        "table": table_name,
        "columns": dict(columns),
        "correction": settings.to_dict(),
        "log_unit": correction.corrector.log_unit_,
        "batches": {name: int(n) for name, n in correction.table.batch.value_counts().items()},
        "n_features": correction.table.n_features,
        "notices": list(correction.notices),
        **versions_and_date(),
    }
    write_json(record, folder / SETTINGS)


def load_correction(folder: Path) -> SavedCorrection:
    """Read what :func:`write_correction` wrote.

    Parameters
    ----------
    folder
        The folder.

    Raises
    ------
    InputError
        The folder is missing, damaged, none of a correction, or of a newer crossplate.
    """
    if not (folder / CORRECTOR).is_file():
        raise InputError(
            f"{folder} holds no corrector ({CORRECTOR} is missing); name the folder that "
            "crossplate correct wrote"
        )
    corrector = load_corrector(folder / CORRECTOR)
    path = folder / SETTINGS
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        found, columns = record["format"], dict(record["columns"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} is missing or damaged ({error}); correct the table again"
        ) from error
    if not isinstance(found, int) or not 1 <= found <= FORMAT:
        raise InputError(
            f"{path} has format {found!r}, this crossplate reads up to {FORMAT}; update crossplate"
        )
    if not isinstance(corrector, OnLogScale) or not hasattr(corrector, "feature_names_in_"):
        raise InputError(
            f"{folder / CORRECTOR} was not written by crossplate correct (it is no corrector on "
            "named features); load it in Python instead"
        )
    return SavedCorrection(corrector, columns)
