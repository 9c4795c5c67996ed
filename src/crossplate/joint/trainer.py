"""Training of stacked members: many independent joint models as one batched computation.

A single fit is a stack of one. Members share one copy of the data; each has its own starting
weights, mini-batch order, labels and rows, so member k of a stack is member k trained alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from crossplate.joint.losses import UNLABELLED, class_weights, classification_loss
from crossplate.joint.networks import (
    Architecture,
    calibrate,
    discriminate,
    initial_weights,
    normalise,
)
from crossplate.joint.settings import JointSettings
from crossplate.joint.stack import Stack
from crossplate.joint.step import LossWeights, Minibatch, Step
from crossplate.kernels import balanced_contrast

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

MAX_ROWS_A_STEP = 512
"""Most rows of all batches together in a mini-batch, since the MMD compares them all."""
FEWEST_STEPS, MOST_STEPS, EPOCHS = 400, 2000, 15
"""The default schedule: 15 passes over the largest batch, but 400 to 2,000 steps."""
PATIENCE = 0.3
"""Share of the epochs that a member may go without a better held-out loss before it stops."""
NORM_MOMENTUM = 0.1
TINY_STEP = 2e8
"""Multiply-adds in a step below which one thread is quicker than several."""

__all__ = ["LOSSES", "EpochLosses", "Member", "Plan", "TrainedStack", "plan", "train"]

LOSSES = ("reconstruction", "calibration", "classification", "total")


@dataclass(frozen=True)
class Member:
    """What one member of a stack learns from.

    Parameters
    ----------
    classes
        Class code of every row of the shared data, ``UNLABELLED`` for none, shape (n,).
    training
        Rows to train on.
    validation
        Labelled rows held out to stop early; may be empty.
    seed
        Of the starting weights and the mini-batch order.
    """

    classes: IntArray
    training: IntArray
    validation: IntArray
    seed: int


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
        One row a member and epoch: member, epoch, the four losses, held-out loss (NaN for none).
    """

    weights: dict[str, npt.NDArray[np.float32]]
    history: list[dict[str, float]]


def plan(settings: JointSettings, batch_sizes: Sequence[int]) -> Plan:
    """Mini-batch size, steps and epochs for batches of these sizes."""
    most = min(settings.batch_size, MAX_ROWS_A_STEP // len(batch_sizes), max(batch_sizes))
    rows = max(2, most)
    steps = max(1, max(batch_sizes) // rows)
    if settings.epochs is not None:
        return Plan(rows, steps, settings.epochs)
    total = min(max(EPOCHS * steps, FEWEST_STEPS), MOST_STEPS)
    return Plan(rows, steps, -(-total // steps))


class _Sampler:
    """Mini-batches of one member: every batch gives the same number of rows to each."""

    def __init__(self, member: Member, batch: IntArray, n_batches: int) -> None:
        self.rng = np.random.default_rng(member.seed)
        rows = batch[member.training]
        self.rows = [member.training[rows == k] for k in range(n_batches)]

    def epoch(self, steps: int, size: int) -> IntArray:
        """Row numbers, shape (steps, K, size); a short batch is shuffled anew when used up."""
        drawn = np.empty((steps, len(self.rows), size), dtype=np.int64)
        for k, rows in enumerate(self.rows):
            rounds = -(-steps * size // len(rows))
            order = np.concatenate([self.rng.permutation(rows) for _ in range(rounds)])
            drawn[:, k] = order[: steps * size].reshape(steps, size)
        return drawn


@contextmanager
def _threads(multiply_adds: float) -> Iterator[None]:
    """One thread for tiny steps; the caller's setting comes back afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(1 if multiply_adds < TINY_STEP else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Training:
    """The state of one stack while it trains."""

    def __init__(
        self,
        x: Tensor,
        batch: IntArray,
        members: Sequence[Member],
        architecture: Architecture,
        settings: JointSettings,
        widest: float,
    ) -> None:
        self.x, self.architecture, self.settings = x, architecture, settings
        self.n_batches = int(batch.max()) + 1
        sizes = [int((batch == k).sum()) for k in range(self.n_batches)]
        self.plan = plan(settings, sizes)
        self.samplers = [_Sampler(member, batch, self.n_batches) for member in members]
        self.classes = torch.from_numpy(np.stack([m.classes for m in members])).to(x.device)
        self.class_weights = class_weights(
            self.classes, max(architecture.n_outputs, 2), settings.balance
        )
        self.with_labels = self._batches_with_labels(batch, members)
        starts = [
            initial_weights(architecture, torch.Generator().manual_seed(member.seed))
            for member in members
        ]
        self.stack = Stack(starts, settings, x.device)
        self.running = self._running_statistics(len(members))
        self.widest = torch.full((1, 1, 1), widest, dtype=x.dtype, device=x.device)
        counts = [(m.classes[m.training] >= 0).sum() for m in members]
        ridge = settings.ridge / np.array(counts, dtype=np.float32).reshape(-1, 1, 1)
        self.ridge = torch.from_numpy(ridge).to(x)
        self.pair_weights = None
        if self.n_batches > 1 and settings.beta:
            contrast = balanced_contrast(self.n_batches, self.plan.rows)
            self.pair_weights = torch.from_numpy(contrast).to(x)
        self._make_room()

    def _make_room(self) -> None:
        """Buffers and constants of the present number of members."""
        self.one_step = Step(
            self.architecture,
            self.with_labels,
            self.pair_weights,
            self.widest,
            self.ridge,
            self.stack.weights,
            self.stack.gradients,
        )
        settings, members = self.settings, len(self.samplers)
        each = torch.ones(members, device=self.x.device)
        self.loss_weights = LossWeights(
            settings.alpha * each, (settings.beta or 0.0) * each, settings.gamma * each
        )
        size = (members, self.n_batches, self.plan.rows, self.x.shape[1])
        self.rows_buffer = self.x.new_empty(size)

    def _batches_with_labels(self, batch: IntArray, members: Sequence[Member]) -> Tensor:
        rows = np.concatenate([m.training[m.classes[m.training] >= 0] for m in members])
        return torch.from_numpy(np.unique(batch[rows])).to(self.x.device)

    def _running_statistics(self, n_members: int) -> dict[str, Tensor]:
        if self.settings.per_batch_statistics:
            return {}
        size = (n_members, self.architecture.n_features)
        return {
            "norm.running_mean": torch.zeros(size, device=self.x.device),
            "norm.running_variance": torch.ones(size, device=self.x.device),
        }

    def keep(self, members: Sequence[int]) -> None:
        """Let the other members leave the stack."""
        index = torch.tensor(members, device=self.x.device)
        self.samplers = [self.samplers[m] for m in members]
        self.classes = self.classes[index]
        self.class_weights = self.class_weights[index]
        self.ridge = self.ridge[index]
        self.running = {name: value[index] for name, value in self.running.items()}
        self.stack.keep(index)
        self._make_room()

    def member_state(self, member: int) -> dict[str, Tensor]:
        """Copy of one member's weights and running statistics."""
        everything = {**self.stack.weights, **self.running}
        return {name: value[member].detach().clone() for name, value in everything.items()}

    def draw_epoch(self) -> Tensor:
        """Row numbers of an epoch, shape (steps, members, K, b)."""
        drawn = [s.epoch(self.plan.steps, self.plan.rows) for s in self.samplers]
        return torch.from_numpy(np.stack(drawn, axis=1)).to(self.x.device)

    def _normalised(self, x: Tensor) -> Tensor:
        """Batch normalisation of [Niu2022]_: mini-batch statistics, batch after batch."""
        if self.settings.per_batch_statistics:
            return x
        mean, variance = x.mean(dim=2), x.var(dim=2, unbiased=False)
        rows = x.shape[2]
        for k in range(self.n_batches):
            unbiased = variance[:, k] * (rows / (rows - 1))
            self.running["norm.running_mean"].lerp_(mean[:, k], NORM_MOMENTUM)
            self.running["norm.running_variance"].lerp_(unbiased, NORM_MOMENTUM)
        return normalise(x, mean[:, :, None], variance[:, :, None])

    def _row_weights(self, classes: Tensor) -> Tensor:
        """What each row adds to the classification loss: its class's weight, 0 without a label."""
        weights = torch.gather(self.class_weights, 1, classes.clamp(min=0))
        weights = torch.where(classes >= 0, weights, 0.0)
        if self.settings.sum_classification:
            return weights
        return weights / weights.sum(dim=1, keepdim=True).clamp(min=1e-12)

    def step(self, rows: Tensor, rate: float) -> Tensor:
        """One optimiser step; returns the three losses of each member, shape (members, 3)."""
        torch.index_select(
            self.x, 0, rows.reshape(-1), out=self.rows_buffer.view(-1, self.x.shape[1])
        )
        labelled = rows.index_select(1, self.with_labels).reshape(len(rows), -1)
        classes = torch.gather(self.classes, 1, labelled)
        batch = Minibatch(
            self._normalised(self.rows_buffer),
            self.rows_buffer,
            classes,
            self._row_weights(classes),
        )
        losses = self.one_step(batch, self.loss_weights)
        self.stack.step(rate)
        return losses

    def learning_rate(self, epoch: int, step: int) -> float:
        """Rate of a step: a cosine to zero, or the authors' slow decay by epochs."""
        if self.settings.paper_optimiser:
            return float(self.settings.learning_rate * 0.9 ** (epoch / 10_000))
        done = (epoch + step / self.plan.steps) / self.plan.epochs
        return float(self.settings.learning_rate * 0.5 * (1.0 + np.cos(np.pi * done)))

    def run_epoch(self, epoch: int) -> npt.NDArray[np.float64]:
        """Train for one epoch; returns mean losses, shape (members, 4)."""
        if self.settings.paper_optimiser:
            self.stack.forget_moments()
        drawn = self.draw_epoch()
        sums = torch.zeros(drawn.shape[1], 3, device=self.x.device)
        for step in range(self.plan.steps):
            sums += self.step(drawn[step], self.learning_rate(epoch, step))
        means = sums / self.plan.steps
        weights = self.loss_weights
        total = (
            weights.reconstruction * means[:, 0]
            + weights.calibration * means[:, 1]
            + weights.classification * means[:, 2]
        )
        return torch.cat([means, total[:, None]], dim=1).double().cpu().numpy()

    def held_out_loss(self, rows: Tensor) -> npt.NDArray[np.float64]:
        """Mean cross entropy of held-out rows (padded with -1), NaN for none, shape (members,)."""
        if not rows.shape[1]:
            return np.full(len(rows), np.nan)
        x = self.x[rows.clamp(min=0)]
        if not self.settings.per_batch_statistics:
            x = normalise(
                x,
                self.running["norm.running_mean"][:, None],
                self.running["norm.running_variance"][:, None],
            )
        weights = self.stack.weights
        logits = discriminate(self.architecture, weights, calibrate(self.architecture, weights, x))
        classes = torch.gather(self.classes, 1, rows.clamp(min=0)).where(rows >= 0, UNLABELLED)
        losses = classification_loss(logits, classes, self.class_weights, mean=True)
        return losses.where((rows >= 0).any(dim=1), torch.nan).double().cpu().numpy()


def train(
    x: Tensor,
    batch: IntArray,
    members: Sequence[Member],
    architecture: Architecture,
    settings: JointSettings,
    widest: float,
    progress: Callable[[EpochLosses], None] | None = None,
) -> TrainedStack:
    """Train independent members together.

    Parameters
    ----------
    x
        Scaled rows, shape (n, p), on the device to train on; shared by all members.
    batch
        Batch code 0 … K-1 of each row, shape (n,). Every member needs rows of every batch.
    members
        What each member learns from.
    architecture, settings
        The networks and how to train them.
    widest
        Largest Gaussian width of the MMD.
    progress
        Called after every epoch.
    """
    training = _Training(x, batch, members, architecture, settings, widest)
    width = x.shape[1] if not settings.residual else min(settings.hidden, x.shape[1])
    work = len(members) * training.n_batches * training.plan.rows * x.shape[1] * width
    with _threads(float(work)), torch.no_grad():
        return _run(training, members, progress)


def _run(
    training: _Training,
    members: Sequence[Member],
    progress: Callable[[EpochLosses], None] | None,
) -> TrainedStack:
    held_out = _padded([m.validation for m in members]).to(training.x.device)
    watched = [len(m.validation) > 0 for m in members]
    patience = max(3, round(PATIENCE * training.plan.epochs))
    best: list[tuple[float, int]] = [(np.inf, 0)] * len(members)
    final: list[dict[str, Tensor]] = [{} for _ in members]
    active = list(range(len(members)))
    history: list[dict[str, float]] = []
    for epoch in range(training.plan.epochs):
        losses = training.run_epoch(epoch)
        outside = training.held_out_loss(held_out)
        for place, member in enumerate(active):
            values = dict(zip(LOSSES, map(float, losses[place]), strict=True))
            history.append(
                {"member": member, "epoch": epoch, **values, "held_out": float(outside[place])}
            )
            if outside[place] < best[member][0]:
                best[member] = (float(outside[place]), epoch)
                final[member] = training.member_state(place)
        staying = [
            place
            for place, member in enumerate(active)
            if not watched[member] or epoch - best[member][1] < patience
        ]
        if progress is not None:
            means = dict(zip(LOSSES, map(float, losses.mean(axis=0)), strict=True))
            progress(EpochLosses(epoch + 1, training.plan.epochs, len(staying), means))
        if len(staying) < len(active):
            if not staying:
                break
            active = [active[place] for place in staying]
            held_out = held_out[staying]
            training.keep(staying)
    for place, member in enumerate(active):
        if not final[member]:
            final[member] = training.member_state(place)
    names = final[0].keys()
    return TrainedStack(
        {name: torch.stack([state[name] for state in final]).cpu().numpy() for name in names},
        history,
    )


def _padded(rows: Sequence[IntArray]) -> Tensor:
    """Row numbers of several members as one array, -1 where a member has fewer."""
    longest = max(len(these) for these in rows)
    padded = np.full((len(rows), longest), -1, dtype=np.int64)
    for place, these in enumerate(rows):
        padded[place, : len(these)] = these
    return torch.from_numpy(padded)
