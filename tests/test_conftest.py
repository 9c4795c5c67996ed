"""The guard on real-data tests: skipped with the data at hand, they fail the run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

INI = "[pytest]\nmarkers =\n    realdata: reads the real tables\n"
TESTS = """
import pytest

def test_on_real_tables(real_tables):
    {body}

def test_on_nothing():
    pytest.skip("not about real data")
"""


def run_tests(folder: Path, body: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a small suite with this suite's conftest; its real tables are in ``folder``/tables."""
    conftest = Path(__file__).with_name("conftest.py").read_text(encoding="utf-8")
    (folder / "conftest.py").write_text(conftest, encoding="utf-8")
    (folder / "pytest.ini").write_text(INI, encoding="utf-8")
    (folder / "test_small.py").write_text(TESTS.format(body=body), encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-rs", *options],
        cwd=folder,
        env={**os.environ, "CROSSPLATE_DATA": str(folder / "tables")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_the_tables_a_test_is_skipped_with_the_reason(tmp_path):
    done = run_tests(tmp_path, "raise AssertionError")
    assert done.returncode == 0, done.stdout
    assert "2 skipped" in done.stdout
    assert "the real tables are not on this machine" in done.stdout


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "two processes"])
def test_with_the_tables_a_skip_fails_the_run(tmp_path, options):
    (tmp_path / "tables").mkdir()
    done = run_tests(tmp_path, "pytest.skip('a bad reason')", *options)
    assert done.returncode == 1, done.stdout
    assert "skipped although the data is there" in done.stdout
    assert "test_small.py::test_on_real_tables" in done.stdout


def test_with_the_tables_a_test_gets_their_folder_and_the_mark(tmp_path):
    (tmp_path / "tables").mkdir()
    done = run_tests(tmp_path, "assert real_tables.name == 'tables'", "-m", "realdata")
    assert done.returncode == 0, done.stdout
    assert "1 passed, 1 deselected" in done.stdout
