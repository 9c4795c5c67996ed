"""Class scores of batches without labels, moved half-way to where equal classes would put them.

Each batch is standardised with its own statistics, so its mean stands at zero whatever its class
proportions are. A classifier that learned where 30% are cases then puts the boundary at the wrong
place where 70% are, and an overfitted one exaggerates: the mean of its scores follows its training
rows, which it separates too well. Where nothing is known about the proportions of a batch, the
truth lies between those of the source (the scores as they are) and equal ones (scores whose mean is
that of a source with equal classes); half-way loses least at either end (docs/design/joint-model.md
has the figures).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax

from crossplate.joint.minibatches import Member

if TYPE_CHECKING:
    from crossplate.joint.inference import TrainedNetworks

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

CENTRE = "scores.centre"
"""Name of the balanced mean scores among a model's arrays, shape (members, outputs)."""
WAY = 0.5
"""How far scores are moved to those of equal classes."""

__all__ = ["CENTRE", "balanced_centres", "offset_of", "offset_scores", "to_probabilities"]


def balanced_centres(
    networks: TrainedNetworks, z: FloatArray, members: Sequence[Member]
) -> npt.NDArray[np.float32]:
    """Mean score of the labelled training rows of each member, all classes counting the same.

    Parameters
    ----------
    networks
        Trained members.
    z
        Scaled rows, shape (n, p).
    members
        Labels, batches and training rows of each member.

    Returns
    -------
    Mean over labelled batches, shape (members, outputs).
    """
    taught = [member.training[member.classes[member.training] >= 0] for member in members]
    rows = np.unique(np.concatenate(taught))
    scores = networks.scores(z[rows])
    centres = [
        _balanced_mean(
            scores[place][np.searchsorted(rows, own)], member.classes[own], member.batch[own]
        )
        for place, (member, own) in enumerate(zip(members, taught, strict=True))
    ]
    return np.array(centres, dtype=np.float32)


def _balanced_mean(scores: FloatArray, classes: IntArray, batch: IntArray) -> FloatArray:
    found = []
    for number in np.unique(batch):
        its, codes = scores[batch == number], classes[batch == number]
        found.append(np.mean([its[codes == c].mean(axis=0) for c in np.unique(codes)], axis=0))
    return np.asarray(np.mean(found, axis=0))


def offset_of(scores: FloatArray, centres: npt.NDArray[np.float32]) -> FloatArray:
    """What is added to the scores of one batch without labels.

    Parameters
    ----------
    scores
        Of all its rows, shape (members, n, outputs).
    centres
        From :func:`balanced_centres`.

    Returns
    -------
    Shape (members, outputs).
    """
    return np.asarray(WAY * (centres - scores.mean(axis=1)))


def offset_scores(
    scores: FloatArray, batch: npt.NDArray[np.generic], centres: npt.NDArray[np.float32]
) -> FloatArray:
    """Scores of rows of batches without labels, each batch with its own offset.

    Parameters
    ----------
    scores
        Shape (members, n, outputs).
    batch
        Batch of each row, shape (n,).
    centres
        From :func:`balanced_centres`.
    """
    moved = scores.copy()
    for one in np.unique(batch):
        its = batch == one
        moved[:, its] += offset_of(scores[:, its], centres)[:, None]
    return moved


def to_probabilities(scores: FloatArray) -> FloatArray:
    """Class probabilities of scores, shapes (…, outputs) → (…, classes)."""
    if scores.shape[-1] == 1:
        second = expit(scores)
        return np.concatenate([1.0 - second, second], axis=-1)
    return np.asarray(softmax(scores, axis=-1))
