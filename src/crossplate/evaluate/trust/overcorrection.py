"""Whether calibration has taken the label's signal away with the batch effect."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from crossplate.evaluate.scores import Labels
from crossplate.evaluate.trust.check import NO_Z, TrustCheck, graded
from crossplate.evaluate.trust.units import (
    Floats,
    Ints,
    fewest_subjects,
    finite_rows,
    folds,
    label_codes,
    units_of,
)

NAME = "overcorrection"
FIGURE = "balanced accuracy within the source lost by calibration"
LOOK_LOSS = 0.05
STOP_LOSS = 0.15
LEVEL = 0.01
LEAST_GAIN = 0.1
"""What the measurements must reach above chance before there is a signal to lose."""
N_SPLITS = 5
C = 0.1
"""Penalty of the logistic regression, that of the baseline it stands beside."""
MOST_UNITS = 1000

__all__ = ["check_overcorrection"]


def check_overcorrection(
    before: ArrayLike | None,
    after: ArrayLike | None,
    target: NDArray[np.bool_],
    batch: Labels,
    label: Labels,
    subject: Labels | None = None,
    *,
    random_state: int = 0,
) -> TrustCheck:
    """Check whether labels can be told within the source as well after calibration as before.

    A logistic regression is cross-validated on the labelled source subjects (means of their rows)
    on both, with the same folds. Significance is that of McNemar's exact test, one-sided: subjects
    right before and wrong after against the opposite. "look" needs a loss of `LOOK_LOSS` and
    significance at `LEVEL`, "stop" `STOP_LOSS`. Where the calibration itself was taught with the
    source's labels, ``after`` has seen them and the loss is underestimated.

    Parameters
    ----------
    before, after
        Measurements before and after calibration, shapes (n, p) and (n, q), no missing value.
        None: there are none.
    target
        True for rows of the target, shape (n,).
    batch, label, subject
        Of each row, shape (n,). Labels of target rows are not read.
    random_state
        Seed of the folds (and of the subjects taken where there are more than `MOST_UNITS`).

    Returns
    -------
    TrustCheck
        Not applicable without measurements on either side, with fewer than `N_SPLITS` subjects of
        a class, or without a signal before.

    Raises
    ------
    InputError
        If shapes do not fit or values are missing.
    """
    if before is None or after is None:
        reason = NO_Z if before is None else "No calibrated measurements were given."
        return TrustCheck.not_applicable(NAME, FIGURE, reason)
    codes = label_codes(label, ~target)[1]
    rows = np.flatnonzero(codes >= 0)
    units = units_of(batch, subject, codes, rows)
    known = codes[rows][units.first]
    tables = [
        units.mean(finite_rows(values, len(codes), what)[rows])
        for values, what in ((before, "before"), (after, "after"))
    ]
    taken = np.random.default_rng(random_state).permutation(len(known))[:MOST_UNITS]
    known, who = known[taken], units.subject[taken]
    if fewest_subjects(known, who) < N_SPLITS:
        reason = (
            f"Fewer than {N_SPLITS} labelled source subjects of a class are too few to compare "
            "the label's signal before and after calibration."
        )
        return TrustCheck.not_applicable(NAME, FIGURE, reason)
    right = [_right(table[taken], known, who, random_state) for table in tables]
    was, became = (_balanced(hits, known) for hits in right)
    lost, gained = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    p_value = float(binom.sf(lost - 1, lost + gained, 0.5)) if lost else 1.0
    details = {"before": was, "after": became, "p_value": p_value, "subjects": len(known)}
    if was < 1 / len(np.unique(known)) + LEAST_GAIN:
        reason = (
            f"A linear model hardly tells the labels before calibration (balanced accuracy "
            f"{was:.2f}), so there is no signal to lose."
        )
        return TrustCheck(NAME, None, None, FIGURE, LOOK_LOSS, reason, details)
    loss = was - became
    verdict = graded(loss, LOOK_LOSS, STOP_LOSS, p_value < LEVEL)
    if verdict == "ok":
        advice = (
            f"Labels can be told after calibration as before (balanced accuracy {became:.2f} "
            f"against {was:.2f}): nothing to do."
        )
    else:
        advice = (
            f"Calibration takes the label's signal away (balanced accuracy within the source "
            f"{was:.2f} before, {became:.2f} after): calibrate less strongly."
        )
    return TrustCheck(NAME, verdict, loss, FIGURE, LOOK_LOSS, advice, details)


def _right(x: Floats, codes: Ints, subject: Ints, random_state: int) -> NDArray[np.bool_]:
    right = np.zeros(len(codes), dtype=bool)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=1000))
    for learned, tested in folds(codes, subject, N_SPLITS, random_state):
        called = model.fit(x[learned], codes[learned]).predict(x[tested])
        right[tested] = called == codes[tested]
    return right


def _balanced(right: NDArray[np.bool_], codes: Ints) -> float:
    return float(np.mean([right[codes == code].mean() for code in np.unique(codes)]))
