"""What trained members compute for scaled rows: codes, probabilities, restored rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from crossplate.errors import InputError
from crossplate.joint.networks import (
    Architecture,
    calibrate,
    discriminate,
    normalise,
    reconstruct,
)
from crossplate.scaling import PlateScaler

FloatArray = npt.NDArray[np.float64]
ROWS_AT_A_TIME = 2048
"""Rows computed together, so that memory does not grow with the table."""

__all__ = ["TrainedNetworks", "choose_device", "restored_rows"]


def choose_device(name: str) -> torch.device:
    """Device of a name; ``"auto"`` takes CUDA or MPS where there is one."""
    if name != "auto":
        return torch.device(name)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


@dataclass(frozen=True)
class TrainedNetworks:
    """Trained members, ready to compute in double precision.

    Double precision makes a row's result independent of the rows computed beside it, to fifteen
    digits.

    Parameters
    ----------
    architecture
        Sizes of the networks.
    weights
        Name → array with a leading member axis, as trained.
    device
        Where to compute.
    """

    architecture: Architecture
    weights: Mapping[str, npt.NDArray[np.float32]]
    device: torch.device

    def _tensors(self) -> dict[str, Tensor]:
        # MPS has no double precision
        dtype = torch.float32 if self.device.type == "mps" else torch.float64
        return {
            name: torch.from_numpy(value).to(self.device, dtype)
            for name, value in self.weights.items()
        }

    def _codes(self, z: FloatArray) -> Iterator[tuple[slice, dict[str, Tensor], Tensor]]:
        weights = self._tensors()
        members = next(iter(weights.values())).shape[0]
        for start in range(0, len(z), ROWS_AT_A_TIME):
            rows = slice(start, start + ROWS_AT_A_TIME)
            # copied, since the products' last digits depend on where in memory a matrix begins
            x = torch.tensor(z[rows]).to(next(iter(weights.values())))
            x = x.expand(members, *x.shape)
            if "norm.running_mean" in weights:
                x = normalise(
                    x,
                    weights["norm.running_mean"][:, None],
                    weights["norm.running_variance"][:, None],
                )
            yield rows, weights, calibrate(self.architecture, weights, x)

    @torch.no_grad()
    def codes(self, z: FloatArray) -> FloatArray:
        """Latent codes of each member, shapes (n, p) → (members, n, p)."""
        return np.concatenate([c.double().cpu().numpy() for _, _, c in self._codes(z)], axis=1)

    @torch.no_grad()
    def scores(self, z: FloatArray) -> FloatArray:
        """Class scores before sigmoid or softmax, shapes (n, p) → (members, n, outputs)."""
        parts = [discriminate(self.architecture, its, codes) for _, its, codes in self._codes(z)]
        return np.concatenate([part.double().cpu().numpy() for part in parts], axis=1)

    @torch.no_grad()
    def restored(self, z: FloatArray, as_batch: int) -> FloatArray:
        """Rows restored by one batch's reconstructor, mean over members, shape (n, p)."""
        parts = []
        for _, weights, codes in self._codes(z):
            # copied for the same reason: where it lies depends on the batches beside it
            one = {
                name: value[:, as_batch : as_batch + 1].clone()
                if "reconstructor" in name
                else value
                for name, value in weights.items()
            }
            parts.append(reconstruct(self.architecture, one, codes[:, None]).mean(dim=(0, 1)))
        return np.concatenate([part.double().cpu().numpy() for part in parts])


def restored_rows(
    networks: TrainedNetworks,
    scaler: PlateScaler,
    batches: npt.NDArray[np.str_],
    x: FloatArray,
    batch: npt.NDArray[np.str_],
    wanted: npt.NDArray[np.str_],
) -> FloatArray:
    """Rows restored through their codes, in original units.

    Parameters
    ----------
    networks, scaler
        The trained members, and the scaler of the plates they were trained on.
    batches
        Names of the fitted batches, in the order of the reconstructors.
    x
        Measurements, shape (n, p). Features that are not informative pass by the networks and are
        put on the wanted batch's scale as they are.
    batch, wanted
        Batch of each row, and the one on whose scale it is wanted, shape (n,).

    Raises
    ------
    InputError
        A wanted batch has no reconstructor.
    """
    z = scaler.standardise(x, batch, every_feature=True)
    levels = scaler.levels_in_batch(x, batch)
    idle = ~scaler.informative_
    seen, spread = scaler.compressed(np.where(idle, 0.0, z))
    restored = np.empty_like(z)
    for name in np.unique(wanted):
        place = np.flatnonzero(batches == name)
        if not len(place):
            raise InputError(
                f"batch {str(name)!r} was not in fit; adapt to it first, or restore as one of "
                f"{', '.join(batches)}"
            )
        rows = wanted == name
        outputs = networks.restored(seen[rows], int(place[0]))
        values = scaler.compression.undone(outputs, None if spread is None else spread[rows])
        values[:, idle] = z[rows][:, idle]
        restored[rows] = scaler.restore(values, scaler.statistics_[str(name)], levels[rows])
    return restored
