"""What is shown while a command works: a bar on a terminal, nothing elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from crossplate.joint.trainer import EpochLosses

_LOSSES = {"reconstruction": "rec", "calibration": "mmd", "classification": "cls"}

__all__ = ["Steps", "describe_epoch", "show_steps"]


class Steps:
    """The steps of a command, shown as they are reached.

    Parameters
    ----------
    progress
        Where to show them; None shows nothing.
    """

    def __init__(self, progress: Progress | None = None) -> None:
        self._progress = progress
        self._task: TaskID | None = None
        self._part: str | None = None

    def begin(self, what: str) -> None:
        """Name the step that begins, of unknown length."""
        if self._progress is None:
            return
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(what, total=None, detail="")

    def count(self, done: int, total: int) -> None:
        """Show how many of the things of this step are done."""
        if self._progress is None or self._task is None:
            return
        self._progress.update(
            self._task, total=total, completed=done, detail=f"{done:,} of {total:,}"
        )

    def part(self, what: str, done: int, total: int) -> None:
        """Show how much of a part of the evaluation is done; the first call begins its step."""
        if what != self._part:
            self._part = what
            self.begin(what)
        if total > 1:
            self.count(done, total)

    def epoch(self, done: EpochLosses) -> None:
        """Show an epoch of the training; after the last one the scoring begins."""
        if self._progress is None or self._task is None:
            return
        if done.epoch >= done.epochs:
            self.begin("Scoring")
            return
        self._progress.update(
            self._task,
            description=f"Epoch {done.epoch}/{done.epochs}",
            total=done.epochs,
            completed=done.epoch,
            detail=describe_epoch(done),
        )


def describe_epoch(done: EpochLosses) -> str:
    """Members still training and the three losses, short enough for a line of 80 characters."""
    losses = [f"{short} {done.losses[name]:.3f}" for name, short in _LOSSES.items()]
    members = "1 member" if done.members == 1 else f"{done.members} members"
    return " ".join([f"{members},", *losses])


@contextmanager
def show_steps() -> Iterator[Steps]:
    """Show steps on stderr where it is a terminal; the line vanishes at the end."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield Steps()
        return
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=12),
        TimeElapsedColumn(),
        TextColumn("{task.fields[detail]}", markup=False),
        console=console,
        transient=True,
    ) as progress:
        yield Steps(progress)
