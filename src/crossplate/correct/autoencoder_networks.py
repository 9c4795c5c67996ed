"""The networks of NormAE: encoder, decoder, map of batch and order, two discriminators."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import leaky_relu, softplus

from crossplate.correct.network_layers import (
    Weights,
    add_dense,
    add_norm,
    dense,
    dropped,
    normalised,
)
from crossplate.errors import InputError

SLOPE = 0.01
"""Negative slope of every LeakyReLU; the framework's default, as in [Rong2020]_."""
MAP_HIDDEN = (500,)
DISCRIMINATOR_HIDDEN = (250, 250)
DROPOUT = {"encoder": 0.3, "decoder": 0.1, "map": 0.0, "batch": 0.3, "order": 0.3}
WITHOUT_NORM = "order"
"""The one network without batch normalisation, as in the code of [Rong2020]_."""

__all__ = ["AutoencoderSizes", "initial_networks", "rank_loss", "restored", "run"]


@dataclass(frozen=True)
class AutoencoderSizes:
    """Sizes of the networks.

    Parameters
    ----------
    n_features, n_batches
        Features p and batches K.
    hidden
        Widths of the encoder's hidden layers; the decoder's are the same in reverse.
    code
        Length of the code.
    with_order
        Whether there is an injection order, and so a discriminator of it.
    """

    n_features: int
    n_batches: int
    hidden: tuple[int, ...]
    code: int
    with_order: bool

    def __post_init__(self) -> None:
        """Refuse sizes that are no networks."""
        if min((*self.hidden, self.code)) < 1:
            raise InputError(
                f"hidden is {self.hidden} and code {self.code}; give widths of at least 1"
            )

    def widths(self) -> dict[str, tuple[int, ...]]:
        """Name → widths of each network, input and output included."""
        widths = {
            "encoder": (self.n_features, *self.hidden, self.code),
            "decoder": (self.code, *reversed(self.hidden), self.n_features),
            "map": (self.n_batches + self.with_order, *MAP_HIDDEN, self.code),
            "batch": (self.code, *DISCRIMINATOR_HIDDEN, self.n_batches),
        }
        if self.with_order:
            widths["order"] = (self.code, *DISCRIMINATOR_HIDDEN, 1)
        return widths

    @property
    def largest_layer(self) -> int:
        """Weights of the largest layer."""
        return max(a * b for widths in self.widths().values() for a, b in pairwise(widths))


def initial_networks(sizes: AutoencoderSizes, generator: torch.Generator) -> dict[str, Tensor]:
    """Starting weights of all networks."""
    weights: dict[str, Tensor] = {}
    for network, widths in sizes.widths().items():
        for layer, (inputs, outputs) in enumerate(pairwise(widths)):
            add_dense(weights, f"{network}.{layer}", inputs, outputs, generator)
            if network != WITHOUT_NORM and layer < len(widths) - 2:
                add_norm(weights, f"{network}.{layer}", outputs, generator.device)
    return weights


def run(
    weights: Weights, network: str, x: Tensor, generator: torch.Generator | None = None
) -> Tensor:
    """Output of one network.

    Parameters
    ----------
    weights, network
        Weights of all networks and the name of the one that is run.
    x
        Its input, shape (n, inputs).
    generator
        Source of dropout in training; None runs the network as it is applied to new rows, with
        running statistics and without dropout.
    """
    x = dense(weights, f"{network}.0", x)
    layer = 0
    while f"{network}.{layer + 1}.weight" in weights:
        if network != WITHOUT_NORM:
            x = normalised(weights, f"{network}.{layer}", x, training=generator is not None)
        x = leaky_relu(x, SLOPE)
        if generator is not None and DROPOUT[network]:
            x = dropped(x, DROPOUT[network], generator)
        layer += 1
        x = dense(weights, f"{network}.{layer}", x)
    return x


def restored(weights: Weights, x: Tensor, origin: Tensor | None = None) -> Tensor:
    """Rows restored from their codes, shapes (n, p) → (n, p).

    Parameters
    ----------
    weights, x
        Weights of all networks; standardised rows.
    origin
        What the map gets, shape (inputs,): all rows as if measured there. None leaves the map out.
    """
    codes = run(weights, "encoder", x)
    if origin is not None:
        codes = codes + run(weights, "map", origin.to(codes)[None, :])
    return run(weights, "decoder", codes)


def rank_loss(scores: Tensor, order: Tensor, batch: Tensor) -> Tensor:
    """Cross entropy of which of two rows of a batch was injected later, mean over such pairs.

    Parameters
    ----------
    scores
        Score of each row, meant to rise with the order, shape (n,).
    order, batch
        Injection order and batch of each row, shape (n,).

    Returns
    -------
    0 where no two rows can be compared.
    """
    later = (order[:, None] > order[None, :]) & (batch[:, None] == batch[None, :])
    losses = softplus(scores[None, :] - scores[:, None]) * later
    return losses.sum() / later.sum().clamp(min=1)
