"""The parts of an evaluation that take long: they train networks by the dozen, or ask them often.

They read the labels of all batches, for scores and for what a batch reaches on itself; nothing
of them reaches the study's own model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from crossplate.errors import InputError
from crossplate.evaluate.attribution import permutation_importance
from crossplate.evaluate.baselines import fit_predict
from crossplate.evaluate.biomarkers import find_biomarkers
from crossplate.evaluate.scores import score
from crossplate.evaluate.subjects import score_subjects
from crossplate.joint.classifier import JointClassifier
from crossplate.joint.permutation import permutation_test
from crossplate.joint.protocols import predict_across_batches, predict_within_batches
from crossplate.scaling import PlateScaler
from crossplate.study.evidence import seed_of
from crossplate.study.held_out import unfitted
from crossplate.study.roles import Mask
from crossplate.study.running import StudyResult
from crossplate.table import SampleTable

N_PERMUTATIONS = 100
N_SHUFFLES = 3
"""Shuffles of each feature for its attribution."""
NUMBERS = ("accuracy", "balanced_accuracy", "f1", "mcc", "roc_auc", "brier")
OWN, UNCORRECTED = "crossplate", "no_correction"
"""Methods of the cross-batch rows: after calibration, and a logistic regression on measurements
as they are (logs where they help, the source's location and scale)."""

Attempt = Callable[[str, Callable[[], Any]], Any]
Tell = Callable[[str, int, int], None]

__all__ = [
    "N_PERMUTATIONS",
    "OWN",
    "UNCORRECTED",
    "across_batches",
    "permuted",
    "thorough_parts",
    "within_batches",
]


def thorough_parts(result: StudyResult, attempt: Attempt, tell: Tell) -> dict[str, Any]:
    """Make all parts that take long.

    Parameters
    ----------
    result
        The study.
    attempt
        Takes a part's name and what makes it; gives None where the study does not allow it.
    tell
        Called with the name of a part, and how much of it is done and to be done.

    Returns
    -------
    ``permutation``, ``ceiling``, ``cross_batch``, ``biomarkers`` and ``attribution``, ready for
    JSON.
    """
    table, seed = result.table, seed_of(result)
    model = unfitted(result.model, random_state=seed)
    source = ~table.features.index.isin(result.predictions.index)

    def told(what: str) -> Callable[[int, int], None]:
        tell(what, 0, 1)
        return lambda done, total: tell(what, done, total)

    tell("Shuffling labels", 0, 1)
    permutation = attempt(
        "permutation", lambda: permuted(model, table, source, n_permutations=N_PERMUTATIONS)
    )
    tell("Within each batch", 0, 1)
    ceiling = attempt("ceiling", lambda: {"per_batch": within_batches(table, model)})
    tell("Between all batches", 0, 1)
    cross_batch = attempt("cross_batch", lambda: across_batches(table, model))
    if cross_batch is not None and ceiling is not None:
        diagonal = [
            {
                "source": row["batch"],
                "target": row["batch"],
                "method": OWN,
                **row["scores"],
                "subject": row["subject_scores"],
            }
            for row in ceiling["per_batch"]
        ]
        cross_batch += diagonal
    progress = told("Biomarkers")
    biomarkers = attempt("biomarkers", lambda: _biomarkers(table, seed, progress))
    progress = told("Attribution")
    attribution = attempt("attribution", lambda: _attribution(result, seed, progress))
    return {
        "permutation": permutation,
        "ceiling": ceiling,
        "cross_batch": cross_batch,
        "biomarkers": biomarkers,
        "attribution": attribution,
    }


def permuted(
    model: JointClassifier,
    table: SampleTable,
    source: Mask,
    *,
    n_permutations: int = N_PERMUTATIONS,
    score: str = "balanced_accuracy",
) -> dict[str, Any]:
    """Permutation test of a study: source labels shuffled by subject, scored on the target.

    Parameters
    ----------
    model
        Settings, seed and progress; it need not be fitted.
    table, source
        As :func:`crossplate.study.running.prepared` gives them.
    n_permutations, score
        As in :func:`crossplate.joint.permutation.permutation_test`.

    Returns
    -------
    ``observed``, ``null`` (the scores of the shuffles), ``p_value``, ``score`` and
    ``n_permutations``, ready for JSON.

    Raises
    ------
    InputError
        No sample of the target has a label; or as the test itself.
    """
    test = permutation_test(
        model,
        table.features,
        table.labels_of(source),
        table.labels_of(~source),
        batch=table.batch,
        subject=table.subject,
        n_permutations=n_permutations,
        score=score,
    )
    return {
        "observed": test.observed,
        "null": test.shuffled.tolist(),
        "p_value": test.p_value,
        "score": test.score,
        "n_permutations": n_permutations,
    }


def within_batches(table: SampleTable, model: JointClassifier) -> list[dict[str, Any]]:
    """Scores that each batch reaches on itself: tenfold, by subject, networks trained anew.

    Parameters
    ----------
    table
        Samples; batches without labels of two classes with two subjects each are left out.
    model
        Settings and seed.

    Returns
    -------
    One entry a batch: ``batch``, ``scores`` of its samples and ``subject_scores`` (None without
    subjects).

    Raises
    ------
    InputError
        No batch has enough labels.
    """
    names = [name for name in table.batches if _can_teach(table, name)]
    if not names:
        raise InputError("no batch has labels of two classes with two subjects each")
    kept = table.select(table.batch.isin(names).to_numpy(dtype=bool) & table.labelled)
    assert kept.label is not None
    classes, found = predict_within_batches(
        model, kept.features, kept.label, batch=kept.batch, subject=kept.subject
    )
    proba = pd.DataFrame(found, kept.features.index, [str(name) for name in classes])
    entries = []
    for name in names:
        rows = (kept.batch == name).to_numpy(dtype=bool)
        samples, people = _scored(kept.select(rows), proba.loc[rows])
        entries.append({"batch": name, "scores": samples, "subject_scores": people})
    return entries


def across_batches(table: SampleTable, model: JointClassifier) -> list[dict[str, Any]]:
    """Scores of every labelled batch from every other: without correction, and by the model.

    Parameters
    ----------
    table
        Samples of two batches or more.
    model
        Settings and seed.

    Returns
    -------
    One row a pair and method (:data:`UNCORRECTED`, :data:`OWN`): ``source``, ``target``,
    ``method``, the scores of samples by name, and ``subject`` with those of subjects.

    Raises
    ------
    InputError
        No two batches have labels, one of them of two classes.
    """
    names = [name for name in table.batches if _can_teach(table, name)]
    target_names = [
        name for name in table.batches if (table.labelled & (table.batch == name).to_numpy()).any()
    ]
    if not names or len(target_names) < 2:
        raise InputError("fewer than two batches have labels, so no pair can be scored")
    kept = table.select(table.batch.isin(target_names).to_numpy(dtype=bool))
    # Only batches that can teach are sources; the labels of the others are for scores.
    teach = kept.labels_of(kept.batch.isin(names).to_numpy(dtype=bool))
    classes, found = predict_across_batches(
        model, kept.features, teach, batch=kept.batch, subject=kept.subject
    )
    columns = [str(name) for name in classes]
    rows = []
    for (source, target), proba in found.items():
        here = kept.select((kept.batch == target).to_numpy(dtype=bool))
        methods = {
            UNCORRECTED: _uncorrected(kept, source, target, columns),
            OWN: pd.DataFrame(proba, here.features.index, columns),
        }
        for method, its in methods.items():
            samples, people = _scored(here, its)
            rows.append(
                {"source": source, "target": target, "method": method, **samples, "subject": people}
            )
    return rows


def _can_teach(table: SampleTable, name: str) -> bool:
    """Whether a batch has labels of two classes, with two subjects each."""
    rows = (table.batch == name).to_numpy(dtype=bool) & table.labelled
    if table.label is None or not rows.any():
        return False
    who = table.features.index if table.subject is None else table.subject
    people = pd.DataFrame({"who": np.asarray(who)[rows], "label": table.label[rows].to_numpy()})
    counts = people.drop_duplicates()["label"].value_counts()
    return len(counts) > 1 and bool(counts.min() > 1)


def _uncorrected(table: SampleTable, source: str, target: str, columns: list[str]) -> pd.DataFrame:
    """Probabilities of the target from a logistic regression without any correction."""
    pair = table.select(table.batch.isin([source, target]).to_numpy(dtype=bool))
    of_source = (pair.batch == source).to_numpy(dtype=bool)
    values, one = pair.features.to_numpy(), np.full(pair.n_samples, "one scale")
    scaler = PlateScaler().fit(values[of_source], one[of_source], pair.labelled[of_source])
    z = pd.DataFrame(scaler.scale(values, one), pair.features.index, pair.features.columns)
    model = LogisticRegression(C=0.1, max_iter=1000)
    found = fit_predict(model, z, pair.labels_of(of_source), ~of_source)
    return found.reindex(columns=columns, fill_value=0.0)


def _scored(
    table: SampleTable, proba: pd.DataFrame
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Scores of samples, and of subjects if there are any."""
    assert table.label is not None
    samples = score(table.label, proba, list(proba.columns)).to_dict()
    people = None
    if table.subject is not None:
        people = score_subjects(proba, table.subject, table.label).to_dict()
        people = {name: people[name] for name in ("n", *NUMBERS)}
    return {name: samples[name] for name in ("n", *NUMBERS)}, people


def _biomarkers(
    table: SampleTable, seed: int, progress: Callable[[int, int], None]
) -> dict[str, Any]:
    found = find_biomarkers(table, random_state=seed, progress=progress)
    frame = found.to_frame()
    plain = frame.astype(object).where(frame.notna(), None)
    return found.to_dict() | {"features": {str(name): plain[name].tolist() for name in plain}}


def _attribution(
    result: StudyResult, seed: int, progress: Callable[[int, int], None]
) -> dict[str, Any]:
    """What the model relies on, by its calls of the target, which it did not learn from."""
    table = result.table
    rows = table.features.index.isin(result.predictions.index) & table.labelled
    if not rows.any():
        raise InputError("no sample of the target has a label to judge the model's loss by")
    here = table.select(rows)
    assert here.label is not None
    return permutation_importance(
        result.model,
        here.features,
        here.label,
        batch=here.batch,
        subject=here.subject,
        row_arguments={"batch": here.batch},
        n_repeats=N_SHUFFLES,
        random_state=seed,
        progress=progress,
    ).to_dict()
