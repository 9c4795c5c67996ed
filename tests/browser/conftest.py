"""Chromium, and reports to open in it; a screenshot of each test is kept in .artefacts."""

import os
import re
import runpy
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crossplate.report import render_page, summarise

TESTS = Path(__file__).resolve().parent.parent
ARTEFACTS = TESTS.parent / ".artefacts"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass
class Opened:
    """A page in the browser, and what it did that it should not have."""

    page: object
    wrongs: list[str] = field(default_factory=list)

    def run(self, script, *arguments):
        return self.page.evaluate(script, *arguments)


def _missing(what):
    """Without a browser these tests cannot run: a failure in CI, a skip elsewhere."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}, so the report was not opened in a browser")
    pytest.skip(f"{what}, so the report cannot be opened in a browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        _missing("there is no Chromium (Debian package chromium)")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("playwright is not installed")
    # Chromium's own sandbox is refused to root, which tests in a container often run as.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable, args=arguments)
        yield running
        running.close()


@pytest.fixture(scope="session")
def reports(tmp_path_factory):
    """Paths of reports by name: "full", "bare" (calls of samples only) and "evil"."""
    pieces_of = runpy.run_path(str(TESTS / "report/conftest.py"))["pieces_of"]
    evaluated = runpy.run_path(str(TESTS / "report/evaluated.py"))["evaluated"]
    folder = tmp_path_factory.mktemp("reports")
    named = {
        "full": {"classes": ["SLE", "control"], "batch": "plate2", "feature": "mz"},
        "evil": {
            "classes": ["<script>alert(1)</script>", "</script><b>'\"&"],
            "batch": '"><img src=x onerror=alert(2)>',
            "feature": "<script>alert(3)</script> %{x} $y$",
        },
    }
    paths = {}
    for name, names in named.items():
        strange = {"subject": "</title>'\"", "sample": "\"'<i>&amp;"} if name == "evil" else {}
        pieces, evaluation = evaluated(pieces_of(**names, **strange, n=240), **names)
        paths[name] = folder / f"{name}.html"
        paths[name].write_text(render_page(summarise(**pieces), evaluation), encoding="utf-8")
    bare = pieces_of() | {"subjects": None, "history": None, "embedding": None, "metrics": {}}
    paths["bare"] = folder / "bare.html"
    paths["bare"].write_text(render_page(summarise(**bare)), encoding="utf-8")
    return paths


@pytest.fixture
def open_page(browser, request):
    """Open a file with the network off; a complaint of the page fails the test."""
    contexts, opened = [], []

    def open_(path, *, width=1000, height=800, **settings):
        context = browser.new_context(viewport={"width": width, "height": height}, **settings)
        context.set_offline(True)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        one = Opened(page)
        opened.append(one)
        page.on("console", lambda message: _complaint(one, message))
        page.on("pageerror", lambda error: one.wrongs.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (one.wrongs.append("dialog"), dialog.dismiss()))
        page.on("request", lambda sent: _request(one, sent.url, path))
        page.goto(path.as_uri())
        return one

    yield open_
    ARTEFACTS.mkdir(exist_ok=True)
    name = re.sub(r"\W+", "-", request.node.name.removeprefix("test_")).strip("-")
    for number, one in enumerate(opened):
        suffix = f"-{number + 1}" if len(opened) > 1 else ""
        one.page.screenshot(path=ARTEFACTS / f"{name}{suffix}.png", full_page=True)
    for context in contexts:
        context.close()
    wrongs = [wrong for one in opened for wrong in one.wrongs]
    assert wrongs == []


def _complaint(one, message):
    if message.type in ("error", "warning"):
        one.wrongs.append(f"{message.type}: {message.text}")


def _request(one, url, path):
    if url != path.as_uri() and not url.startswith("data:"):
        one.wrongs.append(f"request: {url[:200]}")
