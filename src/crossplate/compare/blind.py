"""What a method may see: the one place that keeps target labels from all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from crossplate.table import SampleTable

FloatArray = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

__all__ = ["BlindTask", "FloatArray", "Mask", "blind_task", "usable_features"]


@dataclass(frozen=True)
class BlindTask:
    """A source with labels and a target without, as every method gets them.

    The table never gets to a method, and neither do names of samples, subjects or other columns,
    which may spell the diagnosis. The arrays are copies, so that nothing hangs on them.

    Parameters
    ----------
    x
        Intensities of source and target, shape (n, p), in the order of the table; NaN is missing.
    batch
        Batch of each row, shape (n,).
    subject
        Number of each row's subject within its batch, as text, shape (n,); None without subjects.
        A subject on both plates has a number on each, which do not belong together.
    y
        Labels of the source's rows, None where they have none and for every row of the target,
        shape (n,). With further batches: labels of those that teach too, None in the others.
    source, target
        The batch on whose scale all is put, and the one to predict.
    seed
        Of whatever a method draws.
    """

    x: FloatArray
    batch: npt.NDArray[np.str_]
    subject: npt.NDArray[np.str_] | None
    y: npt.NDArray[np.object_]
    source: str
    target: str
    seed: int = 0

    @property
    def source_rows(self) -> Mask:
        """True for rows of the source, shape (n,)."""
        return np.asarray(self.batch == self.source)

    @property
    def target_rows(self) -> Mask:
        """True for rows of the target, shape (n,)."""
        return np.asarray(self.batch == self.target)


def blind_task(
    table: SampleTable,
    source: str,
    target: str,
    *,
    labelled: Sequence[str] = (),
    unlabelled: Sequence[str] = (),
) -> BlindTask:
    """Two batches of a table, or more, without what nobody may know of the target.

    Parameters
    ----------
    table
        Samples of both batches, and perhaps of others.
    source, target
        The two batches.
    labelled, unlabelled
        Further batches with and without their labels; the target is none of them.

    Returns
    -------
    The rows of all, with the features that :func:`usable_features` finds.
    """
    both = table.select(
        table.batch.isin([source, target, *labelled, *unlabelled]).to_numpy(dtype=bool)
    )
    batch = both.batch.to_numpy(dtype=str)
    teaches = np.isin(batch, [source, *labelled]) & (batch != target)
    return BlindTask(
        x=both.features.to_numpy(dtype=np.float64)[:, usable_features(table, source, target)],
        batch=batch,
        subject=None if both.subject is None else _numbered(both.batch + "\n" + both.subject),
        y=both.labels_of(teaches),
        source=source,
        target=target,
    )


def usable_features(table: SampleTable, source: str, target: str) -> Mask:
    """Features that can carry something from one batch to another.

    Parameters
    ----------
    table
        Samples of both batches, and perhaps of others.
    source, target
        The two batches.

    Returns
    -------
    True for features with two different values in the source and at least one value in the
    target, shape (p,). From the others nothing can be learned, or nothing be told.
    """
    values = table.features.to_numpy()
    teaching = values[(table.batch == source).to_numpy(dtype=bool)]
    asked = values[(table.batch == target).to_numpy(dtype=bool)]
    # fmax and fmin skip NaN; a column of NaN alone compares as false
    varies = np.fmax.reduce(teaching, axis=0) > np.fmin.reduce(teaching, axis=0)
    return np.asarray(varies & ~np.isnan(asked).all(axis=0))


def _numbered(names: pd.Series[str]) -> npt.NDArray[np.str_]:
    """Numbers in place of names, by first appearance, as text."""
    return pd.factorize(names)[0].astype(str)
