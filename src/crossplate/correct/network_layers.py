"""Layers of the correctors' networks, as pure functions of a dictionary of weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import batch_norm, linear

NORM_MOMENTUM = 0.1
"""Share of the newest rows in the running statistics; the framework's default."""

Weights = Mapping[str, Tensor]

__all__ = [
    "Weights",
    "add_dense",
    "add_norm",
    "copied",
    "dense",
    "dropped",
    "normalised",
    "trained",
]


def add_dense(
    weights: dict[str, Tensor],
    name: str,
    n_inputs: int,
    n_outputs: int,
    generator: torch.Generator,
    sd: float | None = None,
) -> None:
    """Add a dense layer to a dictionary of weights.

    Parameters
    ----------
    weights
        Gets ``name.weight``, shape (outputs, inputs), and ``name.bias``, shape (outputs,).
    name, n_inputs, n_outputs, generator
        Name and sizes of the layer; source of its starting weights.
    sd
        Start with normal weights of this standard deviation and zero biases; None takes the
        framework's default, uniform up to 1/√inputs either way.
    """
    device = generator.device
    weight = torch.empty(n_outputs, n_inputs, device=device)
    bias = torch.zeros(n_outputs, device=device)
    if sd is None:
        bound = n_inputs**-0.5
        weight.uniform_(-bound, bound, generator=generator)
        bias.uniform_(-bound, bound, generator=generator)
    else:
        weight.normal_(0.0, sd, generator=generator)
    weights[f"{name}.weight"], weights[f"{name}.bias"] = weight, bias


def add_norm(weights: dict[str, Tensor], name: str, size: int, device: torch.device) -> None:
    """Add a batch normalisation: learned scale and shift, running mean and variance."""
    for part, start in (("scale", 1.0), ("shift", 0.0)):
        weights[f"{name}.{part}"] = torch.full((size,), start, device=device)
    for part, start in (("running_mean", 0.0), ("running_variance", 1.0)):
        weights[f"{name}.{part}"] = torch.full((size,), start, device=device)


def dense(weights: Weights, name: str, x: Tensor) -> Tensor:
    """Dense layer, shapes (n, inputs) → (n, outputs)."""
    return linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])


def normalised(
    weights: Weights,
    name: str,
    x: Tensor,
    *,
    training: bool,
    epsilon: float = 1e-5,
) -> Tensor:
    """Batch normalisation with its learned scale and shift.

    Parameters
    ----------
    weights, name, x
        Weights, name of the layer, rows of shape (n, size), n ≥ 2 in training.
    training
        Use the rows' own statistics and let the running ones follow. Otherwise use the running
        ones, so that a row's result is independent of the other rows.
    epsilon
        Added to the variance; the framework's default.
    """
    return batch_norm(
        x,
        weights[f"{name}.running_mean"],
        weights[f"{name}.running_variance"],
        weights[f"{name}.scale"],
        weights[f"{name}.shift"],
        training,
        NORM_MOMENTUM,
        epsilon,
    )


def dropped(x: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Dropout from a generator of its own; the framework's would use and move the global one."""
    keep = 1.0 - share
    return x * (torch.empty_like(x).bernoulli_(keep, generator=generator) / keep)


def trained(weights: Weights, *networks: str) -> list[Tensor]:
    """Weights that an optimiser moves: of the named networks, or all without a name."""
    return [
        value
        for name, value in weights.items()
        if ".running_" not in name and (not networks or name.split(".")[0] in networks)
    ]


def copied(weights: Weights) -> dict[str, Tensor]:
    """Copy that training no longer changes."""
    return {name: value.detach().clone() for name, value in weights.items()}
