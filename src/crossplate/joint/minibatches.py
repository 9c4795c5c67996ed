"""What each member learns from, and in which mini-batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossplate.joint.settings import RIDGE, JointSettings
from crossplate.joint.source_fit import SourceFit

IntArray = npt.NDArray[np.int64]

MAX_ROWS_A_STEP = 512
"""Most rows of all batches together in a mini-batch, since the MMD compares them all."""
FEWEST_STEPS, MOST_STEPS, EPOCHS = 400, 2000, 15
"""The default schedule: 15 passes over the largest batch, but 400 to 2,000 steps."""

__all__ = ["IntArray", "Member", "Plan", "Sampler", "plan"]


@dataclass(frozen=True)
class Member:
    """What one member of a stack learns from.

    Parameters
    ----------
    classes
        Class code of every row of the shared data, ``UNLABELLED`` for none, shape (n,).
    batch
        Batch code 0 … K-1 of every row that the member uses, shape (n,). Members may take the
        same rows for different batches: pairs of plates are members whose source is batch 0 and
        whose target is batch 1.
    training
        Rows to train on, some of every batch.
    validation
        Labelled rows held out to stop early; may be empty.
    seed
        Of the starting weights and the mini-batch order.
    alpha, beta, gamma, learning_rate
        The member's own loss weights and learning rate; None takes the settings'.
    linear
        Its calibrator stays the identity, so that with a linear discriminator it is a logistic
        regression. Only where corrections start as the identity (``residual``).
    source
        What logistic regressions say of the labelled rows, where they were fitted.
    places
        What is added to the class scores of each batch in training, shape (K, outputs); None for
        nothing (:mod:`crossplate.joint.few_labels`).
    """

    classes: IntArray
    batch: IntArray
    training: IntArray
    validation: IntArray
    seed: int
    alpha: float | None = None
    beta: float | None = None
    gamma: float | None = None
    learning_rate: float | None = None
    linear: bool = False
    source: SourceFit | None = None
    places: npt.NDArray[np.float64] | None = None

    def ridge_of(self, settings: JointSettings) -> float:
        """Ridge on the discriminator: the source's, else the settings', else the usual one."""
        if self.source is not None:
            return self.source.ridge
        return RIDGE if settings.ridge is None else settings.ridge

    def feature_weights(self, n_features: int) -> npt.NDArray[np.float64]:
        """What features are multiplied by under the ridge, shape (p,): the source's, else ones."""
        return np.ones(n_features) if self.source is None else self.source.feature_weights


@dataclass(frozen=True)
class Plan:
    """Mini-batches and epochs.

    Parameters
    ----------
    rows
        Rows of each batch in a mini-batch.
    steps
        Mini-batches an epoch; the largest batch is passed once, shorter ones are cycled.
    epochs
        Epochs, unless all members stop before.
    """

    rows: int
    steps: int
    epochs: int


def plan(settings: JointSettings, batch_sizes: Sequence[int]) -> Plan:
    """Mini-batch size, steps and epochs for batches of these sizes."""
    most = min(settings.batch_size, MAX_ROWS_A_STEP // len(batch_sizes), max(batch_sizes))
    rows = max(2, most)
    steps = max(1, max(batch_sizes) // rows)
    if settings.epochs is not None:
        return Plan(rows, steps, settings.epochs)
    total = min(max(EPOCHS * steps, FEWEST_STEPS), MOST_STEPS)
    return Plan(rows, steps, -(-total // steps))


class Sampler:
    """Mini-batches of one member: every batch gives the same number of rows to each."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.rows: list[IntArray] = []

    def use(self, member: Member, n_batches: int) -> None:
        """Draw from these rows from now on."""
        batch = member.batch[member.training]
        self.rows = [member.training[batch == k] for k in range(n_batches)]

    def epoch(self, steps: int, size: int) -> IntArray:
        """Row numbers, shape (steps, K, size); a short batch is shuffled anew when used up."""
        drawn = np.empty((steps, len(self.rows), size), dtype=np.int64)
        for k, rows in enumerate(self.rows):
            rounds = -(-steps * size // len(rows))
            order = np.concatenate([self.rng.permutation(rows) for _ in range(rounds)])
            drawn[:, k] = order[: steps * size].reshape(steps, size)
        return drawn
