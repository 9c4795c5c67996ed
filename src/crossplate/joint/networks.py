"""The networks: one calibrator, a reconstructor a batch, a discriminator.

Every weight carries a leading member axis, so that independent members run as one batched matrix
product; the reconstructors carry a batch axis behind it. The functions are pure: weights in a
dictionary, arrays in, arrays out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import leaky_relu

SLOPE = 0.2
"""Negative slope of every LeakyReLU, as in [Niu2022]_."""
NORM_EPSILON = 1e-5

Weights = Mapping[str, Tensor]

__all__ = [
    "Architecture",
    "Weights",
    "calibrate",
    "discriminate",
    "initial_weights",
    "normalise",
    "reconstruct",
]


@dataclass(frozen=True)
class Architecture:
    """Sizes of the networks.

    Parameters
    ----------
    n_features
        Features p; also the length of a latent code.
    n_batches
        Batches K, one reconstructor each; 0 for none.
    n_outputs
        Outputs of the discriminator: 1 for two classes, else one a class.
    residual
        Correction ``x + B φ(A x)`` that starts as the identity, or the plain p-wide stacks of
        [Niu2022]_ behind a batch normalisation.
    hidden
        Hidden width of a correction.
    head
        Hidden widths of the discriminator.
    """

    n_features: int
    n_batches: int
    n_outputs: int
    residual: bool
    hidden: int
    head: tuple[int, ...]

    def layers(self) -> dict[str, tuple[int, ...]]:
        """Name → (…, inputs, outputs) of every linear layer, without the member axis."""
        p, k, h = self.n_features, self.n_batches, min(self.hidden, self.n_features)
        if self.residual:
            calibrator, reconstructor = [(p, h), (h, p)], [(k, p, h), (k, h, p)]
        else:
            calibrator, reconstructor = [(p, p)] * 2, [(k, p, p)] * 3
        sizes = (p, *self.head, self.n_outputs)
        named: dict[str, tuple[int, ...]] = {}
        named |= {f"calibrator.{i}": size for i, size in enumerate(calibrator)}
        if k:
            named |= {f"reconstructor.{i}": size for i, size in enumerate(reconstructor)}
        return named | {f"discriminator.{i}": size for i, size in enumerate(pairwise(sizes))}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name → shape of every trained array, without the member axis."""
        shapes: dict[str, tuple[int, ...]] = {}
        if not self.residual:
            shapes["norm.scale"] = shapes["norm.shift"] = (self.n_features,)
        for name, size in self.layers().items():
            shapes[f"{name}.weight"] = size
            shapes[f"{name}.bias"] = (*size[:-2], 1, size[-1])
        return shapes


def initial_weights(architecture: Architecture, generator: torch.Generator) -> dict[str, Tensor]:
    """Starting weights of one member.

    Calibrator and reconstructors are orthogonal with zero biases; a correction's last layer is
    zero, so that it starts as the identity. The discriminator starts at zero where it is linear
    (a convex problem, where noise in unseen directions would stay for good) and at the
    framework's default otherwise.
    """
    weights: dict[str, Tensor] = {}
    if not architecture.residual:
        weights["norm.scale"] = torch.ones(architecture.n_features)
        weights["norm.shift"] = torch.zeros(architecture.n_features)
    for name, size in architecture.layers().items():
        weight = torch.zeros(size)
        bias = torch.zeros((*size[:-2], 1, size[-1]))
        if name.startswith("discriminator"):
            if architecture.head:
                bound = size[-2] ** -0.5
                weight.uniform_(-bound, bound, generator=generator)
                bias.uniform_(-bound, bound, generator=generator)
        elif not (architecture.residual and name.endswith(".1")):
            for matrix in weight.reshape(-1, *size[-2:]):
                torch.nn.init.orthogonal_(matrix, generator=generator)
        weights[f"{name}.weight"], weights[f"{name}.bias"] = weight, bias
    return weights


def _linear(weights: Weights, name: str, x: Tensor) -> Tensor:
    weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    if weight.dim() == 3:
        return torch.baddbmm(bias, x, weight)
    members, batches, rows, inputs = x.shape
    flat = torch.baddbmm(
        bias.reshape(members * batches, 1, -1),
        x.reshape(members * batches, rows, inputs),
        weight.reshape(members * batches, inputs, -1),
    )
    return flat.reshape(members, batches, rows, -1)


def normalise(x: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
    """Batch normalisation with given statistics, before its learned scale and shift."""
    return (x - mean) * torch.rsqrt(variance + NORM_EPSILON)


def calibrate(architecture: Architecture, weights: Weights, x: Tensor) -> Tensor:
    """Latent codes of scaled (or normalised) rows, shapes (members, n, p) → (members, n, p)."""
    if architecture.residual:
        hidden = leaky_relu(_linear(weights, "calibrator.0", x), SLOPE)
        return x + _linear(weights, "calibrator.1", hidden)
    x = x * weights["norm.scale"][:, None, :] + weights["norm.shift"][:, None, :]
    hidden = leaky_relu(_linear(weights, "calibrator.0", leaky_relu(x, SLOPE)), SLOPE)
    return _linear(weights, "calibrator.1", hidden)


def reconstruct(architecture: Architecture, weights: Weights, codes: Tensor) -> Tensor:
    """Each batch's rows restored from its codes, shapes (members, K, b, p) → the same."""
    hidden = leaky_relu(_linear(weights, "reconstructor.0", codes), SLOPE)
    if architecture.residual:
        return codes + _linear(weights, "reconstructor.1", hidden)
    hidden = leaky_relu(_linear(weights, "reconstructor.1", hidden), SLOPE)
    return _linear(weights, "reconstructor.2", hidden)


def discriminate(architecture: Architecture, weights: Weights, codes: Tensor) -> Tensor:
    """Class scores before sigmoid or softmax, shapes (members, n, p) → (members, n, outputs)."""
    for depth in range(len(architecture.head)):
        codes = leaky_relu(_linear(weights, f"discriminator.{depth}", codes), SLOPE)
    return _linear(weights, f"discriminator.{len(architecture.head)}", codes)
