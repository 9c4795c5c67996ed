"""Training of independent members, stacked: many joint models as one batched computation.

A single fit is a stack of one. Members share one copy of the data; each has its own starting
weights, mini-batch order, labels and rows, so member k of a stack is member k trained alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import prod

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from crossplate.errors import InputError
from crossplate.joint.feeds import Feed
from crossplate.joint.minibatches import Plan
from crossplate.joint.networks import Architecture
from crossplate.joint.settings import JointSettings
from crossplate.joint.training import StackTraining

PATIENCE = 0.3
"""Share of the epochs that a member may go without a better held-out loss before it stops."""
TINY_STEP = 2e5
"""Multiply-adds of the widest layer below which further threads gain nothing (one member of the
CyTOF study's shape: 1.70 ms a step with one thread and with two)."""
MEMORY = 2e9
"""Bytes that a stack may take; more members are trained stack after stack."""

__all__ = ["HISTORY", "LOSSES", "EpochLosses", "TrainedStack", "train"]

LOSSES = ("reconstruction", "calibration", "classification", "total")
HISTORY = ("member", "epoch", *LOSSES, "held_out")
"""Columns of a history."""


@dataclass(frozen=True)
class EpochLosses:
    """One epoch's progress, as given to the callback.

    Parameters
    ----------
    epoch, epochs
        Epochs done and planned.
    members
        Members still training.
    losses
        Mean over those members of each loss, by name.
    """

    epoch: int
    epochs: int
    members: int
    losses: dict[str, float]


@dataclass(frozen=True)
class TrainedStack:
    """Weights and losses of trained members.

    Parameters
    ----------
    weights
        Name → array with a leading member axis, running statistics included.
    history
        One row a trained member and epoch, with what ``HISTORY`` names: the four losses, the
        held-out loss (NaN for none).
    """

    weights: dict[str, npt.NDArray[np.float32]]
    history: list[dict[str, float]]


@contextmanager
def _threads(multiply_adds: float) -> Iterator[None]:
    """One thread for tiny steps; the caller's setting comes back afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(1 if multiply_adds < TINY_STEP else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def train(
    feed: Feed,
    architecture: Architecture,
    settings: JointSettings,
    widest: float,
    progress: Callable[[EpochLosses], None] | None = None,
    memory: float = MEMORY,
) -> TrainedStack:
    """Train independent members together.

    Parameters
    ----------
    feed
        The members and their rows.
    architecture, settings
        The networks and how to train them.
    widest
        Largest Gaussian width of the MMD.
    progress
        Called after every epoch.
    memory
        Bytes that a stack may take; members beyond that are trained in further stacks, which
        changes nothing in the result but rounding.

    Raises
    ------
    InputError
        A loss became infinite or undefined.
    """
    order, n_batches = feed.plan, feed.n_batches
    size = max(1, int(memory // _bytes_a_member(architecture, order, n_batches)))
    starts = range(0, feed.n_members, size)
    weights, history = [], []
    for stack, start in enumerate(starts):
        some = slice(start, min(start + size, feed.n_members))
        training = StackTraining(feed, some, architecture, settings, widest)
        report = _of_all_stacks(progress, stack, len(starts))
        with _threads(_multiply_adds(architecture, order, n_batches, some.stop - some.start)):
            found = _run(training, report)
        weights.append(found.weights)
        history += [{**entry, "member": entry["member"] + start} for entry in found.history]
    joined = {name: np.concatenate([part[name] for part in weights]) for name in weights[0]}
    return TrainedStack(joined, history)


def _bytes_a_member(architecture: Architecture, order: Plan, n_batches: int) -> float:
    """Weights, gradients and Adam's moments; rows and hidden layers of a step; kernels."""
    rows = order.rows * n_batches
    weights = sum(prod(shape) for shape in architecture.shapes().values())
    return 4.0 * (5 * weights + 12 * rows * architecture.n_features + 3 * rows * rows)


def _multiply_adds(architecture: Architecture, order: Plan, n_batches: int, members: int) -> float:
    """Of the widest layer in a step, for all members."""
    p = architecture.n_features
    width = min(architecture.hidden, p) if architecture.residual else p
    return float(members * n_batches * order.rows * p * width)


def _of_all_stacks(
    progress: Callable[[EpochLosses], None] | None, stack: int, stacks: int
) -> Callable[[EpochLosses], None] | None:
    """Progress that counts the epochs of all stacks."""
    if progress is None:
        return None

    def report(step: EpochLosses) -> None:
        done = stack * step.epochs + step.epoch
        progress(replace(step, epoch=done, epochs=stacks * step.epochs))

    return report


@torch.no_grad()
def _run(training: StackTraining, progress: Callable[[EpochLosses], None] | None) -> TrainedStack:
    members = len(training.active)
    watched = [len(member.validation) > 0 for member in training.members]
    patience = max(3, round(PATIENCE * training.plan.epochs))
    best: list[tuple[float, int]] = [(np.inf, 0)] * members
    final: list[dict[str, Tensor]] = [{} for _ in range(members)]
    history: list[dict[str, float]] = []
    for epoch in range(training.plan.epochs):
        if epoch:
            training.next_pool()
        losses = training.run_epoch(epoch)
        if not np.isfinite(losses).all():
            raise InputError(
                f"the training diverged in epoch {epoch + 1}: a loss is not finite; lower the "
                "learning rate, or take logs of the data"
            )
        outside = training.held_out_loss()
        for place, member in enumerate(training.active):
            values = dict(zip(LOSSES, map(float, losses[place]), strict=True))
            history.append(
                {"member": member, "epoch": epoch, **values, "held_out": float(outside[place])}
            )
            if outside[place] < best[member][0]:
                best[member] = (float(outside[place]), epoch)
                final[member] = training.member_state(place)
        staying = [
            place
            for place, member in enumerate(training.active)
            if not watched[member] or epoch - best[member][1] < patience
        ]
        if progress is not None:
            means = dict(zip(LOSSES, map(float, losses.mean(axis=0)), strict=True))
            progress(EpochLosses(epoch + 1, training.plan.epochs, len(staying), means))
        if not staying:
            break
        if len(staying) < len(training.active):
            training.keep(staying)
    for place, member in enumerate(training.active):
        if not final[member]:
            final[member] = training.member_state(place)
    names = final[0].keys()
    return TrainedStack(
        {name: torch.stack([state[name] for state in final]).cpu().numpy() for name in names},
        history,
    )
