"""Class scores of batches without labels, moved to where the batch's class shares put them.

Each batch is standardised with its own statistics, so its mean stands at zero whatever its class
shares are. A classifier that learned where 30% are cases then puts the boundary at the wrong place
where 70% are, and an overfitted one exaggerates: the mean of its scores follows its training rows,
which it separates too well. So the mean of a batch's scores is put where it belongs with the shares
that the scores' shape tells (:mod:`crossplate.joint.class_shares`): at the mean that equal classes
of the source have, plus what the shares make of the distance of the classes' held-out scores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax

from crossplate.joint.class_shares import ClassShape, Drift
from crossplate.joint.minibatches import Member
from crossplate.joint.source_fit import SourceFit

if TYPE_CHECKING:
    from crossplate.joint.inference import TrainedNetworks

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Arrays = Mapping[str, npt.NDArray[np.float32]]

CENTRE = "scores.centre"
"""Name of the balanced mean scores among a model's arrays, shape (members, outputs)."""
WEIGHT, BIAS = "shares.weight", "shares.bias"
"""The regression whose scores tell the shares, shapes (members, p, outputs), (members, outputs)."""
PARTS = ("mean", "covariance", "expected", "rows_a_subject")
ORIGIN, SUBJECTS = "shares.origin", "shares.subjects"
"""Where the labelled batches lay before they were standardised, shape (members, p), and their
subjects, (members,)."""
SHAPE = tuple(f"shares.{part}" for part in PARTS)
"""Its scores in each class: the parts of a ``ClassShape``."""
WAY = 0.5
"""Without a regression, how far scores are moved to those of equal classes."""

__all__ = [
    "CENTRE",
    "ORIGIN",
    "SUBJECTS",
    "Offsets",
    "balanced_centres",
    "offset_arrays",
    "offset_probabilities",
    "offsets_of",
    "share_scores",
    "slope",
    "to_probabilities",
]


def offset_arrays(
    networks: TrainedNetworks, z: FloatArray, members: Sequence[Member]
) -> dict[str, npt.NDArray[np.float32]]:
    """What offsets are computed from, as arrays of a model with a leading member axis.

    Parameters
    ----------
    networks
        Trained members.
    z
        Scaled rows, shape (n, p).
    members
        Labels, batches, training rows and the source's fit of each member.

    Returns
    -------
    Zeros for a member whose source could not be cross-validated; without any other member the
    balanced mean scores alone.
    """
    found = {CENTRE: balanced_centres(networks, z, members)}
    fits = [member.source for member in members]
    known = {id(fit): _arrays_of(fit) for fit in fits if fit is not None}
    if not known:
        return found
    absent = {name: 0.0 * value for name, value in next(iter(known.values())).items()}
    each = [known.get(id(fit), absent) for fit in fits]
    return found | {name: np.stack([its[name] for its in each]) for name in absent}


def _arrays_of(fit: SourceFit) -> dict[str, npt.NDArray[np.float32]]:
    shape = ClassShape.of(fit)
    values = {WEIGHT: fit.weight, BIAS: fit.bias[0], ORIGIN: fit.origin, SUBJECTS: fit.subjects}
    values |= {name: getattr(shape, part) for name, part in zip(SHAPE, PARTS, strict=True)}
    return {name: np.asarray(value, dtype=np.float32) for name, value in values.items()}


def balanced_centres(
    networks: TrainedNetworks, z: FloatArray, members: Sequence[Member]
) -> npt.NDArray[np.float32]:
    """Mean score of the labelled training rows of each member, all classes counting the same.

    Parameters
    ----------
    networks
        Trained members.
    z
        Scaled rows, shape (n, p).
    members
        Labels, batches and training rows of each member.

    Returns
    -------
    Mean over labelled batches, shape (members, outputs).
    """
    taught = [member.training[member.classes[member.training] >= 0] for member in members]
    rows = np.unique(np.concatenate(taught))
    scores = networks.scores(z[rows])
    centres = [
        _balanced_mean(
            scores[place][np.searchsorted(rows, own)], member.classes[own], member.batch[own]
        )
        for place, (member, own) in enumerate(zip(members, taught, strict=True))
    ]
    return np.array(centres, dtype=np.float32)


def _balanced_mean(scores: FloatArray, classes: IntArray, batch: IntArray) -> FloatArray:
    found = []
    for number in np.unique(batch):
        its, codes = scores[batch == number], classes[batch == number]
        found.append(np.mean([its[codes == c].mean(axis=0) for c in np.unique(codes)], axis=0))
    return np.asarray(np.mean(found, axis=0))


def share_scores(z: FloatArray, arrays: Arrays) -> FloatArray:
    """Scores of scaled rows that tell the class shares, shape (members, n, outputs).

    Zeros for members that have no regression for them.
    """
    if WEIGHT not in arrays:
        members, outputs = arrays[CENTRE].shape
        return np.zeros((members, len(z), outputs))
    weight, bias = arrays[WEIGHT].astype(float), arrays[BIAS].astype(float)
    return np.asarray(z @ weight + bias[:, None])


@dataclass(frozen=True)
class Offsets:
    """What may have to be added to the class scores of a batch, and how likely each is.

    Parameters
    ----------
    moves
        Shape (members, K, outputs).
    likelihood
        Adding to 1 for each member, shape (members, K).
    """

    moves: FloatArray
    likelihood: FloatArray

    @classmethod
    def sure(cls, moves: FloatArray) -> Offsets:
        """The one offset there is, shape (members, outputs)."""
        return cls(moves[:, None], np.ones((len(moves), 1)))

    @property
    def mean(self) -> FloatArray:
        """What is to be expected, shape (members, outputs)."""
        return np.asarray((self.likelihood[:, :, None] * self.moves).sum(axis=1))

    def probabilities(self, scores: FloatArray) -> FloatArray:
        """Class probabilities, shapes (members, n, outputs) → (members, n, classes)."""
        return np.asarray(
            sum(
                its[:, None, None] * to_probabilities(scores + move[:, None])
                for move, its in zip(self.moves.swapaxes(0, 1), self.likelihood.T, strict=True)
            )
        )


def offsets_of(
    scores: FloatArray, telling: FloatArray, arrays: Arrays, origin: FloatArray
) -> Offsets:
    """What may be added to the scores of one batch without labels.

    Parameters
    ----------
    scores
        Of all its rows, shape (members, n, outputs).
    telling
        Scores of the same rows that tell the class shares (:func:`share_scores`).
    arrays
        Of the model, those of :func:`offset_arrays` among them.
    origin
        Where the batch lay before it was standardised, shape (p,)
        (:meth:`crossplate.scaling.PlateScaler.origin`).
    """
    to_centre = arrays[CENTRE].astype(float) - scores.mean(axis=1)
    told: dict[bytes, tuple[FloatArray, FloatArray]] = {}
    found: list[tuple[FloatArray, FloatArray] | None] = []
    for place, (own, its) in enumerate(zip(scores, telling, strict=True)):
        if not its.any():
            found.append(None)
            continue
        key = its.tobytes()
        if key not in told:
            shape = _shape_at(place, arrays)
            drift = _drift_at(place, arrays, origin, len(its) / shape.rows_a_subject)
            told[key] = shape.means_of_uneven(its, drift)
        means, likelihood = told[key]
        found.append((to_centre[place] + slope(own, its) * means, likelihood))
    if not told:
        return Offsets.sure(WAY * to_centre)
    n_values = len(next(iter(told.values()))[1])
    alone = np.full(n_values, 1.0 / n_values)
    each = [
        (np.tile(WAY * centre, (n_values, 1)), alone) if its is None else its
        for its, centre in zip(found, to_centre, strict=True)
    ]
    return Offsets(np.array([values for values, _ in each]), np.array([its for _, its in each]))


def _shape_at(place: int, arrays: Arrays) -> ClassShape:
    mean, covariance, expected, rows = (arrays[name][place].astype(float) for name in SHAPE)
    return ClassShape(mean, covariance, expected, float(rows))


def _drift_at(place: int, arrays: Arrays, origin: FloatArray, subjects: float) -> Drift | None:
    if ORIGIN not in arrays:  # models of format 4 and before
        return None
    chance = 1.0 / subjects + 1.0 / float(arrays[SUBJECTS][place])
    shift = origin - arrays[ORIGIN][place].astype(float)
    return Drift.of(shift, arrays[WEIGHT][place].astype(float), chance)


def slope(scores: FloatArray, telling: FloatArray) -> float:
    """How much further apart scores are than others of the same rows.

    Parameters
    ----------
    scores, telling
        Shape (n, outputs).

    Returns
    -------
    Least squares, both about their means and, of several outputs, about each row's; 0 where the
    others do not vary.
    """
    away, other = scores - scores.mean(axis=0), telling - telling.mean(axis=0)
    if scores.shape[1] > 1:
        away = away - away.mean(axis=1, keepdims=True)
        other = other - other.mean(axis=1, keepdims=True)
    spread = float((other * other).sum())
    return float((away * other).sum()) / spread if spread else 0.0


def offset_probabilities(
    scores: FloatArray,
    telling: FloatArray,
    batch: IntArray,
    arrays: Arrays,
    origins: FloatArray,
) -> FloatArray:
    """Class probabilities of rows of batches without labels, each batch with its own offsets.

    Parameters
    ----------
    scores, telling, arrays
        As in :func:`offsets_of`, for rows of several batches.
    batch
        Batch code of each row, shape (n,).
    origins
        Where each batch lay, shape (K, p).

    Returns
    -------
    Shape (members, n, classes).
    """
    found = np.empty((*scores.shape[:2], max(2, scores.shape[2])))
    for one in np.unique(batch):
        its = batch == one
        offsets = offsets_of(scores[:, its], telling[:, its], arrays, origins[one])
        found[:, its] = offsets.probabilities(scores[:, its])
    return found


def to_probabilities(scores: FloatArray) -> FloatArray:
    """Class probabilities of scores, shapes (…, outputs) → (…, classes)."""
    if scores.shape[-1] == 1:
        second = expit(scores)
        return np.concatenate([1.0 - second, second], axis=-1)
    return np.asarray(softmax(scores, axis=-1))
