"""Predictions within batches, across pairs of batches and of held-out rows, as one stack each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.utils import check_random_state

from crossplate.errors import InputError
from crossplate.joint.classifier import JointClassifier
from crossplate.joint.minibatches import Member
from crossplate.joint.problem import Problem, architecture_of
from crossplate.joint.temperature import fit_temperature, tempered_mean
from crossplate.rows import UNLABELLED

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

__all__ = ["predict_across_batches", "predict_held_out", "predict_within_batches"]


def predict_within_batches(
    model: JointClassifier,
    X: Any,
    y: Any,
    *,
    batch: Any,
    subject: Any = None,
    n_splits: int = 10,
) -> tuple[npt.NDArray[Any], FloatArray]:
    """Cross-validated predictions within each labelled batch: what a plate reaches on itself.

    The counterpart of :func:`sklearn.model_selection.cross_val_predict`. Folds are stratified,
    keep the samples of a subject together, and every fold has networks of its own; in the
    tenfold figures of [Niu2022]_ the networks are passed on from fold to fold, so that they are
    tested on rows they were trained on. A fold's rows take part in training without their
    labels, as a target batch's do.

    Parameters
    ----------
    model
        Settings and seed; it is not changed and need not be fitted.
    X, y, batch, subject
        As in :meth:`crossplate.JointClassifier.fit`.
    n_splits
        Folds of a batch; fewer where its rarest class has fewer subjects.

    Returns
    -------
    Sorted classes, and the probabilities of each row, shape (n, C); NaN for unlabelled rows.

    Raises
    ------
    InputError
        A batch has labels, but of one class or of one subject in a class; or what ``fit`` refuses.
    """
    posed = clone(model)
    problem, codes = posed.pose(X, y, batch=batch, subject=subject)
    rng = check_random_state(model.random_state)
    parts: list[tuple[IntArray, IntArray, IntArray]] = []
    for number in np.unique(problem.batch[codes >= 0]):
        own = np.where(problem.batch == number, 0, -1)
        name = f"batch {str(posed.batches_[number])!r}"
        rows = np.flatnonzero((problem.batch == number) & (codes >= 0))
        for tested in _folds(problem, codes, rows, name, n_splits, rng):
            known = np.where(own == 0, codes, UNLABELLED)
            known[tested] = UNLABELLED
            parts.append((known, own, tested))
    probabilities = np.full((len(codes), len(posed.classes_)), np.nan)
    smaller = _sized(model, problem, codes, len(posed.classes_), n_batches=1)
    for tested, found in _train(model, smaller, parts, rng):
        probabilities[tested] = found
    return posed.classes_, probabilities


def predict_across_batches(
    model: JointClassifier, X: Any, y: Any, *, batch: Any, subject: Any = None
) -> tuple[npt.NDArray[Any], dict[tuple[str, str], FloatArray]]:
    """Predictions of every batch from every other labelled batch, one at a time.

    A pair sees the labels of its source only. All pairs share the schedule of the largest batch,
    and one transform of the rows, which reads no labels.

    Parameters
    ----------
    model
        Settings and seed; it is not changed and need not be fitted.
    X, y, batch, subject
        As in :meth:`crossplate.JointClassifier.fit`.

    Returns
    -------
    Sorted classes, and (source, target) → probabilities of the target's rows, in their order,
    shape (rows of the target, C).

    Raises
    ------
    InputError
        One batch only, a batch with labels of one class only, or what ``fit`` refuses.
    """
    posed = clone(model)
    problem, codes = posed.pose(X, y, batch=batch, subject=subject)
    if len(posed.batches_) < 2:
        raise InputError("there is one batch only, so there is no other to predict it from")
    rng = check_random_state(model.random_state)
    sources = np.unique(problem.batch[codes >= 0])
    pairs, parts = [], []
    for source, target in permutations(range(len(posed.batches_)), 2):
        if source not in sources:
            continue
        own = np.select([problem.batch == source, problem.batch == target], [0, 1], -1)
        known = np.where(own == 0, codes, UNLABELLED)
        if len(np.unique(known[known >= 0])) < 2:
            raise InputError(
                f"batch {str(posed.batches_[source])!r} has labels of one class only, so nothing "
                "can be learned from it alone"
            )
        pairs.append((str(posed.batches_[source]), str(posed.batches_[target])))
        parts.append((known, own, np.flatnonzero(own == 1)))
    smaller = _sized(model, problem, codes, len(posed.classes_), n_batches=2)
    trained = _train(model, smaller, parts, rng)
    return posed.classes_, {pair: found for pair, (_, found) in zip(pairs, trained, strict=True)}


def predict_held_out(
    model: JointClassifier,
    X: Any,
    y: Any,
    *,
    batch: Any = None,
    subject: Any = None,
    n_splits: int = 5,
) -> tuple[npt.NDArray[Any], FloatArray]:
    """Cross-validated predictions of the labelled rows, all other rows as in ``fit``.

    What the model would say of the source's subjects had it not been told their labels: without
    labels of the target, the only measure of its calls and of its confidence. Labelled batches
    are pooled as in ``fit``; folds are stratified and keep the samples of a subject together.

    Parameters
    ----------
    model
        Settings and seed; it is not changed and need not be fitted.
    X, y, batch, subject
        As in :meth:`crossplate.JointClassifier.fit`.
    n_splits
        Folds; fewer where the rarest class has fewer subjects.

    Returns
    -------
    Sorted classes, and the probabilities of each row, shape (n, C); NaN for unlabelled rows.

    Raises
    ------
    InputError
        A class has one subject only; or what ``fit`` refuses.
    """
    posed = clone(model)
    problem, codes = posed.pose(X, y, batch=batch, subject=subject)
    rng = check_random_state(model.random_state)
    rows = np.flatnonzero(codes >= 0)
    parts = []
    for tested in _folds(problem, codes, rows, "the source", n_splits, rng):
        known = codes.copy()
        known[tested] = UNLABELLED
        parts.append((known, problem.batch, tested))
    probabilities = np.full((len(codes), len(posed.classes_)), np.nan)
    for tested, found in _train(model, problem, parts, rng):
        probabilities[tested] = found
    return posed.classes_, probabilities


def _folds(
    problem: Problem,
    codes: IntArray,
    rows: IntArray,
    name: str,
    n_splits: int,
    rng: np.random.RandomState,
) -> Iterator[IntArray]:
    """Rows of each fold, out of some labelled rows."""
    who = rows.astype(str) if problem.subject is None else problem.subject[rows]
    subjects = [len(np.unique(who[codes[rows] == code])) for code in np.unique(codes[rows])]
    if len(subjects) < 2 or min(subjects) < 2:
        raise InputError(
            f"{name} needs labels of two classes with two subjects each to be cross-validated"
        )
    folds = StratifiedGroupKFold(min(n_splits, *subjects), shuffle=True, random_state=rng)
    for _, tested in folds.split(rows, codes[rows], who):
        yield rows[tested]


def _sized(
    model: JointClassifier, problem: Problem, codes: IntArray, n_classes: int, n_batches: int
) -> Problem:
    """The problem with networks for fewer batches, sized for the smallest of the sources."""
    labelled = codes >= 0
    who = np.arange(len(codes)) if problem.subject is None else problem.subject
    fewest = min(
        len(np.unique(who[labelled & (problem.batch == number)]))
        for number in np.unique(problem.batch[labelled])
    )
    p = problem.z.shape[1]
    settings = model.unsized_settings().sized(fewest, p)
    architecture = architecture_of(p, n_batches, n_classes, settings)
    return replace(problem, architecture=architecture, settings=settings)


def _train(
    model: JointClassifier,
    problem: Problem,
    parts: Sequence[tuple[IntArray, IntArray, IntArray]],
    rng: np.random.RandomState,
) -> Iterator[tuple[IntArray, FloatArray]]:
    """A committee for each part (known classes, batch codes, rows to predict), in one stack."""
    from crossplate.joint.inference import TrainedNetworks, choose_device

    size = problem.settings.n_members
    seeds = rng.randint(np.iinfo(np.int32).max, size=(len(parts), size))
    members: list[Member] = []
    for (known, own, _), its in zip(parts, seeds, strict=True):
        members += problem.committee(known, its, own)
    device = choose_device(model.device)
    trained = problem.train(members, device, model.progress)
    for place, (known, own, wanted) in enumerate(parts):
        its = slice(place * size, (place + 1) * size)
        weights = {name: value[its] for name, value in trained.weights.items()}
        networks = TrainedNetworks(problem.architecture, weights, device)
        unlabelled = ~np.isin(own[wanted], own[known >= 0])
        found = problem.probabilities(networks, wanted, unlabelled)
        temperature = fit_temperature(members[place * size].source)
        yield wanted, tempered_mean(found, temperature)
