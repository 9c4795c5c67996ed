"""Measurements of subjects: the median over a subject's samples in a batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crossplate.errors import InputError
from crossplate.table import SampleTable

__all__ = ["SubjectValues", "subject_values"]


@dataclass(frozen=True)
class SubjectValues:
    """Labelled subjects in rows; a subject measured in two batches has two rows.

    Attributes
    ----------
    medians
        Medians over the subject's samples, shape (subjects, p); NaN where all are missing.
    batch, label
        Batch and label of each row, shape (subjects,).
    features
        Names of the columns, shape (p,).
    """

    medians: NDArray[np.float64]
    batch: NDArray[np.object_]
    label: NDArray[np.object_]
    features: tuple[str, ...]


def subject_values(table: SampleTable, values: NDArray[np.float64] | None = None) -> SubjectValues:
    """Medians over the labelled samples of each subject in each batch.

    Parameters
    ----------
    table
        Samples; without subjects each sample is one.
    values
        What to take medians of, shape (n, p), instead of the table's measurements.

    Raises
    ------
    InputError
        No sample has a label, or the samples of a subject in a batch have different ones.
    """
    known = table.labelled
    if table.label is None or not known.any():
        raise InputError("no sample has a label; name the column of labels")
    rows = pd.DataFrame(
        {
            "batch": table.batch.to_numpy(dtype=object)[known],
            "subject": (table.batch.index.to_series() if table.subject is None else table.subject)
            .to_numpy(dtype=object)[known]
            .astype(str),
            "label": table.label.to_numpy(dtype=object)[known],
        }
    )
    key = rows.groupby(["batch", "subject"], sort=False).ngroup().to_numpy()
    first = rows.iloc[np.unique(key, return_index=True)[1]]
    wrong = rows["label"].to_numpy() != first["label"].to_numpy()[key]
    if wrong.any():
        at = rows.iloc[int(np.argmax(wrong))]
        raise InputError(
            f"subject '{at['subject']}' has samples with different labels in batch "
            f"'{at['batch']}'; give each subject one"
        )
    measured = table.features.to_numpy(dtype=np.float64) if values is None else values
    if len(first) == int(known.sum()):
        medians = measured[known]
    else:
        medians = pd.DataFrame(measured[known]).groupby(key).median().to_numpy()
    return SubjectValues(
        medians=medians,
        batch=first["batch"].to_numpy(dtype=object),
        label=first["label"].to_numpy(dtype=object),
        features=tuple(map(str, table.features.columns)),
    )
