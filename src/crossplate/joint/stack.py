"""The weights of stacked members in one buffer, and the optimiser that moves them."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

from crossplate.joint.settings import JointSettings

__all__ = ["Stack"]


class Stack:
    """Weights of E members in one buffer of shape (E, parameters), with Adam over it.

    One buffer makes an optimiser step a single pass over memory, whatever the number of members
    and layers. The gradient has a buffer of the same shape that is reused at every step.

    Parameters
    ----------
    starts
        Starting weights of each member, name → array.
    settings
        Learning rate, weight decay and which optimiser.
    device
        Where to train.

    Attributes
    ----------
    weights
        Name → array with a leading member axis; views into the buffer.
    """

    def __init__(
        self, starts: Sequence[dict[str, Tensor]], settings: JointSettings, device: torch.device
    ) -> None:
        self.shapes = {name: tuple(value.shape) for name, value in starts[0].items()}
        self.settings = settings
        flat = torch.stack(
            [torch.cat([value.reshape(-1) for value in start.values()]) for start in starts]
        )
        self._hold(flat.to(device))

    def _hold(self, flat: Tensor) -> None:
        """Take a buffer, with a fresh optimiser."""
        self.flat, self.gradient = flat, torch.zeros_like(flat)
        self.flat.grad = self.gradient
        self.weights: dict[str, Tensor] = {}
        start = 0
        for name, shape in self.shapes.items():
            end = start + prod(shape)
            part = self.flat[:, start:end].view(len(flat), *shape)
            self.weights[name] = part.detach().requires_grad_()
            start = end
        kind = torch.optim.Adam if self.settings.paper_optimiser else torch.optim.AdamW
        self.optimiser = kind(
            [self.flat],
            lr=self.settings.learning_rate,
            weight_decay=self.settings.weight_decay,
            fused=True,
        )

    def set_learning_rate(self, rate: float) -> None:
        """Rate of the next steps."""
        self.optimiser.param_groups[0]["lr"] = rate

    def forget_moments(self) -> None:
        """Start Adam anew, as the authors' code does at every epoch."""
        self.optimiser.state.clear()

    def step(self, losses: Tensor) -> None:
        """Move every member down the gradient of its own loss, shape (E,)."""
        found = torch.autograd.grad(losses.sum(), list(self.weights.values()), allow_unused=True)
        parts = [
            (torch.zeros_like(weight) if part is None else part).reshape(len(self.flat), -1)
            for part, weight in zip(found, self.weights.values(), strict=True)
        ]
        torch.cat(parts, dim=1, out=self.gradient)
        self.optimiser.step()

    def keep(self, members: Tensor) -> None:
        """Let all members but these leave; the others' moments stay as they are."""
        state = dict(self.optimiser.state[self.flat])
        self._hold(self.flat[members].contiguous())
        for moment in ("exp_avg", "exp_avg_sq"):
            state[moment] = state[moment][members].contiguous()
        self.optimiser.state[self.flat] = state
