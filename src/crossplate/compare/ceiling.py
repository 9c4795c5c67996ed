"""What a batch reaches on itself: tenfold cross-validation, the ceiling of every pair with it.

Here a batch's own labels teach, which is what sets it apart from the comparison: these are no
methods for a batch without labels. Folds are grouped by subject and nothing is passed on from
fold to fold.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from crossplate.compare.aligning import measured
from crossplate.compare.attempts import attempt, one_thread
from crossplate.compare.blind import BlindTask, blind_task
from crossplate.compare.classifiers import CLASSIFIERS
from crossplate.compare.work import Answer, Unit
from crossplate.errors import InputError
from crossplate.table import SampleTable

N_FOLDS = 10

__all__ = ["CEILINGS", "N_FOLDS", "LabelledBatch", "answer_within", "labelled_batch"]


@dataclass(frozen=True)
class LabelledBatch:
    """The labelled rows of one batch, with their labels.

    Parameters
    ----------
    rows
        The batch as a task that is all target, so that nothing learned from it reads labels.
    y
        Label of each row, shape (n,).
    """

    rows: BlindTask
    y: npt.NDArray[np.object_]


def labelled_batch(table: SampleTable, name: str) -> LabelledBatch:
    """The labelled samples of a batch, without names of samples and subjects.

    Parameters
    ----------
    table
        Samples of this batch, and perhaps of others.
    name
        The batch.
    """
    rows = (table.batch == name).to_numpy(dtype=bool) & table.labelled
    table = table.select(rows)
    task = blind_task(table, name, name)
    return LabelledBatch(task, table.labels_of(np.ones(table.n_samples, dtype=bool)))


def answer_within(unit: Unit, batch: LabelledBatch) -> list[Answer]:
    """Cross-validate within a batch, with every seed; a seed draws its own folds.

    Parameters
    ----------
    unit
        What to run; its source and target are one batch, its method one of ``CEILINGS``.
    batch
        The rows.
    """
    answers = []
    with one_thread():
        for seed in range(unit.repeats):
            for classifier in unit.classifiers:
                start = time.perf_counter()
                predict = partial(CEILINGS[unit.method], batch, classifier, seed, unit.settings)
                proba, note = attempt(predict)
                spent = time.perf_counter() - start
                answers.append(Answer(classifier, seed, proba, seconds=spent, note=note))
    return answers


def _classified(
    batch: LabelledBatch, classifier: str, seed: int, settings: dict[str, Any]
) -> pd.DataFrame:
    """Probabilities from a classifier of its own for each fold, after the batch's z-scores."""
    z, _, _ = measured(batch.rows)
    parts = []
    for tested in folds(batch, seed):
        known = batch.y.copy()
        known[tested] = None
        parts.append(CLASSIFIERS[classifier](z, known, tested, seed))
    return pd.concat(parts).fillna(0.0).sort_index()


def folds(batch: LabelledBatch, seed: int) -> Iterator[npt.NDArray[np.bool_]]:
    """Rows of each fold, those of :func:`crossplate.joint.protocols.predict_within_batches`.

    Raises
    ------
    InputError
        One class only, or a class with one subject.
    """
    n_rows = len(batch.y)
    who = batch.rows.subject
    who = np.arange(n_rows).astype(str) if who is None else who
    classes, codes = np.unique(batch.y.astype(str), return_inverse=True)
    fewest = min(len(np.unique(who[codes == code])) for code in range(len(classes)))
    if len(classes) < 2 or fewest < 2:
        raise InputError(
            f"batch {batch.rows.source!r} needs labels of two classes with two subjects each to "
            "be cross-validated"
        )
    random_state = np.random.RandomState(seed)
    splitter = StratifiedGroupKFold(min(N_FOLDS, fewest), shuffle=True, random_state=random_state)
    for _, rows in splitter.split(codes, codes, who):
        tested = np.zeros(n_rows, dtype=bool)
        tested[rows] = True
        yield tested


def _joint(
    batch: LabelledBatch, classifier: str, seed: int, settings: dict[str, Any]
) -> pd.DataFrame:
    """Probabilities from networks of their own for each fold."""
    from crossplate.joint.classifier import JointClassifier
    from crossplate.joint.protocols import predict_within_batches

    model = JointClassifier(**{"random_state": seed} | settings)
    classes, proba = predict_within_batches(
        model,
        batch.rows.x,
        batch.y,
        batch=batch.rows.batch,
        subject=batch.rows.subject,
        n_splits=N_FOLDS,
    )
    return pd.DataFrame(proba, columns=pd.Index([str(name) for name in classes]))


CEILINGS: dict[str, Callable[[LabelledBatch, str, int, dict[str, Any]], pd.DataFrame]] = {
    "zscore": _classified,
    "joint": _joint,
}
"""Methods that are cross-validated within batches: (batch, classifier, seed, settings) → class
probabilities of its rows."""
