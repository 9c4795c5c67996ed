"""The state of stacked members while they train: one step, one epoch, who stays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from crossplate.joint.feeds import Feed
from crossplate.joint.losses import class_weights, classification_loss
from crossplate.joint.minibatches import IntArray, Sampler
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
from crossplate.rows import UNLABELLED

NORM_MOMENTUM = 0.1
"""Of the running statistics of batch normalisation; the framework's default."""

__all__ = ["StackTraining", "annealed"]


class StackTraining:
    """The state of one stack while it trains.

    Parameters
    ----------
    feed, architecture, settings, widest
        As in :func:`crossplate.joint.trainer.train`.
    members
        Which of the feed's members make this stack.
    """

    def __init__(
        self,
        feed: Feed,
        members: slice,
        architecture: Architecture,
        settings: JointSettings,
        widest: float,
    ) -> None:
        self.architecture, self.settings = architecture, settings
        self.plan, self.n_batches = feed.plan, feed.n_batches
        self.pools = feed.pools(members)
        self.pool = next(self.pools)
        self.x, self.members = self.pool.x, list(self.pool.members)
        self.active = list(range(len(self.members)))
        self.samplers = [Sampler(member.seed) for member in self.members]
        n_classes = max(architecture.n_outputs, 2)
        counts = torch.from_numpy(feed.label_counts(n_classes)[members]).to(self.x.device)
        self.class_weights = class_weights(counts, settings.class_balance)
        self.with_labels = torch.from_numpy(feed.with_labels).to(self.x.device)
        starts = [
            initial_weights(architecture, torch.Generator().manual_seed(member.seed))
            for member in self.members
        ]
        rates = [
            1.0 if m.learning_rate is None else m.learning_rate / settings.learning_rate
            for m in self.members
        ]
        self.stack = Stack(starts, settings, rates, self.x.device)
        self.running = self._running_statistics(len(self.members))
        self.widest = torch.full((1, 1, 1), widest, dtype=self.x.dtype, device=self.x.device)
        ridges = np.array([member.ridge_of(settings) for member in self.members])
        ridge = (ridges / feed.training_counts()[members]).reshape(-1, 1, 1)
        self.ridge = torch.from_numpy(ridge.astype(np.float32)).to(self.x)
        calibrated = [float(not member.linear) for member in self.members]
        self.calibrated = torch.tensor(calibrated).to(self.x).reshape(-1, 1, 1)
        self.loss_weights = self._loss_weights()
        self.pair_weights = None
        if self.n_batches > 1 and self.loss_weights.calibration.any():
            contrast = balanced_contrast(self.n_batches, self.plan.rows)
            self.pair_weights = torch.from_numpy(contrast).to(self.x)
        self._take_up()
        self._make_room()

    def _take_up(self) -> None:
        """Train on the rows of the present pool from now on."""
        self.x = self.pool.x
        self.members = [self.pool.members[place] for place in self.active]
        for sampler, member in zip(self.samplers, self.members, strict=True):
            sampler.use(member, self.n_batches)
        classes = np.stack([member.classes for member in self.members])
        self.classes = torch.from_numpy(classes).to(self.x.device)
        held_out = _padded([member.validation for member in self.members])
        self.held_out = held_out.to(self.x.device)

    def next_pool(self) -> None:
        """Take up the rows of the next epoch."""
        pool = next(self.pools)
        if pool is not self.pool:
            self.pool = pool
            self._take_up()

    def _loss_weights(self) -> LossWeights:
        def own(name: str) -> Tensor:
            common = getattr(self.settings, name) or 0.0
            values = [getattr(member, name) for member in self.members]
            each = [common if value is None else value for value in values]
            return torch.tensor(each, dtype=torch.float32, device=self.x.device)

        return LossWeights(own("alpha"), own("beta"), own("gamma"))

    def _make_room(self) -> None:
        """Buffers of the present number of members."""
        self.one_step = Step(
            self.architecture,
            self.with_labels,
            self.pair_weights,
            self.widest,
            self.ridge,
            None if self.calibrated.all() else self.calibrated,
            self.stack.weights,
            self.stack.gradients,
            self._places(),
        )
        size = (len(self.samplers), self.n_batches, self.plan.rows, self.x.shape[1])
        self.rows_buffer = self.x.new_empty(size)

    def _places(self) -> Tensor | None:
        """What is added to the class scores of a mini-batch's labelled batches."""
        if all(member.places is None for member in self.members):
            return None
        none = np.zeros((self.n_batches, self.architecture.n_outputs))
        places = np.stack([none if m.places is None else m.places for m in self.members])
        of_batches = torch.from_numpy(places).to(self.x).index_select(1, self.with_labels)
        return of_batches.repeat_interleave(self.plan.rows, dim=1)

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
        self.active = [self.active[m] for m in members]
        self.members = [self.members[m] for m in members]
        self.samplers = [self.samplers[m] for m in members]
        self.classes, self.held_out = self.classes[index], self.held_out[index]
        self.class_weights = self.class_weights[index]
        self.ridge, self.calibrated = self.ridge[index], self.calibrated[index]
        weights = self.loss_weights
        self.loss_weights = LossWeights(
            weights.reconstruction[index], weights.calibration[index], weights.classification[index]
        )
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
        return annealed(self.settings.learning_rate, done)

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

    def held_out_loss(self) -> npt.NDArray[np.float64]:
        """Mean cross entropy of each member's held-out rows, NaN for none, shape (members,)."""
        rows = self.held_out
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


def annealed(rate: float, done: float) -> float:
    """Learning rate after a share of the training: a cosine to zero."""
    return float(rate * 0.5 * (1.0 + np.cos(np.pi * done)))


def _padded(rows: Sequence[IntArray]) -> Tensor:
    """Row numbers of several members as one array, -1 where a member has fewer."""
    longest = max(len(these) for these in rows)
    padded = np.full((len(rows), longest), -1, dtype=np.int64)
    for place, these in enumerate(rows):
        padded[place, : len(these)] = these
    return torch.from_numpy(padded)
