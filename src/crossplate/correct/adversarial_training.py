"""The training of NormAE: an autoencoder against discriminators of batch and injection order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, l1_loss, one_hot
from torch.nn.utils import clip_grad_norm_

from crossplate.correct.autoencoder_networks import (
    AutoencoderSizes,
    initial_networks,
    rank_loss,
    run,
)
from crossplate.correct.network_layers import copied, trained
from crossplate.correct.network_training import minibatches
from crossplate.errors import InputError

AUTOENCODER = "autoencoder"
PARTS = {AUTOENCODER: ("encoder", "decoder", "map"), "batch": ("batch",), "order": ("order",)}
"""What is optimised together."""
LEARNING_RATE = {"batch": 5e-3, "order": 5e-4}
"""Of the discriminators' Adam, as in [Rong2020]_."""
BETAS = (0.5, 0.9)
LONGEST_GRADIENT = 1.0
FEWEST_ROWS = 2

__all__ = ["Schedule", "TrainingRows", "train_networks"]


@dataclass(frozen=True)
class Schedule:
    """How the networks are trained.

    Parameters
    ----------
    pretrain_epochs
        Passes of the autoencoder alone.
    discriminator_epochs
        Passes of the discriminators alone.
    epochs
        Passes of all against each other.
    averaged_epochs
        Last passes whose weights are averaged.
    discriminator_steps
        Steps of the discriminators for each step of the autoencoder against them.
    batch_size
        Rows in a mini-batch.
    learning_rate
        Of the autoencoder's Adam.
    adversary
        Weight of the discriminators' losses beside the reconstruction.
    """

    pretrain_epochs: int
    discriminator_epochs: int
    epochs: int
    averaged_epochs: int
    discriminator_steps: int
    batch_size: int
    learning_rate: float
    adversary: float

    def __post_init__(self) -> None:
        """Refuse values that cannot be trained with."""
        counts = (self.pretrain_epochs, self.discriminator_epochs, self.epochs)
        if min(counts) < 0 or min(self.averaged_epochs, self.discriminator_steps) < 1:
            raise InputError(
                f"pretrain_epochs, discriminator_epochs and epochs are {counts}, averaged_epochs "
                f"{self.averaged_epochs}, discriminator_steps {self.discriminator_steps}; give "
                "none below 0, and the last two at least 1"
            )
        rates = self.learning_rate > 0.0 and self.adversary >= 0.0
        if self.batch_size < FEWEST_ROWS or not rates:
            raise InputError(
                f"batch_size is {self.batch_size}, learning_rate {self.learning_rate}, adversary "
                f"{self.adversary}; give at least 2, a positive number, and one of at least 0"
            )

    @property
    def total(self) -> int:
        """Passes of all three phases."""
        return self.pretrain_epochs + self.discriminator_epochs + self.epochs


@dataclass(frozen=True)
class TrainingRows:
    """What is learned from.

    Parameters
    ----------
    x
        Standardised rows, shape (n, p).
    batch
        Batch code 0 … K-1 of each row, shape (n,).
    order
        Place of each row in the run of its batch, from 0 to 1, shape (n,); None where unknown.
    """

    x: Tensor
    batch: Tensor
    order: Tensor | None

    def origin(self, n_batches: int) -> Tensor:
        """What the map gets: one column a batch, and the order where there is one."""
        known = one_hot(self.batch, n_batches).to(self.x)
        return known if self.order is None else torch.cat([known, self.order[:, None]], dim=1)


def train_networks(
    rows: TrainingRows,
    sizes: AutoencoderSizes,
    schedule: Schedule,
    generator: torch.Generator,
    report: Callable[[Mapping[str, float]], None],
) -> dict[str, Tensor]:
    """Train all networks.

    Parameters
    ----------
    rows, sizes, schedule
        What is learned from, sizes of the networks, how they are trained.
    generator
        Source of weights, mini-batches and dropout.
    report
        Called after every epoch with the losses of that phase.

    Returns
    -------
    Weights of all networks, mean over the last ``averaged_epochs`` of the last phase.
    """
    contest = _Contest(rows, sizes, schedule, generator)
    for _ in range(schedule.pretrain_epochs):
        report(contest.epoch(teach=False, restore=True))
    for _ in range(schedule.discriminator_epochs):
        report(contest.epoch(teach=True, restore=False))
    mean = copied(contest.weights)
    first = max(schedule.epochs - schedule.averaged_epochs, 0)
    for epoch in range(schedule.epochs):
        report(contest.epoch(teach=True, restore=True))
        for name, value in contest.weights.items():
            mean[name].lerp_(value.detach(), 1.0 / max(epoch - first + 1, 1))
    return mean


class _Contest:
    """The networks and their optimisers while they train."""

    def __init__(
        self,
        rows: TrainingRows,
        sizes: AutoencoderSizes,
        schedule: Schedule,
        generator: torch.Generator,
    ) -> None:
        self.rows, self.schedule, self.generator = rows, schedule, generator
        self.origin = rows.origin(sizes.n_batches)
        self.weights = initial_networks(sizes, generator)
        self.opponents = [name for name in ("batch", "order") if name in sizes.widths()]
        self.parts = {
            part: [value.requires_grad_() for value in trained(self.weights, *PARTS[part])]
            for part in (AUTOENCODER, *self.opponents)
        }
        rates = LEARNING_RATE | {AUTOENCODER: schedule.learning_rate}
        self.optimisers = {
            part: torch.optim.Adam(values, lr=rates[part], betas=BETAS, fused=True)
            for part, values in self.parts.items()
        }

    def epoch(self, *, teach: bool, restore: bool) -> dict[str, float]:
        """One pass; returns the mean losses.

        Parameters
        ----------
        teach
            Train the discriminators.
        restore
            Train the autoencoder; against the discriminators if these are trained as well.
        """
        steps = [
            (self._teach(rows) if teach else {}) | (self._restore(rows, teach) if restore else {})
            for rows in minibatches(len(self.rows.x), self.schedule.batch_size, self.generator)
        ]
        return {name: sum(step[name] for step in steps) / len(steps) for name in steps[0]}

    def _run(self, network: str, x: Tensor) -> Tensor:
        return run(self.weights, network, x, self.generator)

    def _loss(self, opponent: str, codes: Tensor, rows: Tensor) -> Tensor:
        found = self._run(opponent, codes)
        if opponent == "batch":
            return cross_entropy(found, self.rows.batch[rows])
        assert self.rows.order is not None
        return rank_loss(found[:, 0], self.rows.order[rows], self.rows.batch[rows])

    def _teach(self, rows: Tensor) -> dict[str, float]:
        """Train the discriminators on the codes of a mini-batch; returns the last losses."""
        for _ in range(self.schedule.discriminator_steps):
            with torch.no_grad():
                codes = self._run("encoder", self.rows.x[rows])
            losses = {opponent: self._loss(opponent, codes, rows) for opponent in self.opponents}
            for opponent, loss in losses.items():
                self._descend(opponent, loss)
        return {opponent: loss.item() for opponent, loss in losses.items()}

    def _restore(self, rows: Tensor, against: bool) -> dict[str, float]:
        """Train the autoencoder on a mini-batch, against the discriminators or alone."""
        x = self.rows.x[rows]
        codes = self._run("encoder", x)
        restored = self._run("decoder", codes + self._run("map", self.origin[rows]))
        reconstruction = l1_loss(restored, x)
        loss = reconstruction
        for opponent in self.opponents if against else []:
            loss = loss - self.schedule.adversary * self._loss(opponent, codes, rows)
        self._descend(AUTOENCODER, loss)
        return {"reconstruction": reconstruction.item()}

    def _descend(self, part: str, loss: Tensor) -> None:
        """One step of a part's optimiser, which leaves all other weights alone."""
        values = self.parts[part]
        gradients = torch.autograd.grad(loss, values)
        for value, gradient in zip(values, gradients, strict=True):
            value.grad = gradient
        clip_grad_norm_(values, LONGEST_GRADIENT)
        self.optimisers[part].step()
