"""A few labels on a plate to be predicted: where its class scores stand, told by them.

The labelled rows of such a batch teach like any others. What they tell beyond that is the place of
the batch's scores, which without labels can only be guessed (:mod:`crossplate.joint.offsets`): the
correction of that guess under which scores of rows that were not learned from agree best with their
labels. Rows that were learned from would not do, since their scores agree whatever the place. In
training the scores of such a batch have a place of their own too, so that a difference in class
proportions, which moves all its scores, does not look like an error of the weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression

from crossplate.joint.class_shares import ClassShape, Drift
from crossplate.joint.offsets import WAY
from crossplate.joint.source_fit import SourceFit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

FOLDS = 5
PRIOR = 3.0
"""Precision of the guess without labels, as the curvature of a log-likelihood: that of 12 rows
whose class is open, so that five labels a class move it part of the way and fifty nearly all."""

OWN_COLUMN = 10.0
"""Height of the column that tells a batch from others: the ridge hardly holds its weight."""

__all__ = ["Guess", "batches_with_few", "correction", "own_places", "with_own_columns"]


def batches_with_few(codes: IntArray, batch: IntArray) -> IntArray:
    """Batches that are to be predicted although some of their rows have labels.

    Parameters
    ----------
    codes
        Class code of each row, negative for none, shape (n,).
    batch
        Batch code of each row, negative for rows that are not used, shape (n,).

    Returns
    -------
    Codes of the batches of which less than half has labels, other than the one with the most.
    """
    used = batch >= 0
    labelled = np.bincount(batch[used & (codes >= 0)], minlength=int(batch.max()) + 1)
    everything = np.bincount(batch[used], minlength=len(labelled))
    few = (labelled > 0) & (2 * labelled < everything)
    few[labelled.argmax()] = False
    return np.flatnonzero(few)


def with_own_columns(z: FloatArray, batch: IntArray, few: IntArray) -> FloatArray:
    """Rows with a column behind for each of some batches, shape (n, p + batches)."""
    return np.concatenate([z, OWN_COLUMN * (batch[:, None] == few)], axis=1)


def own_places(z: FloatArray, codes: IntArray, batch: IntArray, ridge: float) -> FloatArray:
    """What a logistic regression adds to the scores of each batch with a few labels.

    Parameters
    ----------
    z, codes, batch, ridge
        As in :func:`correction`.

    Returns
    -------
    Shape (batches, outputs), 0 for all other batches.
    """
    n_classes = int(codes.max()) + 1
    few = batches_with_few(codes, batch)
    found = np.zeros((int(batch.max()) + 1, 1 if n_classes == 2 else n_classes))
    taught = (codes >= 0) & (batch >= 0)
    if len(few) and _teach_all(codes, batch, n_classes):
        model = _regression(ridge)
        model.fit(with_own_columns(z[taught], batch[taught], few), codes[taught])
        found[few] = OWN_COLUMN * model.coef_[:, z.shape[1] :].T
    return found


def _teach_all(codes: IntArray, batch: IntArray, n_classes: int) -> bool:
    """Whether all classes are among the labels of the other batches."""
    teaching = (codes >= 0) & (batch >= 0) & ~np.isin(batch, batches_with_few(codes, batch))
    return len(np.unique(codes[teaching])) == n_classes


def _regression(ridge: float) -> LogisticRegression:
    return LogisticRegression(C=1.0 / ridge, class_weight="balanced", max_iter=1000)


@dataclass(frozen=True)
class Guess:
    """What the place of a batch's scores is guessed from without labels.

    Parameters
    ----------
    fit
        What regressions say of the source.
    origin
        Where the batch lay before it was standardised, shape (p,).
    """

    fit: SourceFit
    origin: FloatArray

    def uneven(self, scores: FloatArray, weight: FloatArray) -> FloatArray:
        """Mean of scores with the batch's class shares, less that with equal ones.

        Parameters
        ----------
        scores
            Of all the batch's rows and all classes, shape (n, classes).
        weight
            Of the regression that gave them, shape (p, outputs).

        Returns
        -------
        Shape (classes,).
        """
        shape = ClassShape.of(self.fit)
        chance = shape.rows_a_subject / len(scores) + 1.0 / self.fit.subjects
        drift = Drift.of(self.origin - self.fit.origin, weight, chance)
        two = scores.shape[1] == 2
        means, likelihood = shape.means_of_uneven(
            scores[:, 1:] - scores[:, :1] if two else scores, drift
        )
        mean = likelihood @ means
        return np.concatenate([-mean / 2, mean / 2]) if two else mean


def correction(
    z: FloatArray,
    codes: IntArray,
    batch: IntArray,
    which: int,
    subject: npt.NDArray[np.str_] | None,
    ridge: float,
    without: Guess | None = None,
) -> FloatArray:
    """What a batch's few labels add to the offset of its scores.

    Parameters
    ----------
    z
        Scaled rows, shape (n, p).
    codes, batch
        Class and batch code of each row, shape (n,).
    which
        The batch.
    subject
        Subject of each row, shape (n,): folds keep its rows together; None takes each row for one.
    ridge
        Of the logistic regressions that give the scores.
    without
        What the offset is guessed from without labels; None guesses half-way to equal shares.

    Returns
    -------
    Shape (classes,), or (1,) for two classes; 0 where the other batches lack a class.
    """
    n_classes = int(codes.max()) + 1
    its, few = batch == which, batches_with_few(codes, batch)
    teaching = (codes >= 0) & ~np.isin(batch, few)
    known = np.flatnonzero(its & (codes >= 0))
    outputs = 1 if n_classes == 2 else n_classes
    if not _teach_all(codes, batch, n_classes):
        return np.zeros(outputs)
    counted = np.ones(z.shape[1]) if without is None else without.fit.feature_weights
    z = with_own_columns(z * counted, batch, few)
    folds = _folds(codes[known], None if subject is None else subject[known])
    scores = np.empty((len(known), n_classes))
    for fold in np.unique(folds):
        left_out = known[folds == fold]
        taught = np.setdiff1d(np.flatnonzero(codes >= 0), left_out)
        model = _regression(ridge).fit(z[taught], codes[taught])
        of_batch, of_teaching = _scores(model, z[its]), _scores(model, z[teaching])
        guess = _balanced_mean(of_teaching, codes[teaching]) - of_batch.mean(axis=0)
        if without is None:
            guess = WAY * guess
        else:
            weight = counted[:, None] * model.coef_[:, : len(counted)].T
            guess = guess + without.uneven(of_batch, weight)
        scores[folds == fold] = _scores(model, z[left_out]) + guess
    moved = _best_move(scores, codes[known])
    return moved[1:] - moved[:1] if outputs == 1 else moved


def _folds(codes: IntArray, subject: npt.NDArray[np.str_] | None) -> IntArray:
    """Fold of each labelled row: subjects of every class dealt out in turn."""
    who = np.arange(len(codes)) if subject is None else np.unique(subject, return_inverse=True)[1]
    everyone, first = np.unique(who, return_index=True)
    rng = np.random.default_rng(0)
    fold_of = np.empty(len(everyone), dtype=np.int64)
    start = 0
    for code in np.unique(codes):
        places = np.flatnonzero(codes[first] == code)
        fold_of[rng.permutation(places)] = (start + np.arange(len(places))) % FOLDS
        start += len(places)
    return np.asarray(fold_of[np.searchsorted(everyone, who)])


def _scores(model: LogisticRegression, z: FloatArray) -> FloatArray:
    """Scores of all classes, shape (n, classes)."""
    found = model.decision_function(z)
    return np.stack([-found / 2, found / 2], axis=1) if found.ndim == 1 else found


def _balanced_mean(scores: FloatArray, codes: IntArray) -> FloatArray:
    return np.asarray(np.mean([scores[codes == c].mean(axis=0) for c in np.unique(codes)], axis=0))


def _best_move(scores: FloatArray, codes: IntArray) -> FloatArray:
    """Move of all scores that makes the labels most likely, drawn towards none."""
    counts = np.bincount(codes, minlength=scores.shape[1])
    weights = len(codes) / ((counts > 0).sum() * counts[codes])

    def loss(move: FloatArray) -> tuple[float, FloatArray]:
        logs = log_softmax(scores + move, axis=1)
        surplus = np.exp(logs)
        surplus[np.arange(len(codes)), codes] -= 1.0
        fit = -(weights * logs[np.arange(len(codes)), codes]).sum()
        return float(fit + PRIOR / 2 * (move**2).sum()), weights @ surplus + PRIOR * move

    return np.asarray(minimize(loss, np.zeros(scores.shape[1]), jac=True, method="BFGS").x)
