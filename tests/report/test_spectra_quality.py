"""The quality page of spectra, from figures made by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crossplate.report.spectra_figures import (
    MOST_ROWS,
    close_up_picture,
    error_picture,
    figure_picture,
    profile_picture,
    thinned,
)
from crossplate.report.spectra_quality import render_spectra_page
from crossplate.report.tables import MAX_ROWS
from crossplate.spectra.pipeline_settings import preset_settings
from crossplate.spectra.quality import BatchQuality, ExampleSpectrum, SpectraQuality
from crossplate.spectra.spectrum_file import Exclusion

EVIL = "<script>alert(1)</script>"
NAN = float("nan")


def batch(name: str, **changed: float) -> BatchQuality:
    figures = {
        "n_found": 10,
        "n_kept": 9,
        "peaks": 50.0,
        "features": 40.0,
        "snr": 5.25,
        "tic": 12345.6,
        "tic_rsd": 0.125,
        "error_before_ppm": 212.3,
        "error_after_ppm": 14.94,
        "replicate_error_before_ppm": 111.0,
        "replicate_error_after_ppm": 53.5,
        "replicate_correlation": 0.9876,
    }
    return BatchQuality(batch=name, **(figures | changed))


def example(name: str, own: str, shift: float) -> ExampleSpectrum:
    raw = np.linspace(2000.0, 6000.0, 9000)
    mz = raw[500:] - shift
    heights = np.exp(-0.5 * ((raw - 3000.0 - shift) / 3) ** 2)
    heights = heights + 0.5 * np.exp(-0.5 * ((raw - 5000.0 - shift) / 3) ** 2)
    peaks = np.array([3000.0, 5000.0])
    return ExampleSpectrum(
        name, own, raw, 900 * heights + 5, mz, heights[500:], peaks, np.array([1.0, 0.5])
    )


def quality_by_hand() -> SpectraQuality:
    """Two batches, one spectrum left out."""
    spectra = pd.DataFrame(
        {
            "batch": ["a"] * 9 + ["b"] * 9,
            "kept": [True] * 17 + [False],
            "n_peaks": np.arange(18) + 40,
            "n_features_found": 40,
            "snr": np.linspace(4, 6, 18),
            "total_ion_current": np.linspace(1e4, 2e4, 18),
            "n_matched": 12,
            "error_before_ppm": np.linspace(100, 300, 18),
            "error_after_ppm": np.linspace(5, 25, 18),
            "replicate_correlation": np.linspace(0.95, 0.99, 18),
        },
        index=[f"s{i}" for i in range(18)],
    )
    return SpectraQuality(
        batches=(batch("a"), batch("b")),
        spectra=spectra,
        feature_mz=np.array([2500.0, 3000.0, 5000.0]),
        n_features_learned=4,
        excluded=(Exclusion("s17", "the spectrum is saturated"),),
        examples=(example("s0", "a", 2.0), example("s9", "b", -2.0)),
        settings=preset_settings("maldi-proteins").to_dict(),
    )


@pytest.fixture
def quality() -> SpectraQuality:
    return quality_by_hand()


def page(quality: SpectraQuality, title: str = "Spectra of plate1") -> str:
    return render_spectra_page(quality, title=title, version="9.9", date="2030-01-02")


def test_page_holds_the_figures_and_stands_alone(quality):
    html = page(quality)
    assert html.lstrip().startswith("<!doctype html>")
    for text in (
        "<h1>Spectra of plate1</h1>",
        "crossplate 9.9, 2030-01-02",
        "18 of 20 spectra in 2 batches are in the table, with 3 features from m/z 2500.00 to",
        "Dropped since they varied too much over replicates: 1 of 4 features.",
        "12,346",
        "0.988",
        "the spectrum is saturated",
        "2000 to 20000",
    ):
        assert text in html
    assert html.count("<script") == 2  # data and the page's own
    assert "Warning" not in html
    assert html.count("<svg viewBox") >= 4 + 1 + 2 + 4


def test_texts_of_the_user_are_escaped(quality):
    named = replace(
        quality,
        batches=(batch(EVIL), batch("b")),
        excluded=(Exclusion(EVIL, EVIL),),
        examples=(replace(quality.examples[0], name=EVIL), quality.examples[1]),
        notices=(EVIL,),
    )
    html = page(named, EVIL)
    assert html.count("<script") == 2  # data and the page's own
    assert html.count("&lt;script&gt;") >= 6


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"n_kept": 7}, "Batch a: 3 of 10 spectra were left out"),
        ({"replicate_correlation": 0.5}, "Batch a: replicates correlate by 0.50 only"),
        ({"error_after_ppm": 300.0}, "Batch a: alignment made the mass error larger"),
    ],
)
def test_what_may_be_wrong_is_said(quality, changed, said):
    html = page(replace(quality, batches=(batch("a", **changed), batch("b"))))
    assert f"<b>Warning:</b> {said}" in html
    assert html.count("<b>Warning:</b>") == 1


def test_notices_are_said(quality):
    assert "<b>Warning:</b> few peaks" in page(replace(quality, notices=("few peaks",)))


def test_without_replicates_alignment_examples_and_exclusions(quality):
    nothing = dict.fromkeys(("error_before_ppm", "error_after_ppm", "replicate_correlation"), NAN)
    bare = replace(
        quality,
        spectra=quality.spectra.assign(**nothing),
        batches=(batch("a", **nothing, tic_rsd=NAN, tic=NAN),),
        examples=(),
        excluded=(),
    )
    html = page(bare)
    assert "Alignment moved" not in html
    assert "A few spectra" not in html
    assert "Left out" not in html
    assert error_picture(bare) is None
    assert profile_picture(()) is None
    assert close_up_picture(bare) is None
    titles = [panel.title for panel in figure_picture(bare).panels]
    assert titles == ["Peaks", "Median S/N of the peaks", "Total ion current"]


def test_spectra_left_out_have_a_colour_of_their_own(quality):
    assert [name for _, name in figure_picture(quality).legend] == ["in the table", "left out"]
    kept = replace(quality, spectra=quality.spectra.assign(kept=True))
    assert [name for _, name in figure_picture(kept).legend] == ["in the table"]


def test_batches_are_named_where_there_are_several(quality):
    names = [name for _, name in profile_picture(quality.examples).legend]
    assert names == ["s0 (a)", "s9 (b)"]
    alone = tuple(replace(one, batch="a") for one in quality.examples)
    assert [name for _, name in profile_picture(alone).legend] == ["s0", "s9"]


def test_close_ups_are_around_the_strongest_feature_of_each_half(quality):
    titles = [panel.title for panel in close_up_picture(quality).panels]
    assert titles == [
        "m/z 3000.00, as measured",
        "m/z 3000.00, processed and aligned",
        "m/z 5000.00, as measured",
        "m/z 5000.00, processed and aligned",
    ]
    assert close_up_picture(replace(quality, examples=quality.examples[:1])) is None
    one_feature = replace(quality, feature_mz=np.array([3000.0]))
    assert len(close_up_picture(one_feature).panels) == 2


def test_many_batches_and_many_exclusions(quality):
    many = replace(
        quality,
        batches=tuple(batch(f"b{i}") for i in range(MOST_ROWS + 5)),
        excluded=tuple(Exclusion(f"x{i}", "bad") for i in range(MAX_ROWS + 7)),
    )
    html = page(many)
    assert "Not drawn: 5 more batches." in html
    assert "7 more are not shown." in html
    assert f"x{MAX_ROWS - 1}<" in html
    assert f"x{MAX_ROWS}<" not in html


@pytest.mark.parametrize("seed", range(3))
def test_thinned_lines_keep_every_extreme(seed):
    rng = np.random.default_rng(seed)
    x, y = np.arange(50_000.0), rng.normal(size=50_000)
    few_x, few_y = thinned(x, y, 800)
    assert len(few_x) <= 1600
    assert np.all(np.diff(few_x) > 0)
    assert np.array_equal(y[few_x.astype(int)], few_y)
    assert (few_y.min(), few_y.max()) == (y.min(), y.max())
    short = thinned(x[:3000], y[:3000], 800)
    assert np.array_equal(short[1], y[:3000])
