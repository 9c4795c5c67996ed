"""Every figure of a report as SVG and PDF, with captions, for a paper."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from crossplate.evaluate.batch_agreement import Intersection
from crossplate.evaluate.biomarkers import Biomarkers
from crossplate.report.biomarker_figures import save_upset, upset_caption
from crossplate.report.page_figures import report_figures
from crossplate.report.pictures import save_picture
from crossplate.report.summary import ReportSummary

__all__ = ["save_figures"]


def save_figures(
    summary: ReportSummary, folder: Path, evaluation: Mapping[str, Any] | None = None
) -> tuple[str, ...]:
    """Write all figures of a report into a new folder, and their captions into captions.md.

    Letters are shapes in the SVG files and embedded in the PDF files, so that both look the same
    everywhere.

    Parameters
    ----------
    summary, evaluation
        As for `crossplate.report.render_page`.
    folder
        Folder to make; without any figure it is not made.

    Returns
    -------
    Stems of the files, in the order of the page.
    """
    captions = {}
    for stem, figure in report_figures(summary, evaluation).items():
        folder.mkdir(exist_ok=True)
        save_picture(figure.picture, folder / stem)
        captions[stem] = _with_legend(figure.picture.caption, figure.picture.legend)
    shared = _several_batches((evaluation or {}).get("biomarkers"))
    if shared is not None:
        folder.mkdir(exist_ok=True)
        save_upset(shared, folder / "biomarker_batches")
        captions["biomarker_batches"] = upset_caption(shared)
    if captions:
        text = "\n\n".join(f"**{stem}** {_plain(caption)}" for stem, caption in captions.items())
        (folder / "captions.md").write_text(f"{text}\n", encoding="utf-8")
    return tuple(captions)


def _with_legend(caption: str, legend: tuple[tuple[str, str], ...]) -> str:
    return f"{caption} Colours: {', '.join(name for _, name in legend)}." if legend else caption


def _plain(caption: str) -> str:
    """Names of the user's may hold what Markdown and HTML would take for their own."""
    line = " ".join(caption.split()).replace("\\", "\\\\").replace("&", "&amp;")
    line = line.replace("<", "&lt;").replace(">", "&gt;")
    for sign in "*_`[]#|":
        line = line.replace(sign, f"\\{sign}")
    return line


def _several_batches(found: Mapping[str, Any] | None) -> Biomarkers | None:
    """Biomarkers of several batches as far as the figure of what they share needs them."""
    if not found or not found.get("intersections"):
        return None
    features = pd.DataFrame(found.get("features") or {})
    shared = tuple(
        Intersection(tuple(one["batches"]), tuple(one["features"]), int(one["n_same_direction"]))
        for one in found["intersections"]
    )
    if features.empty or not any(one.features for one in shared):
        return None
    batches = tuple(found.get("batches") or dict.fromkeys(features["batch"]))
    if len(batches) < 2:
        return None
    return Biomarkers(
        features=features.astype({"selected": bool}),
        intersections=shared,
        agreement=pd.DataFrame(found.get("agreement") or []),
        batches=batches,
        frequency=float(found.get("frequency", 0.9)),
        p=float(found.get("p", 0.05)),
        n_resamples=int(found.get("n_resamples", 100)),
        n_in_model={},
        notices=(),
    )
