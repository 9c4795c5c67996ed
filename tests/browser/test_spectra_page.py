"""The quality page of spectra in a real browser: it looks and works as the report does."""

import runpy
from pathlib import Path

import pytest

from crossplate.report.spectra_quality import render_spectra_page

TESTS = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    quality = runpy.run_path(str(TESTS / "report/test_spectra_quality.py"))["quality_by_hand"]()
    path = tmp_path_factory.mktemp("spectra") / "quality.html"
    html = render_spectra_page(quality, title="Spectra", version="0", date="2025-01-02")
    path.write_text(html, encoding="utf-8")
    return path


def test_page_of_spectra_opens_sorts_and_turns_dark(open_page, path):
    opened = open_page(path, whole=True)
    page = opened.page
    assert page.locator("nav a").first.inner_text() == "Result"
    page.locator("[data-table=excluded] thead button").first.click()
    assert page.locator("[data-table=excluded] [aria-sort=ascending]").count() == 1
    page.get_by_role("button", name="Switch between light and dark").click()
    assert opened.run("getComputedStyle(document.body).backgroundColor") == "rgb(21, 24, 28)"


def test_page_of_spectra_fits_a_phone(open_page, path):
    opened = open_page(path, width=360, height=740, whole=True)
    assert opened.run("document.documentElement.scrollWidth") <= 360
