"""Scores of trained members, brought back to the spread of a regression's.

A member that learned its rows by heart has scores far apart, so that its probabilities are near 0
and 1 and it alone decides the committee's mean wherever the others are not sure. How far apart
scores of rows without labels should be is told by the cross-validated regression of the source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch

from crossplate.joint.inference import TrainedNetworks
from crossplate.joint.linear import BIAS, WEIGHT
from crossplate.joint.minibatches import Member
from crossplate.joint.networks import Architecture
from crossplate.joint.offsets import slope
from crossplate.rows import UNLABELLED

FloatArray = npt.NDArray[np.float64]

__all__ = ["with_spread_of_source"]


def with_spread_of_source(
    weights: Mapping[str, npt.NDArray[np.float32]],
    architecture: Architecture,
    z: FloatArray,
    members: Sequence[Member],
) -> dict[str, npt.NDArray[np.float32]]:
    """Weights with the linear discriminators of trained members divided by their slope.

    Parameters
    ----------
    weights, architecture
        Of all members.
    z
        Scaled rows, shape (n, p).
    members
        Labels and batches of each member, and what regressions say of its source.

    Returns
    -------
    The same names and shapes. Members that are linear, have no regression or are not further apart
    than it on their rows without labels stay as they are.
    """
    found = {name: value.copy() for name, value in weights.items()}
    for place, member in enumerate(members):
        rows = np.flatnonzero((member.batch >= 0) & (member.classes == UNLABELLED))
        if member.linear or member.source is None or not len(rows):
            continue
        one = {name: value[place : place + 1] for name, value in weights.items()}
        own = TrainedNetworks(architecture, one, torch.device("cpu")).scores(z[rows])[0]
        further = max(1.0, slope(own, z[rows] @ member.source.weight + member.source.bias))
        for name in (WEIGHT, BIAS):
            found[name][place] /= further
    return found
