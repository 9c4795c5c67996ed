"""Linear members solved exactly: logistic regressions in the form of trained networks.

The steps of the training scale every weight by itself and so leave the space that the rows span;
with more features than rows that costs a linear classifier 3 points on simulated plates
(docs/design/joint-model.md). Where the calibrator stays the identity the problem is convex, and is
solved to the end instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from crossplate.joint.few_labels import batches_with_few, with_own_columns
from crossplate.joint.minibatches import Member
from crossplate.joint.settings import JointSettings
from crossplate.joint.source_fit import class_weights, logistic_regression

FloatArray = npt.NDArray[np.float64]
Weights = Mapping[str, npt.NDArray[np.float32]]

WEIGHT, BIAS = "discriminator.0.weight", "discriminator.0.bias"

__all__ = ["with_exact_heads"]


def with_exact_heads(
    weights: Weights, z: FloatArray, members: Sequence[Member], settings: JointSettings
) -> dict[str, npt.NDArray[np.float32]]:
    """Weights with the discriminators of linear members at the minimum of their loss.

    Parameters
    ----------
    weights
        Of all members, as trained, with linear discriminators.
    z
        Scaled rows, shape (n, p).
    members
        Labels and training rows of each member.
    settings
        Class weights of the loss, and the ridge of members without one of their own.

    Returns
    -------
    The same names and shapes. A member whose rows lack a class keeps what was trained, and so
    do all where there is no ridge or no classification loss.
    """
    exact = {name: value.copy() for name, value in weights.items()}
    solved: dict[tuple[bytes, ...], tuple[FloatArray, FloatArray] | None] = {}
    for place, member in enumerate(members):
        if not member.linear:
            continue
        rows = member.training[member.classes[member.training] >= 0]
        codes = member.classes[rows]
        batch = member.batch[rows]
        key = rows.tobytes(), codes.tobytes(), batch.tobytes()
        if key not in solved:
            few = batches_with_few(member.classes, member.batch)
            seen = z[rows] * member.feature_weights(z.shape[1])
            if member.places is not None:
                seen = with_own_columns(seen, batch, few)
            solved[key] = _solve(
                seen, codes, weights[BIAS].shape[-1], member.ridge_of(settings), settings
            )
        found = solved[key]
        if found is not None:
            counted = member.feature_weights(z.shape[1])
            exact[WEIGHT][place] = counted[:, None] * found[0][: z.shape[1]]
            exact[BIAS][place] = found[1]
    return exact


def _solve(
    z: FloatArray,
    codes: npt.NDArray[np.int64],
    n_outputs: int,
    ridge: float,
    settings: JointSettings,
) -> tuple[FloatArray, FloatArray] | None:
    """Weights (columns, outputs) and bias (1, outputs); None where a class is missing."""
    counts = np.bincount(codes, minlength=max(n_outputs, 2))
    if not (counts.all() and ridge and settings.gamma):
        return None
    model = logistic_regression(ridge, class_weights(codes, settings)).fit(z, codes)
    return model.coef_.T, model.intercept_[None]
