"""Whether there is a batch effect at all, before calibration."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crossplate.errors import InputError
from crossplate.evaluate.scores import Labels
from crossplate.evaluate.trust.check import TrustCheck
from crossplate.evaluate.trust.units import Floats, units_of
from crossplate.kernels import median_bandwidths, squared_distances
from crossplate.rows import batch_names
from crossplate.scaling import PlateScaler

NAME = "batch_effect"
FIGURE = "permutation p of the MMD between batches, before calibration"
LEVEL = 0.01
N_PERMUTATIONS = 499
MOST_UNITS = 1000
COLUMNS = 1000
"""Columns of permuted batches in one product."""
FEWEST_UNITS = 10
"""In a batch; fewer show no batch effect but the grossest, and its absence means nothing."""

__all__ = ["check_batch_effect", "mmd_p_value"]


def check_batch_effect(
    x: ArrayLike | None, batch: Labels, subject: Labels | None = None, *, random_state: int = 0
) -> TrustCheck:
    """Check whether batches differ at all; where they do not, calibration can only do harm.

    Measurements as they came are put on one scale over all batches (logs where they help) and
    averaged over each subject's rows; `mmd_p_value` compares all batches. A p-value of `LEVEL` or
    more is "look". Batches that differ in their class shares differ too, so a batch effect that
    was found may be one of label shift.

    Parameters
    ----------
    x
        Measurements before any correction, shape (n, p); NaN is missing. None: there are none.
    batch, subject
        Of each row, shape (n,).
    random_state
        Seed of the permutations (and of the subjects taken where there are more than
        `MOST_UNITS`).

    Returns
    -------
    TrustCheck
        Not applicable without measurements, or unless two batches have `FEWEST_UNITS` subjects;
        smaller ones are left out.

    Raises
    ------
    InputError
        If shapes do not fit or a value is infinite.
    """
    if x is None:
        reason = "No measurements as they came were given."
        return TrustCheck.not_applicable(NAME, FIGURE, reason)
    column = np.asarray(batch, dtype=object)
    names = batch_names(column, len(column))
    values = np.asarray(x, dtype=np.float64)
    if values.ndim != 2 or len(values) != len(names) or np.isinf(values).any():
        raise InputError(
            f"x has shape {values.shape}, {int(np.isinf(values).sum())} values of it infinite; "
            f"give finite measurements of {len(names)} rows, as in batch."
        )
    units = units_of(names, subject)
    numbers = np.unique(names[units.first], return_inverse=True)[1]
    rng = np.random.default_rng(random_state)
    taken = np.sort(rng.permutation(len(numbers))[:MOST_UNITS])
    large = np.flatnonzero(np.bincount(numbers[taken]) >= FEWEST_UNITS)
    taken = taken[np.isin(numbers[taken], large)]
    if len(large) < 2:
        reason = f"Fewer than two batches have {FEWEST_UNITS} subjects, too few to compare them."
        return TrustCheck.not_applicable(NAME, FIGURE, reason)
    one_scale = np.full(len(names), "all")
    scaler = PlateScaler().fit(values, one_scale, np.ones(len(names), dtype=bool))
    scaled = units.mean(scaler.scale(values, one_scale))[taken]
    p_value = mmd_p_value(scaled, numbers[taken], rng)
    details = {"batches": len(large), "subjects": len(taken)}
    if p_value < LEVEL:
        advice = f"The batches differ (p = {p_value:.3f}), so there is something to calibrate."
        return TrustCheck(NAME, "ok", p_value, FIGURE, LEVEL, advice, details)
    advice = (
        f"No batch effect can be detected (p = {p_value:.2f}): calibration is not needed, compare "
        "with a plain classifier on the measurements as they are."
    )
    return TrustCheck(NAME, "look", p_value, FIGURE, LEVEL, advice, details)


def mmd_p_value(x: Floats, batch: NDArray[np.int64], rng: np.random.Generator) -> float:
    """Permutation p-value of equal distributions in all batches.

    The statistic is the sum over batches of rows times the squared distance of the batch's kernel
    mean to that of all rows: for two batches their MMD², apart from a factor.

    Parameters
    ----------
    x
        Independent rows on one scale, shape (n, p).
    batch
        Batch number of each row, shape (n,).
    rng
        Draws the permutations.

    Returns
    -------
    (1 + k) / (1 + n), k counting the permutations with at least the observed statistic.
    """
    kernel = _centred_kernel(x)
    inside = (batch[:, None] == np.unique(batch)).astype(np.float64)
    inside /= np.sqrt(inside.sum(axis=0))
    orders = [np.arange(len(x))] + [rng.permutation(len(x)) for _ in range(N_PERMUTATIONS)]
    together = max(1, COLUMNS // inside.shape[1])
    found = []
    for start in range(0, len(orders), together):
        # One product for many permutations is several times as fast as one for each.
        shares = np.concatenate([inside[order] for order in orders[start : start + together]], 1)
        parts = (shares * (kernel @ shares)).sum(axis=0)
        found.append(parts.reshape(-1, inside.shape[1]).sum(axis=1))
    statistic = np.concatenate(found)
    at_least = int((statistic[1:] >= statistic[0] * (1 - 1e-9)).sum())
    return (1 + at_least) / (1 + N_PERMUTATIONS)


def _centred_kernel(x: Floats) -> Floats:
    distances = squared_distances(x, x)
    kernel = np.zeros_like(distances)
    for width in median_bandwidths(x):
        kernel += np.exp(distances / (-2.0 * float(width) ** 2))
    kernel -= kernel.mean(axis=0)
    kernel -= kernel.mean(axis=1, keepdims=True)
    return np.asarray(kernel, dtype=np.float64)
