"""The weights of stacked members in one buffer, and Adam over it."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

from crossplate.joint.settings import JointSettings

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8
"""Adam's usual constants, also those of [Niu2022]_."""
__all__ = ["Stack"]


class Stack:
    """Weights of E members in one buffer, with Adam over it.

    The buffer holds one array after the other, each with the members in front, so that batched
    matrix products write their gradients straight into a buffer of the same layout and one pass
    over memory updates all layers of all members.

    Parameters
    ----------
    starts
        Starting weights of each member, name → array.
    settings
        Weight decay, and which of Adam's forms.
    rates
        What each member multiplies the learning rate by.
    device
        Where to train.

    Attributes
    ----------
    weights, gradients
        Name → array with a leading member axis; views into the buffers.
    """

    def __init__(
        self,
        starts: Sequence[dict[str, Tensor]],
        settings: JointSettings,
        rates: Sequence[float],
        device: torch.device,
    ) -> None:
        self.settings = settings
        self.rates = list(rates)
        stacked = {name: torch.stack([start[name] for start in starts]) for name in starts[0]}
        self.shapes = {name: value.shape for name, value in stacked.items()}
        flat = torch.cat([value.reshape(-1) for value in stacked.values()])
        self.flat = flat.to(device)
        self._make_room()
        self.first, self.second = torch.zeros_like(self.flat), torch.zeros_like(self.flat)
        self.steps = torch.zeros((), device=self.flat.device)

    def _make_room(self) -> None:
        self.gradient = torch.zeros_like(self.flat)
        self.weights = self._views(self.flat)
        self.gradients = self._views(self.gradient)

    def _views(self, flat: Tensor) -> dict[str, Tensor]:
        views, start = {}, 0
        for name, shape in self.shapes.items():
            end = start + prod(shape)
            views[name] = flat[start:end].view(shape)
            start = end
        return views

    def forget_moments(self) -> None:
        """Start Adam anew, as the authors' code does at every epoch."""
        self.first.zero_()
        self.second.zero_()
        self.steps.zero_()

    def step(self, rate: float) -> None:
        """Move all members along their gradients.

        The weight decay is part of the gradient where the authors' optimiser is asked for and
        decoupled from it otherwise (AdamW).
        """
        self.steps += 1
        everything = (self.flat, self.gradient, self.first, self.second)
        if len(set(self.rates)) == 1:
            self._adam(*([array] for array in everything), rate=rate * self.rates[0])
            return
        for own in set(self.rates):
            members = [place for place, value in enumerate(self.rates) if value == own]
            pieces = (self._of_members(array, members) for array in everything)
            self._adam(*pieces, rate=rate * own)

    def _of_members(self, flat: Tensor, members: Sequence[int]) -> list[Tensor]:
        """Pieces of a buffer that belong to some members."""
        return [view[m] for view in self._views(flat).values() for m in members]

    def _adam(
        self,
        weights: list[Tensor],
        gradients: list[Tensor],
        first: list[Tensor],
        second: list[Tensor],
        *,
        rate: float,
    ) -> None:
        # the operation behind torch.optim's fused Adam, whose import alone takes seconds
        fused = torch._fused_adam_ if self.settings.paper_optimiser else torch._fused_adamw_
        fused(
            weights,
            gradients,
            first,
            second,
            [],
            [self.steps] * len(weights),
            lr=rate,
            beta1=BETA_1,
            beta2=BETA_2,
            weight_decay=self.settings.weight_decay,
            eps=EPSILON,
            amsgrad=False,
            maximize=False,
        )

    def keep(self, members: Tensor) -> None:
        """Let all members but these leave; the others' moments stay as they are."""
        kept = []
        for array in (self.flat, self.first, self.second):
            parts = [view[members].reshape(-1) for view in self._views(array).values()]
            kept.append(torch.cat(parts))
        self.flat, self.first, self.second = kept
        self.rates = [self.rates[place] for place in members.tolist()]
        self.shapes = {
            name: torch.Size((len(members), *shape[1:])) for name, shape in self.shapes.items()
        }
        self._make_room()
