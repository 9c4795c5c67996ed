import struct
import xml.etree.ElementTree as ET
from base64 import b64decode
from dataclasses import replace

import matplotlib
import numpy as np
import pytest
from markupsafe import escape

from crossplate.report import pca_embedding, save_figure
from crossplate.report.canvas import INK, PALETTE
from crossplate.report.embedding_figures import embedding_pictures
from crossplate.report.figures import distance_picture, loss_picture, score_picture
from crossplate.report.summary import Distance, LossCurve
from crossplate.report.views import view_of

SVG = "{http://www.w3.org/2000/svg}"
NASTY = ["<script>alert(1)</script>", "\"a\" & 'b'", "$x^2$", "_hidden", "血液", "a\nb"]


def parsed(panel):
    """Panel as XML; it must be well formed as it stands."""
    return ET.fromstring(str(panel.svg).replace("<svg ", f'<svg xmlns="{SVG[1:-1]}" ', 1))


def texts(panel):
    return [text.text for text in parsed(panel).iter(f"{SVG}text")]


def png_size(data):
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", data[16:24])


def colours_in(png):
    """Colours of an 8-bit PNG's pixels that are not see-through."""
    from io import BytesIO

    from matplotlib.image import imread

    pixels = imread(BytesIO(png))
    solid = pixels[pixels[..., 3] > 0.6][:, :3]
    return {tuple(pixel) for pixel in np.round(solid * 255).astype(int).tolist()}


@pytest.fixture
def embedding():
    x = np.random.default_rng(0).normal(size=(40, 4))
    labels = ["ill", "well", None, "ill"] * 10
    return pca_embedding(x, x * 3.0 + 1.0, batch=["A"] * 20 + ["B"] * 20, label=labels)


@pytest.fixture(scope="module")
def panels(summary):
    """All panels of a page."""
    pictures = [
        *(score_picture(level) for level in summary.levels),
        *embedding_pictures(view_of(summary.embedding)),
        distance_picture(summary.distances),
        loss_picture(summary.losses),
    ]
    return [panel for picture in pictures for panel in picture.panels]


def test_every_panel_is_clean_svg_with_a_text_for_the_blind(panels):
    assert len(panels) == 2 * 2 + 2 * 2 + 1 + 5
    for panel in panels:
        root = parsed(panel)
        assert root.get("role") == "img"
        assert len(root.get("aria-label")) > 20
        assert root.get("viewBox")
        assert INK not in panel.svg
        assert "currentColor" in panel.svg
        assert {child.tag for child in root.iter()} & {f"{SVG}metadata", f"{SVG}style"} == set()


def test_inner_references_of_different_panels_do_not_clash(panels):
    every = []
    for panel in panels:
        elements = list(parsed(panel).iter())
        inside = [element.get("id") for element in elements if element.get("id")]
        used = {
            value.partition("#")[2].rstrip(")")
            for element in elements
            for value in element.attrib.values()
            if value.startswith(("#", "url(#"))
        }
        assert used <= set(inside)
        every += inside
    assert len(every) > 10
    assert len(every) == len(set(every))


def test_before_and_after_share_their_axes(embedding):
    by_batch, by_label = embedding_pictures(view_of(embedding))
    before, after = by_batch.panels
    assert [before.title, after.title] == ["Before calibration", "After calibration"]
    assert texts(before) == texts(after)
    assert any("component 1" in text for text in texts(before))
    assert [name for _, name in by_batch.legend] == ["A", "B"]
    assert [name for _, name in by_label.legend] == ["ill", "well", "no label"]
    colours = [colour for colour, _ in (*by_batch.legend, *by_label.legend)]
    assert len(set(colours)) == 5


def test_points_have_the_colour_of_the_legend(embedding):
    (by_batch, _) = embedding_pictures(view_of(embedding))
    (image,) = parsed(by_batch.panels[0]).iter(f"{SVG}image")
    (data,) = [value for name, value in image.attrib.items() if name.endswith("href")]
    found = colours_in(b64decode(data.partition("base64,")[2]))
    for colour, _ in by_batch.legend:
        wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        assert min(max(abs(a - b) for a, b in zip(wanted, one, strict=True)) for one in found) < 4


def test_more_groups_than_colours_share_a_grey(embedding):
    names = tuple(f"plate{i % 9}" for i in range(40))
    picture, _ = embedding_pictures(view_of(replace(embedding, batch=names)))
    assert [name for _, name in picture.legend] == [*names[: len(PALETTE)], "3 others"]


def test_without_labels_there_is_one_picture(embedding):
    assert len(embedding_pictures(view_of(replace(embedding, label=None)))) == 1


def test_bars_show_all_methods_and_their_scores(summary):
    level = summary.levels[0]
    accuracy, balanced = score_picture(level).panels
    for panel, name in ((accuracy, "Accuracy"), (balanced, "Balanced accuracy")):
        shown = texts(panel)
        for method, value in zip(
            level.scores.column("Method"), level.scores.column(name), strict=True
        ):
            assert method in shown
            assert f"{value:.3f}" in shown
            assert str(escape(f"{method} {value:.3f}")) in panel.svg.partition(">")[0]


def test_distances_are_told_with_the_line_within_a_batch():
    distances = [
        Distance("as measured", 0.4, 0.01, 0.07, 0.01),
        Distance("calibrated", 0.1, 0.01, 0.08, 0.0),
    ]
    (panel,) = distance_picture(distances).panels
    assert {"as measured", "calibrated", "0.400", "0.100"} <= set(texts(panel))
    assert (
        "as measured 0.400, within a batch 0.070; calibrated 0.100, within a batch 0.080"
        in panel.svg
    )
    assert distance_picture([]) is None


def test_distances_of_zero_can_be_drawn():
    (panel,) = distance_picture([Distance("before", 0.0, 0.0, 0.0, 0.0)]).panels
    assert "0.000" in texts(panel)


def test_losses_of_members_that_stop_early_say_so():
    full, short = tuple((i, 1.0 / i) for i in range(1, 6)), ((1, 1.0), (2, 0.5))
    both = loss_picture([LossCurve("Total", (full, short))])
    assert "stopped early" in both.caption
    assert "1 after the first epoch and 0.35 at the end (5)" in both.panels[0].svg
    assert "stopped early" not in loss_picture([LossCurve("Total", (full, full))]).caption
    assert loss_picture([]) is None


def test_wide_and_negative_losses_have_readable_axes():
    wide = LossCurve("Total", (tuple((i, 10.0 ** (1 - i)) for i in range(1, 6)),))
    below = LossCurve("Calibration", (((1, 0.5), (2, -0.2)),))
    single = LossCurve("Reconstruction", (((1, 0.5),),))
    panels = loss_picture([wide, below, single]).panels
    assert {"0.001", "0.1"} <= set(texts(panels[0]))
    assert all("mathdefault" not in panel.svg for panel in panels)


def test_names_of_any_kind_are_drawn_as_they_are(embedding, summary, tmp_path):
    level = summary.levels[0]
    rows = tuple((name, *level.scores.rows[0][1:]) for name in NASTY)
    picture = score_picture(replace(level, scores=replace(level.scores, rows=rows)))
    drawn = texts(picture.panels[0])
    assert {" ".join(name.split()) for name in NASTY} <= set(drawn)
    assert "<script" not in picture.panels[0].svg
    nasty = replace(embedding, batch=tuple(NASTY[i % 6] for i in range(40)), label=None)
    save_figure(nasty, tmp_path / "nasty.png")
    assert png_size((tmp_path / "nasty.png").read_bytes())[0] == 9 * 192


def test_picture_file_has_a_row_for_labels(embedding, tmp_path):
    save_figure(embedding, tmp_path / "both.png")
    save_figure(replace(embedding, label=None), str(tmp_path / "batch.png"))
    both, batch = (png_size((tmp_path / f"{name}.png").read_bytes()) for name in ("both", "batch"))
    assert both[0] == batch[0] == 9 * 192
    assert both[1] == pytest.approx(2 * batch[1], abs=1)


def test_settings_of_the_user_neither_matter_nor_change(embedding):
    def drawn():
        pictures = embedding_pictures(view_of(embedding))
        return [panel.svg for picture in pictures for panel in picture.panels]

    expected = drawn()
    assert len(set(expected)) == 4
    with matplotlib.rc_context({"text.usetex": True, "font.size": 30, "svg.fonttype": "path"}):
        before = dict(matplotlib.rcParams)
        assert drawn() == expected
        assert dict(matplotlib.rcParams) == before
