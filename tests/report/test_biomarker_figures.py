"""Figures of biomarkers: files that hold what they should, whatever the names."""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from crossplate.evaluate.biomarkers import Biomarkers, find_biomarkers
from crossplate.evaluate.subject_values import SubjectValues, subject_values
from crossplate.report.biomarker_figures import (
    _log_ticks,
    box_plot_caption,
    save_box_plots,
    save_upset,
    shortened_middle,
    upset_caption,
)
from crossplate.table import SampleTable


@cache
def study(n_batches: int = 3, strange: bool = False) -> tuple[Biomarkers, SubjectValues]:
    """Batches of 30 subjects; five of twelve features differ between the labels."""
    rng = np.random.default_rng(0)
    n = 30 * n_batches
    index = pd.Index([f"r{row}" for row in range(n)], name="sample_id")
    names = ["_healthy & well", "<script>$x_1$"] if strange else ["healthy", "ill"]
    label = np.array(names, dtype=object)[np.arange(n) % 2]
    x = np.exp(rng.normal(size=(n, 12)) + 2.5 * (np.arange(12) < 5) * (np.arange(n) % 2)[:, None])
    x[rng.random(x.shape) < 0.1] = 0.0
    prefix = "a very long name of a <b>feature</b> & $m/z_{" if strange else "f"
    plate = "hospital of the north, plate " if strange else "plate"
    table = SampleTable(
        features=pd.DataFrame(x, index=index, columns=[f"{prefix}{i}" for i in range(12)]),
        batch=pd.Series([f"{plate}{row // 30}" for row in range(n)], index=index, dtype=object),
        label=pd.Series(label, index=index),
    )
    return find_biomarkers(table, n_resamples=10), subject_values(table)


@pytest.mark.parametrize(("n_batches", "strange"), [(1, False), (5, True)])
def test_figures_are_written_as_svg_and_pdf(tmp_path: Path, n_batches: int, strange: bool) -> None:
    found, values = study(n_batches, strange)
    assert found.ranked()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_box_plots(found, values, tmp_path / "boxes")
        save_upset(found, tmp_path / "shared")
    for name in ("boxes", "shared"):
        pdf = (tmp_path / f"{name}.pdf").read_bytes()
        assert pdf.startswith(b"%PDF")
        assert b"/FontFile2" in pdf  # the font is inside
        root = ElementTree.parse(tmp_path / f"{name}.svg").getroot()
        assert root.tag.endswith("svg")
        # Letters are shapes: no reader needs the font.
        assert not root.findall(".//{http://www.w3.org/2000/svg}text")


def test_the_same_result_gives_the_same_files(tmp_path: Path) -> None:
    found, values = study(1)
    for run in "ab":
        save_box_plots(found, values, tmp_path / run)
    for ending in (".svg", ".pdf"):
        assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()


def test_captions_say_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = study()
    n = len(found.ranked())
    assert box_plot_caption(found).startswith(f"All {n} candidate biomarkers, by batch and label.")
    assert "more than 90% of 10 half-samples, and p < 0.05" in box_plot_caption(found)
    assert "(plate0, plate1 and plate2)" in upset_caption(found)
    assert "not shown" not in upset_caption(found)
    monkeypatch.setattr("crossplate.report.biomarker_figures.MOST_PANELS", 2)
    monkeypatch.setattr("crossplate.report.biomarker_figures.MOST_COMBINATIONS", 1)
    assert box_plot_caption(found).startswith(f"The 2 of {n} candidate biomarkers found in most")
    more = sum(bool(one.features) for one in found.intersections) - 1
    assert (f"{more} smaller combination" in upset_caption(found)) == (more > 0)


def test_names_of_batches_keep_their_ends() -> None:
    assert shortened_middle("plate 1", 14) == "plate 1"
    assert shortened_middle("hospital north plate 3", 14) == "hospit…plate 3"
    assert len(shortened_middle("x" * 100, 14)) == 14


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.5, 2000.0, [1.0, 10.0, 100.0, 1000.0]),
        (15.0, 300.0, [20.0, 50.0, 100.0, 200.0]),
        (101.0, 120.0, []),
    ],
)
def test_ticks_of_a_logarithmic_axis(low: float, high: float, ticks: list[float]) -> None:
    assert _log_ticks(low, high) == pytest.approx(ticks)
