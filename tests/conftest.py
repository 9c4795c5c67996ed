"""What all tests share: one thread a process, no network, and real data that may not be missed."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

# Before numpy or torch is imported: several test processes share the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
REAL_TABLES = Path(os.environ.get("CROSSPLATE_DATA") or SHARED / "data/tables")
REAL_DATA_FIXTURES = {"real_tables", "real_spectra", "gold"}

_missed: list[str] = []


@pytest.fixture(scope="session")
def real_tables() -> Path:
    """Folder of the public tables; a test that asks for it counts as marked ``realdata``."""
    return _folder(REAL_TABLES, "real tables")


@pytest.fixture(scope="session")
def real_spectra() -> Path:
    """Folder of the public spectra; marks a test as :func:`real_tables` does."""
    return _folder(SHARED / "data/spectra", "real spectra")


@pytest.fixture(scope="session")
def gold() -> Path:
    """Folder of reference outputs of other software; marks a test as ``real_tables`` does."""
    return _folder(SHARED / "gold", "reference outputs")


def _folder(path: Path, what: str) -> Path:
    if not path.is_dir():
        pytest.skip(f"the {what} are not on this machine: no folder {path}")
    return path


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use real data, before ``-m`` selects by mark."""
    for item in items:
        if REAL_DATA_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("realdata")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note each real-data test that was skipped although the data is there."""
    if report.skipped and "realdata" in report.keywords and REAL_TABLES.is_dir():
        _missed.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run when real data was at hand and not tested on."""
    if _missed:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests made the run fail that way."""
    if _missed:
        terminalreporter.section("real-data tests skipped although the data is there", red=True)
        for nodeid in _missed:
            terminalreporter.line(nodeid)


@pytest.fixture(scope="session", autouse=True)
def _only_loopback() -> Iterator[None]:
    """Let no test reach beyond this machine."""
    connect = socket.socket.connect

    def guarded(sock: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and address[0] not in {"127.0.0.1", "::1", "localhost"}:
            raise RuntimeError(f"a test tried to reach {address[0]}; tests use no network")
        connect(sock, address)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield
