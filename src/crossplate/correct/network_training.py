"""What the correctors with networks share: seeds, mini-batches, threads, progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from crossplate.correct.base import FloatArray
from crossplate.correct.network_layers import Weights
from crossplate.errors import InputError
from crossplate.joint.inference import ROWS_AT_A_TIME
from crossplate.joint.trainer import TINY_STEP, EpochLosses

Arrays = dict[str, npt.NDArray[np.float32]]
Progress = Callable[[EpochLosses], None]

__all__ = [
    "Arrays",
    "EpochReport",
    "Progress",
    "as_arrays",
    "computed",
    "minibatches",
    "seeded",
    "threads_for",
]


def seeded(rng: np.random.RandomState, device: torch.device) -> torch.Generator:
    """Generator on a device with the next seed; the framework's global one is left alone."""
    return torch.Generator(device).manual_seed(int(rng.randint(np.iinfo(np.int32).max)))


def minibatches(n_rows: int, size: int, generator: torch.Generator) -> list[Tensor]:
    """Row numbers of one epoch, shuffled, in mini-batches of at most ``size`` rows.

    The rows are spread evenly, and none is left alone, for one row has no statistics: three rows
    with a ``size`` of two are one mini-batch.
    """
    order = torch.randperm(n_rows, generator=generator, device=generator.device)
    return list(order.tensor_split(max(1, min(-(-n_rows // size), n_rows // 2))))


@contextmanager
def threads_for(multiply_adds: float) -> Iterator[None]:
    """One thread where a step's widest product is tiny; the caller's setting comes back."""
    before = torch.get_num_threads()
    torch.set_num_threads(1 if multiply_adds < TINY_STEP else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class EpochReport:
    """Checks the losses of each epoch and hands them to the callback.

    Parameters
    ----------
    progress
        Called after every epoch; None for nobody.
    epochs
        Epochs planned for each network.
    networks, place
        Networks trained one after the other, and which of them this one is, from 0.
    """

    def __init__(
        self, progress: Progress | None, epochs: int, networks: int = 1, place: int = 0
    ) -> None:
        self.progress = progress
        self.epochs = epochs * networks
        self.done = epochs * place

    def __call__(self, losses: Mapping[str, float]) -> None:
        """Take note of one more epoch.

        Raises
        ------
        InputError
            A loss is infinite or undefined.
        """
        self.done += 1
        if not np.isfinite(list(losses.values())).all():
            raise InputError(
                f"the training diverged in epoch {self.done}: a loss is not finite; lower the "
                "learning rate, or take logs of the data"
            )
        if self.progress is not None:
            self.progress(EpochLosses(self.done, self.epochs, 1, dict(losses)))


def as_arrays(weights: Weights) -> Arrays:
    """Weights as plain arrays."""
    return {name: value.detach().cpu().numpy() for name, value in weights.items()}


@torch.no_grad()
def computed(
    network: Callable[[Weights, Tensor], Tensor],
    arrays: Arrays,
    x: FloatArray,
    device: torch.device,
) -> FloatArray:
    """What a trained network makes of rows, shapes (n, p) → (n, p).

    In double precision, which makes a row's result independent of the rows computed beside it, to
    fifteen digits; some thousand rows at a time, so that memory does not grow with the table.
    """
    # MPS has no double precision
    dtype = torch.float32 if device.type == "mps" else torch.float64
    weights = {name: torch.from_numpy(value).to(device, dtype) for name, value in arrays.items()}
    found = np.empty_like(x)
    for start in range(0, len(x), ROWS_AT_A_TIME):
        rows = slice(start, start + ROWS_AT_A_TIME)
        some = torch.from_numpy(x[rows]).to(device, dtype)
        found[rows] = network(weights, some).double().cpu().numpy()
    return found
