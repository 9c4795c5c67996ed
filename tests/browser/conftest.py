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
    whole: bool
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
    arguments = ["--disable-gpu", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable, args=arguments)
        yield running
        running.close()


STUDIES = {
    "full": {"classes": ["SLE", "control"], "batch": "plate2", "feature": "mz"},
    "evil": {
        "classes": ["<script>alert(1)</script>", "</script><b>'\"&"],
        "batch": '"><img src=x onerror=alert(2)>',
        "feature": "<script>alert(3)</script> %{x} $y$",
    },
}


NOTHING = {"history": None, "embedding": None, "metrics": {}}


def _written(name):
    """A report with every part there is; as "tables" with few charts, which is quicker to open.

    "bare" has the calls of samples alone.
    """
    pieces_of = runpy.run_path(str(TESTS / "report/conftest.py"))["pieces_of"]
    if name == "bare":
        return render_page(summarise(**pieces_of() | NOTHING | {"subjects": None}))
    evaluated = runpy.run_path(str(TESTS / "report/evaluated.py"))["evaluated"]
    names = STUDIES.get(name, STUDIES["full"])
    strange = {"subject": "</title>'\"", "sample": "\"'<i>&amp;"} if name == "evil" else {}
    pieces, evaluation = evaluated(pieces_of(**names, **strange, n=240), **names)
    if name == "tables":
        pieces |= NOTHING
        evaluation = {part: evaluation[part] for part in ("calling", "biomarkers", "attribution")}
    return render_page(summarise(**pieces), evaluation)


@pytest.fixture(scope="session")
def report(tmp_path_factory):
    """Give the path of a report by its name, made when it is first asked for."""
    folder = tmp_path_factory.mktemp("reports")

    def path_of(name):
        path = folder / f"{name}.html"
        if not path.exists():
            path.write_text(_written(name), encoding="utf-8")
        return path

    return path_of


@pytest.fixture
def open_page(browser, request):
    """Open a file with the network off; a complaint of the page fails the test.

    The screenshot that is kept is of the window, or of the whole page.
    """
    contexts, opened = [], []

    def open_(path, *, width=1000, height=800, whole=False, **settings):
        context = browser.new_context(viewport={"width": width, "height": height}, **settings)
        context.set_offline(True)
        contexts.append(context)
        page = context.new_page()
        # A busy machine may take long; what hangs is still found.
        page.set_default_timeout(60_000)
        one = Opened(page, whole)
        opened.append(one)
        page.on("console", lambda message: _complaint(one, message))
        page.on("pageerror", lambda error: one.wrongs.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (one.wrongs.append("dialog"), dialog.dismiss()))
        page.on("request", lambda sent: _request(one, sent.url, path))
        page.goto(path.as_uri())
        if settings.get("java_script_enabled", True):
            page.wait_for_selector("html[data-ready]", state="attached")
        return one

    yield open_
    ARTEFACTS.mkdir(exist_ok=True)
    name = re.sub(r"\W+", "-", request.node.name.removeprefix("test_")).strip("-")
    for number, one in enumerate(opened):
        suffix = f"-{number + 1}" if len(opened) > 1 else ""
        one.page.screenshot(path=ARTEFACTS / f"{name}{suffix}.png", full_page=one.whole)
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
