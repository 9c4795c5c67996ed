"""The torch operation behind :func:`crossplate.kernels.weighted_kernel_sum`."""

from __future__ import annotations

from typing import Any

import torch

from crossplate.kernels import N_WIDTHS


class KernelSum(torch.autograd.Function):
    """Weighted sum of a five-width Gaussian kernel matrix; see the function that calls it."""

    @staticmethod
    def forward(
        ctx: Any, codes: torch.Tensor, pair_weights: torch.Tensor, widest: torch.Tensor
    ) -> torch.Tensor:
        """Sum the kernels and keep ``4 G ∘ dK/dd²`` for the gradient."""
        squares = (codes * codes).sum(dim=-1, keepdim=True)
        distances = torch.baddbmm(
            squares + squares.transpose(1, 2), codes, codes.transpose(1, 2), alpha=-2.0
        ).clamp_min_(0.0)
        slope = -0.5 / (widest * widest)
        kernel = distances.mul_(slope).exp_()
        total = kernel.clone()
        derivative = kernel.clone()
        for step in range(1, N_WIDTHS):
            kernel.square_().square_()
            total += kernel
            derivative.add_(kernel, alpha=4.0**step)
        sums = total.mul_(pair_weights).sum(dim=(1, 2))
        derivative.mul_(pair_weights).mul_(4.0 * slope)
        ctx.save_for_backward(codes, derivative)
        return sums

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        """Closed form; no graph of the kernel matrix is kept."""
        codes, derivative = ctx.saved_tensors
        pull = codes * derivative.sum(dim=-1, keepdim=True)
        pull.baddbmm_(derivative, codes, alpha=-1.0)
        return pull * grads[0][:, None, None], None, None
