"""The methods that are compared: each takes a blind task and gives aligned rows.

A corrector's rows go on to the classifiers; the joint model brings its own class probabilities.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from crossplate.compare.blind import BlindTask, FloatArray
from crossplate.compare.preparation import (
    Preparation,
    SourceScale,
    fill_by_batch,
    fill_from_source,
)
from crossplate.correct.registry import (
    CORRECTORS,
    NEED_ALL_LABELS,
    READ_LABELS,
    corrector_class,
    make_corrector,
)

Align = Callable[..., "Aligned"]

__all__ = [
    "METHODS",
    "OWN_CLASSIFIER",
    "RANDOM",
    "Align",
    "Aligned",
    "correct",
    "learn_jointly",
    "measured",
]


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


def learn_jointly(task: BlindTask, **settings: Any) -> Aligned:
    """Train the joint model on both batches and let it classify.

    Parameters
    ----------
    task
        The rows.
    settings
        Parameters of :class:`crossplate.JointClassifier` that are not its defaults.

    Returns
    -------
    Calibrated rows on the measured source's scale (codes where there are no reconstructors), and
    the model's probabilities.

    Raises
    ------
    InputError
        The task has no feature, or what the model refuses.
    """
    from crossplate.joint.classifier import JointClassifier

    _, preparation, scale = measured(task)
    model = JointClassifier(**{"random_state": task.seed} | settings)
    model.fit(task.x, task.y, batch=task.batch, subject=task.subject)
    target = task.target_rows
    proba = pd.DataFrame(
        model.predict_proba(task.x[target], batch=task.batch[target]),
        columns=pd.Index([str(name) for name in model.classes_]),
    )
    if not model.architecture_.n_batches:
        return Aligned(model.transform(task.x, batch=task.batch), proba)
    restored = model.reconstruct(task.x, batch=task.batch, as_batch=task.source)
    if preparation.log_unit is not None:
        restored = np.maximum(restored, 0.0)
    return Aligned(scale.standardised(preparation.logged(restored)), proba)


METHODS: dict[str, Align] = {
    **{name: partial(correct, name) for name in CORRECTORS if name not in NEED_ALL_LABELS},
    "joint": learn_jointly,
    "remove-r": partial(learn_jointly, alpha=0.0),
}
"""Name → method. ``none`` corrects nothing; ``remove-r`` is the joint model without
reconstructors, the ablation of [Niu2022]."""

OWN_CLASSIFIER = {"joint": "joint", "remove-r": "joint"}
"""Methods that classify by themselves → what stands in the column of the classifier."""

RANDOM = frozenset({"fsva", "mmd-resnet", "normae", "joint", "remove-r"})
"""Methods whose result depends on the seed. Draws of rows from large batches (DWD, optimal
transport) are no part of the method and keep one seed."""
