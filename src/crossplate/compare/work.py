"""One unit of work: a method on a pair of batches, with every classifier and seed.

It runs in another process, perhaps on another machine, gets a blind task and gives probabilities
back; the scoring, which reads labels, is done where the table is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from crossplate.compare.aligning import Align, Aligned, measured
from crossplate.compare.attempts import attempt, joined, one_thread
from crossplate.compare.blind import BlindTask, FloatArray
from crossplate.compare.classifiers import CLASSIFIERS, RANDOM_CLASSIFIERS
from crossplate.compare.methods import METHODS, RANDOM
from crossplate.evaluate import BatchEffect, batch_effect

__all__ = ["Answer", "Unit", "answer_blindly"]


@dataclass(frozen=True)
class Unit:
    """A method on a pair of batches, or on one batch by cross-validation.

    Parameters
    ----------
    source, target
        The batches; the same one for cross-validation within it.
    method
        A name of :data:`crossplate.compare.methods.METHODS`, or any with ``align``.
    classifiers
        Names of :data:`crossplate.compare.classifiers.CLASSIFIERS`, or the method's own.
    repeats
        Seeds, from ``first_seed``, where something is drawn at random.
    settings
        Settings of the method that are not its defaults.
    first_seed
        The first seed, and the only one where nothing is drawn at random.
    align
        A method that is none of crossplate's own, in place of the name; it counts as random.
        Other processes get it by its module and name.
    distances
        Measure the distance between source and target, which in large batches takes longer than
        the simple methods do.
    """

    source: str
    target: str
    method: str
    classifiers: tuple[str, ...]
    repeats: int
    settings: dict[str, Any] = field(default_factory=dict)
    first_seed: int = 0
    align: Align | None = None
    distances: bool = True

    @property
    def is_random(self) -> bool:
        """Whether the method's result depends on the seed."""
        return self.align is not None or self.method in RANDOM

    @property
    def seeds(self) -> range:
        """Seeds of whatever is drawn at random."""
        return range(self.first_seed, self.first_seed + self.repeats)


@dataclass(frozen=True)
class Answer:
    """What one classifier after one method says of the target, not yet scored.

    Parameters
    ----------
    classifier, seed
        Which one, and with which seed.
    proba
        Class probabilities of the target's rows in their order, columns named by class. None
        where the method failed.
    mmd_before, mmd_after
        √(biased MMD²) between source and target, as measured and after the method, with the same
        kernels; NaN within one batch, where a batch has fewer than four rows, or not asked for.
    seconds
        Time of the method and the classifier on one thread.
    note
        Why it failed, or what libraries warned of; empty if all went well.
    """

    classifier: str
    seed: int
    proba: pd.DataFrame | None
    mmd_before: float = np.nan
    mmd_after: float = np.nan
    seconds: float = np.nan
    note: str = ""


def answer_blindly(unit: Unit, task: BlindTask) -> list[Answer]:
    """Run a method and its classifiers on a task, with every seed.

    What depends on no seed is run with the first only. Each run of a method that has seeds goes to
    a classifier of the same seed.

    Parameters
    ----------
    unit
        What to run.
    task
        The rows; its seed is set here.
    """
    align = unit.align or METHODS[unit.method]
    with one_thread():
        effect, reason = attempt(partial(_effect, task)) if unit.distances else (None, "")
        before = _distance(effect)
        answers = []
        for seed in unit.seeds if unit.is_random else unit.seeds[:1]:
            start = time.perf_counter()
            aligned, note = attempt(partial(align, replace(task, seed=seed), **unit.settings))
            spent = time.perf_counter() - start
            after = np.nan
            if aligned is not None and effect is not None:
                its, reason = attempt(partial(_effect, task, aligned.z, effect.bandwidths))
                after = _distance(its)
            found = Answer("", seed, None, before, after, spent, joined([note, reason]))
            answers += [
                _classified(task, aligned, replace(found, classifier=classifier, seed=its_seed))
                for classifier, its_seed in _runs(unit, seed)
            ]
    return answers


def _runs(unit: Unit, seed: int) -> Iterator[tuple[str, int]]:
    """Classifiers and seeds that follow one run of the method."""
    for classifier in unit.classifiers:
        many = not unit.is_random and classifier in RANDOM_CLASSIFIERS
        for each in unit.seeds if many else [seed]:
            yield classifier, each


def _classified(task: BlindTask, aligned: Aligned | None, found: Answer) -> Answer:
    """The answer with the probabilities of the method, or of the classifier that follows it."""
    if aligned is None:
        return found
    if aligned.proba is not None:
        return replace(found, proba=aligned.proba)
    start = time.perf_counter()
    proba, note = attempt(
        partial(CLASSIFIERS[found.classifier], aligned.z, task.y, task.target_rows, found.seed)
    )
    return replace(
        found,
        proba=None if proba is None else proba.reset_index(drop=True),
        seconds=found.seconds + time.perf_counter() - start,
        note=joined([found.note, note]),
    )


def _effect(
    task: BlindTask, z: FloatArray | None = None, bandwidths: tuple[float, ...] | None = None
) -> BatchEffect:
    """Distance between the batches of a task, by default as they were measured."""
    rows = measured(task)[0] if z is None else z
    roles = np.where(task.source_rows, "source", "target")
    return batch_effect(rows, roles, bandwidths=bandwidths)


def _distance(effect: BatchEffect | None) -> float:
    return np.nan if effect is None or effect.across is None else effect.across.root_biased
