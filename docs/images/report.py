"""Make report.png, the README's picture of the report, from the demo's simulated plates.

Run from the project's folder, with Chromium and playwright installed: python docs/images/report.py
"""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from crossplate.cli import app

WIDTH, HEIGHT = 1000, 1250
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

with TemporaryDirectory() as folder, sync_playwright() as playwright:
    app(["demo", "--out", f"{folder}/demo"], standalone_mode=False)
    executable = next(filter(None, map(shutil.which, BROWSERS)))
    browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    page.goto(Path(folder, "demo/report.html").as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")
    page.screenshot(path=Path(__file__).with_suffix(".png"))
    browser.close()
