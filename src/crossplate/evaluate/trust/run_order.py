"""Whether the classes were measured one after the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from crossplate.errors import InputError
from crossplate.evaluate.scores import Labels
from crossplate.evaluate.trust.check import TrustCheck, graded
from crossplate.evaluate.trust.ranks import feature_auc
from crossplate.evaluate.trust.units import Floats, Ints, label_codes, units_of
from crossplate.rows import batch_names

NAME = "run_order"
FIGURE = "AUC of the run order for the label, within batches"
LOOK_AUC = 0.6
"""What significance alone would report in large studies is no matter below this."""
STOP_AUC = 0.9
LEVEL = 0.01
N_PERMUTATIONS = 999

__all__ = ["check_run_order"]


def check_run_order(
    order: ArrayLike | None,
    batch: Labels,
    label: Labels,
    subject: Labels | None = None,
    *,
    random_state: int = 0,
) -> TrustCheck:
    """Check whether the run order separates the classes within batches.

    Drift of the instrument then looks like the label. The figure is the AUC of the order for the
    label, 0.5 to 1 whichever class came first, mean over labelled batches weighted by subjects
    (more than two classes: mean of one against the rest). Significance comes from shuffling labels
    among the subjects of each batch, of the sum over batches of the Kruskal-Wallis statistic.
    "look" needs an AUC of `LOOK_AUC` and significance at `LEVEL`, "stop" `STOP_AUC`. A class that
    was measured in the middle of the others is not noticed.

    Parameters
    ----------
    order
        Run order (or time) of each row, numbers, shape (n,); NaN where unknown. A subject's place
        is the mean of its rows. None: not known at all.
    batch, label, subject
        Of each row, shape (n,); labels missing where unknown or not to be read.
    random_state
        Seed of the shuffles.

    Returns
    -------
    TrustCheck
        Not applicable without an order, or where no batch has two classes with a known order.

    Raises
    ------
    InputError
        If the lengths differ or the order is not a number a row.
    """
    if order is None:
        reason = "No run order was given, so drift cannot be told from the label."
        return TrustCheck.not_applicable(NAME, FIGURE, reason)
    codes = label_codes(label)[1]
    try:
        numbers = np.asarray(order, dtype=np.float64)
    except (TypeError, ValueError):
        numbers = np.empty(0)
    if numbers.shape != codes.shape:
        raise InputError(f"The run order must be {len(codes)} numbers, one a row, NaN if unknown.")
    rows = np.flatnonzero(np.isfinite(numbers) & (codes >= 0))
    names = batch_names(batch, len(codes))[rows]
    units = units_of(batch, subject, codes, rows)
    place, its_codes = units.mean(numbers[rows]), codes[rows][units.first]
    parts = [
        (place[own], np.unique(its_codes[own], return_inverse=True)[1])
        for own in (names[units.first] == name for name in np.unique(names))
        if len(np.unique(its_codes[own])) > 1
    ]
    if not parts:
        reason = "No batch holds two classes with a known run order."
        return TrustCheck.not_applicable(NAME, FIGURE, reason)
    auc = float(np.average([_auc(p, c) for p, c in parts], weights=[len(c) for _, c in parts]))
    p_value = _p_value(parts, np.random.default_rng(random_state))
    details = {"p_value": p_value, "batches": len(parts), "subjects": sum(len(c) for _, c in parts)}
    verdict = graded(auc, LOOK_AUC, STOP_AUC, p_value < LEVEL)
    if verdict == "ok":
        advice = f"The run order does not go with the label (AUC {auc:.2f}): nothing to do."
    else:
        advice = (
            f"The classes were measured at different times within batches (AUC {auc:.2f}), so "
            "drift looks like the label: correct it with QC samples, or measure again in random "
            "order."
        )
    return TrustCheck(NAME, verdict, auc, FIGURE, LOOK_AUC, advice, details)


def _auc(place: Floats, codes: Ints) -> float:
    auc = feature_auc(place[:, None], codes, int(codes.max()) + 1)
    return float(np.maximum(auc, 1.0 - auc).mean())


def _p_value(parts: list[tuple[Floats, Ints]], rng: np.random.Generator) -> float:
    observed, shuffled = 0.0, np.zeros(N_PERMUTATIONS)
    for place, codes in parts:
        ranks = rankdata(place) - (len(place) + 1) / 2
        inside = np.eye(int(codes.max()) + 1)[codes]
        scale = inside.sum(axis=0) * max(ranks @ ranks, 1e-300) / len(place)
        drawn = rng.permuted(np.tile(ranks, (N_PERMUTATIONS, 1)), axis=1)
        observed += float(((ranks @ inside) ** 2 / scale).sum())
        shuffled += ((drawn @ inside) ** 2 / scale).sum(axis=1)
    return float((1 + (shuffled >= observed * (1 - 1e-9)).sum()) / (1 + N_PERMUTATIONS))
