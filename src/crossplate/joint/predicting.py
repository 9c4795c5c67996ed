"""What a fitted model computes of rows: each with its batch's statistics and offsets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from crossplate.joint.batches import batches_of_rows
from crossplate.joint.offsets import CENTRE, offsets_of, share_scores, to_probabilities
from crossplate.joint.stored_model import Compute, in_blocks
from crossplate.scaling import PlateScaler
from crossplate.stored import stored_matrix

if TYPE_CHECKING:
    from crossplate.joint.classifier import JointClassifier

FloatArray = npt.NDArray[np.float64]
Names = npt.NDArray[np.str_]

__all__ = ["member_probabilities", "of_rows"]


def of_rows(model: JointClassifier, X: Any, batch: Any, compute: Compute) -> npt.NDArray[Any]:
    """What is computed of rows and their batches, a block at a time where X is large.

    Parameters
    ----------
    model
        Fitted.
    X, batch
        As in :meth:`crossplate.JointClassifier.predict_proba`.
    compute
        From a scaler that knows all batches, rows and their batches: one result a row.
    """
    check_is_fitted(model, "weights_")
    matrix = stored_matrix(X)
    if matrix is not None and matrix.is_large:
        model.validated(matrix.framed(0, 2), reset=False)
        return in_blocks(model, matrix, batch, compute)
    x = model.validated(X, reset=False)
    names = _batches(model, batch, len(x))
    scaler = model.scaler_
    return compute(scaler.knowing(x, names) if scaler.per_batch else scaler, x, names)


def member_probabilities(model: JointClassifier, X: Any, batch: Any) -> FloatArray:
    """Class probabilities by each member, before any temperature.

    Parameters
    ----------
    model, X, batch
        As in :func:`of_rows`.

    Returns
    -------
    Shape (members, n, C).
    """
    networks, weights = model.networks, model.weights_
    origins: dict[str, FloatArray] = {}

    def compute(scaler: PlateScaler, x: FloatArray, names: Names) -> FloatArray:
        z = scaler.scale(x, names)
        scores = networks.scores(z).swapaxes(0, 1)
        if CENTRE not in weights:
            return scores[:, None]
        for name in set(names.tolist()) - set(model.offsets_):
            origins[name] = scaler.origin(scaler.statistics_[name])
        return np.stack([scores, share_scores(z, weights).swapaxes(0, 1)], axis=1)

    found = of_rows(model, X, batch, compute).transpose(1, 2, 0, 3)
    scores = found[0]
    proba = to_probabilities(scores)
    if CENTRE not in weights:
        return proba
    names = _batches(model, batch, scores.shape[1])
    sure = set(model.labelled_batches_.tolist()) - set(model.offsets_)
    for name in set(names.tolist()) - sure:
        its = names == name
        offsets = model.offsets_.get(name)
        if offsets is None:
            offsets = offsets_of(scores[:, its], found[1][:, its], weights, origins[name])
        proba[:, its] = offsets.probabilities(scores[:, its])
    return proba


def _batches(model: JointClassifier, batch: Any, n_rows: int) -> Names:
    known = model.scaler_.statistics_ if model.scaler_.per_batch else None
    return batches_of_rows(batch, n_rows, model.batches_, model.default_batch_, known)
