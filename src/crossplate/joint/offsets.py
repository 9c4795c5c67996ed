"""Class scores of batches without labels, as they would be were the classes equally frequent.

Each batch is standardised with its own statistics, so its mean stands at zero whatever its class
proportions are. A classifier that learned on a batch with 30% cases would put the boundary at the
wrong place in a batch with 70%. Nothing is known about the proportions there; taking all classes
for equally frequent halves the error of taking them for those of the source, and costs little
where that would have been right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from crossplate.joint.minibatches import Member

if TYPE_CHECKING:
    from crossplate.joint.inference import TrainedNetworks

FloatArray = npt.NDArray[np.float64]
Weights = Mapping[str, npt.NDArray[np.float32]]

OFFSET = "target.offset"
"""Name of the offsets among a model's arrays."""

__all__ = ["OFFSET", "class_offsets", "no_offsets"]


def no_offsets(weights: Weights) -> npt.NDArray[np.float32]:
    """Offsets of zero for trained members, shape (members, outputs)."""
    last = max(name for name in weights if name.startswith("discriminator.") and "bias" in name)
    members, *_, outputs = weights[last].shape
    return np.zeros((members, outputs), dtype=np.float32)


def class_offsets(
    networks: TrainedNetworks, z: FloatArray, members: Sequence[Member]
) -> npt.NDArray[np.float32]:
    """What is added to the class scores of batches without labels.

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
    For each member the mean score of the labelled training rows of a batch with all classes
    counting the same, less their plain mean; mean over labelled batches, shape (members, outputs).
    """
    taught = [member.training[member.classes[member.training] >= 0] for member in members]
    rows = np.unique(np.concatenate(taught))
    scores = networks.scores(z[rows])
    offsets = [
        _offset(scores[m][np.searchsorted(rows, own)], member.classes[own], member.batch[own])
        for m, (member, own) in enumerate(zip(members, taught, strict=True))
    ]
    return np.array(offsets, dtype=np.float32)


def _offset(
    scores: FloatArray, classes: npt.NDArray[np.int64], batch: npt.NDArray[np.int64]
) -> FloatArray:
    found = []
    for number in np.unique(batch):
        its, codes = scores[batch == number], classes[batch == number]
        means = [its[codes == code].mean(axis=0) for code in np.unique(codes)]
        found.append(np.mean(means, axis=0) - its.mean(axis=0))
    return np.asarray(np.mean(found, axis=0))
