"""What all tests share: one thread a process, no network, and real data that may not be missed."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

# Before numpy or torch is imported: several test processes share the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

ROOT = Path(__file__).resolve().parent.parent
REAL_TABLES = Path(os.environ.get("CROSSPLATE_DATA") or ROOT.parent / "shared/data/tables")

_missed: list[str] = []


@pytest.fixture(scope="session")
def real_tables() -> Path:
    """Folder of the public tables; a test that asks for it counts as marked ``realdata``."""
    if not REAL_TABLES.is_dir():
        pytest.skip(f"the real tables are not on this machine: no folder {REAL_TABLES}")
    return REAL_TABLES


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use the real tables, before ``-m`` selects by mark."""
    for item in items:
        if "real_tables" in getattr(item, "fixturenames", ()):
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
