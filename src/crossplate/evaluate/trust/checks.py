"""All trust checks of a study at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from crossplate.errors import InputError
from crossplate.evaluate.scores import Labels
from crossplate.evaluate.trust.batch_difference import check_batch_effect
from crossplate.evaluate.trust.check import TrustCheck
from crossplate.evaluate.trust.confounding import check_confounding
from crossplate.evaluate.trust.label_shift import check_label_shift
from crossplate.evaluate.trust.overcorrection import check_overcorrection
from crossplate.evaluate.trust.precision import check_precision
from crossplate.evaluate.trust.run_order import check_run_order
from crossplate.evaluate.trust.shared_subjects import check_shared_subjects
from crossplate.evaluate.trust.single_feature import check_single_feature
from crossplate.evaluate.trust.support import check_support

__all__ = ["run_checks"]


def run_checks(
    *,
    batch: Labels,
    label: Labels,
    target: ArrayLike,
    subject: Labels | None = None,
    x: ArrayLike | None = None,
    z: pd.DataFrame | ArrayLike | None = None,
    calibrated: ArrayLike | None = None,
    proba: pd.DataFrame | None = None,
    order: ArrayLike | None = None,
    random_state: int = 0,
) -> list[TrustCheck]:
    """Make all trust checks; those whose input is missing say so.

    Parameters
    ----------
    batch
        Batch of each row, shape (n,).
    label
        Label of each row, shape (n,), missing (None, NaN, NA) where unknown. Labels of target
        rows are not read.
    target
        True for rows of the target, boolean, shape (n,); all others are the source.
    subject
        Subject of each row, shape (n,), so that replicates do not count as evidence of their own;
        None: each row is a subject.
    x
        Measurements before any correction, shape (n, p); NaN is missing.
    z
        Measurements standardised within each batch, shape (n, p), no missing value; a DataFrame
        gives the features their names.
    calibrated
        Measurements after calibration, or codes, shape (n, q), no missing value.
    proba
        Class probabilities, shape (n, K), columns named by class: source rows from
        cross-validation, target rows from the model, NaN where there are none.
    order
        Run order of each row, numbers, shape (n,).
    random_state
        Seed of bootstraps, permutations and folds.

    Returns
    -------
    Nine checks, always in the same order: confounding, shared_subjects, label_shift,
    single_feature, run_order, overcorrection, batch_effect, support, precision.

    Raises
    ------
    InputError
        If shapes do not fit or values that must be there are missing.
    """
    rows = np.asarray(target)
    labels = np.array(pd.Series(label, dtype=object), dtype=object)
    if rows.dtype != np.bool_ or rows.shape != labels.shape:
        raise InputError(
            f"target has shape {rows.shape} and type {rows.dtype}; give one boolean for each of "
            f"the {len(labels)} labels."
        )
    labels[rows] = None
    seed = {"random_state": random_state}
    return [
        check_confounding(batch, labels, subject, **seed),
        check_shared_subjects(rows, batch, subject, z),
        check_label_shift(proba, rows, batch, labels, subject, **seed),
        check_single_feature(z, proba, rows, batch, labels, subject, **seed),
        check_run_order(order, batch, labels, subject, **seed),
        check_overcorrection(z, calibrated, rows, batch, labels, subject, **seed),
        check_batch_effect(x, batch, subject, **seed),
        check_support(z if calibrated is None else calibrated, rows, batch, subject, **seed),
        check_precision(proba, rows, batch, labels, subject),
    ]
