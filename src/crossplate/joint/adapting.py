"""A batch that arrives after the training, taken into a fitted model without its labels.

Whatever was trained stays as it is. The batch gets what each fitted batch has of its own: its
statistics, what is added to its class scores, and a reconstructor, which learns to restore its rows
from codes that do not change. Results of all other batches therefore stay what they were, bit for
bit, and rows of the new batch no longer depend on the rows they come with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from crossplate.errors import InputError
from crossplate.joint.inference import TrainedNetworks, choose_device
from crossplate.joint.minibatches import Member, Sampler, plan
from crossplate.joint.networks import calibrate
from crossplate.joint.offsets import CENTRE, Offsets, offsets_of, share_scores
from crossplate.joint.settings import JointSettings
from crossplate.joint.stack import Stack
from crossplate.joint.step import Step
from crossplate.joint.stored_model import with_new_batches
from crossplate.joint.stored_rows import BatchRows, coded_batches
from crossplate.joint.streaming import POOL_BYTES, SAMPLE_ROWS
from crossplate.joint.training import annealed
from crossplate.rows import UNLABELLED
from crossplate.scaling import BatchStatistics
from crossplate.stored import StoredMatrix

if TYPE_CHECKING:
    from crossplate.joint.classifier import JointClassifier

FloatArray = npt.NDArray[np.float64]
RECONSTRUCTOR = "reconstructor"
SHARE_OF_STEPS = 0.25
"""Steps that a reconstructor gets, as a share of those of a fit: it starts from a trained one, and
then restores new rows as well as one that got all steps and started from nothing."""

__all__ = ["Arrival", "arrivals", "check_batches", "one_a_row", "stored_arrivals", "take_up"]


@dataclass(frozen=True)
class Arrival:
    """One new batch.

    Parameters
    ----------
    name
        Of the batch.
    statistics
        Of all its rows.
    z
        Its scaled rows, or a sample of very many, shape (n, p).
    """

    name: str
    statistics: BatchStatistics
    z: FloatArray


def one_a_row(batch: Any, n_rows: int) -> Any:
    """Batch of each row, where all have one name and only that is given."""
    return np.full(n_rows, batch, dtype=object) if isinstance(batch, str) else batch


def check_batches(model: JointClassifier, rows: Mapping[str, int]) -> None:
    """Refuse what a model cannot adapt to.

    Parameters
    ----------
    model
        Fitted.
    rows
        New batch → its rows.

    Raises
    ------
    InputError
        A batch of ``fit``, a batch of one row, or a model that knows no single batches.
    """
    if not model.settings_.per_batch_statistics:
        raise InputError(
            "this model normalises all batches alike (preset='paper') and keeps nothing of a "
            "single one; predict the new batch without adapting, or fit preset='default'"
        )
    fitted = set(model.batches_.tolist()) - set(model.adapted_batches_.tolist())
    for name, count in rows.items():
        if name in fitted:
            raise InputError(
                f"batch {name!r} was in fit and stays as it was; give new batches names of "
                "their own, or fit again"
            )
        if count < 2:
            raise InputError(
                f"batch {name!r} has one row; its own statistics need at least 2 rows: give the "
                "whole plate"
            )


def arrivals(
    model: JointClassifier, x: FloatArray, names: npt.NDArray[np.str_]
) -> Iterator[Arrival]:
    """New batches of rows in memory.

    Parameters
    ----------
    model
        Fitted.
    x
        Measurements, shape (n, p).
    names
        Batch of each row, shape (n,).

    Raises
    ------
    InputError
        As :func:`check_batches`.
    """
    found, counts = np.unique(names, return_counts=True)
    check_batches(model, dict(zip(found.tolist(), counts.tolist(), strict=True)))
    scaler = copy(model.scaler_)
    own = {str(name): scaler.statistics_of(x[names == name]) for name in found}
    scaler.statistics_ = {**scaler.statistics_, **own}
    for name, statistics in own.items():
        its = names == name
        yield Arrival(name, statistics, scaler.scale(x[its], names[its]))


def stored_arrivals(model: JointClassifier, matrix: StoredMatrix, batch: Any) -> Iterator[Arrival]:
    """New batches of a stored matrix: statistics of all rows, scaled rows of a sample.

    Parameters
    ----------
    model
        Fitted.
    matrix
        The rows.
    batch
        Batch of each row, shape (n,).

    Raises
    ------
    InputError
        As :func:`check_batches`.
    """
    names, codes = coded_batches(batch, len(matrix))
    counts = np.bincount(codes, minlength=len(names))
    check_batches(model, dict(zip(names.tolist(), counts.tolist(), strict=True)))
    known = set(model.scaler_.statistics_) - set(names.tolist())
    scaler = with_new_batches(model, matrix, batch, known)
    most = max(2, min(SAMPLE_ROWS, int(POOL_BYTES // (4 * matrix.shape[1]))))
    for code, name in enumerate(names):
        _, x = BatchRows(matrix, codes, code, seed=0).take(min(most, int(counts[code])))
        z = scaler.scale(x, np.full(len(x), name))
        yield Arrival(str(name), scaler.statistics_[str(name)], z)


def take_up(model: JointClassifier, new: Iterable[Arrival]) -> None:
    """Give a model the statistics, offsets and reconstructors of new batches.

    Parameters
    ----------
    model
        Fitted; a batch that it was adapted to before gets these in place of its former ones.
    new
        The batches; each gets what it would get alone.
    """
    device = choose_device(model.device)
    networks = TrainedNetworks(model.architecture_, model.weights_, device)
    batches, weights = model.batches_.tolist(), dict(model.weights_)
    statistics, offsets = dict(model.scaler_.statistics_), dict(model.offsets_)
    for one in new:
        if one.name not in batches:
            batches.append(one.name)
        statistics[one.name] = one.statistics
        if CENTRE in weights:
            offsets[one.name] = _offsets(networks, one.z, model.scaler_.origin(one.statistics))
        if model.architecture_.n_batches:
            own = _trained_reconstructor(
                networks, batches.index(model.reference_batch_), one.z, model.settings_
            )
            place = batches.index(one.name)
            weights |= {name: _placed(weights[name], its, place) for name, its in own.items()}
    # all at once, so that a failure leaves the model as it was
    scaler = copy(model.scaler_)
    scaler.statistics_ = statistics
    model.scaler_, model.offsets_, model.weights_ = scaler, offsets, weights
    fitted = len(model.batches_) - len(model.adapted_batches_)
    model.batches_ = np.array(batches)
    model.adapted_batches_ = model.batches_[fitted:]
    if model.architecture_.n_batches:
        model.architecture_ = replace(model.architecture_, n_batches=len(batches))


def _offsets(networks: TrainedNetworks, z: FloatArray, origin: FloatArray) -> Offsets:
    """What may be added to the class scores of a batch of these scaled rows."""
    weights = networks.weights
    return offsets_of(networks.scores(z), share_scores(z, weights), weights, origin)


def _placed(
    every: npt.NDArray[np.float32], own: npt.NDArray[np.float32], place: int
) -> npt.NDArray[np.float32]:
    """Weights of all reconstructors with one at its place, shape (members, K, …)."""
    return np.concatenate([every[:, :place], own, every[:, place + 1 :]], axis=1)


@torch.no_grad()
def _trained_reconstructor(
    networks: TrainedNetworks, like: int, z: FloatArray, settings: JointSettings
) -> dict[str, npt.NDArray[np.float32]]:
    """Reconstructor of each member that restores rows from the codes of its trained calibrator.

    Parameters
    ----------
    networks
        The trained members.
    like
        Number of the fitted batch whose reconstructor it starts from.
    z
        Scaled rows of the batch, shape (n, p).
    settings
        Schedule, learning rate and weight decay, as in the fit.

    Returns
    -------
    Name → array, shape (members, 1, …). The draws of member k come from seed k, so that the same
    rows give the same weights.
    """
    device, alone = networks.device, replace(networks.architecture, n_batches=1)
    frozen = {name: torch.from_numpy(its).to(device) for name, its in networks.weights.items()}
    starts = {
        name: its[:, like : like + 1] for name, its in frozen.items() if RECONSTRUCTOR in name
    }
    n_members = len(networks.weights["calibrator.0.weight"])
    seeds = [seed for seed in range(n_members) if not _restores(networks, starts, seed)]
    if not seeds:
        return {name: its.cpu().numpy() for name, its in starts.items()}
    frozen = {name: its[seeds] for name, its in frozen.items()}
    members = [{name: its[seed] for name, its in starts.items()} for seed in seeds]
    stack = Stack(members, settings, [1.0 for _ in seeds], device)
    unused = torch.ones(1, 1, 1, device=device)
    step = Step(alone, unused, None, unused, unused, None, stack.weights, stack.gradients)
    order = plan(settings, [len(z)])
    epochs = -(-order.epochs // round(1 / SHARE_OF_STEPS))
    rows = np.arange(len(z))
    member = Member(np.full(len(z), UNLABELLED), np.zeros_like(rows), rows, rows[:0], 0)
    samplers = [Sampler(seed) for seed in seeds]
    for sampler in samplers:
        sampler.use(member, 1)
    x = torch.from_numpy(z.astype(np.float32)).to(device)
    for epoch in range(epochs):
        drawn = np.stack([sampler.epoch(order.steps, order.rows)[:, 0] for sampler in samplers])
        for number in range(order.steps):
            seen = x[torch.from_numpy(drawn[:, number]).to(device)]
            codes = calibrate(networks.architecture, frozen, seen)
            step.restoring(codes[:, None], seen[:, None])
            done = (epoch + number / order.steps) / epochs
            stack.step(annealed(settings.learning_rate, done))
    for name, its in stack.weights.items():
        starts[name] = starts[name].clone()
        starts[name][seeds] = its
    return {name: its.cpu().numpy() for name, its in starts.items()}


def _restores(networks: TrainedNetworks, starts: Mapping[str, Tensor], member: int) -> bool:
    """Whether a member's calibrator and reconstructor are the identity, so that nothing is left."""
    if not networks.architecture.residual:
        return False
    corrections = [
        networks.weights["calibrator.1.weight"][member],
        networks.weights["calibrator.1.bias"][member],
    ]
    corrections += [starts[f"reconstructor.1.{part}"][member] for part in ("weight", "bias")]
    return not any(its.any() for its in corrections)
