"""ComBat: location and scale of each batch, shrunk towards what is usual over the features."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from crossplate.correct.base import ONLY_BATCH, Corrector, FloatArray, Names
from crossplate.correct.combat_design import (
    categories,
    check_not_confounded,
    covariate_frame,
    design_matrix,
    regression_within,
)
from crossplate.correct.combat_moments import (
    Moments,
    Rows,
    batch_moments,
    copy_of_tile,
    tiles,
)
from crossplate.correct.combat_priors import (
    mean_only_estimates,
    nonparametric_estimates,
    parametric_estimates,
)
from crossplate.errors import InputError
from crossplate.rows import batch_names

BoolArray = npt.NDArray[np.bool_]

LEAST_RESIDUAL = 1e-6
"""Least spread that covariates must leave of a feature's spread within batches.

A feature that they explain up to rounding would enter the priors with batch effects of any size.
"""

__all__ = ["ComBat"]


class ComBat(Corrector):
    """Empirical-Bayes correction of location and scale [Johnson2007]_.

    Each feature is standardised to z = (x - α - covariate effects) / σ; in each batch its mean and
    variance of z are shrunk towards those of the other features, and then removed. The result is
    that of ``ComBat`` in R's sva [Leek2012]_. Unlike there, what ``fit`` learned is kept: new
    samples of a fitted batch are corrected with it, any subset of the batches at a time, and a
    batch that was not in ``fit`` is estimated from its own rows against the kept α and σ.

    Labels are never used: ``y`` is ignored, because a target batch has no labels and protecting
    those of the source alone would move the batches apart. What is to be protected and known for
    every sample, such as age or sex, goes into ``covariates``.

    Parameters
    ----------
    reference
        Batch that is left as it is and gives α and σ. None, as published, takes α as the average
        of all batches weighted by size and σ as the spread within batches. For a classifier
        trained on a source batch, name the source.
    parametric
        Normal and inverse gamma priors, the published default; they are quick and do well
        unless the estimates over features are far from these shapes. False weights the other
        features' estimates by likelihood instead, in time growing with the square of p.
    mean_only
        Correct the location and leave the scale, for batches whose spread differs for reasons of
        biology.

    Attributes
    ----------
    batches_
        Sorted names of the k batches in ``fit``.
    reference_
        The batch that is returned unchanged, None if there is none.
    mean_only_
        Whether only locations are corrected: asked for, or forced by a batch of one sample.
    corrected_
        Whether a feature is corrected, shape (p,). False, and the feature passes through
        unchanged, if in ``fit`` it was constant or had fewer than two values in any batch of
        several samples, had none in a batch of one, or followed from the covariates.
    alpha_, sigma_
        Location and spread against which batches are measured, in units of X, shape (p,); 0 and 1
        for a feature that is not corrected.
    gamma_, delta_
        Corrections γ* and δ* of each batch in units of σ and σ², shape (k, p); 0 and 1 where
        nothing is corrected.
    coefficients_
        Effects of the covariates' columns on each feature, shape (q, p).
    covariate_names_, covariate_levels_, covariate_means_
        Covariates in ``fit``, the categories of those that have them, and the means of the q
        columns made from them (the first category of each is left out).

    Notes
    -----
    Missing values stay missing; each feature is estimated from the values present. If any
    corrected feature has one, the divisor of σ² is for all of them the number of values less one
    instead of the number of values, as in sva.

    With one batch in ``fit`` that batch is the reference: it is returned unchanged, and batches
    that come later are measured against it.

    References
    ----------
    .. [Johnson2007] Johnson, Li and Rabinovic (2007), Adjusting batch effects in microarray
       expression data using empirical Bayes methods, Biostatistics 8:118-127.
    .. [Leek2012] Leek, Johnson, Parker, Jaffe and Storey (2012), The sva package for removing
       batch effects and other unwanted variation in high-throughput experiments, Bioinformatics
       28:882-883.
    """

    __metadata_request__fit: ClassVar = {"batch": True, "covariates": True}
    __metadata_request__transform: ClassVar = {"batch": True, "covariates": True}

    takes_missing: ClassVar[bool] = True
    takes_new_batches: ClassVar[bool] = True

    reference_: str | None
    mean_only_: bool
    corrected_: BoolArray
    alpha_: FloatArray
    sigma_: FloatArray
    gamma_: FloatArray
    delta_: FloatArray
    coefficients_: FloatArray
    covariate_names_: Names
    covariate_levels_: dict[str, Names]
    covariate_means_: FloatArray

    def __init__(
        self, *, reference: str | None = None, parametric: bool = True, mean_only: bool = False
    ) -> None:
        self.reference = reference
        self.parametric = parametric
        self.mean_only = mean_only

    def fit(self, X: Any, y: Any = None, *, batch: Any = None, covariates: Any = None) -> ComBat:
        """Learn the correction.

        Parameters
        ----------
        X
            Measurements, preferably logarithms, shape (n, p); NaN is missing.
        y
            Ignored.
        batch
            Batch of each row, shape (n,); None takes all rows for one batch.
        covariates
            Known properties of the samples whose effects are kept: a table or array with one row
            a sample in the order of X. Columns of numbers act linearly; other columns are
            categories, so give codes of categories as text.

        Raises
        ------
        InputError
            An unknown reference, a reference of one sample, too few samples to tell the spread
            within batches, or covariates that are incomplete or confounded with the batches or
            each other.
        ValueError
            An X that scikit-learn's checks refuse.
        """
        x = _contiguous(self._validated(X, reset=True))
        names = np.full(len(x), ONLY_BATCH) if batch is None else batch_names(batch, len(x))
        self.batches_, codes = np.unique(names, return_inverse=True)
        rows = [np.flatnonzero(codes == code) for code in range(len(self.batches_))]
        self.reference_ = self._reference(self.reference)
        if len(rows) == 1:
            self.reference_ = str(self.batches_[0])
        design = self._learn_design(covariates, rows)
        self._check_sizes(rows, design.shape[1])
        raw = [batch_moments(x, its) for its in rows]
        moments = self._learn_coefficients(x, rows, design, raw)
        self._learn_standard(moments, raw, rows)
        self.gamma_ = np.zeros((len(rows), x.shape[1]))
        self.delta_ = np.ones((len(rows), x.shape[1]))
        for code, its in enumerate(moments):
            if self.batches_[code] != self.reference_:
                estimates = self._estimates(its, self.corrected_, self.mean_only_)
                self.gamma_[code], self.delta_[code] = estimates
        return self

    def transform(self, X: Any, *, batch: Any = None, covariates: Any = None) -> FloatArray:
        """Corrected measurements.

        Parameters
        ----------
        X
            Measurements, shape (n, p); NaN stays.
        batch
            Batch of each row, shape (n,); None where ``fit`` saw one batch only. The rows of a
            batch that was not in ``fit`` are its estimate, so give all that there are together;
            a single row is corrected in location only, and a feature that does not vary among
            several rows passes through.
        covariates
            As in ``fit``, needed if given there.

        Returns
        -------
        Shape (n, p).

        Raises
        ------
        InputError
            No batch given although there were several, or covariates that are not those of
            ``fit``.
        """
        check_is_fitted(self)
        x = _contiguous(self._validated(X, reset=False))
        names, codes = np.unique(self._batches_of(batch, len(x)), return_inverse=True)
        design = self._design_of(covariates, len(x))
        corrected = np.empty_like(x)
        for code, name in enumerate(names):
            rows = np.flatnonzero(codes == code)
            self._correct_rows(x, rows, str(name), design, corrected)
        return corrected

    def fit_transform(
        self, X: Any, y: Any = None, *, batch: Any = None, covariates: Any = None
    ) -> FloatArray:
        """Fit, then correct the same rows; parameters as in :meth:`fit`."""
        fitted = self.fit(X, y, batch=batch, covariates=covariates)
        return fitted.transform(X, batch=batch, covariates=covariates)

    def _learn_design(self, covariates: Any, rows: list[Rows]) -> FloatArray:
        frame = covariate_frame(covariates, sum(len(its) for its in rows))
        self.covariate_names_ = frame.columns.to_numpy(dtype=str)
        self.covariate_levels_ = categories(frame)
        check_not_confounded(frame, self.covariate_levels_, rows)
        design = design_matrix(frame, self.covariate_levels_)
        # Far from 0 a covariate would make α large and cost it digits.
        self.covariate_means_ = design.mean(axis=0)
        return design - self.covariate_means_

    def _design_of(self, covariates: Any, n_rows: int) -> FloatArray:
        frame = covariate_frame(covariates, n_rows)
        if list(frame.columns) != list(self.covariate_names_):
            raise InputError(
                f"the covariates are {', '.join(frame.columns) or 'missing'}, but in fit they were "
                f"{', '.join(self.covariate_names_) or 'none'}; give the same ones again"
            )
        return design_matrix(frame, self.covariate_levels_) - self.covariate_means_

    def _check_sizes(self, rows: list[Rows], n_columns: int) -> None:
        sizes = {str(name): len(its) for name, its in zip(self.batches_, rows, strict=True)}
        n_rows = sum(sizes.values())
        if n_rows - len(sizes) - n_columns < 1:
            raise InputError(
                f"{n_rows} sample(s) in {len(sizes)} batch(es) with {n_columns} column(s) of "
                "covariates do not tell the spread within batches; ComBat needs more samples than "
                "batches and covariates"
            )
        if self.reference_ is not None and sizes[self.reference_] == 1:
            raise InputError(
                f"the reference batch {self.reference_!r} has one sample, which does not tell the "
                "spread of the features; choose a larger batch"
            )
        self.mean_only_ = bool(self.mean_only) or 1 in sizes.values()

    def _learn_coefficients(
        self, x: FloatArray, rows: list[Rows], design: FloatArray, raw: list[Moments]
    ) -> list[Moments]:
        """Effects of the covariates; moments of each batch without them."""
        self.corrected_ = np.ones(x.shape[1], dtype=bool)
        self.coefficients_ = np.zeros((design.shape[1], x.shape[1]))
        for its, of in zip(raw, rows, strict=True):
            self.corrected_ &= its.varies(len(of))
        if not design.shape[1]:
            return raw
        regression = regression_within(x, rows, raw, design)
        self.corrected_ &= regression.solvable
        self.coefficients_ = regression.coefficients
        return [batch_moments(x, its, design, self.coefficients_) for its in rows]

    def _learn_standard(self, moments: list[Moments], raw: list[Moments], rows: list[Rows]) -> None:
        """α, σ and which features are corrected."""
        sizes = np.array([len(its) for its in rows], dtype=float)
        complete = all(
            (its.count[self.corrected_] == size).all()
            for its, size in zip(moments, sizes, strict=True)
        )
        those = np.arange(len(rows))
        if self.reference_ is not None:
            those = np.flatnonzero(self.batches_ == self.reference_)
        weights = sizes[those] / sizes[those].sum()
        alpha = weights @ np.array([moments[code].mean for code in those])
        squares = np.sum([moments[code].squares for code in those], axis=0)
        spread = np.sum([raw[code].squares for code in those], axis=0)
        count = np.sum([moments[code].count for code in those], axis=0)
        sigma = np.sqrt(squares / np.maximum(count if complete else count - 1.0, 1.0))
        self.corrected_ &= squares > LEAST_RESIDUAL**2 * spread
        self.coefficients_[:, ~self.corrected_] = 0.0
        self.alpha_ = np.where(self.corrected_, alpha, 0.0)
        self.sigma_ = np.where(self.corrected_, sigma, 1.0)

    def _estimates(
        self, moments: Moments, use: BoolArray, mean_only: bool
    ) -> tuple[FloatArray, FloatArray]:
        """γ* and δ* of one batch, 0 and 1 for a feature not in use."""
        gamma, delta = np.zeros(len(use)), np.ones(len(use))
        if not use.any():
            return gamma, delta
        count, sigma = moments.count[use], self.sigma_[use]
        mean = (moments.mean[use] - self.alpha_[use]) / sigma
        squares = moments.squares[use] / sigma**2
        if not self.parametric:
            estimates = nonparametric_estimates(count, mean, squares, mean_only=mean_only)
            gamma[use], delta[use] = estimates
        elif mean_only:
            gamma[use] = mean_only_estimates(mean)
        else:
            gamma[use], delta[use] = parametric_estimates(count, mean, squares)
        return gamma, delta

    def _correct_rows(
        self, x: FloatArray, rows: Rows, name: str, design: FloatArray, corrected: FloatArray
    ) -> None:
        """Fill in the corrected rows of one batch."""
        use = self.corrected_
        if name in self.batches_:
            code = int(np.searchsorted(self.batches_, name))
            if name == self.reference_:
                use = np.zeros_like(use)
            gamma, delta = self.gamma_[code], self.delta_[code]
        else:
            raw = batch_moments(x, rows)
            use = use & raw.varies(len(rows))
            moments = batch_moments(x, rows, design, self.coefficients_) if design.size else raw
            gamma, delta = self._estimates(moments, use, self.mean_only_ or len(rows) == 1)
        # Zeros and ones leave a feature bit for bit as it is.
        alpha = np.where(use, self.alpha_, 0.0)
        coefficients = np.where(use, self.coefficients_, 0.0)
        shift = self.sigma_ * gamma
        factor = 1.0 / np.sqrt(delta)
        for some, features in tiles(x, rows):
            part = copy_of_tile(x, some, features)
            kept = alpha[features]
            if design.size:
                kept = kept + design[some] @ coefficients[:, features]
            part -= kept + shift[features]
            part *= factor[features]
            part += kept
            corrected[some, features] = part


def _contiguous(x: FloatArray) -> FloatArray:
    return x if x.flags.forc else np.ascontiguousarray(x)
