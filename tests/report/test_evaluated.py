"""A report of everything: page, live charts and files from one evaluation."""

import json
import re
import runpy
from pathlib import Path
from xml.etree import ElementTree

import pytest

from crossplate.report import render_page, save_figures, summarise
from crossplate.report.evaluation_figures import coverage_picture, histogram_of
from crossplate.report.page_figures import report_figures, report_views

HERE = Path(__file__).resolve().parent
NAMES = {"classes": ["SLE", "control"], "batch": "plate2", "feature": "mz"}
SVG = "{http://www.w3.org/2000/svg}"
SECTIONS = {
    "trust": "Can it be trusted?",
    "permutation": "Shuffled labels",
    "ceiling": "Within and across batches",
    "biomarkers": "Biomarkers",
}


@pytest.fixture(scope="module")
def study(usual_pieces):
    """Arguments of `summarise` and the evaluation."""
    return runpy.run_path(str(HERE / "evaluated.py"))["evaluated"](usual_pieces, **NAMES)


@pytest.fixture(scope="module")
def summary(study):
    return summarise(**study[0])


@pytest.fixture(scope="module")
def figures(summary, study):
    return report_figures(summary, study[1])


def data_of(html):
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html)
    return json.loads(found[1])


def test_page_shows_what_was_evaluated(summary, study):
    html = render_page(summary, study[1])
    bare = render_page(summary)
    for section in SECTIONS.values():
        assert f">{section}</h" in html
        assert f">{section}</h" not in bare
    assert "0.82–0.91" in html
    assert "-0.10 to 0.60" in html  # an interval with a minus
    assert "Not in the evaluation: mixing, since batch plate1 is too small." in html
    data = data_of(html)
    assert set(data["tables"]) == {"calls", "samples", "biomarkers", "attribution"}
    assert len(data["tables"]["biomarkers"]["rows"]) == 60
    assert data["first"] == ["mz 0"]
    assert data["boxes"]["batches"] == ["plate1", "plate2"]
    assert [view["name"] for view in data["embedding"]] == ["t-SNE", "PCA"]


@pytest.mark.parametrize("part", sorted({*SECTIONS, "roc", "calibration", "embedding"}))
@pytest.mark.parametrize("empty", [None, "missing"])
def test_any_part_may_be_missing(summary, study, part, empty):
    evaluation = {**study[1], part: None}
    if empty == "missing":
        del evaluation[part]
    if part == "ceiling":
        evaluation["cross_batch"] = None
    html = render_page(summary, evaluation)
    if part in SECTIONS and part != "biomarkers":
        assert f">{SECTIONS[part]}</h" not in html
    assert part not in data_of(html)["figures"]


def test_live_charts_hold_the_numbers_of_the_drawings(summary, study, figures):
    evaluation = study[1]
    bars = figures["scores_subjects"].charts[0]["bars"]
    level = summary.levels[0].scores
    assert [bar["value"] for bar in bars] == pytest.approx(level.column("Accuracy"), rel=1e-3)
    assert bars[0]["reach"] == [0.82, 0.91]
    assert [bar["reach"] for bar in bars[1:]] == [None] * 3
    (roc,) = figures["roc"].charts
    assert roc["lines"][0]["y"] == [0.0, 0.8, 1.0]
    (curve,) = figures["calibration"].charts
    assert curve["lines"][0]["high"] == [0.55, 0.75, 0.95]
    (surest,) = figures["coverage"].charts
    assert surest["lines"][0]["x"] == [0.2, 0.5, 1.0]
    assert surest["lines"][0]["y"] == pytest.approx([0.97, 0.925, 0.85], rel=1e-3)
    assert "100% called 0.850" in figures["coverage"].picture.panels[0].alt
    assert coverage_picture(None) is coverage_picture({"curve": []}) is None
    (histogram,) = figures["permutation"].charts
    assert sum(histogram["counts"]) == 100
    assert histogram["line"] == 0.87
    (dots,) = figures["variance"].charts
    assert len(dots["names"]) == 29  # the one without variance is left out
    assert len(figures["losses"].charts) == len(figures["losses"].picture.panels) == 5
    for figure in figures.values():
        assert len(figure.charts) in (0, len(figure.picture.panels))
    edges, counts = histogram_of(evaluation["permutation"])
    assert len(edges) == len(counts) + 1
    assert edges[-1] >= 0.87 >= edges[0]


def test_points_of_a_map_keep_their_sample(summary, study):
    first, second = report_views(summary, study[1])
    n = len(study[0]["predictions"])
    assert (first.name, second.name) == ("t-SNE", "PCA")
    assert first.before == tuple(map(tuple, study[1]["embedding"]["tsne_before"]))
    assert first.samples.sample[n:] == tuple(study[0]["predictions"].index)
    assert first.samples.called[:n] == (None,) * n
    assert first.samples.called[n:] == tuple(study[0]["predictions"]["predicted"])
    # The summary's own components, which come with their shares of variance.
    assert second.before == study[0]["embedding"].before
    some = {**study[1], "embedding": {**study[1]["embedding"], "rows": [5, 3]}}
    for key in ("tsne_before", "tsne_after"):
        some["embedding"][key] = some["embedding"][key][:2]
    assert report_views(summary, some)[0].samples.sample == ("source 5", "source 3")


def test_every_figure_is_a_file_with_its_caption(summary, study, figures, tmp_path):
    stems = save_figures(summary, tmp_path / "figures", study[1])
    assert set(stems) == {*figures, "biomarker_batches"}
    written = {path.name for path in (tmp_path / "figures").iterdir()}
    files = {f"{stem}.{ending}" for stem in stems for ending in ("svg", "pdf")}
    assert written == {*files, "captions.md"}
    captions = (tmp_path / "figures/captions.md").read_text(encoding="utf-8")
    for stem in stems:
        assert f"**{stem}** " in captions
        pdf = (tmp_path / f"figures/{stem}.pdf").read_bytes()
        assert pdf.startswith(b"%PDF")
        assert b"/FontFile2" in pdf  # the font is inside
        root = ElementTree.parse(tmp_path / f"figures/{stem}.svg").getroot()
        # Letters are shapes: no reader needs the font.
        assert not root.findall(f".//{SVG}text")
        assert root.findall(f".//{SVG}use") or root.findall(f".//{SVG}path")


def test_without_figures_there_is_no_folder(bare_summary, tmp_path):
    assert save_figures(bare_summary, tmp_path / "figures") == ()
    assert not (tmp_path / "figures").exists()


def test_names_in_captions_are_only_text(usual_pieces, tmp_path):
    evaluated = runpy.run_path(str(HERE / "evaluated.py"))["evaluated"]
    names = {"classes": ["<script>", "*b*_[x](y)"], "batch": "a|`#", "feature": "$x$ <i>\n&"}
    pieces, evaluation = evaluated(usual_pieces, **names)
    keep = {"roc": evaluation["roc"], "biomarkers": evaluation["biomarkers"]}
    pieces = pieces | {"metrics": {}, "embedding": None, "history": None}
    save_figures(summarise(**pieces), tmp_path / "figures", keep)
    captions = (tmp_path / "figures/captions.md").read_text(encoding="utf-8")
    assert "&lt;script&gt;" in captions
    assert "<" not in captions
    assert "\\*b\\*\\_\\[x\\](y)" in captions
    assert "a\\|\\`\\#" in captions
