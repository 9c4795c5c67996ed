"""The network of MMD-ResNet, three residual blocks from one batch to another, and its training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from crossplate.correct.base import FloatArray
from crossplate.correct.network_layers import (
    Weights,
    add_dense,
    add_norm,
    dense,
    normalised,
    trained,
)
from crossplate.correct.network_training import minibatches
from crossplate.correct.root_mmd import root_mmd, root_mmd_and_gradient
from crossplate.errors import InputError
from crossplate.kernels import squared_distances

N_BLOCKS, HIDDEN = 3, 25
WEIGHT_SD = 1e-4
"""Of the starting weights: the map starts as the identity, all but exactly."""
NORM_EPSILON, SMOOTHING = 1e-3, 0.9
"""Of the batch normalisation's variance and of RMSprop: defaults of the framework that
[Shaham2017]_ used. Its momentum of 0.01 is not taken over: batches that are one mini-batch would
be judged, and stopped, by statistics from a hundred epochs before."""
L2 = 1e-2
DECAY, DECAY_EPOCHS = 0.1, 150
NEIGHBOUR = 25
VALIDATION_SHARE, FEWEST_HELD_OUT = 0.1, 2
PATIENCE = 50

__all__ = [
    "NEIGHBOUR",
    "PATIENCE",
    "MapSettings",
    "apply_map",
    "initial_map",
    "train_map",
    "widest_kernel",
]


@dataclass(frozen=True)
class MapSettings:
    """How a map is trained.

    Parameters
    ----------
    epochs
        Most passes over the mapped batch.
    batch_size
        Most rows of either batch in a mini-batch.
    learning_rate
        Of RMSprop in the first 150 epochs; a tenth of it in the next 150, and so on.
    """

    epochs: int
    batch_size: int
    learning_rate: float

    def __post_init__(self) -> None:
        """Refuse values that cannot be trained with."""
        if self.epochs < 1 or self.batch_size < 2 or not self.learning_rate > 0.0:
            raise InputError(
                f"epochs is {self.epochs}, batch_size {self.batch_size}, learning_rate "
                f"{self.learning_rate}; give at least 1, at least 2, and a positive number"
            )


def initial_map(n_features: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Starting weights."""
    weights: dict[str, Tensor] = {}
    for block in range(N_BLOCKS):
        for half, (inputs, outputs) in enumerate(((n_features, HIDDEN), (HIDDEN, n_features))):
            name = f"block{block}.{half}"
            add_norm(weights, name, inputs, generator.device)
            add_dense(weights, name, inputs, outputs, generator, WEIGHT_SD)
    return weights


def apply_map(weights: Weights, x: Tensor, *, training: bool = False) -> Tensor:
    """Scaled rows of the mapped batch as they would be in the fixed one, shape (n, p)."""
    for block in range(N_BLOCKS):
        step = x
        for half in range(2):
            name = f"block{block}.{half}"
            step = normalised(weights, name, step, training=training, epsilon=NORM_EPSILON)
            step = dense(weights, name, step.relu())
        x = x + step
    return x


def widest_kernel(fixed: FloatArray, rng: np.random.RandomState, max_rows: int = 1000) -> float:
    """Twice the median distance to the 25th nearest neighbour: the widest of the three widths.

    Parameters
    ----------
    fixed
        Scaled rows of the fixed batch, shape (m, p). With 25 rows or fewer the farthest counts.
    rng
        Draws the rows where there are more than ``max_rows``.
    max_rows
        Rows that neighbours are looked for among: the mini-batch of [Shaham2017]_.

    Returns
    -------
    A positive number: where most rows have 25 equals, from those that have not; 2 where all have.
    """
    if len(fixed) > max_rows:
        fixed = fixed[rng.choice(len(fixed), max_rows, replace=False)]
    place = min(NEIGHBOUR, len(fixed) - 1)
    distances = np.sqrt(np.partition(squared_distances(fixed, fixed), place, axis=1)[:, place])
    if np.median(distances) > 0.0:
        return 2.0 * float(np.median(distances))
    positive = distances[distances > 0.0]
    return 2.0 * float(np.median(positive)) if len(positive) else 2.0


def train_map(
    mapped: Tensor,
    fixed: Tensor,
    widest: float,
    settings: MapSettings,
    generator: torch.Generator,
    report: Callable[[Mapping[str, float]], None],
) -> dict[str, Tensor]:
    """Train a map from one batch onto another.

    Parameters
    ----------
    mapped, fixed
        Scaled rows of the two batches, shapes (n, p) and (m, p), n and m ≥ 2.
    widest
        Widest kernel.
    settings, generator
        How to train; source of weights and mini-batches.
    report
        Called after every epoch with the losses.

    Returns
    -------
    Weights of the last epoch, as in [Shaham2017]_. (Those of the epoch with the least held-out MMD
    are worse: a tenth of the rows shows the last part of the gain only as noise.)
    """
    rows, mapped_out = _split(mapped, generator)
    target, fixed_out = _split(fixed, generator)
    watched = len(mapped_out) > 0 and len(fixed_out) > 0
    size = settings.batch_size
    weights = initial_map(mapped.shape[1], generator)
    optimiser = torch.optim.RMSprop(
        [value.requires_grad_() for value in trained(weights)],
        lr=settings.learning_rate,
        alpha=SMOOTHING,
    )
    schedule = torch.optim.lr_scheduler.StepLR(optimiser, DECAY_EPOCHS, DECAY)
    best_loss, best_epoch = np.inf, 0
    for epoch in range(settings.epochs):
        found = [
            _step(weights, rows[part], _drawn(target, size, generator), widest, optimiser)
            for part in minibatches(len(rows), size, generator)
        ]
        schedule.step()
        losses = {"mmd": float(np.mean(found))}
        if watched:
            with torch.no_grad():
                calibrated = apply_map(weights, mapped_out[:size])
                losses["held_out"] = float(root_mmd(calibrated, fixed_out[:size], widest))
        report(losses)
        if not watched:
            continue
        if losses["held_out"] < best_loss:
            best_loss, best_epoch = losses["held_out"], epoch
        elif epoch - best_epoch >= PATIENCE:
            break
    return weights


def _split(x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Rows to train on and a held-out tenth; none held out where a tenth is below two rows."""
    held_out = round(VALIDATION_SHARE * len(x))
    if held_out < FEWEST_HELD_OUT:
        return x, x[:0]
    order = torch.randperm(len(x), generator=generator, device=x.device)
    return x[order[held_out:]], x[order[:held_out]]


def _drawn(rows: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """At most ``size`` rows of the fixed batch, drawn anew for each step."""
    if len(rows) <= size:
        return rows
    return rows[torch.randperm(len(rows), generator=generator, device=rows.device)[:size]]


def _step(
    weights: Weights,
    rows: Tensor,
    target: Tensor,
    widest: float,
    optimiser: torch.optim.Optimizer,
) -> float:
    """One step of the optimiser; returns the root of the MMD before it."""
    optimiser.zero_grad()
    calibrated = apply_map(weights, rows, training=True)
    with torch.no_grad():
        loss, gradient = root_mmd_and_gradient(calibrated, target, widest)
    squares = [value.square().sum() for name, value in weights.items() if name.endswith(".weight")]
    torch.autograd.backward([calibrated, L2 * torch.stack(squares).sum()], [gradient, None])
    optimiser.step()
    return float(loss)
