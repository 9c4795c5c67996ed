"""The quality page of spectra: what was kept, how good it is, what was left out and why."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from crossplate.report.environment import render, table_data
from crossplate.report.sentences import Sentence
from crossplate.report.spectra_figures import (
    close_up_picture,
    error_picture,
    figure_picture,
    profile_picture,
)
from crossplate.report.tables import MAX_ROWS, Column, Table
from crossplate.report.wording import count_of, decimal
from crossplate.spectra.quality import SpectraQuality

# More than this share left out, or replicates less alike than this, is worth a look.
MANY_LEFT_OUT = 0.2
LOW_CORRELATION = 0.9

__all__ = ["render_spectra_page"]


def render_spectra_page(quality: SpectraQuality, *, title: str, version: str, date: str) -> str:
    """Make a self-contained HTML page of what became of spectra; it loads nothing.

    Every text of the user's (names, batches, reasons) is escaped by the template.

    Parameters
    ----------
    quality
        From `crossplate.spectra.tabulating.tabulate_spectra`.
    title
        Heading of the page.
    version, date
        Of crossplate, and when the table was made.

    Returns
    -------
    str
        The page, to be written as UTF-8.
    """
    examples = [profile_picture(quality.examples), close_up_picture(quality)]
    excluded = _excluded_table(quality)
    values = {
        "title": title,
        "version": version,
        "date": date,
        "sentences": _sentences(quality),
        "batches": _batch_table(quality),
        "figures": figure_picture(quality),
        "errors": _error_table(quality),
        "error_picture": error_picture(quality),
        "examples": [picture for picture in examples if picture is not None],
        "excluded": excluded,
        "settings": _setting_groups(quality.settings),
    }
    tables = {} if excluded is None else {"excluded": table_data(excluded)}
    return render("spectra.html", values, {"tables": tables}, live=False)


def _sentences(quality: SpectraQuality) -> list[Sentence]:
    """What matters, most important first; then what may be wrong."""
    n_found = sum(one.n_found for one in quality.batches)
    n_kept = sum(one.n_kept for one in quality.batches)
    low, high = quality.feature_mz[0], quality.feature_mz[-1]
    told = [
        Sentence(
            f"{n_kept:,} of {_spectra(n_found)} in "
            f"{count_of(len(quality.batches), 'batch')} are in the table, with "
            f"{count_of(len(quality.feature_mz), 'feature')} from m/z {low:.2f} to {high:.2f}."
        )
    ]
    told += _error_sentences(quality)
    dropped = quality.n_features_learned - len(quality.feature_mz)
    if dropped:
        told.append(
            Sentence(
                f"Dropped since they varied too much over replicates: {dropped} of "
                f"{count_of(quality.n_features_learned, 'feature')}."
            )
        )
    told += [Sentence(notice, warning=True) for notice in quality.notices]
    told += [Sentence(text, warning=True) for text in _warnings(quality)]
    return told


def _error_sentences(quality: SpectraQuality) -> list[Sentence]:
    columns = ["error_before_ppm", "error_after_ppm"]
    known = quality.spectra.loc[quality.spectra["kept"], columns].dropna()
    if known.empty:
        return []
    before, after = known.median()
    return [
        Sentence(
            f"Alignment moved the peaks of a typical spectrum from {_ppm(before)} to {_ppm(after)} "
            "ppm off the reference peaks."
        )
    ]


def _warnings(quality: SpectraQuality) -> list[str]:
    texts = []
    for one in quality.batches:
        if one.n_kept < (1 - MANY_LEFT_OUT) * one.n_found:
            texts.append(
                f"Batch {one.batch}: {one.n_found - one.n_kept} of {one.n_found} spectra were left "
                "out; see why below."
            )
        if one.replicate_correlation < LOW_CORRELATION:
            texts.append(
                f"Batch {one.batch}: replicates correlate by {one.replicate_correlation:.2f} only; "
                "check that the column of subjects tells which spectra are replicates."
            )
        if one.error_after_ppm > one.error_before_ppm:
            texts.append(
                f"Batch {one.batch}: alignment made the mass error larger; check the tolerance of "
                "the alignment."
            )
    return texts


def _batch_table(quality: SpectraQuality) -> Table:
    columns = (
        Column("Batch"),
        Column("Found", "count"),
        Column("In the table", "count"),
        Column("Peaks", "number"),
        Column("Features with a peak", "number"),
        Column("S/N", "number"),
        Column("Total ion current", "number"),
        Column("its RSD", "number"),
        Column("Correlation with replicates", "number"),
    )
    rows = tuple(
        (
            one.batch,
            one.n_found,
            one.n_kept,
            decimal(one.peaks, 0),
            decimal(one.features, 0),
            decimal(one.snr, 1),
            _large(one.tic),
            f"{one.tic_rsd:.0%}" if math.isfinite(one.tic_rsd) else "–",
            decimal(one.replicate_correlation, 3),
        )
        for one in quality.batches
    )
    note = (
        "Medians over the spectra in the table. Features with a peak: at the others the profile "
        "was read. S/N: signal-to-noise ratio of the peaks. RSD: standard deviation over mean."
    )
    return Table("Spectra by batch", columns, rows, (note,))


def _error_table(quality: SpectraQuality) -> Table:
    columns = (
        Column("Batch"),
        Column("To reference peaks, before", "number"),
        Column("aligned", "number"),
        Column("Between replicates, before", "number"),
        Column("aligned", "number"),
    )
    rows = tuple(
        (
            one.batch,
            _ppm(one.error_before_ppm),
            _ppm(one.error_after_ppm),
            _ppm(one.replicate_error_before_ppm),
            _ppm(one.replicate_error_after_ppm),
        )
        for one in quality.batches
    )
    note = (
        "Medians: of the distance of a spectrum's peaks from the reference peaks, and of the "
        "distance of a feature's peaks in two spectra of one subject."
    )
    return Table("Mass error by batch (ppm)", columns, rows, (note,))


def _large(value: float) -> str:
    if not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _spectra(n: int) -> str:
    return "1 spectrum" if n == 1 else f"{n:,} spectra"


def _ppm(value: float) -> str:
    return decimal(value, 0 if value >= 100 else 1)


def _excluded_table(quality: SpectraQuality) -> Table | None:
    if not quality.excluded:
        return None
    shown = quality.excluded[:MAX_ROWS]
    more = len(quality.excluded) - len(shown)
    return Table(
        caption=f"Left out: {len(quality.excluded):,} spectra, files or rows of the metadata",
        columns=(Column("Name"), Column("Why")),
        rows=tuple((one.name, one.reason) for one in shown),
        notes=(f"{more:,} more are not shown.",) if more else (),
    )


def _setting_groups(settings: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Settings by step: those without a step first."""
    general = [(name, _text(value)) for name, value in settings.items() if not _is_group(value)]
    groups = [("General", general)]
    for step, values in settings.items():
        if _is_group(values):
            entries = [(_words(name), _text(value)) for name, value in values.items()]
            groups.append((_words(step).capitalize(), entries))
    return [(step, [(_words(name), value) for name, value in entries]) for step, entries in groups]


def _is_group(value: object) -> bool:
    return isinstance(value, Mapping)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return " to ".join(_text(one) for one in value)
    if isinstance(value, float):
        return f"{value:g}"
    return "–" if value is None else str(value)
