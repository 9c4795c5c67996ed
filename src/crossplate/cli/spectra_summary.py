"""What ``crossplate spectra`` prints at its end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from crossplate.cli.summary import align, paragraph

if TYPE_CHECKING:
    from crossplate.spectra.quality import SpectraQuality
    from crossplate.spectra.tabulating import SpectraTable

_SHOWN = 10
_MEANINGS = (
    "the table, for crossplate run",
    "the features, for later plates (--like)",
    "the quality of the spectra as a page",
)

__all__ = ["spectra_summary"]


def spectra_summary(result: SpectraTable, notices: Sequence[str], files: Sequence[Path]) -> str:
    """Write what was kept, how good it is, what was left out and why, and where the files are.

    Parameters
    ----------
    result
        What became of the spectra.
    notices
        Sentences about what the command decided.
    files
        Table, pipeline and page.
    """
    quality, table = result.quality, result.table
    n_found = sum(one.n_found for one in quality.batches)
    parts = [
        paragraph(
            f"{table.n_samples} of {n_found} spectra became samples, with {table.n_features} "
            f"features from m/z {quality.feature_mz[0]:.2f} to {quality.feature_mz[-1]:.2f}."
        ),
        "\n".join(align(_batch_rows(quality))),
        *_left_out(quality),
    ]
    notes = [*notices, *quality.notices, *_dropped(quality)]
    if notes:
        parts.append("\n".join(["Notes:", *(paragraph(note, "  - ", "    ") for note in notes)]))
    width = max(len(str(file)) for file in files)
    lines = [f"  {file!s:{width}}  {what}" for file, what in zip(files, _MEANINGS, strict=True)]
    parts.append("\n".join(["Written:", *lines]))
    return "\n\n".join(parts)


def _batch_rows(quality: SpectraQuality) -> list[list[str]]:
    """Rows of the table of batches; mass error in ppm before > after alignment."""
    rows = [["batch", "found", "kept", "peaks", "S/N", "mass error (ppm)", "replicates r"]]
    for one in quality.batches:
        error = f"{_number(one.error_before_ppm, 0)} > {_number(one.error_after_ppm, 0)}"
        rows.append(
            [
                one.batch,
                str(one.n_found),
                str(one.n_kept),
                _number(one.peaks, 0),
                _number(one.snr, 1),
                error,
                _number(one.replicate_correlation, 3),
            ]
        )
    return rows


def _number(value: float, places: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{places}f}"


def _left_out(quality: SpectraQuality) -> list[str]:
    """What was left out and why, the first few of it."""
    excluded = quality.excluded
    if not excluded:
        return []
    lines = [
        paragraph(
            one.reason if one.name in one.reason else f"{one.name}: {one.reason}", "  - ", "    "
        )
        for one in excluded[:_SHOWN]
    ]
    if len(excluded) > _SHOWN:
        lines.append(f"  and {len(excluded) - _SHOWN} more, see the page")
    return ["\n".join([f"Left out ({len(excluded)}):", *lines])]


def _dropped(quality: SpectraQuality) -> list[str]:
    dropped = quality.n_features_learned - len(quality.feature_mz)
    if not dropped:
        return []
    return [
        f"features dropped since they varied too much over replicates: {dropped} of "
        f"{quality.n_features_learned}"
    ]
