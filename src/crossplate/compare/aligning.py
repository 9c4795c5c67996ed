"""Bringing the batches of a blind task on one scale, as measured or by a corrector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from crossplate.compare.blind import BlindTask, FloatArray
from crossplate.compare.preparation import (
    Preparation,
    SourceScale,
    fill_by_batch,
    fill_from_source,
)
from crossplate.correct.registry import READ_LABELS, corrector_class, make_corrector

Align = Callable[..., "Aligned"]

__all__ = ["Align", "Aligned", "correct", "measured"]


@dataclass(frozen=True)
class Aligned:
    """What a method makes of a task.

    Parameters
    ----------
    z
        All rows after the method, in units of the source's standard deviations, shape (n, p), in
        the order of the task: what classifiers get and where the batches' distance is measured.
    proba
        Class probabilities of the target's rows, columns named by class, from a method that
        classifies by itself; None where a classifier has to follow.
    """

    z: FloatArray
    proba: pd.DataFrame | None = None


def measured(task: BlindTask) -> tuple[FloatArray, Preparation, SourceScale]:
    """Rows as they were measured, on the scale that the corrected ones are put on.

    Parameters
    ----------
    task
        The rows.

    Returns
    -------
    Standardised rows without gaps, shape (n, p), how they were prepared, and the scale.

    Raises
    ------
    InputError
        The task has no feature.
    """
    preparation = Preparation.of(task)
    values = fill_from_source(preparation.logged(task.x), task)
    scale = SourceScale.of(values, task)
    return scale.standardised(values), preparation, scale


def correct(name: str, task: BlindTask, **settings: Any) -> Aligned:
    """Correct both batches and standardise with the source's means and deviations.

    The corrector is fitted on source and target together, with the source as the reference where
    it takes one, and without labels (fSVA gets the source's). It gets logs where they make the
    features less skewed; one for raw intensities gets those, and the log is taken of its result.
    Gaps are left to correctors that take them, and filled afterwards.

    Parameters
    ----------
    name
        A name of :data:`crossplate.correct.registry.CORRECTORS`.
    task
        The rows.
    settings
        Parameters of the corrector that are not its defaults.

    Raises
    ------
    InputError
        The task has no feature, or what the corrector refuses.
    """
    preparation = Preparation.of(task)
    kind = corrector_class(name)
    own = set(kind._get_param_names())
    given = {"reference": task.source, "random_state": task.seed, "no_positive": "pass"}
    corrector = make_corrector(name, **{k: v for k, v in given.items() if k in own} | settings)
    values = task.x if kind.takes_missing else fill_by_batch(task.x, task)
    if not kind.wants_intensities:
        values = preparation.logged(values)
    labels = task.y if name in READ_LABELS else None
    corrected = corrector.fit_transform(values, labels, batch=task.batch)
    if kind.wants_intensities:
        corrected = preparation.logged(corrected)
    corrected = fill_from_source(corrected, task)
    return Aligned(SourceScale.of(corrected, task).standardised(corrected))
