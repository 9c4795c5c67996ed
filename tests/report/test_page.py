import json
import re
import subprocess
import sys
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from crossplate.report import Sentence, pca_embedding, render_page, summarise
from crossplate.report.environment import cell_text

EVIL = "<script>alert(1)</script>"
QUOTES = "\"><img src=x onerror='alert(2)'> & {{ 7*7 }}"
VOID = {"meta", "link", "img", "br", "hr", "input", "image", "use", "path", "circle"}


class Page(HTMLParser):
    """What a browser would make of a page: elements, attributes and text."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements, self.words, self.open = [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def all(self, *tags):
        return [attributes for tag, attributes in self.elements if tag in tags]


@pytest.fixture(scope="module")
def html(summary):
    return render_page(summary)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_page_is_complete_and_closes_what_it_opens(page):
    assert page.open == []
    assert page.elements[0][0] == "html"
    assert page.all("html") == [{"lang": "en"}]
    assert page.all("title") == [{}]
    for section in (
        "Result",
        "Scores",
        "Batch effect",
        "Calls",
        "Training",
        "Notices",
        "Settings and versions",
        "How to cite",
    ):
        assert section in page.words


def test_sentences_come_first_and_all_are_there(page, summary):
    for sentence in summary.sentences:
        assert sentence.text in page.text
    assert page.text.index(summary.sentences[0].text) < page.text.index("Scores on")
    for notice in (*summary.notices, *summary.citation):
        assert notice in page.text


def data_of(html):
    """What the page's script reads, as it stands in the page."""
    return re.search(r'<script type="application/json" id="data">(.*?)</script>', html)[1]


def scripts_of(html):
    """Scripts that run; the data is none of them."""
    return re.findall(r"<script>(.*?)</script>", html, flags=re.DOTALL)


def test_nothing_is_loaded_from_elsewhere_and_only_the_own_scripts_run(html, page):
    assert page.all("link", "iframe", "img", "object", "embed") == []
    assert page.all("script") == [{"type": "application/json", "id": "data"}, {}, {}]
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "xlink:href", "action"):
            target = attributes.get(name)
            assert target is None or target.startswith(("#", "data:image/png;base64,")), tag
    bare = html
    for script in scripts_of(html):
        bare = bare.replace(script, "")
    assert re.findall(r"url\((?!#)[^)]*\)|@import", bare) == []
    addresses = set(re.findall(r"https?://[^\"'\s<]*", bare))
    assert addresses <= {"http://www.w3.org/1999/xlink", "http://www.w3.org/2000/svg"}
    (policy,) = [m["content"] for m in page.all("meta") if "http-equiv" in m]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    hashes = [b64encode(sha256(one.encode()).digest()).decode() for one in scripts_of(html)]
    assert re.findall(r"'sha256-([^']*)'", policy) == hashes
    assert "unsafe-eval" not in policy
    assert "unsafe-inline" not in policy.partition("style-src")[0]


def test_a_page_without_charts_leaves_the_plotting_out(bare_summary):
    html = render_page(bare_summary)
    assert len(html) < 100_000
    assert len(scripts_of(html)) == 1


def test_ids_are_unique_and_links_lead_somewhere(page):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [a["href"] for a in page.all("a")]
    assert links == ["#notices"]
    named = [a["aria-labelledby"] for _, a in page.elements if "aria-labelledby" in a]
    assert {*(link[1:] for link in links), *named} <= set(ids)


def test_headings_go_down_one_level_at_a_time(page):
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert max(np.diff(levels)) == 1


def test_tables_scroll_by_keyboard_and_have_headings(page):
    boxes = [a for a in page.all("div") if a.get("role") == "region"]
    assert len(boxes) == len(page.all("table")) > 8
    assert all(box["tabindex"] == "0" and box["aria-label"] for box in boxes)
    rows = len(page.all("tr"))
    assert sum(a.get("scope") == "row" for a in page.all("th")) > rows / 2
    drawings = [a for a in page.all("svg") if a.get("class") == "plot"]
    assert len(drawings) == 14
    assert all(a["role"] == "img" and a["aria-label"] for a in drawings)


def test_page_serves_light_dark_print_and_phone(html):
    for rule in ("prefers-color-scheme: dark", "@media print", "max-width", "color-scheme: light"):
        assert rule in html
    assert 'name="viewport" content="width=device-width' in html


def test_a_page_without_scores_history_or_embedding(bare_summary):
    page = Page(render_page(bare_summary))
    assert page.open == []
    for section in ("Scores", "Batch effect", "Training", "Notices", "Settings and versions"):
        assert section not in page.words
    assert "No labels of these samples are known" in page.text
    assert page.all("svg") == []


@pytest.mark.parametrize(("name", "by_subject"), [(EVIL, True), (QUOTES, False)])
def test_every_user_text_is_escaped(make_pieces, name, by_subject):
    classes = [f"{name} 1", f"{name} 2"]
    pieces = make_pieces(
        classes=classes,
        batch=f"b{name}",
        subject=f"p{name}",
        sample=f"s{name}",
        feature=f"f{name}",
    )
    pieces["notices"] = [f"notice {name}"]
    pieces["settings"] = {
        f"group {name}": {f"setting {name}": f"value {name}", "deep": {f"k{name}": [name]}},
        "versions": {"crossplate": f"v{name}"},
        "date": f"d{name}",
    }
    pieces["metrics"]["scored_on"] = f"labels {name}"
    pieces["metrics"]["collapsed"] = True
    if not by_subject:
        pieces["subjects"] = None
    html = render_page(summarise(**pieces))
    page = Page(html)
    assert page.open == []
    assert page.all("img") == []
    assert page.all("script") == [{"type": "application/json", "id": "data"}, {}, {}]
    assert not [a for _, a in page.elements if any(key.startswith("on") for key in a)]
    data = data_of(html)
    assert not set(data) & set("<>&")
    called = json.loads(data)["tables"]["calls"]
    place = [column["name"] for column in called["columns"]].index("called")
    assert {row[place] for row in called["rows"]} == set(classes)
    first = "p" if by_subject else "s"
    for text in (first, "b", "f", "notice ", "group ", "setting ", "value ", "v", "d", "labels "):
        assert f"{text}{name}" in page.text
    assert f"called {name} 1" in page.text
    assert f"p({name} 2)" in page.text
    labels = [a["aria-label"] for _, a in page.elements if "aria-label" in a]
    assert any(f"best single feature (f{name})" in label for label in labels)


def test_warnings_are_set_off(bare_summary):
    sentences = (Sentence("Beware.", warning=True), Sentence("All is well."))
    page = Page(render_page(replace(bare_summary, sentences=sentences)))
    assert page.all("p")[1:] == [{"class": "warning"}, {}]
    assert "Warning: Beware. All is well." in page.text


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, "score", "–"),
        (float("nan"), "score", "–"),
        (0.12345, "score", "0.123"),
        (12345, "count", "12,345"),
        (12345, "text", "12345"),
        (0.1, "text", "0.1"),
        ("0.1 ± 0.2", "number", "0.1 ± 0.2"),
    ],
)
def test_cells_are_written_by_kind(value, kind, text):
    assert cell_text(value, kind) == text


def test_a_large_study_stays_small(make_pieces, predictions_by_hand):
    rng = np.random.default_rng(0)
    classes = [f"class {i}" for i in range(6)]
    x = rng.normal(size=(6000, 3))
    history = pd.DataFrame({"member": np.repeat(range(5), 2000), "epoch": np.tile(range(2000), 5)})
    for name in ("total", "classification", "calibration", "reconstruction", "held_out"):
        history[name] = rng.random(10_000)
    pieces = make_pieces() | {
        "predictions": predictions_by_hand(rng.choice(classes, 3000)),
        "subjects": None,
        "history": history,
        "embedding": pca_embedding(
            x, x + 1.0, batch=["A", "B"] * 3000, label=rng.choice(classes, 6000)
        ),
    }
    html = render_page(summarise(**pieces))
    assert 2_000_000 < len(html.encode()) < 5_000_000


def test_same_summary_same_page(summary, html):
    assert render_page(summary) == html


def test_plotting_loads_when_a_page_is_made_and_never_as_a_global():
    code = (
        "import sys, crossplate.report as report\n"
        "print('matplotlib' in sys.modules, 'jinja2' in sys.modules)\n"
        "points = ((0.0, 1.0), (1.0, 0.0))\n"
        "shown = report.Embedding(points, points, ('A', 'B'), None, (0.6, 0.4), 2)\n"
        "report.page_figures.embedding_pictures(report.views.view_of(shown))[0].panels[0].svg\n"
        "print('matplotlib' in sys.modules, 'matplotlib.pyplot' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "True", "False"]
