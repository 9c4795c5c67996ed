"""Linear members solved exactly: logistic regressions in the form of trained networks.

The steps of the training scale every weight by itself and so leave the space that the rows span;
with more features than rows that costs a linear classifier 3 points on simulated plates
(docs/design/joint-model.md). Where the calibrator stays the identity the problem is convex, and is
solved to the end instead. Nothing is left to train then: the codes are the rows, and reconstructors
that start as the identity restore them as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from crossplate.joint.few_labels import batches_with_few, with_own_columns
from crossplate.joint.minibatches import Member
from crossplate.joint.networks import Architecture, initial_weights
from crossplate.joint.settings import JointSettings
from crossplate.joint.source_fit import class_weights, logistic_regression

FloatArray = npt.NDArray[np.float64]
Head = tuple[FloatArray, FloatArray]
"""Weights (p, outputs) and bias (1, outputs) of a linear discriminator."""

WEIGHT, BIAS = "discriminator.0.weight", "discriminator.0.bias"

__all__ = ["Head", "exact_heads", "with_head"]


def exact_heads(
    z: FloatArray, members: Sequence[Member], settings: JointSettings, n_outputs: int
) -> list[Head | None]:
    """Discriminators of linear members at the minimum of their loss.

    Parameters
    ----------
    z
        Scaled rows, shape (n, p).
    members
        Labels and training rows of each member.
    settings
        Class weights of the loss, and the ridge of members without one of their own.
    n_outputs
        Class scores: 1 for two classes.

    Returns
    -------
    None for a member that has to be trained: one that is not linear or whose rows lack a class, and
    all where corrections do not start as the identity or there is no ridge or no classification
    loss.
    """
    if not settings.residual or settings.head:
        return [None] * len(members)
    found: list[Head | None] = []
    solved: dict[tuple[bytes, ...], Head | None] = {}
    for member in members:
        if not member.linear:
            found.append(None)
            continue
        rows = member.training[member.classes[member.training] >= 0]
        codes, batch = member.classes[rows], member.batch[rows]
        key = rows.tobytes(), codes.tobytes(), batch.tobytes()
        if key not in solved:
            few = batches_with_few(member.classes, member.batch)
            counted = member.feature_weights(z.shape[1])
            seen = z[rows] * counted
            if member.places is not None:
                seen = with_own_columns(seen, batch, few)
            head = _solve(seen, codes, n_outputs, member.ridge_of(settings), settings)
            if head is not None:
                head = counted[:, None] * head[0][: len(counted)], head[1]
            solved[key] = head
        found.append(solved[key])
    return found


def with_head(
    architecture: Architecture, seed: int, head: Head
) -> dict[str, npt.NDArray[np.float32]]:
    """Networks of a linear member: as they start, with this discriminator.

    Parameters
    ----------
    architecture
        Of the member, with corrections that start as the identity.
    seed
        Of its starting weights.
    head
        Its discriminator.
    """
    starts = initial_weights(architecture, torch.Generator().manual_seed(seed))
    weights = {name: value.numpy() for name, value in starts.items()}
    return weights | {WEIGHT: head[0].astype(np.float32), BIAS: head[1].astype(np.float32)}


def _solve(
    z: FloatArray,
    codes: npt.NDArray[np.int64],
    n_outputs: int,
    ridge: float,
    settings: JointSettings,
) -> Head | None:
    """Weights (columns, outputs) and bias (1, outputs); None where a class is missing."""
    counts = np.bincount(codes, minlength=max(n_outputs, 2))
    if not (counts.all() and ridge and settings.gamma):
        return None
    model = logistic_regression(ridge, class_weights(codes, settings)).fit(z, codes)
    return model.coef_.T, model.intercept_[None]
