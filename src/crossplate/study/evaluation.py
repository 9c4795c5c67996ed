"""What a study's result is worth: intervals, curves, batch effect, trust checks and uncalled rows.

Labels of the target are read for scores alone; the trust checks and the confidence that a call
takes rest on the source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import pandas as pd

from crossplate.errors import InputError
from crossplate.evaluate import zscore_logistic_regression
from crossplate.evaluate.accuracy_coverage import accuracy_coverage
from crossplate.evaluate.batch_classifier import classify_batches
from crossplate.evaluate.calibration_curve import calibration
from crossplate.evaluate.intervals import score_intervals, subject_score_intervals
from crossplate.evaluate.mixing import batch_mixing
from crossplate.evaluate.roc import roc_curves
from crossplate.evaluate.scores import score
from crossplate.evaluate.subjects import by_subject, subject_labels
from crossplate.evaluate.trust import run_checks
from crossplate.evaluate.variance_shares import variance_shares
from crossplate.study.calling import Called, call_again, call_samples, call_subjects
from crossplate.study.evidence import Evidence, Level, gather, levels_of
from crossplate.study.running import StudyResult

Progress = Callable[[str, int, int], None]

QUICK_CLASSIFIER = {"n_splits": 3, "max_rows": 200}
"""What the classifier of batches is bounded by where time is short; it is the costliest part."""
QUICK_MAP = 1_000
"""Most samples of a t-SNE map that takes no more than some seconds."""
RUN_ORDER = ("injectionorder", "runorder", "order", "injection")
"""Columns of numbers that tell when a sample was measured, best first; without ``_`` and case."""

__all__ = ["FullEvaluation", "Progress", "evaluate_plate", "evaluate_study"]


@dataclass(frozen=True)
class FullEvaluation:
    """All that was asked of a result; a part is None where it could not be had or was not wanted.

    Parameters
    ----------
    intervals
        ``sample`` and ``subject`` → scores on the target with 95% intervals over subjects.
    expected
        The same of source rows that the model had not learned from, which takes no labels of the
        target; beside the scores ``chance``, the share of the commonest class, and
        ``zscore_logistic_regression``, the accuracy of that method in the same way (None where
        the target's labels are known, which say more).
    calibration, accuracy_coverage, roc, confusion
        Of subjects, of samples where there are none: reliability of the probabilities, accuracy of
        the surest, ROC curve of each class, counts by true and called class.
    calling
        ``sample`` and ``subject`` → least confidence of a call, coverage, accuracy of the called.
    batch_classifier, mixing
        Before and after calibration: accuracy of telling the batch; batches among neighbours.
    variance_shares
        Columns of :meth:`crossplate.evaluate.variance_shares.VarianceShares.to_frame`, before
        calibration; ``batch_after`` and ``label_after`` are shares after it.
    trust
        Trust checks.
    permutation, ceiling, cross_batch, biomarkers, attribution
        The parts that take long, of :mod:`crossplate.study.thorough`; None unless wanted.
    embedding
        Samples before and after calibration on one t-SNE map and in the plane of one PCA; of
        studies of more than ``QUICK_MAP`` samples one of the parts that take long.
    left_out
        Part → why it could not be had.
    called_samples, called_subjects
        True for each row of the predictions, and of the subjects, that is sure enough to be
        called; None where no confidence could be set.
    """

    intervals: dict[str, Any] | None = None
    expected: dict[str, Any] | None = None
    calibration: dict[str, Any] | None = None
    accuracy_coverage: dict[str, Any] | None = None
    roc: dict[str, Any] | None = None
    confusion: dict[str, Any] | None = None
    calling: dict[str, Any] | None = None
    batch_classifier: dict[str, Any] | None = None
    mixing: dict[str, Any] | None = None
    variance_shares: dict[str, Any] | None = None
    trust: list[dict[str, Any]] | None = None
    permutation: dict[str, Any] | None = None
    ceiling: dict[str, Any] | None = None
    cross_batch: list[dict[str, Any]] | None = None
    biomarkers: dict[str, Any] | None = None
    attribution: dict[str, Any] | None = None
    embedding: dict[str, Any] | None = None
    left_out: dict[str, str] = field(default_factory=dict)
    called_samples: pd.Series | None = None
    called_subjects: pd.Series | None = None

    def to_dict(self) -> dict[str, Any]:
        """Everything but the called rows, which stand beside the predictions, ready for JSON."""
        apart = ("called_samples", "called_subjects")
        names = [one.name for one in fields(self) if one.name not in apart]
        return {name: getattr(self, name) for name in names}


def evaluate_study(
    result: StudyResult, *, full: bool = False, progress: Progress | None = None
) -> FullEvaluation:
    """Evaluate a study that was trained here or loaded with its table.

    Parameters
    ----------
    result
        From :func:`crossplate.study.run_study` or :func:`crossplate.study.study_of`.
    full
        Whether to make the parts that take long too: the permutation test, what each batch
        reaches on itself, all pairs of batches, biomarkers and attribution.
    progress
        Called with the name of a part, and how much of it is done and to be done.

    Raises
    ------
    InputError
        If the result is of a plate predicted later, which has no source to judge by.
    """
    if result.before is None or result.after is None:
        raise InputError(
            "a plate predicted later has no source to evaluate the model by; evaluate the folder "
            "of the run"
        )
    tell = progress or _silent
    tell("Held-out predictions", 0, 1)
    evidence = gather(result, full=full)
    attempts = _Attempts()
    called = _calls(evidence) if evidence.held_out is not None else {}
    tell("Trust checks", 0, 1)
    found: dict[str, Any] = {
        "intervals": _intervals(evidence.samples, evidence.subjects, evidence.subject, attempts),
        "expected": attempts.of("expected", lambda: _expected(evidence)),
        **_curves(evidence.scored, attempts),
        "calling": {name: one.to_dict() for name, one in called.items()} or None,
        "trust": _trust(evidence),
        **_batch_effect(evidence, attempts, {} if full else QUICK_CLASSIFIER),
    }
    if full or len(result.before) <= QUICK_MAP:
        tell("Map of samples", 0, 1)
        found["embedding"] = attempts.of("embedding", lambda: _embedding(result))
    if full:
        from crossplate.study.thorough import thorough_parts

        found |= thorough_parts(result, attempts.of, tell)
    rows = {name: one.called for name, one in called.items()}
    if evidence.why_not_held_out:
        attempts.reasons["calling"] = evidence.why_not_held_out
    return FullEvaluation(
        **found,
        left_out=attempts.reasons,
        called_samples=rows.get("sample"),
        called_subjects=rows.get("subject"),
    )


def _embedding(result: StudyResult) -> dict[str, Any]:
    """Samples before and after calibration, seen from the same side."""
    from crossplate.report import tsne_embedding

    assert result.before is not None
    assert result.after is not None
    found = tsne_embedding(
        result.before.iloc[:, 1:].to_numpy(),
        result.after.iloc[:, 1:].to_numpy(),
        batch=result.table.batch,
        label=result.table.label,
    )
    return found.to_dict() | {"notices": list(found.notices)}


def evaluate_plate(
    result: StudyResult, calling: Mapping[str, Mapping[str, Any]] | None
) -> FullEvaluation:
    """Evaluate a plate that was predicted later: its calls, and its scores where there are labels.

    Parameters
    ----------
    result
        From :func:`crossplate.study.predict_plate`.
    calling
        ``calling`` of the evaluation of the run that the model is from; None calls everything.
    """
    samples, people = levels_of(result)
    attempts = _Attempts()
    levels = {"sample": samples} | ({} if people is None else {"subject": people})
    called = {
        name: call_again(calling[name], level.proba, level.truth)
        for name, level in levels.items()
        if calling is not None and name in calling
    }
    rows = {name: one.called for name, one in called.items()}
    return FullEvaluation(
        intervals=_intervals(samples, people, result.table.subject, attempts),
        **_curves(samples if people is None else people, attempts),
        calling={name: one.to_dict() for name, one in called.items()} or None,
        left_out=attempts.reasons,
        called_samples=rows.get("sample"),
        called_subjects=rows.get("subject"),
    )


class _Attempts:
    """Parts that may be impossible for this study, and the reasons of those that were."""

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}

    def of(self, name: str, part: Callable[[], Any]) -> Any:
        """Return the part; None, with the reason kept, where the study does not allow it."""
        try:
            return part()
        except InputError as error:
            self.reasons[name] = str(error)
            return None


def _silent(what: str, done: int, total: int) -> None:
    pass


def _calls(evidence: Evidence) -> dict[str, Called]:
    """Called rows at the level of samples, and of subjects if there are any."""
    table, source, samples = evidence.table, evidence.source, evidence.samples
    assert evidence.held_out is not None
    assert table.label is not None
    held_out = evidence.held_out.loc[source & table.labelled]
    label = table.label.loc[held_out.index]
    called = {"sample": call_samples(held_out, label, samples.proba, samples.truth)}
    if evidence.subjects is not None:
        assert table.subject is not None
        people = evidence.subjects
        called["subject"] = call_subjects(
            held_out, label, table.subject.loc[held_out.index], people.proba, people.truth
        )
    return called


def _intervals(
    samples: Level, people: Level | None, subject: pd.Series | None, attempts: _Attempts
) -> dict[str, Any] | None:
    """Scores of the target with intervals, at each level."""
    if not samples.known:
        return None
    found = {
        "sample": attempts.of(
            "intervals",
            lambda: score_intervals(
                samples.truth, samples.proba, samples.classes, subject=subject
            ).to_dict(),
        )
    }
    if people is not None:
        found["subject"] = attempts.of(
            "intervals",
            lambda: score_intervals(people.truth, people.proba, people.classes).to_dict(),
        )
    return {name: one for name, one in found.items() if one is not None} or None


def _expected(evidence: Evidence) -> dict[str, Any] | None:
    """What the source's held-out rows let one expect of the target."""
    if evidence.held_out is None:
        return None
    table, rows = evidence.table, evidence.source & evidence.table.labelled
    assert table.label is not None
    held_out, label = evidence.held_out.loc[rows], table.label.loc[rows]
    subject = None if table.subject is None else table.subject.loc[rows]
    simple = None if evidence.samples.known else _simple_held_out(evidence)
    classes = list(held_out.columns)
    found = {
        "sample": score_intervals(label, held_out, classes, subject=subject).to_dict()
        | _beside(label, None if simple is None else score(label, simple, classes).accuracy)
    }
    if subject is not None:
        reached = None
        truth = subject_labels(label, subject)
        if simple is not None:
            people = by_subject(simple, subject)
            reached = float((people["predicted"] == truth.loc[people.index]).mean())
        found["subject"] = subject_score_intervals(held_out, subject, label).to_dict() | _beside(
            truth, reached
        )
    return found


def _beside(truth: pd.Series, simple: float | None) -> dict[str, float | None]:
    return {
        "chance": float(truth.value_counts(normalize=True).iloc[0]),
        "zscore_logistic_regression": simple,
    }


def _simple_held_out(evidence: Evidence) -> pd.DataFrame:
    """Cross-validated z-score and logistic regression of the labelled source rows."""
    from sklearn.model_selection import StratifiedGroupKFold

    table = evidence.table
    rows = np.flatnonzero(evidence.source & table.labelled)
    labels = table.labels_of(evidence.source)
    who = rows if table.subject is None else table.subject.to_numpy()[rows]
    folds = StratifiedGroupKFold(evidence.n_splits, shuffle=True, random_state=evidence.seed)
    parts = []
    for _, tested in folds.split(rows, labels[rows].astype(str), who):
        mask = np.zeros(len(labels), dtype=bool)
        mask[rows[tested]] = True
        known = labels.copy()
        known[mask] = None
        parts.append(zscore_logistic_regression(evidence.z, known, mask))
    assert evidence.held_out is not None
    return pd.concat(parts).fillna(0.0).loc[table.features.index[rows], evidence.held_out.columns]


def _curves(level: Level, attempts: _Attempts) -> dict[str, Any]:
    """Calibration, accuracy of the surest, ROC and confusion of one level."""
    if not level.known:
        return {}
    scored = score(level.truth, level.proba, level.classes)
    curves = roc_curves(level.truth, level.proba, level.classes)
    return {
        "calibration": attempts.of(
            "calibration",
            lambda: calibration(level.truth, level.proba, level.classes).to_dict(),
        ),
        "accuracy_coverage": accuracy_coverage(level.truth, level.proba, level.classes).to_dict(),
        "roc": {"classes": [one.to_dict() for one in curves]} if curves else None,
        "confusion": {
            "labels": [str(name) for name in scored.classes],
            "counts": [list(row) for row in scored.confusion],
        },
    }


def _trust(evidence: Evidence) -> list[dict[str, Any]]:
    table = evidence.table
    checks = run_checks(
        batch=table.batch,
        label=table.labels_of(evidence.source),
        target=~evidence.source,
        subject=table.subject,
        x=table.features.to_numpy(),
        z=evidence.z,
        calibrated=evidence.after,
        proba=evidence.all_proba(),
        order=_run_order(table.metadata),
        random_state=evidence.seed,
    )
    return [check.to_dict() for check in checks]


def _run_order(metadata: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    from crossplate.table.columns import squash

    named = {squash(str(name)): name for name in metadata.columns}
    for wanted in RUN_ORDER:
        if wanted in named:
            order = pd.to_numeric(metadata[named[wanted]], errors="coerce")
            if order.notna().all():
                return order.to_numpy(dtype=np.float64)
    return None


def _batch_effect(evidence: Evidence, attempts: _Attempts, folds: dict[str, int]) -> dict[str, Any]:
    """What remains of the batches, by three other measures than the MMD."""
    table, seed = evidence.table, evidence.seed
    data = {"before": evidence.before, "after": evidence.after}

    def told() -> dict[str, Any]:
        found = classify_batches(
            data, table.batch, subject=table.subject, random_state=seed, **folds
        )
        return found.to_dict()

    def mixed() -> dict[str, Any]:
        found = {
            name: batch_mixing(x, table.batch, subject=table.subject, random_state=seed)
            for name, x in data.items()
        }
        return {name: one.to_dict() for name, one in found.items()}

    return {
        "batch_classifier": attempts.of("batch_classifier", told),
        "mixing": attempts.of("mixing", mixed),
        "variance_shares": attempts.of("variance_shares", lambda: _variance_shares(evidence)),
    }


def _variance_shares(evidence: Evidence) -> dict[str, Any]:
    table = evidence.table
    if table.label is None or table.batch[table.labelled].nunique() < 2:
        raise InputError("one batch only has labels, so batch and label cannot be told apart")
    features = table.features.columns
    found = [
        variance_shares(pd.DataFrame(x, columns=features), table.batch, table.label).to_frame()
        for x in (evidence.before, evidence.after)
    ]
    columns = found[0].assign(batch_after=found[1]["batch"], label_after=found[1]["label"])
    return _columns(columns.round(4).reset_index())


def _columns(frame: pd.DataFrame) -> dict[str, Any]:
    """Columns of a frame as lists of plain values, None for NaN."""
    plain = frame.astype(object).where(frame.notna(), None)
    return {str(name): plain[name].tolist() for name in plain.columns}
