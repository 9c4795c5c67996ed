"""Opponents that crossplate does not offer: a plain network, Deep CORAL and DANN.

All get what z-score + logistic regression gets, each batch z-scored by itself, and share network,
optimiser and early stopping, so that they differ in what they do with the target alone. Each stops
by labelled rows of the source held out of its training.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from crossplate.compare.aligning import Aligned, correct
from crossplate.compare.blind import BlindTask

WIDTHS = (128, 64)
HELD_OUT = 0.2
STEPS, CHECK_EVERY, PATIENCE = 600, 10, 10
BATCH_SIZE = 64
LEARNING_RATE, WEIGHT_DECAY, DROPOUT = 1e-3, 1e-3, 0.2

__all__ = ["dann", "deep_coral", "held_out", "source_network"]

Penalty = Callable[[Any, Any, float], Any]


def source_network(task: BlindTask) -> Aligned:
    """A small network on z-scores, trained on the source alone."""
    return _trained(task, None)


def deep_coral(task: BlindTask, weight: float = 1.0) -> Aligned:
    """Deep CORAL: covariances of the last hidden layer matched [Sun2016]_.

    Parameters
    ----------
    task
        The rows.
    weight
        Of the CORAL loss, which is that of [Sun2016]_, ‖C_s - C_t‖² / 4d²; 1 as in skada.

    References
    ----------
    .. [Sun2016] Sun B., Saenko K. Deep CORAL: correlation alignment for deep domain adaptation.
       ECCV workshops (2016). arXiv:1607.01719
    """

    def penalty(source: Any, target: Any, progress: float) -> Any:
        difference = source.T.cov() - target.T.cov()
        return weight * (difference**2).sum() / (4 * source.shape[1] ** 2)

    return _trained(task, lambda generator: (penalty, []))


def dann(task: BlindTask, weight: float = 1.0) -> Aligned:
    """DANN: a last hidden layer by which a second network cannot tell batches [Ganin2016]_.

    Parameters
    ----------
    task
        The rows.
    weight
        Of the reversed gradient at the end; it rises from 0 as in [Ganin2016]_.

    References
    ----------
    .. [Ganin2016] Ganin Y. et al. Domain-adversarial training of neural networks. Journal of
       Machine Learning Research 17 (2016).
    """
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits as entropy

    def made(generator: Any) -> tuple[Penalty, list[Any]]:
        judge = _layers((WIDTHS[-1], 32, 1), generator)

        def penalty(source: Any, target: Any, progress: float) -> Any:
            rows = torch.cat([source, target])
            strength = weight * (2 / (1 + np.exp(-10 * progress)) - 1)
            # forward the value of rows, backward the gradient times -strength
            reversed_rows = rows * -strength + (rows * (1 + strength)).detach()
            scores = _forward(judge, reversed_rows)[0][:, 0]
            truth = (torch.arange(len(rows)) >= len(source)).float()
            return entropy(scores, truth)

        return penalty, judge

    return _trained(task, made)


def _layers(widths: tuple[int, ...], generator: Any) -> list[Any]:
    """Weights and biases, drawn as the framework does, from a generator of our own."""
    import torch

    made = []
    for inputs, outputs in pairwise(widths):
        for shape in ((outputs, inputs), (outputs,)):
            start = torch.empty(shape).uniform_(-(inputs**-0.5), inputs**-0.5, generator=generator)
            made.append(start.requires_grad_())
    return made


def _forward(layers: list[Any], x: Any, generator: Any = None) -> tuple[Any, Any]:
    """Scores and the last hidden layer; with dropout where a generator is given."""
    import torch

    *hidden, last = zip(layers[::2], layers[1::2], strict=True)
    for weight, bias in hidden:
        x = torch.nn.functional.linear(x, weight, bias).relu()
        if generator is not None:
            kept = torch.rand(x.shape, generator=generator) >= DROPOUT
            x = x * kept / (1 - DROPOUT)
    return torch.nn.functional.linear(x, *last), x


def held_out(task: BlindTask, codes: np.ndarray) -> np.ndarray:
    """Labelled rows that stop the training: a fifth of each class, a subject's rows together.

    Parameters
    ----------
    task
        The rows; its seed decides.
    codes
        Class of each row, -1 for none, shape (n,).

    Returns
    -------
    True for rows held out, shape (n,); none of a class that has one subject only.
    """
    rng = np.random.default_rng(task.seed)
    n = len(codes)
    who = np.arange(n).astype(str) if task.subject is None else task.subject
    chosen = np.zeros(n, dtype=bool)
    for code in range(codes.max() + 1):
        people = np.unique(who[codes == code])
        number = min(max(1, round(HELD_OUT * len(people))), len(people) - 1)
        chosen |= np.isin(who, rng.permutation(people)[:number]) & (codes >= 0)
    return chosen


def _trained(
    task: BlindTask, make_penalty: Callable[..., tuple[Penalty, list[Any]]] | None
) -> Aligned:
    """Train on the labelled rows with a penalty on the distance to the target."""
    import torch
    from torch.nn.functional import cross_entropy

    z = correct("zscore", task).z
    labelled = np.array([label is not None for label in task.y])
    classes, known = np.unique(task.y[labelled].astype(str), return_inverse=True)
    codes = np.full(len(z), -1)
    codes[labelled] = known
    stops = held_out(task, codes)
    x = torch.from_numpy(z.astype(np.float32))
    truth = torch.from_numpy(codes)
    teaching = torch.from_numpy(np.flatnonzero(labelled & ~stops))
    # a study of one subject a class has none to hold out
    stopping = torch.from_numpy(np.flatnonzero(stops if stops.any() else labelled))
    others = torch.from_numpy(np.flatnonzero(~labelled))
    generator = torch.Generator().manual_seed(task.seed)
    layers = _layers((z.shape[1], *WIDTHS, len(classes)), generator)
    penalty, more = make_penalty(generator) if make_penalty else (None, [])
    weights = layers + more
    optimiser = torch.optim.AdamW(weights, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    best, kept, since = np.inf, [layer.detach().clone() for layer in layers], 0
    for step in range(STEPS):
        rows = _drawn(teaching, generator)
        scores, of_source = _forward(layers, x[rows], generator)
        loss = cross_entropy(scores, truth[rows])
        if penalty is not None:
            _, of_target = _forward(layers, x[_drawn(others, generator)], generator)
            loss = loss + penalty(of_source, of_target, step / STEPS)
        for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            weight.grad = gradient
        optimiser.step()
        if step % CHECK_EVERY == CHECK_EVERY - 1:
            with torch.no_grad():
                error = float(cross_entropy(_forward(layers, x[stopping])[0], truth[stopping]))
            if error < best - 1e-4:
                best, kept, since = error, [layer.detach().clone() for layer in layers], 0
            else:
                since += 1
            if since >= PATIENCE:
                break
    target = torch.from_numpy(task.target_rows)
    proba = torch.softmax(_forward(kept, x[target])[0].double(), dim=1).numpy()
    return Aligned(z, pd.DataFrame(proba, columns=pd.Index(classes)))


def _drawn(rows: Any, generator: Any) -> Any:
    """Rows of a mini-batch: all where they are few."""
    import torch

    if len(rows) <= BATCH_SIZE:
        return rows
    return rows[torch.randint(len(rows), (BATCH_SIZE,), generator=generator)]
