"""NormAE: an autoencoder whose codes do not tell batch and injection order."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata
from sklearn.utils import check_random_state

from crossplate.correct.base import Corrector, FloatArray, Names
from crossplate.correct.batch_rows import rows_by_batch
from crossplate.errors import InputError

if TYPE_CHECKING:
    from crossplate.joint.trainer import EpochLosses

ROUNDING = 1e-12
"""Range of a feature, as a share of its largest magnitude, below which it counts as constant."""
MIDDLE = 0.5
"""Place in its run that a row restored as one of the reference gets."""
PRETRAIN_PASSES, PASSES, USUAL_STEPS = 20, 50, 8
"""Passes of the autoencoder alone and against the discriminators, and mini-batches in a pass."""
KEPT = ("encoder", "decoder", "map")
"""Networks that correct; the discriminators only teach."""

__all__ = ["NormAE"]


class NormAE(Corrector):
    """Autoencoder trained against discriminators of batch and injection order.

    An encoder makes a code of each row; a decoder restores the row from the code plus what a map
    makes of its batch and injection order. Two discriminators try to tell batch and order from the
    code, and the encoder is trained to make them fail [Rong2020]_. Corrected rows are restored
    from the code alone, in the units of X. The labels are not read, so that unequal shares of the
    classes in two batches are taken for a batch effect.

    Parameters
    ----------
    reference
        Name of a batch: all rows, those of this batch too, are restored as if measured in the
        middle of its run. None restores them without batch and order, as in [Rong2020]_.
    hidden
        Widths of the encoder's hidden layers, in reverse those of the decoder.
    code
        Length of the code. A long one finds more ways to tell the batches of new rows.
    pretrain_epochs, discriminator_epochs, epochs
        Passes over the rows by the autoencoder alone, the discriminators alone, and all against
        each other. None takes 20 and 50, and more where a pass has fewer than eight mini-batches,
        so that the number of steps stays the same.
    averaged_epochs
        Last passes whose weights are averaged; 1 takes the weights of the last pass, None averages
        over half of ``epochs``, since the opponents never come to rest.
    discriminator_steps
        Steps of the discriminators for each step of the autoencoder against them. With one, the
        discriminators stay behind and the batches can still be told from the codes.
    batch_size
        Most rows in a mini-batch.
    learning_rate
        Of the autoencoder's Adam; 1e-3, five times that of [Rong2020]_, for fewer passes.
    adversary
        Weight of each discriminator's loss, reconstruction having weight 1; 1 as in [Rong2020]_.
    random_state
        Seed; the same seed and data give the same networks on one machine.
    device
        ``"auto"`` takes CUDA or MPS where there is one, else the CPU. GPU paths are not tested
        yet.
    progress
        Called after every epoch with an :class:`crossplate.joint.trainer.EpochLosses`, whose
        ``reconstruction`` is a mean absolute error in standard deviations, ``batch`` and
        ``order`` cross entropies.

    Attributes
    ----------
    batches_
        Sorted names of the batches in ``fit``.
    networks_
        Name → weights and running statistics of encoder, decoder and map; empty for one batch.
    mean_, scale_
        Mean and standard deviation of the features over all rows, shape (p,), in units of X; the
        latter is 0 for a constant feature, which is left as it is.
    origin_
        What the map gets for ``reference``: one number a batch, then the order if it was given;
        None without a reference.

    Raises
    ------
    InputError
        A number out of range; an injection order that is missing for a row; a training that
        diverges.

    Notes
    -----
    The settings of [Rong2020]_ are ``hidden=(1000, 1000), code=500, pretrain_epochs=1000,
    discriminator_epochs=10, epochs=700, averaged_epochs=1, discriminator_steps=1, batch_size=64,
    learning_rate=2e-4``. The publication stops by its QC samples; without these the number of
    passes is fixed.

    The networks learn the batches by the rows of ``fit``. There the batches become alike with some
    hundred rows; in new rows of the same batches they can still be told unless there are many rows
    to learn from (see benchmarks/network_correctors.py).

    References
    ----------
    .. [Rong2020] Rong Z. et al. NormAE: deep adversarial learning model to remove batch effects in
       liquid chromatography mass spectrometry-based metabolomics data. Analytical Chemistry 92,
       5082-5090 (2020). doi:10.1021/acs.analchem.9b05460
    """

    __metadata_request__fit: ClassVar = {"batch": True, "order": True}

    networks_: dict[str, npt.NDArray[np.float32]]
    mean_: FloatArray
    scale_: FloatArray
    origin_: FloatArray | None

    def __init__(
        self,
        *,
        reference: str | None = None,
        hidden: tuple[int, ...] = (256, 256),
        code: int = 10,
        pretrain_epochs: int | None = None,
        discriminator_epochs: int = 10,
        epochs: int | None = None,
        averaged_epochs: int | None = None,
        discriminator_steps: int = 3,
        batch_size: int = 256,
        learning_rate: float = 1e-3,
        adversary: float = 1.0,
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
        progress: Callable[[EpochLosses], None] | None = None,
    ) -> None:
        self.reference = reference
        self.hidden = hidden
        self.code = code
        self.pretrain_epochs = pretrain_epochs
        self.discriminator_epochs = discriminator_epochs
        self.epochs = epochs
        self.averaged_epochs = averaged_epochs
        self.discriminator_steps = discriminator_steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.adversary = adversary
        self.random_state = random_state
        self.device = device
        self.progress = progress

    def fit(self, X: Any, y: Any = None, *, batch: Any = None, order: Any = None) -> NormAE:
        """Train the networks.

        Parameters
        ----------
        X
            Measurements, samples in rows, shape (n, p), on a log or similar scale.
        y
            Not read.
        batch
            Batch of each row, shape (n,); None takes all rows for one batch.
        order
            Injection order of each row, shape (n,); only its order within each batch counts. None
            where it is not known: then there is no discriminator of it.

        Raises
        ------
        InputError
            What this method cannot correct, said in one sentence.
        ValueError
            An X that scikit-learn's checks refuse.
        """
        x, names = self._begin(X, batch)
        self._train(x, names, None if order is None else _places(order, names))
        return self

    def fit_transform(
        self, X: Any, y: Any = None, *, batch: Any = None, order: Any = None
    ) -> FloatArray:
        """Fit, then correct the same rows; parameters as in :meth:`fit`."""
        return self.fit(X, y, batch=batch, order=order).transform(X, batch=batch)

    def _train(self, x: FloatArray, batch: Names, place: FloatArray | None) -> None:
        reference = self._reference(self.reference)
        self.networks_ = {}
        self.mean_, self.scale_ = _mean_and_sd(x)
        self.origin_ = None
        if reference is not None:
            at = [float(name == reference) for name in self.batches_]
            self.origin_ = np.array(at if place is None else [*at, MIDDLE])
        if len(self.batches_) < 2:
            return
        import torch

        from crossplate.correct.adversarial_training import Schedule, TrainingRows, train_networks
        from crossplate.correct.autoencoder_networks import AutoencoderSizes
        from crossplate.correct.network_training import (
            EpochReport,
            as_arrays,
            seeded,
            threads_for,
        )
        from crossplate.joint.inference import choose_device

        sizes = AutoencoderSizes(
            x.shape[1], len(self.batches_), tuple(self.hidden), self.code, place is not None
        )
        epochs = self._passes(self.epochs, PASSES, len(x))
        averaged = self.averaged_epochs
        schedule = Schedule(
            self._passes(self.pretrain_epochs, PRETRAIN_PASSES, len(x)),
            self.discriminator_epochs,
            epochs,
            max(1, epochs // 2) if averaged is None else averaged,
            self.discriminator_steps,
            self.batch_size,
            self.learning_rate,
            self.adversary,
        )
        device = choose_device(self.device)
        rows = TrainingRows(
            torch.from_numpy(self._standardised(x)).to(device, torch.float32),
            torch.from_numpy(np.searchsorted(self.batches_, batch)).to(device),
            None if place is None else torch.from_numpy(place).to(device, torch.float32),
        )
        generator = seeded(check_random_state(self.random_state), device)
        report = EpochReport(self.progress, schedule.total)
        with threads_for(min(len(x), self.batch_size) * sizes.largest_layer):
            weights = train_networks(rows, sizes, schedule, generator, report)
        kept = {name: value for name, value in weights.items() if name.split(".")[0] in KEPT}
        self.networks_ = as_arrays(kept)

    def _passes(self, given: int | None, usual: int, n_rows: int) -> int:
        """Passes asked for, or as many as make the usual number of steps."""
        if given is not None:
            return given
        a_pass = max(1.0, n_rows / max(self.batch_size, 1))
        return max(usual, round(usual * USUAL_STEPS / a_pass))

    def _correct(self, x: FloatArray, batch: Names) -> FloatArray:
        corrected = x.copy()
        if not self.networks_:
            return corrected
        import torch

        from crossplate.correct.autoencoder_networks import restored
        from crossplate.correct.network_training import computed
        from crossplate.joint.inference import choose_device

        origin = None if self.origin_ is None else torch.from_numpy(self.origin_)
        found = computed(
            partial(restored, origin=origin),
            self.networks_,
            self._standardised(x),
            choose_device(self.device),
        )
        varies = self.scale_ > 0.0
        corrected[:, varies] = (found * self.scale_ + self.mean_)[:, varies]
        return corrected

    def _standardised(self, x: FloatArray) -> FloatArray:
        varies = self.scale_ > 0.0
        return np.asarray((x - self.mean_) / np.where(varies, self.scale_, 1.0) * varies)


def _mean_and_sd(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of each feature; 0 for the latter where all but constant."""
    constant = np.ptp(x, axis=0) <= ROUNDING * np.abs(x).max(axis=0)
    return x.mean(axis=0), np.where(constant, 0.0, x.std(axis=0))


def _places(order: Any, batch: Names) -> FloatArray:
    """Place of each row in the run of its batch, from 0 to 1; in the middle if it is alone."""
    given = np.asarray(order)
    if given.shape != batch.shape or given.dtype.kind not in "iuf":
        raise InputError(
            f"order has shape {given.shape} and type {given.dtype} for {len(batch)} rows; give "
            "one number a row"
        )
    if not np.isfinite(given).all():
        raise InputError(
            f"{int((~np.isfinite(given)).sum())} rows have no injection order (first: row "
            f"{int(np.argmin(np.isfinite(given))) + 1}); give it for each, or order=None"
        )
    place = np.full(len(batch), MIDDLE)
    for _, rows in rows_by_batch(batch):
        if len(rows) > 1:
            place[rows] = (rankdata(given[rows]) - 1.0) / (len(rows) - 1)
    return place
