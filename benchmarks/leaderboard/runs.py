"""Runs of the leaderboard: what is still missing, one file for each, scores."""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from opponents import JOINT, Opponent, opponents
from tasks import Case

from crossplate import JointClassifier
from crossplate.compare import on_this_machine
from crossplate.compare.blind import BlindTask
from crossplate.compare.executing import Work
from crossplate.compare.parts import table_fingerprint
from crossplate.compare.work import Answer
from crossplate.errors import InputError
from crossplate.evaluate import accuracy_coverage, score, score_subjects
from crossplate.evaluate.calibration_curve import calibration

LEAST_PROBABILITY = 1e-6
DIGITS = 4
"""Of the probabilities that a run keeps."""
COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.5)
AT_COVERAGE = {share: f"accuracy_{100 * share:.0f}" for share in COVERAGES}
"""Share of the target's samples that are called, the surest → figure."""
OF_SUBJECTS = ("subject_balanced_accuracy", "subject_accuracy")
"""Figures where subjects have several samples; the median of their probabilities is called."""
SAMPLES_A_SUBJECT = 1.5
"""On average, from which figures by subject are of interest."""
FIGURES = ("balanced_accuracy", "accuracy", "log_loss", "ece", "aurc", "seconds")

__all__ = [
    "AT_COVERAGE",
    "FIGURES",
    "LEAST_PROBABILITY",
    "OF_SUBJECTS",
    "Run",
    "collected",
    "log_loss",
    "run_missing",
    "runs_of",
]


@dataclass(frozen=True)
class Run:
    """One method on one case with one seed.

    Parameters
    ----------
    case, opponent, seed
        What is run.
    part
        The file of its result, complete or absent. Its name depends on the data, the settings and
        the code that the result depends on, so that a result of other code is not taken for it.
    """

    case: Case
    opponent: Opponent
    seed: int
    part: Path

    def result(self) -> dict[str, Any] | None:
        """What came out, None if it was not run."""
        try:
            found: dict[str, Any] = json.loads(self.part.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return found

    def is_done(self) -> bool:
        """Whether it has all scores.

        One that failed is not done, since what it lacked may be there now, and neither is one
        that was kept before accuracy by coverage was looked at.
        """
        found = self.result()
        return found is not None and "aurc" in found


def runs_of(
    cases: Sequence[Case], methods: Sequence[Opponent], seeds: int, work: Path
) -> list[Run]:
    """All runs, methods in the order given, so that the quick ones come first.

    What depends on no seed is run once on each case, and slow methods with the first seed only. A
    form of the joint model that is the default on a case shares its run.
    """
    found = []
    default = opponents()[JOINT]
    digests = {each.name: each.digest() for each in (default, *methods)}
    tables = {id(case.table): table_fingerprint(case.table) for case in cases}
    for method in methods:
        for case in cases:
            opponent = default if _is_default(method, default, case) else method
            known = f"{tables[id(case.table)][:6]}-{digests[opponent.name]}"
            limit = opponent.most_features
            if limit is not None and case.table.n_features > limit:
                continue
            many = opponent.is_random and not opponent.is_slow
            own = range(seeds if many else 1) if case.seed is None else [case.seed]
            if opponent.is_slow:
                own = [seed for seed in own if seed == 0]
            for seed in own:
                name = f"{_plain(case.name)}-{seed}-{known}.json"
                part = work / "parts" / _plain(opponent.name) / case.data / name
                found.append(Run(case, method, seed, part))
    return found


def _is_default(opponent: Opponent, default: Opponent, case: Case) -> bool:
    """Whether a form of the joint model has the default's settings on a case."""
    if not opponent.is_form or opponent.is_slow:
        return False
    task = case.task()
    labelled = np.array([label is not None for label in task.y])
    n = int(labelled.sum()) if task.subject is None else len(np.unique(task.subject[labelled]))
    sized = [
        JointClassifier(**each.settings).unsized_settings().sized(n, task.x.shape[1])
        for each in (opponent, default)
    ]
    return sized[0] == sized[1]


def _plain(name: str) -> str:
    return re.sub(r"[^\w.]+", "_", name)


def run_missing(runs: Sequence[Run], jobs: int) -> None:
    """Run what has no result yet, in so many processes, and keep each as soon as it is there."""
    by_part = {run.part: run for run in runs}
    missing = [run for run in by_part.values() if not run.is_done()]
    print(f"{len(by_part)} runs, {len(missing)} of them to do", flush=True)
    start = told = time.monotonic()
    for done, (unit, answers) in enumerate(on_this_machine(jobs)(_work(missing)), 1):
        run = missing[int(unit.source)]
        (answer,) = answers
        _write(run.part, _scored(run.case, answer))
        now = time.monotonic()
        if now - told > 15 or done == len(missing):
            told = now
            left = (now - start) / done * (len(missing) - done)
            print(
                f"{done} of {len(missing)}, {now - start:.0f} s, at this rate {left:.0f} s more; "
                f"last {run.opponent.name} on {run.case.data} {run.case.name}",
                flush=True,
            )


def _work(runs: Sequence[Run]) -> Iterator[Work]:
    """Units with their rows; a unit's source is its place in ``runs``, by which it is known."""
    last: Case | None = None
    task: BlindTask | None = None
    for number, run in enumerate(runs):
        if task is None or run.case is not last:
            last, task = run.case, run.case.task()
        yield run.opponent.unit(str(number), run.case.target, run.seed), task


def _scored(case: Case, answer: Answer) -> dict[str, Any]:
    """Scores of an answer, and which samples are right, as plain values."""
    result: dict[str, Any] = {"seconds": answer.seconds, "note": answer.note}
    if answer.proba is None:
        return result
    label, subject = case.truth(), case.subjects()
    classes = list(answer.proba.columns)
    p = answer.proba.to_numpy()
    try:
        found = score(label, p, classes)
        calibrated = calibration(label, p, classes, subject=subject)
        surest = accuracy_coverage(label, p, classes, coverages=COVERAGES)
    except InputError as error:
        return result | {"note": f"{answer.note}; {error}"}
    right = np.array(classes, dtype=object)[p.argmax(axis=1)] == label
    return result | {
        "balanced_accuracy": found.balanced_accuracy,
        "accuracy": found.accuracy,
        "log_loss": log_loss(label, p, classes),
        "ece": calibrated.ece,
        "aurc": surest.aurc,
        **{AT_COVERAGE[point.coverage]: point.accuracy for point in surest.curve},
        "classes": classes,
        "probabilities": np.round(p, DIGITS).tolist(),
        "right": "".join("01"[int(each)] for each in right),
    }


def log_loss(truth: np.ndarray, p: np.ndarray, classes: Sequence[str]) -> float:
    """Mean negative log of the probability given to the true class, at least 1e-6.

    Rows of no class in ``classes`` are left out.
    """
    place = pd.Index(classes).get_indexer(truth)
    of_truth = p[np.arange(len(p)), place][place >= 0]
    return float(-np.log(np.maximum(of_truth, LEAST_PROBABILITY)).mean())


def _write(path: Path, result: dict[str, Any]) -> None:
    """Write a result, complete or not at all."""
    plain = {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in result.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(json.dumps(plain), encoding="utf-8")
    partial.replace(path)


def collected(runs: Sequence[Run]) -> pd.DataFrame:
    """All results that are there.

    Columns: data, case, method, seed, whether it is a form of the joint model, figures (those by
    subject NaN where most have one sample), note and which of the target's rows are right (text
    of 0 and 1).
    """
    figures = (*FIGURES, *OF_SUBJECTS, *AT_COVERAGE.values())
    rows = []
    for run in runs:
        result = run.result()
        if result is not None:
            result |= _of_subjects(run.case, result)
            rows.append(
                {
                    "data": run.case.data,
                    "case": run.case.name,
                    "method": run.opponent.name,
                    "seed": run.seed,
                    "is_form": run.opponent.is_form,
                    **{name: result.get(name) for name in (*figures, "note", "right")},
                }
            )
    columns = ["data", "case", "method", "seed", "is_form", *figures, "note", "right"]
    frame = pd.DataFrame(rows, columns=columns).astype({"is_form": bool})
    return frame.astype(dict.fromkeys(figures, float))


def _of_subjects(case: Case, result: dict[str, Any]) -> dict[str, float]:
    """Figures by subject, from the probabilities that were kept; none where there is no need."""
    subject = case.subjects()
    if subject is None or "probabilities" not in result:
        return {}
    if len(subject) < SAMPLES_A_SUBJECT * len(set(subject)):
        return {}
    p = np.array(result["probabilities"])
    proba = pd.DataFrame(p / p.sum(axis=1, keepdims=True), columns=result["classes"])
    found = score_subjects(proba, pd.Series(subject), pd.Series(case.truth()))
    return dict(zip(OF_SUBJECTS, (found.balanced_accuracy, found.accuracy), strict=True))
