"""The methods that are compared: each takes a blind task and gives aligned rows.

A corrector's rows go on to the classifiers; the joint model brings its own class probabilities.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from crossplate.compare.aligning import Align, Aligned, correct, measured
from crossplate.compare.blind import BlindTask
from crossplate.correct.registry import CORRECTORS, NEED_ALL_LABELS

__all__ = ["METHODS", "OWN_CLASSIFIER", "RANDOM", "learn_jointly"]


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
