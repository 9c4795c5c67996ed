"""A step applied to spectra one after the other or side by side, without stopping at a bad one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from crossplate.errors import InputError
from crossplate.spectra.spectrum import Spectrum
from crossplate.spectra.spectrum_file import Exclusion, SpectrumFile

Source = Spectrum | SpectrumFile


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """Name of the spectrum."""


Item = TypeVar("Item", bound=Named)
T = TypeVar("T")

__all__ = ["Named", "Source", "each_outcome", "opened"]


def opened(source: Source) -> Spectrum:
    """The spectrum itself, read if it lies in a file.

    Raises
    ------
    InputError
        If it cannot be read or is no profile.
    """
    spectrum = source.read() if isinstance(source, SpectrumFile) else source
    if spectrum.centroided:
        raise InputError(
            "the spectrum holds peaks and no profile; export it as a profile, without peak picking"
        )
    return spectrum


def each_outcome(
    step: Callable[[Item], T], items: Iterable[Item], n_jobs: int
) -> Iterator[tuple[str, T | Exclusion]]:
    """Apply a step to each item.

    Parameters
    ----------
    step
        Takes an item; can be sent to another process.
    items
        Spectra or what stands for them. They are taken up as outcomes are handed out, so that few
        are in memory.
    n_jobs
        Processes side by side; -1 for all cores.

    Yields
    ------
    Name and outcome of each item, in order. In place of an outcome stands the reason why it is
    left out: the step refuses it, or another has the same name.
    """
    seen: set[str] = set()
    for name, outcome in _outcomes(step, items, n_jobs):
        if name in seen:
            reason = "another spectrum has the same name; give each its own"
            yield name, Exclusion(name, reason)
        else:
            seen.add(name)
            yield name, outcome


def _outcomes(
    step: Callable[[Item], T], items: Iterable[Item], n_jobs: int
) -> Iterator[tuple[str, T | Exclusion]]:
    if n_jobs == 1:
        return (_guarded(step, item) for item in items)
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=n_jobs, return_as="generator")
    outcomes: Iterator[tuple[str, T | Exclusion]] = parallel(
        delayed(_guarded)(step, item) for item in items
    )
    return outcomes


def _guarded(step: Callable[[Item], T], item: Item) -> tuple[str, T | Exclusion]:
    """Outcome of a step, or the reason why the item is left out."""
    try:
        return item.name, step(item)
    except InputError as error:
        return item.name, Exclusion(item.name, str(error))
