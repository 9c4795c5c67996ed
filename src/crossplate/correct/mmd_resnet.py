"""MMD-ResNet: each batch is mapped onto the reference by a residual network."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state

from crossplate.correct.base import Corrector, FloatArray, Names
from crossplate.correct.batch_rows import largest_batch, rows_by_batch
from crossplate.errors import InputError

if TYPE_CHECKING:
    from crossplate.joint.trainer import EpochLosses

__all__ = ["MMDResNet"]


class MMDResNet(Corrector):
    """Residual network that makes the distribution of a batch that of the reference.

    One network a batch, ``x + …`` in three blocks with 25 hidden units each, trained to bring the
    maximum mean discrepancy (MMD) between the mapped and the reference rows to its least
    [Shaham2017]_. The labels are not read, so that unequal shares of the classes in two batches
    are taken for a batch effect and evened out.

    Parameters
    ----------
    reference
        Name of the batch that all others are mapped onto and that stays as it is; None takes
        the one of most rows. (The publication has two batches and names one.)
    epochs
        Most passes over a mapped batch; 500 as in [Shaham2017]_. Training stops after 50 epochs
        without a lower MMD of the held-out tenth of both batches.
    batch_size
        Most rows of either batch in a mini-batch; 1,000 as in [Shaham2017]_. Smaller batches
        take all their rows in every step.
    learning_rate
        Of RMSprop; 1e-3 as in [Shaham2017]_, a tenth of it after every 150 epochs.
    random_state
        Seed; the same seed and data give the same networks on one machine.
    device
        ``"auto"`` takes CUDA or MPS where there is one, else the CPU. GPU paths are not tested
        yet.
    progress
        Called after every epoch with an :class:`crossplate.joint.trainer.EpochLosses`; its
        ``mmd`` and ``held_out`` are roots of the biased MMD².

    Attributes
    ----------
    reference_
        The reference batch.
    networks_
        Batch → name → weights and running statistics of its network.
    means_, scales_
        Batch → location and scale of its features, shape (p,), in units of the data.
    widths_
        Batch → widest of the three kernel widths, in scaled units.

    Raises
    ------
    InputError
        A batch of one row; a number out of range; a training that diverges.

    Notes
    -----
    The publication takes log(1 + x) first. Correctors get data that are on a log scale where
    they need one, so no log is taken here. The scaler of the publication stays: features in units
    of the mapped batch's standard deviation, and back at the end.

    Where the held-out tenth of either batch is below two rows (under 15 rows), nothing is held
    out and training runs for all epochs. Two rows are enough to run and far too few to learn a
    distribution from; the publication has thousands.

    The kernels are blind to rows further from the reference than about ten times the usual
    distance of neighbours in it. Batches that far apart get no gradient and come back as
    they were; subtract the batches' means first.

    References
    ----------
    .. [Shaham2017] Shaham U. et al. Removal of batch effects using distribution-matching residual
       networks. Bioinformatics 33, 2539-2546 (2017). doi:10.1093/bioinformatics/btx196
    """

    reference_: str
    networks_: dict[str, dict[str, npt.NDArray[np.float32]]]
    means_: dict[str, FloatArray]
    scales_: dict[str, FloatArray]
    widths_: dict[str, float]

    def __init__(
        self,
        *,
        reference: str | None = None,
        epochs: int = 500,
        batch_size: int = 1000,
        learning_rate: float = 1e-3,
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
        progress: Callable[[EpochLosses], None] | None = None,
    ) -> None:
        self.reference = reference
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state
        self.device = device
        self.progress = progress

    def _fit(self, x: FloatArray, batch: Names, y: Any) -> None:
        given = self._reference(self.reference)
        self.reference_ = largest_batch(batch) if given is None else given
        self.networks_, self.means_, self.scales_, self.widths_ = {}, {}, {}, {}
        rng = check_random_state(self.random_state)
        rows_of = dict(rows_by_batch(batch))
        if len(rows_of) > 1:
            _need_two_rows(rows_of)
        for name, rows in rows_of.items():
            if name != self.reference_:
                self._fit_one(name, x[rows], x[rows_of[self.reference_]], rng)

    def _fit_one(
        self, name: str, mapped: FloatArray, fixed: FloatArray, rng: np.random.RandomState
    ) -> None:
        """Train the network of one batch."""
        import torch

        from crossplate.correct import residual_map
        from crossplate.correct.network_training import (
            EpochReport,
            as_arrays,
            seeded,
            threads_for,
        )
        from crossplate.joint.inference import choose_device

        device = choose_device(self.device)
        settings = residual_map.MapSettings(self.epochs, self.batch_size, self.learning_rate)
        scaler = StandardScaler().fit(mapped)
        self.means_[name], self.scales_[name] = scaler.mean_, scaler.scale_
        target = scaler.transform(fixed)
        self.widths_[name] = residual_map.widest_kernel(target, rng)
        report = EpochReport(
            self.progress, self.epochs, len(self.batches_) - 1, len(self.networks_)
        )
        rows = min(self.batch_size, max(len(mapped), len(fixed)))
        with threads_for(rows * rows * mapped.shape[1]):
            weights = residual_map.train_map(
                torch.from_numpy(scaler.transform(mapped)).to(device, torch.float32),
                torch.from_numpy(target).to(device, torch.float32),
                self.widths_[name],
                settings,
                seeded(rng, device),
                report,
            )
        self.networks_[name] = as_arrays(weights)

    def _correct(self, x: FloatArray, batch: Names) -> FloatArray:
        corrected = x.copy()
        for name, rows in rows_by_batch(batch):
            if name in self.networks_:
                corrected[rows] = self._mapped(name, x[rows])
        return corrected

    def _mapped(self, name: str, x: FloatArray) -> FloatArray:
        """Rows of one batch as its network maps them, in units of the data."""
        from crossplate.correct.network_training import computed
        from crossplate.correct.residual_map import apply_map
        from crossplate.joint.inference import choose_device

        mean, scale = self.means_[name], self.scales_[name]
        device = choose_device(self.device)
        found = computed(apply_map, self.networks_[name], (x - mean) / scale, device)
        return np.asarray(found * scale + mean)


def _need_two_rows(rows_of: dict[str, npt.NDArray[np.intp]]) -> None:
    single = [name for name, rows in rows_of.items() if len(rows) < 2]
    if single:
        raise InputError(
            f"batch {single[0]!r} has one row, and MMD-ResNet learns how the rows of a batch are "
            "distributed; give at least two rows of each batch, or leave this one out"
        )
