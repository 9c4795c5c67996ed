"""Figures of the quality page of spectra: figures by batch, mass error, examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from crossplate.report.canvas import (
    BARS_ONLY,
    INK,
    OTHER_COLOUR,
    OWN_COLOUR,
    PALETTE,
    Margins,
    short_numbers,
)
from crossplate.report.figures import WIDTH
from crossplate.report.pictures import Panel, Picture
from crossplate.report.wording import clipped
from crossplate.spectra.quality import ExampleSpectrum, SpectraQuality

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FloatArray = npt.NDArray[np.float64]
Painter = Callable[["Axes"], None]

ROW_HEIGHT, AXIS_HEIGHT = 46, 40
PROFILE_HEIGHT = 240
# The last number of a long axis stands half beyond it.
PROFILE_MARGINS = Margins(left=62, right=24, bottom=42, top=18)
WIDE = 864
MOST_ROWS = 30
MOST_CHARACTERS = 40
LEFT_OUT_COLOUR = PALETTE[4]
# A few lines over one another are told apart by colour, so each is thin.
LINE_WIDTH = 0.8
# How far around a peak the close-ups reach, in tolerances of the binning.
CLOSE_UP = 2.5
PPM = 1e-6

__all__ = ["close_up_picture", "error_picture", "figure_picture", "profile_picture", "thinned"]

_FIGURES = {
    "n_peaks": "Peaks",
    "snr": "Median S/N of the peaks",
    "total_ion_current": "Total ion current",
    "replicate_correlation": "Correlation with replicates",
}


def figure_picture(quality: SpectraQuality) -> Picture:
    """Peaks, signal-to-noise, total ion current and replicate correlation, a dot a spectrum."""
    rows = _rows(quality)
    panels = []
    for column, title in _FIGURES.items():
        if not quality.spectra[column].notna().any():
            continue
        panels.append(
            _row_panel(
                title, column, rows, _dots(quality.spectra, column, rows), f"{title} by batch"
            )
        )
    legend = [(OWN_COLOUR, "in the table")]
    if not quality.spectra["kept"].all():
        legend.append((LEFT_OUT_COLOUR, "left out"))
    caption = "A dot is a spectrum; the line is the median of those in the table."
    return Picture(_with_rest(caption, quality, rows), tuple(legend), tuple(panels))


def error_picture(quality: SpectraQuality) -> Picture | None:
    """Mass error of each spectrum before and after alignment; None without alignment."""
    columns = ("error_before_ppm", "error_after_ppm")
    if not quality.spectra[list(columns)].notna().any().all():
        return None
    rows = _rows(quality)
    spectra = quality.spectra[quality.spectra["kept"]]

    def paint(ax: Axes) -> None:
        for column, colour, above in zip(
            columns, (OTHER_COLOUR, OWN_COLOUR), (0.1, -0.1), strict=True
        ):
            for place, batch in enumerate(rows):
                values = spectra.loc[spectra["batch"] == batch, column].to_numpy()
                _dot_row(ax, np.maximum(values, 0.1), place - above, colour)
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter("{x:g}")
        ax.minorticks_off()
        _row_names(ax, rows)

    panel = _row_panel("Mass error (ppm)", "error", rows, paint, "Mass error by batch")
    caption = (
        "A dot is a spectrum: the median distance of its peaks from the reference peaks, on a "
        "logarithmic axis; the line is the median of the batch."
    )
    legend = ((OTHER_COLOUR, "before alignment"), (OWN_COLOUR, "after alignment"))
    return Picture(_with_rest(caption, quality, rows), legend, (panel,))


def profile_picture(examples: Sequence[ExampleSpectrum]) -> Picture | None:
    """A few spectra over one another, as measured and processed; None without examples."""
    if not examples:
        return None

    def raw(ax: Axes) -> None:
        low, high = _processed_range(examples)
        for colour, one in zip(PALETTE, examples, strict=False):
            inside = (one.raw_mz >= low) & (one.raw_mz <= high)
            ax.plot(
                *thinned(one.raw_mz[inside], one.raw_intensity[inside]),
                color=colour,
                lw=LINE_WIDTH,
            )
        _profile_axes(ax, "intensity", low, high)

    def processed(ax: Axes) -> None:
        for colour, one in zip(PALETTE, examples, strict=False):
            ax.plot(*thinned(one.mz, one.intensity), color=colour, lw=LINE_WIDTH)
            ax.plot(one.peak_mz, one.peak_intensity, ".", color=colour, ms=2.5)
        _profile_axes(ax, "intensity", *_processed_range(examples))

    panels = tuple(
        _profile_panel(title, paint, WIDE, f"profile-{number}")
        for number, (title, paint) in enumerate(
            {"As measured": raw, "Processed": processed}.items()
        )
    )
    caption = (
        "A few spectra over one another, as measured and after all steps; dots mark the peaks that "
        "were found."
    )
    return Picture(caption, _names(examples), panels)


def close_up_picture(quality: SpectraQuality) -> Picture | None:
    """The same spectra around one strong feature of low and one of high m/z, for the alignment."""
    examples = quality.examples
    if len(examples) < 2:
        return None
    tolerance = float(quality.settings["binning"]["tolerance_ppm"])
    panels = []
    for number, mz in enumerate(_strong_features(quality)):
        half = CLOSE_UP * tolerance * PPM * mz
        for title, profiles in (
            ("as measured", [(one.raw_mz, one.raw_intensity) for one in examples]),
            ("processed and aligned", [(one.mz, one.intensity) for one in examples]),
        ):
            paint = _close_up(profiles, mz, half)
            name = f"close-up-{number}-{title.split()[0]}"
            panels.append(_profile_panel(f"m/z {mz:.2f}, {title}", paint, WIDTH, name))
    caption = (
        "The same spectra around two strong features, each scaled from its lowest to its highest; "
        "the dotted line is the feature."
    )
    return Picture(caption, _names(examples), tuple(panels))


def _rows(quality: SpectraQuality) -> list[str]:
    return [one.batch for one in quality.batches][:MOST_ROWS]


def _with_rest(caption: str, quality: SpectraQuality, rows: Sequence[str]) -> str:
    rest = len(quality.batches) - len(rows)
    return f"{caption} Not drawn: {rest} more batches." if rest else caption


def _row_panel(title: str, name: str, rows: Sequence[str], paint: Painter, alt: str) -> Panel:
    height = AXIS_HEIGHT + ROW_HEIGHT * len(rows)
    return Panel(title, paint, WIDTH, height, BARS_ONLY, name, f"{alt}.")


def _dots(spectra: pd.DataFrame, column: str, rows: Sequence[str]) -> Painter:
    def paint(ax: Axes) -> None:
        for place, batch in enumerate(rows):
            own = spectra[spectra["batch"] == batch]
            kept = own["kept"].to_numpy(dtype=bool)
            values = own[column].to_numpy(dtype=float)
            _dot_row(ax, values[kept], place, OWN_COLOUR)
            _dot_row(ax, values[~kept], place, LEFT_OUT_COLOUR, median=False)
        ax.locator_params(axis="x", nbins=4)
        ax.xaxis.set_major_formatter("{x:g}")
        _row_names(ax, rows)

    return paint


def _dot_row(
    ax: Axes, values: FloatArray, place: float, colour: str, *, median: bool = True
) -> None:
    """Dots of a batch on its line, shaken apart the same way each time."""
    values = values[np.isfinite(values)]
    if not values.size:
        return
    shaken = place + np.random.default_rng(0).uniform(-0.11, 0.11, values.size)
    ax.scatter(values, shaken, s=16, color=colour, alpha=0.55, linewidths=0, rasterized=True)
    if median:
        ax.plot([np.median(values)] * 2, [place - 0.2, place + 0.2], color=INK, lw=1.2)


def _row_names(ax: Axes, rows: Sequence[str]) -> None:
    from matplotlib.transforms import blended_transform_factory

    ax.set_ylim(len(rows) - 0.6, -0.7)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    beside = blended_transform_factory(ax.transAxes, ax.transData)
    for place, name in enumerate(rows):
        text = clipped(name, MOST_CHARACTERS)
        ax.text(0.0, place - 0.3, text, va="bottom", transform=beside)


def _names(examples: Sequence[ExampleSpectrum]) -> tuple[tuple[str, str], ...]:
    several = len({one.batch for one in examples}) > 1
    names = [f"{one.name} ({one.batch})" if several else one.name for one in examples]
    return tuple(zip(PALETTE, names, strict=False))


def _profile_panel(title: str, paint: Painter, width: int, name: str) -> Panel:
    alt = f"{title}: intensity over m/z of a few spectra."
    return Panel(title, paint, width, PROFILE_HEIGHT, PROFILE_MARGINS, name, alt)


def _profile_axes(ax: Axes, ylabel: str, low: float, high: float) -> None:
    short_numbers(ax)
    ax.ticklabel_format(axis="x", style="plain")
    ax.set_xlim(low, high)
    ax.set_xlabel("m/z")
    ax.set_ylabel(ylabel)


def _processed_range(examples: Sequence[ExampleSpectrum]) -> tuple[float, float]:
    return min(one.mz[0] for one in examples), max(one.mz[-1] for one in examples)


def _close_up(profiles: Sequence[tuple[FloatArray, FloatArray]], mz: float, half: float) -> Painter:
    def paint(ax: Axes) -> None:
        for colour, (x, y) in zip(PALETTE, profiles, strict=False):
            inside = np.abs(x - mz) <= half
            if inside.any():
                cut = y[inside]
                scaled = (cut - cut.min()) / (np.ptp(cut) or 1.0)
                ax.plot(*thinned(x[inside], scaled), color=colour, lw=1.1)
        ax.axvline(mz, color=INK, lw=0.6, ls=":")
        _profile_axes(ax, "scaled intensity", mz - half, mz + half)

    return paint


def _strong_features(quality: SpectraQuality) -> list[float]:
    """Feature of the lower and of the upper half that is highest in the weakest example."""
    features = quality.feature_mz
    heights = np.array([np.interp(features, one.mz, one.intensity) for one in quality.examples])
    weakest = heights.min(axis=0)
    middle = float(np.sqrt(features[0] * features[-1]))
    halves = (features <= middle, features > middle)
    return [float(features[half][np.argmax(weakest[half])]) for half in halves if half.any()]


def thinned(x: FloatArray, y: FloatArray, pixels: int = WIDE) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest point of each pixel, which draws the same line with fewer points."""
    if len(x) <= 4 * pixels:
        return x, y
    edges = np.linspace(0, len(x), pixels + 1).astype(int)
    places = [
        at
        for low, high in pairwise(edges.tolist())
        for at in sorted({low + int(y[low:high].argmin()), low + int(y[low:high].argmax())})
    ]
    return x[places], y[places]
