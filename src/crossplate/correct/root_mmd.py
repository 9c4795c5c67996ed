"""The loss of MMD-ResNet, the root of a biased MMD², and its gradient.

:mod:`crossplate._kernel_sum` serves the joint model: all samples move, five widths, MMD² itself.
Here one sample is fixed and needs no gradient, which spares half of the work.
"""

from __future__ import annotations

import torch
from torch import Tensor

N_WIDTHS = 3
FLOOR = 1e-4
"""Least root that the gradient, undefined at 0, is divided by; in single precision MMD² is known
to about 1e-7."""

__all__ = ["FLOOR", "N_WIDTHS", "root_mmd", "root_mmd_and_gradient"]


def root_mmd(moving: Tensor, fixed: Tensor, widest: float) -> Tensor:
    """√(biased MMD²) of two samples.

    Parameters
    ----------
    moving, fixed
        Samples in rows, shapes (n, p) and (m, p).
    widest
        Largest of three widths s, each half the one before, of the kernel ``Σ exp(-d²/s²)``.
    """
    return root_mmd_and_gradient(moving, fixed, widest)[0]


def root_mmd_and_gradient(moving: Tensor, fixed: Tensor, widest: float) -> tuple[Tensor, Tensor]:
    """The root, as :func:`root_mmd`, and its gradient to ``moving``, shape (n, p).

    With S the slopes dk/dd², the gradient of MMD² is
    ``4/n² (rowsum(S_xx) x - S_xx x) - 4/nm (rowsum(S_xy) x - S_xy y)``.
    """
    within, pull = _kernel(moving, moving, widest)
    across, push = _kernel(moving, fixed, widest)
    squared = within.mean() + _kernel(fixed, fixed, widest)[0].mean() - 2.0 * across.mean()
    root = squared.clamp(min=0.0).sqrt()
    n, m = across.shape
    pull /= n
    push /= m
    rows = pull.sum(dim=1) - push.sum(dim=1)
    gradient = rows[:, None] * moving - pull @ moving + push @ fixed
    return root, gradient * (2.0 / n / root.clamp(min=FLOOR))


def _kernel(x: Tensor, y: Tensor, widest: float) -> tuple[Tensor, Tensor]:
    """Kernel values of all pairs and their slopes dk/dd², shapes (n, m)."""
    exponent = -1.0 / (widest * widest)
    kernel = torch.addmm((y * y).sum(dim=1), x, y.T, alpha=-2.0)
    kernel.add_((x * x).sum(dim=1)[:, None])
    kernel.clamp_(min=0.0).mul_(exponent).exp_()
    total, slope = kernel.clone(), kernel.clone()
    for step in range(1, N_WIDTHS):
        # half the width is the fourth power
        kernel.square_().square_()
        total.add_(kernel)
        slope.add_(kernel, alpha=4.0**step)
    return total, slope.mul_(exponent)
