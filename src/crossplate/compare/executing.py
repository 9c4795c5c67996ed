"""Where units of work are run: in processes of this machine, or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from multiprocessing import parent_process
from signal import SIG_IGN, SIGINT, signal
from threading import current_thread, main_thread
from typing import Any

from crossplate.compare.blind import BlindTask
from crossplate.compare.ceiling import LabelledBatch, answer_within
from crossplate.compare.work import Answer, Unit, answer_blindly
from crossplate.errors import InputError

Rows = BlindTask | LabelledBatch
Work = tuple[Unit, Rows]
Done = tuple[Unit, list[Answer]]
Execute = Callable[[Iterable[Work]], Iterator[Done]]

_CONNECT_SECONDS = 15

__all__ = ["Done", "Execute", "Rows", "Work", "on_dask", "on_this_machine", "run_unit"]


def run_unit(unit: Unit, rows: Rows) -> Done:
    """Run one unit, whichever kind it is, and name it beside its answers."""
    if isinstance(rows, LabelledBatch):
        return unit, answer_within(unit, rows)
    return unit, answer_blindly(unit, rows)


def _run_for_parent(unit: Unit, rows: Rows) -> Done:
    """Run one unit; in a process of its own, leave Ctrl-C to the parent, which ends it."""
    if parent_process() is not None and current_thread() is main_thread():
        signal(SIGINT, SIG_IGN)
    return run_unit(unit, rows)


def on_this_machine(jobs: int = 1) -> Execute:
    """Run units in so many processes; 1 runs them in this one.

    Parameters
    ----------
    jobs
        Processes; -1 takes one a core.

    Raises
    ------
    InputError
        ``jobs`` is neither positive nor -1.
    """
    if jobs < 1 and jobs != -1:
        raise InputError(f"jobs is {jobs}; give the number of processes, or -1 for one a core")

    def execute(work: Iterable[Work]) -> Iterator[Done]:
        from joblib import Parallel, delayed, parallel_config

        with parallel_config("loky", inner_max_num_threads=1):
            parallel = Parallel(jobs, return_as="generator_unordered")
        yield from parallel(delayed(_run_for_parent)(unit, rows) for unit, rows in work)

    return execute


def on_dask(address: str) -> Execute:
    """Run units on the workers of a Dask cluster, which need crossplate installed.

    The rows are sent to the cluster; all files are written by this process.

    Parameters
    ----------
    address
        Of the scheduler, such as ``tcp://127.0.0.1:8786``.

    Raises
    ------
    InputError
        The package distributed is not installed, or, when the work begins, no scheduler answers.
    """
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        raise InputError(
            "a Dask cluster needs the package distributed; install it with "
            "pip install crossplate[dask]"
        ) from error

    def execute(work: Iterable[Work]) -> Iterator[Done]:
        try:
            client = distributed.Client(address, timeout=_CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            raise InputError(
                f"no Dask scheduler answers at {address}; start one with 'dask scheduler' and "
                "workers with 'dask worker', and give its address"
            ) from error
        with client:
            futures, last, sent = [], None, None
            for unit, rows in work:
                if rows is not last:
                    last, sent = rows, client.scatter(rows, hash=False)
                futures.append(client.submit(run_unit, unit, sent, pure=False))
            for future in distributed.as_completed(futures):
                yield future.result()
                future.release()

    return execute
