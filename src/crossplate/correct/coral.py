"""CORAL: each batch's covariance turned into the reference's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from crossplate.correct.base import Corrector, FloatArray, Names
from crossplate.correct.batch_rows import (
    largest_batch,
    need_two_rows,
    pooled_scale,
    rows_by_batch,
)
from crossplate.errors import InputError

__all__ = ["CORAL"]


class CORAL(Corrector):
    """Correlation alignment: whiten each batch, then colour it like the reference [Sun2016]_.

    A batch's centred rows are multiplied by (C_b + λI)^(-1/2) (C_r + λI)^(1/2), C_b and C_r the
    covariances (divisor n - 1) of the batch and of the reference, and the reference's mean is
    added. Means and covariances are those of ``fit``; a batch that was not in ``fit`` is whitened
    with its own rows given to ``transform``.

    Two things differ from [Sun2016]_, which gives every domain mean 0 and variance 1 before. Here
    features are divided by one scale, their standard deviation within batches, so that the
    identity means the same for all of them and differences in spread are part of what is
    corrected; and the result is in the units of X, on the reference's mean.

    With more features than rows no p × p matrix is made: only the directions in which a batch's
    rows differ are stretched. Such directions of two small batches hardly meet, so that whitening
    takes away spread which colouring does not give back: of two batches of 10 rows and 5,000
    independent features, the mapped one keeps a fifteenth of its spread. Take a larger shrinkage
    then, or fewer features.

    Parameters
    ----------
    reference
        Batch whose covariance and mean all others get; its rows stay unchanged. None: the batch
        of most rows, of equally large ones the first by name; the publication has two domains
        and maps the labelled onto the unlabelled one.
    shrinkage
        Multiple λ > 0 of the identity added to each covariance of the scaled features; 1, as
        published, is the usual variance of a feature. The smaller, the closer the covariances
        come, and the more the directions that few rows barely show are blown up.

    Attributes
    ----------
    batches_
        Sorted names of the batches in ``fit``.
    reference_
        The reference; with one batch in ``fit`` that batch.
    scale_
        Standard deviation of each feature within batches, shape (p,), in units of X; 1 for one
        without spread.
    mean_
        Batch → mean of its features, shape (p,), in units of X.
    directions_, variances_
        Batch → principal directions of the scaled features, shape (min(n, p), p), and variances
        along them, shape (min(n, p),).

    Raises
    ------
    InputError
        A batch of one row among several batches, a reference that is not among the batches, or a
        shrinkage that is not above 0.

    References
    ----------
    .. [Sun2016] Sun B., Feng J., Saenko K. Return of frustratingly easy domain adaptation. AAAI
       Conference on Artificial Intelligence, 2058-2065 (2016). arXiv:1511.05547
    """

    takes_new_batches: ClassVar[bool] = True

    reference_: str
    scale_: FloatArray
    mean_: dict[str, FloatArray]
    directions_: dict[str, FloatArray]
    variances_: dict[str, FloatArray]

    def __init__(self, *, reference: str | None = None, shrinkage: float = 1.0) -> None:
        self.reference = reference
        self.shrinkage = shrinkage

    def _fit(self, x: FloatArray, batch: Names, y: Any) -> None:
        if not 0.0 < self.shrinkage < np.inf:
            raise InputError(f"shrinkage is {self.shrinkage!r}; give a positive number")
        given = self._reference(self.reference)
        self.reference_ = largest_batch(batch) if given is None else given
        self.scale_ = pooled_scale(x, batch)
        self.mean_, self.directions_, self.variances_ = {}, {}, {}
        for name, rows in rows_by_batch(batch):
            if len(self.batches_) > 1:
                need_two_rows(name, rows)
            its = _shape_of(x[rows], self.scale_)
            self.mean_[name] = its.mean
            self.directions_[name], self.variances_[name] = its.directions, its.variances

    def _correct(self, x: FloatArray, batch: Names) -> FloatArray:
        corrected = x.copy()
        goal = self._fitted_shape(self.reference_)
        for name, rows in rows_by_batch(batch):
            if name == self.reference_:
                continue
            if name in self.mean_:
                its = self._fitted_shape(name)
            else:
                need_two_rows(name, rows)
                its = _shape_of(x[rows], self.scale_)
            scaled = (x[rows] - its.mean) / self.scale_
            white = _stretched(scaled, its, 1.0 / self._spread(its))
            coloured = _stretched(white, goal, self._spread(goal))
            corrected[rows] = coloured * self.scale_ + goal.mean
        return corrected

    def _spread(self, its: _Shape) -> FloatArray:
        """Root of a covariance's regularised variances, in units of √λ, which cancels out."""
        return np.asarray(np.sqrt(1.0 + its.variances / self.shrinkage))

    def _fitted_shape(self, name: str) -> _Shape:
        return _Shape(self.mean_[name], self.directions_[name], self.variances_[name])


@dataclass(frozen=True)
class _Shape:
    """Mean of a batch and principal directions (in rows) and variances of its scaled features."""

    mean: FloatArray
    directions: FloatArray
    variances: FloatArray


def _shape_of(x: FloatArray, scale: FloatArray) -> _Shape:
    n, p = x.shape
    mean = x.mean(axis=0)
    centred = (x - mean) / scale
    divisor = max(n - 1, 1)
    if n < p:
        _, singular, directions = np.linalg.svd(centred, full_matrices=False)
        return _Shape(mean, directions, singular * singular / divisor)
    variances, vectors = np.linalg.eigh(centred.T @ centred / divisor)
    return _Shape(mean, np.ascontiguousarray(vectors.T), np.maximum(variances, 0.0))


def _stretched(scaled: FloatArray, its: _Shape, factors: FloatArray) -> FloatArray:
    """Rows multiplied along each direction by its factor and left as they are across them."""
    along = scaled @ its.directions.T
    return np.asarray(scaled + (along * (factors - 1.0)) @ its.directions)
