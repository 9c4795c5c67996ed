"""The torch side of :mod:`crossplate.kernels`: kernel sums and gradients in reused buffers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from crossplate.kernels import N_WIDTHS

__all__ = ["KernelWorkspace", "kernel_sum"]


@dataclass(frozen=True)
class KernelWorkspace:
    """Buffers for kernel sums of one shape; fresh ones at every step would cost page faults.

    Parameters
    ----------
    left, right
        Codes beside their squared norms, shape (members, N, p + 2).
    kernel, total, slope
        Kernel matrices and their accumulated sums, shape (members, N, N).
    gradient
        Gradient of the sums to the codes, shape (members, N, p).
    """

    left: Tensor
    right: Tensor
    kernel: Tensor
    total: Tensor
    slope: Tensor
    gradient: Tensor

    @classmethod
    def of(cls, codes: Tensor) -> KernelWorkspace:
        """Buffers for codes of this shape, type and device."""
        members, rows, p = codes.shape
        left, right = (codes.new_ones(members, rows, p + 2) for _ in range(2))
        kernel, total, slope = (codes.new_empty(members, rows, rows) for _ in range(3))
        return cls(left, right, kernel, total, slope, torch.empty_like(codes))


def kernel_sum(
    codes: Tensor, pair_weights: Tensor, widest: Tensor, space: KernelWorkspace
) -> Tensor:
    """Σ G ∘ K of each member; its gradient is left in ``space.gradient``.

    Parameters
    ----------
    codes
        Latent codes, shape (members, N, p).
    pair_weights
        Symmetric weights G, shape (N, N) or (members, N, N), for example
        :func:`crossplate.kernels.balanced_contrast`.
    widest
        Largest width of each member's ladder, shape (members or 1, 1, 1).
    space
        Buffers of the codes' shape.

    Returns
    -------
    One sum a member, shape (members,). The gradient is ``4 (rowsum(W) z - W z)`` with
    ``W = G ∘ dK/dd²``.
    """
    p = codes.shape[-1]
    exponent = -0.5 / (widest * widest)
    # one product gives -d²/2σ²: rows (z, |z|², 1) against rows (-2z, 1, |z|²), scaled
    squares = (codes * codes).sum(dim=-1)
    space.left[..., :p].copy_(codes)
    space.left[..., p].copy_(squares)
    torch.mul(codes, -2.0 * exponent, out=space.right[..., :p])
    space.right[..., p:].copy_(exponent.expand(*squares.shape, 1).expand(-1, -1, 2))
    space.right[..., p + 1].mul_(squares)
    kernel, total, slope = space.kernel, space.total, space.slope
    torch.bmm(space.left, space.right.transpose(1, 2), out=kernel)
    kernel.clamp_(max=0.0).exp_()
    kernel.diagonal(dim1=1, dim2=2).fill_(1.0)
    total.copy_(kernel)
    slope.copy_(kernel)
    for step in range(1, N_WIDTHS):
        kernel.square_().square_()
        total.add_(kernel)
        slope.add_(kernel, alpha=4.0**step)
    sums = torch.mul(total, pair_weights, out=total).sum(dim=(1, 2))
    slope.mul_(pair_weights)
    torch.mul(codes, slope.sum(dim=-1, keepdim=True), out=space.gradient)
    space.gradient.baddbmm_(slope, codes, alpha=-1.0).mul_(4.0 * exponent)
    return sums
