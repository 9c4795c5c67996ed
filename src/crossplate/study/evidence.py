"""What an evaluation rests on: probabilities, labels and measurements, put side by side once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from crossplate.errors import InputError
from crossplate.evaluate.subjects import subject_labels
from crossplate.scaling import PlateScaler
from crossplate.study.held_out import N_SPLITS, held_out, quick_held_out
from crossplate.study.roles import Mask
from crossplate.study.running import StudyResult
from crossplate.table import SampleTable

FloatArray = npt.NDArray[np.float64]

__all__ = ["Evidence", "Level", "gather", "levels_of", "seed_of"]


@dataclass(frozen=True)
class Level:
    """Predictions of the target's samples, or of its subjects.

    Parameters
    ----------
    proba
        Class probabilities, one row each, columns named by class.
    truth
        Labels, None where unknown.
    """

    proba: pd.DataFrame
    truth: pd.Series

    @property
    def classes(self) -> list[str]:
        """Classes in the order of the columns."""
        return list(self.proba.columns)

    @property
    def known(self) -> bool:
        """Whether any row has a label that is one of the classes."""
        return bool(self.truth.isin(self.classes).any())


@dataclass(frozen=True)
class Evidence:
    """All that the parts of an evaluation take.

    Parameters
    ----------
    table
        Source and target samples.
    source
        True for rows of the source, shape (n,).
    samples, subjects
        Predictions of the target at each level; subjects None without them.
    held_out
        Class probabilities of all rows: of labelled source rows from networks that had not learned
        from their subjects, NaN elsewhere. None where a class has too few subjects for that.
    why_not_held_out
        The reason of that.
    n_splits
        Folds that ``held_out`` comes from.
    before, after
        Measurements on the reference batch's scale, as measured and calibrated, shape (n, p).
    z
        Measurements standardised within each batch, without gaps.
    seed
        Of the study.
    """

    table: SampleTable
    source: Mask
    samples: Level
    subjects: Level | None
    held_out: pd.DataFrame | None
    why_not_held_out: str
    n_splits: int
    before: FloatArray
    after: FloatArray
    z: pd.DataFrame
    seed: int

    @property
    def scored(self) -> Level:
        """Subjects, if there are any; else samples."""
        return self.samples if self.subjects is None else self.subjects

    @property
    def subject(self) -> pd.Series | None:
        """Subject of each target sample; None without subjects."""
        return None if self.table.subject is None else self.table.subject[~self.source]

    def all_proba(self) -> pd.DataFrame | None:
        """Held-out probabilities of the source and the model's of the target, in one frame."""
        if self.held_out is None:
            return None
        proba = self.held_out.copy()
        proba.loc[~self.source] = self.samples.proba.to_numpy()
        return proba


def gather(result: StudyResult, *, full: bool) -> Evidence:
    """Put together what an evaluation takes; this trains the networks of the held-out rows.

    Parameters
    ----------
    result
        The study.
    full
        Whether held-out rows are predicted by committees as large and as long trained as the
        model, instead of by quick networks (:mod:`crossplate.study.held_out`).
    """
    assert result.before is not None
    assert result.after is not None
    table = result.table
    source = ~table.features.index.isin(result.predictions.index)
    samples, subjects = levels_of(result)
    labels = table.labels_of(source)
    values, batch = table.features.to_numpy(), table.batch.to_numpy(dtype=str)
    z = PlateScaler().fit(values, batch, pd.notna(labels)).scale(values, batch)
    found, why_not = _held_out(result, labels, full)
    return Evidence(
        table=table,
        source=source,
        samples=samples,
        subjects=subjects,
        held_out=found,
        why_not_held_out=why_not,
        n_splits=_possible_splits(table, labels),
        before=result.before.iloc[:, 1:].to_numpy(),
        after=result.after.iloc[:, 1:].to_numpy(),
        z=pd.DataFrame(z, table.features.index, table.features.columns),
        seed=seed_of(result),
    )


def seed_of(result: StudyResult) -> int:
    """Seed of a study, which its model does not know once it was loaded."""
    return int((result.settings.get("study") or {}).get("seed", 0))


def levels_of(result: StudyResult) -> tuple[Level, Level | None]:
    """Predictions of the samples, and of the subjects if there are any, beside their labels."""
    table = result.table
    classes = [str(name) for name in result.model.classes_]
    columns = [f"p_{name}" for name in classes]
    label = pd.Series(None, table.features.index, dtype=object)
    if table.label is not None:
        label = table.label.astype(object).where(table.label.notna(), None)
    truth = label.loc[result.predictions.index]
    samples = Level(result.predictions[columns].set_axis(classes, axis=1), truth)
    if result.subjects is None or table.subject is None:
        return samples, None
    its = subject_labels(truth, table.subject.loc[truth.index]).loc[result.subjects.index]
    return samples, Level(result.subjects[columns].set_axis(classes, axis=1), its)


def _held_out(
    result: StudyResult, labels: npt.NDArray[np.object_], full: bool
) -> tuple[pd.DataFrame | None, str]:
    """Cross-validated probabilities of the source, or the reason why there are none."""
    predict = held_out if full else quick_held_out
    try:
        return predict(result.model, result.table, labels, seed_of(result)), ""
    except InputError as error:
        return None, str(error)


def _possible_splits(table: SampleTable, labels: npt.NDArray[np.object_]) -> int:
    """Folds that the rarest class has subjects for."""
    known = pd.notna(labels)
    who = np.arange(len(labels)) if table.subject is None else table.subject.to_numpy()
    people = pd.DataFrame({"who": who[known], "label": labels[known]}).drop_duplicates()
    return min(N_SPLITS, int(people["label"].value_counts().min()))
