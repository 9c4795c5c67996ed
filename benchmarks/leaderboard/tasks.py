"""One target to predict."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossplate.compare.blind import BlindTask, blind_task
from crossplate.table import SampleTable

__all__ = ["Case"]


@dataclass(frozen=True)
class Case:
    """One target to predict.

    Parameters
    ----------
    data
        Name of the data set or the simulated study.
    name
        ``source:target``; a simulated study's has the number of its draw in front.
    table
        Samples of all batches, with labels.
    source, target
        The two batches.
    labelled, unlabelled
        Further batches that a method gets, with and without their labels.
    seed
        The only seed this case is for, because its data were drawn with it; None for any.
    """

    data: str
    name: str
    table: SampleTable
    source: str
    target: str
    labelled: tuple[str, ...] = ()
    unlabelled: tuple[str, ...] = ()
    seed: int | None = None

    def task(self) -> BlindTask:
        """What methods get."""
        return blind_task(
            self.table,
            self.source,
            self.target,
            labelled=self.labelled,
            unlabelled=self.unlabelled,
        )

    @property
    def rows(self) -> np.ndarray:
        """True for the target's rows, shape (n,)."""
        return (self.table.batch == self.target).to_numpy(dtype=bool)

    def truth(self) -> np.ndarray:
        """Labels of the target's rows, which only scores read."""
        return self.table.labels_of(self.rows)[self.rows]

    def subjects(self) -> np.ndarray | None:
        """Subject of each of the target's rows, None where there are none."""
        subject = self.table.subject
        return None if subject is None else subject[self.rows].to_numpy(dtype=object)
