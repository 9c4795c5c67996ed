"""Doing what may refuse its input, and on one thread."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from threadpoolctl import threadpool_limits

from crossplate.errors import InputError

Result = TypeVar("Result")

_TO_PROGRAMMERS = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)

__all__ = ["attempt", "joined", "one_thread"]


def attempt(compute: Callable[[], Result]) -> tuple[Result | None, str]:
    """Do something that may refuse its input.

    Parameters
    ----------
    compute
        What to do. ``ValueError`` is a refusal; any other exception is a bug and goes on up.

    Returns
    -------
    What was computed and the warnings it gave, or None and why it failed.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = compute()
        except InputError as error:
            return None, str(error)
        except ValueError as error:
            return None, joined([f"{type(error).__name__}: {error}"])
    told = [entry for entry in caught if not issubclass(entry.category, _TO_PROGRAMMERS)]
    return result, joined(str(entry.message) for entry in told)


def joined(notes: Iterable[str]) -> str:
    """Notes in one line, each once."""
    lines = (" ".join(note.split()) for note in notes)
    return "; ".join(dict.fromkeys(line for line in lines if line))


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for all libraries, so that the number of jobs does not change a figure."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)
