"""The classification loss of stacked members, and how much each class counts in it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

__all__ = ["class_weights", "classification_loss"]


def class_weights(counts: Tensor, power: float) -> Tensor:
    """Weight of each class in the classification loss, frequency to the power of -``power``.

    Parameters
    ----------
    counts
        Labelled rows of each class, shape (members, C).
    power
        0 for equal weights, 1 to make up for any imbalance.

    Returns
    -------
    Shape (members, C), scaled so that the mean over a member's labelled rows is 1.
    """
    counts = counts.float()
    weights = counts.clamp(min=1) ** -power
    return weights * (counts.sum(dim=1) / (weights * counts).sum(dim=1))[:, None]


def classification_loss(logits: Tensor, classes: Tensor, weights: Tensor, *, mean: bool) -> Tensor:
    """Cross entropy of the labelled rows; rows without a label add nothing.

    Parameters
    ----------
    logits
        Shape (members, n, 1) for two classes, else (members, n, classes).
    classes
        Class codes, :data:`crossplate.rows.UNLABELLED` for none, shape (members, n).
    weights
        Weight of each class, shape (members, C), see :func:`class_weights`.
    mean
        Weighted mean over a member's labelled rows, else the weighted sum.

    Returns
    -------
    Shape (members,); 0 where a member has no labelled row.
    """
    labelled = classes >= 0
    known = classes.clamp(min=0)
    if logits.shape[-1] == 1:
        each = binary_cross_entropy_with_logits(
            logits[..., 0], known.to(logits.dtype), reduction="none"
        )
    else:
        each = cross_entropy(logits.transpose(1, 2), known, reduction="none")
    weight = torch.where(labelled, torch.gather(weights, 1, known), 0.0)
    sums = (weight * each).sum(dim=1)
    return sums / weight.sum(dim=1).clamp(min=torch.finfo(sums.dtype).tiny) if mean else sums
