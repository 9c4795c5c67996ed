"""Answers held against the truth: the only place where a target's labels are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crossplate.compare.attempts import joined
from crossplate.compare.work import Answer, Unit
from crossplate.errors import InputError
from crossplate.evaluate import Scores, by_subject, score, score_subjects, subject_labels
from crossplate.table import SampleTable

SCORES = ("accuracy", "balanced_accuracy", "f1", "mcc", "roc_auc")
NUMBERS = (*SCORES, "mmd_before", "mmd_after", "seconds")
COLUMNS = ("source", "target", "method", "classifier", "level", "seed", *NUMBERS, "note")
"""Columns of comparison.csv."""
KEYS = ("level", "id", "unit", "truth")
"""First columns of a table of predictions; the others are runs."""
SAMPLE, SUBJECT = "sample", "subject"

__all__ = ["COLUMNS", "KEYS", "NUMBERS", "SAMPLE", "SCORES", "SUBJECT", "Scored", "score_unit"]


@dataclass(frozen=True)
class Scored:
    """A unit of work, scored.

    Parameters
    ----------
    rows
        One row a classifier, level and seed, columns ``COLUMNS``. Scores are NaN where there is
        none; ``note`` says why.
    predictions
        One row a labelled sample of the target and one a subject: level (``sample`` or
        ``subject``), its id, the unit that is resampled (the subject; the sample where there are
        none), the truth, and the predicted class of each run, ``<classifier>:<seed>``. Samples
        whose class the source does not have are left out, as they are of the scores.
    """

    rows: pd.DataFrame
    predictions: pd.DataFrame


def score_unit(unit: Unit, answers: Sequence[Answer], table: SampleTable) -> Scored:
    """Score the answers of one unit on the labelled samples of its target, and on its subjects.

    Parameters
    ----------
    unit
        What was run.
    answers
        What came out, in the order of the target's rows; of its labelled rows for
        cross-validation within it.
    table
        The samples with their labels.
    """
    rows = (table.batch == unit.target).to_numpy(dtype=bool)
    if unit.source == unit.target:
        rows &= table.labelled
    target = table.select(rows)
    levels = [SAMPLE] if target.subject is None else [SAMPLE, SUBJECT]
    score_at = {SAMPLE: _score_samples, SUBJECT: _score_subjects}
    found = [
        _row(unit, answer, level, target, score_at[level]) for answer in answers for level in levels
    ]
    known = _classes_of(table, unit.source)
    return Scored(
        pd.DataFrame(found, columns=list(COLUMNS)),
        pd.concat([_predictions(answers, target, level, known) for level in levels]),
    )


def _score_samples(proba: pd.DataFrame, target: SampleTable) -> Scores:
    assert target.label is not None
    return score(target.label, proba, list(proba.columns))


def _score_subjects(proba: pd.DataFrame, target: SampleTable) -> Scores:
    assert target.label is not None
    assert target.subject is not None
    return score_subjects(proba, target.subject, target.label)


def _row(
    unit: Unit,
    answer: Answer,
    level: str,
    target: SampleTable,
    score_at: Callable[[pd.DataFrame, SampleTable], Scores],
) -> dict[str, object]:
    row: dict[str, object] = {
        "source": unit.source,
        "target": unit.target,
        "method": unit.method,
        "classifier": answer.classifier,
        "level": level,
        "seed": answer.seed,
        "mmd_before": answer.mmd_before,
        "mmd_after": answer.mmd_after,
        "seconds": answer.seconds,
        "note": answer.note,
    }
    if answer.proba is None:
        return row
    try:
        scores = score_at(_named(answer.proba, target), target)
    except InputError as error:
        return row | {"note": joined([answer.note, str(error)])}
    row |= {name: getattr(scores, name) for name in SCORES}
    if scores.n_unknown_class:
        unknown = f"{scores.n_unknown_class} of a class unknown to the source were not scored"
        row["note"] = joined([answer.note, unknown])
    return row


def _named(proba: pd.DataFrame, target: SampleTable) -> pd.DataFrame:
    return proba.set_axis(target.features.index, axis=0)


def _classes_of(table: SampleTable, batch: str) -> set[str]:
    labels = table.labels_of((table.batch == batch).to_numpy(dtype=bool))
    return {str(label) for label in labels[pd.notna(labels)]}


def _predictions(
    answers: Sequence[Answer], target: SampleTable, level: str, known: set[str]
) -> pd.DataFrame:
    """What each run predicts, beside the truth, where the truth can be scored."""
    label, subject = target.label, target.subject
    assert label is not None
    if level == SUBJECT:
        assert subject is not None
        truth = subject_labels(label, subject)
        unit = truth.index.to_numpy()
    else:
        truth = label
        unit = (label.index if subject is None else subject).to_numpy()
    frame = pd.DataFrame(
        {
            "level": level,
            "id": truth.index.to_numpy(),
            "unit": unit,
            "truth": truth.to_numpy(dtype=object),
        }
    )
    for answer in answers:
        if answer.proba is None:
            continue
        proba = _named(answer.proba, target)
        if level == SUBJECT:
            assert subject is not None
            called = by_subject(proba, subject)["predicted"].loc[truth.index].to_numpy()
        else:
            called = proba.columns.to_numpy()[np.argmax(proba.to_numpy(), axis=1)]
        frame[f"{answer.classifier}:{answer.seed}"] = called
    return frame[frame["truth"].isin(known).to_numpy(dtype=bool)]
