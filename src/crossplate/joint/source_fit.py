"""Cross-validated logistic regressions on the labelled rows, before anything else is trained.

They are convex and quick, so they can be fitted many times over, and tell what the networks cannot:
how strong the ridge on the discriminator should be, whether it should hold back all features alike,
and how the scores of rows that were not learned from are distributed in each class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from crossplate.joint.feature_weights import feature_weights
from crossplate.joint.settings import JointSettings
from crossplate.rows import UNLABELLED

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

RIDGES = (300.0, 30.0, 3.0, 0.3)
"""From which the ridge is chosen: logistic regressions with C = 0.003 to 3. A finer grid of seven
or eight values gained nothing (docs/design/joint-model.md)."""
FOLDS = 5
MOST_ITERATIONS = 1000
TOLERANCE = 1e-3
"""Of the cross-validated fits, whose scores are compared with two digits."""

__all__ = ["SourceFit", "class_weights", "fit_source", "logistic_regression"]


@dataclass(frozen=True)
class SourceFit:
    """What logistic regressions say of the labelled rows.

    Parameters
    ----------
    ridge
        Strength with the least cross-validated loss.
    feature_weights
        What features are multiplied by under the ridge, shape (p,): ones, or those of
        :func:`crossplate.joint.feature_weights.feature_weights` where their loss is less.
    codes
        Class code of each labelled row, shape (n,).
    shares
        Class shares of the labelled subjects, batches counting alike, shape (C,).
    rows_a_subject
        Mean number of rows of a labelled subject.
    row_weights
        Weight of each labelled row in the loss, shape (n,): by its class, and subjects count alike.
    scores
        Of each labelled row when its subject was held out, shape (n, outputs).
    weight, bias
        The regression on all labelled rows, shapes (p, outputs) and (1, outputs).
    origin
        Where the labelled batches lay before they were standardised, their mean, shape (p,).
    """

    ridge: float
    feature_weights: FloatArray
    codes: IntArray
    shares: FloatArray
    rows_a_subject: float
    row_weights: FloatArray
    scores: FloatArray
    weight: FloatArray
    bias: FloatArray
    origin: FloatArray

    @property
    def subjects(self) -> float:
        """Labelled subjects."""
        return len(self.codes) / self.rows_a_subject


def fit_source(
    z: FloatArray,
    codes: IntArray,
    batch: IntArray,
    subject: npt.NDArray[np.str_] | None,
    settings: JointSettings,
    origin: FloatArray,
) -> SourceFit | None:
    """Choose ridge and feature weights and score the labelled rows, by cross-validation.

    Parameters
    ----------
    z
        Scaled rows, shape (n, p).
    codes
        Class code of each row, ``UNLABELLED`` for none, shape (n,).
    batch
        Batch code of each row, -1 for rows that are not used, shape (n,).
    subject
        Subject of each row; None takes each row for one.
    settings
        Class weights of the loss, and the ridge where it is given.
    origin
        Where the labelled batches lay before they were standardised, shape (p,).

    Returns
    -------
    None where a class has fewer than two subjects, and where nothing is to be learned from labels
    (no classification loss, a ridge of 0).
    """
    rows = np.flatnonzero((codes != UNLABELLED) & (batch >= 0))
    y, who = codes[rows], rows.astype(str) if subject is None else subject[rows]
    subjects = [len(np.unique(who[y == code])) for code in range(int(y.max()) + 1)]
    if min(subjects) < 2 or settings.ridge == 0.0 or not settings.gamma:
        return None
    z = z[rows]
    splits = list(
        StratifiedGroupKFold(min(FOLDS, *subjects), shuffle=True, random_state=0).split(z, y, who)
    )
    if any(len(np.unique(y[learned])) < len(subjects) for learned, _ in splits):
        return None
    weights = class_weights(y, settings)
    counts = _of_each(who)
    row_weights = np.array(list(weights.values()))[y] / counts
    ridges = RIDGES if settings.ridge is None else (settings.ridge,)
    alike = _fewer_dimensions(z)[0]
    as_they_are = [(alike, *split) for split in splits]
    weighted = [
        (_fewer_dimensions(z * feature_weights(z[its], y[its], who[its]))[0], its, tested)
        for its, tested in splits
    ]
    plain = _cross_validated(as_they_are, y, weights, row_weights, ridges)
    adaptive = _cross_validated(weighted, y, weights, row_weights, ridges)
    best, counted = plain, np.ones(z.shape[1])
    if adaptive.loss < plain.loss:
        best, counted = adaptive, feature_weights(z, y, who)
    x, back = _fewer_dimensions(z * counted)
    model = logistic_regression(best.ridge, weights).fit(x, y)
    return SourceFit(
        best.ridge,
        counted,
        y,
        _shares(y, batch[rows], 1.0 / counts),
        len(rows) / len(np.unique(who)),
        row_weights,
        best.scores,
        counted[:, None] * (back.T @ model.coef_.T),
        model.intercept_[None],
        origin,
    )


@dataclass(frozen=True)
class _Validated:
    """Ridge of the least cross-validated loss, that loss, and the scores of held-out rows."""

    ridge: float
    loss: float
    scores: FloatArray


def _cross_validated(
    folds: list[tuple[FloatArray, IntArray, IntArray]],
    y: IntArray,
    weights: dict[int, float],
    row_weights: FloatArray,
    ridges: Sequence[float],
) -> _Validated:
    """Best of some ridges, the strongest first; a fold is rows, those learned, those tested."""
    best = _Validated(0.0, np.inf, np.empty((0, 0)))
    n_classes = len(weights)
    # each fold's solution is the start of the next, weaker ridge
    models = [logistic_regression(ridges[0], weights, TOLERANCE) for _ in folds]
    for ridge in ridges:
        found = np.zeros((len(y), 1 if n_classes == 2 else n_classes))
        for model, (x, learned, tested) in zip(models, folds, strict=True):
            model.set_params(C=1.0 / ridge).fit(x[learned], y[learned])
            found[tested] = model.decision_function(x[tested]).reshape(len(tested), -1)
        loss = float(np.average(_losses(found, y), weights=row_weights))
        if loss > best.loss:
            break
        best = _Validated(ridge, loss, found)
    return best


def class_weights(codes: IntArray, settings: JointSettings) -> dict[int, float]:
    """Weight of a row of each class in the loss, their mean being 1."""
    counts = np.bincount(codes)
    shares = counts ** (1.0 - settings.class_balance)
    values = counts**-settings.class_balance * len(codes) / shares.sum()
    return dict(enumerate(values.tolist()))


def logistic_regression(
    ridge: float, weights: dict[int, float], tolerance: float = 1e-4
) -> LogisticRegression:
    """Regression with the ridge of :class:`crossplate.joint.settings.JointSettings`, to be fitted.

    Fitted again, it starts from where it was.
    """
    return LogisticRegression(
        C=1.0 / ridge,
        class_weight=weights,
        max_iter=MOST_ITERATIONS,
        tol=tolerance,
        warm_start=True,
    )


def _fewer_dimensions(z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Rows in as many dimensions as they span, and the way back, shape (dimensions, p).

    A ridge does not change when the axes are turned, so the solution is the same.
    """
    n, p = z.shape
    if p <= n:
        return z, np.eye(p)
    left, scale, right = np.linalg.svd(z, full_matrices=False)
    return left * scale, right


def _losses(scores: FloatArray, codes: IntArray) -> FloatArray:
    """Cross entropy of each row."""
    both = np.concatenate([0.0 * scores, scores], axis=1) if scores.shape[1] == 1 else scores
    highest = both.max(axis=1, keepdims=True)
    total = highest[:, 0] + np.log(np.exp(both - highest).sum(axis=1))
    return np.asarray(total - both[np.arange(len(codes)), codes])


def _of_each(who: npt.NDArray[np.str_]) -> IntArray:
    """Rows that each row's subject has."""
    _, place, counts = np.unique(who, return_inverse=True, return_counts=True)
    return np.asarray(counts[place])


def _shares(codes: IntArray, batch: IntArray, weights: FloatArray) -> FloatArray:
    found = [
        np.bincount(codes[batch == one], weights[batch == one], minlength=int(codes.max()) + 1)
        for one in np.unique(batch)
    ]
    return np.asarray(np.mean([each / each.sum() for each in found], axis=0))
