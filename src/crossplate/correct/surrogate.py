"""Surrogate variables: hidden variation in a labelled study, found feature by feature.

All functions take measurements x with samples in rows and a design, the matrix of what is known
of the samples, with an intercept. ``learn_surrogates`` puts the steps together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import scipy.linalg
from scipy.stats import f as f_distribution

from crossplate.correct.base import FloatArray
from crossplate.correct.local_fdr import local_fdr
from crossplate.correct.surrogate_number import number_by_asymptotics, number_by_permutation
from crossplate.errors import InputError

NumberRule = Literal["be", "leek"]

_ROUNDS = 5
_CONSTANT = 1e-12
_RANK_TOLERANCE = 1e-10
_SQUARED_TOLERANCE = 1e-13  # squared strengths come with the rounding of a Gram matrix

__all__ = [
    "NumberRule",
    "Surrogates",
    "effects_of",
    "f_p_values",
    "label_design",
    "learn_surrogates",
    "reweighted_surrogates",
    "varying_features",
]


@dataclass(frozen=True)
class Surrogates:
    """Surrogate variables of a study and the features they come from.

    Attributes
    ----------
    variables
        Shape (n, k), orthonormal columns of mean 0; the sign of each is arbitrary.
    linked_to_hidden, linked_to_label
        Probability that each feature follows the surrogate variables, and that it follows the
        label given them, shape (p,).
    """

    variables: FloatArray
    linked_to_hidden: FloatArray
    linked_to_label: FloatArray

    @property
    def weights(self) -> FloatArray:
        """Weight of each feature in the surrogate variables, shape (p,)."""
        weights: FloatArray = self.linked_to_hidden * (1.0 - self.linked_to_label)
        return weights


def label_design(codes: npt.NDArray[np.int64]) -> FloatArray:
    """Intercept and one indicator for each class but the first, shape (n, C).

    Parameters
    ----------
    codes
        Class code of each row, 0 to C - 1, shape (n,).
    """
    design: FloatArray = np.eye(int(codes.max()) + 1)[codes]
    design[:, 0] = 1.0
    return design


def varying_features(x: FloatArray) -> npt.NDArray[np.bool_]:
    """False for each feature that is constant up to rounding, shape (p,)."""
    return np.asarray(np.ptp(x, axis=0) > _CONSTANT * np.abs(x).max(axis=0))


def f_p_values(x: FloatArray, design: FloatArray, null_design: FloatArray) -> FloatArray:
    """P-values of the F-tests of a design against one nested in it.

    Parameters
    ----------
    x
        Measurements, shape (n, p).
    design, null_design
        Shapes (n, q) and (n, r). Columns that others already explain do not count.

    Returns
    -------
    Shape (p,); 1 for a feature that the null design explains wholly.
    """
    basis, null_basis = _basis(design), _basis(null_design)
    extra, left = basis.shape[1] - null_basis.shape[1], len(x) - basis.shape[1]
    if extra < 1 or left < 1:
        return np.ones(x.shape[1])
    unexplained = (_residuals(x, basis) ** 2).sum(axis=0)
    gained = (_residuals(x, null_basis) ** 2).sum(axis=0) - unexplained
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (gained / extra) / (unexplained / left)
    p_values = f_distribution.sf(np.where(np.isnan(ratio), 0.0, ratio), extra, left)
    return np.asarray(p_values, dtype=np.float64)


def reweighted_surrogates(x: FloatArray, design: FloatArray, n_surrogates: int) -> Surrogates:
    """Surrogate variables by iteratively reweighted least squares [Leek2008]_.

    From the leading residual directions on, each of 5 rounds weights the features by the
    probability that they follow the present surrogate variables and not the label, and takes the
    leading directions of the weighted, centred measurements.

    Parameters
    ----------
    x
        Measurements without constant features, shape (n, p).
    design
        Intercept (first column) and labels, shape (n, q).
    n_surrogates
        Number k of surrogate variables, k ≤ n - q - 1.

    Returns
    -------
    Fewer than k variables where the weighted measurements have no more directions.

    References
    ----------
    .. [Leek2008] Leek J. T., Storey J. D. A general framework for multiple testing dependence.
       PNAS 105, 18718-18723 (2008). doi:10.1073/pnas.0808709105
    """
    intercept = design[:, :1]
    variables = _leading_directions(_residuals(x, _basis(design)), n_surrogates)
    linked_to_hidden = linked_to_label = np.zeros(x.shape[1])
    for _ in range(_ROUNDS):
        hidden = np.column_stack([intercept, variables])
        both = np.column_stack([design, variables])
        linked_to_label = 1.0 - local_fdr(f_p_values(x, both, hidden))
        linked_to_hidden = 1.0 - local_fdr(f_p_values(x, hidden, intercept))
        weighted = x * (linked_to_hidden * (1.0 - linked_to_label))
        variables = _leading_directions(weighted - weighted.mean(axis=0), n_surrogates)
    return Surrogates(variables, linked_to_hidden, linked_to_label)


def effects_of(surrogates: FloatArray, x: FloatArray, design: FloatArray) -> FloatArray:
    """Effect of each surrogate variable on each feature, beside the design.

    Parameters
    ----------
    surrogates, x, design
        Shapes (n, k), (n, p) and (n, q).

    Returns
    -------
    Least-squares coefficients, shape (k, p).

    Raises
    ------
    InputError
        When the surrogate variables cannot be told from the labels.
    """
    full = np.column_stack([design, surrogates])
    if _basis(full).shape[1] < full.shape[1]:
        raise InputError(
            "the hidden variation cannot be told from the labels (they are confounded); give "
            "samples of each class under each condition, or fewer surrogate variables"
        )
    coefficients = np.linalg.lstsq(full, x, rcond=None)[0]
    return np.asarray(coefficients[design.shape[1] :], dtype=np.float64)


def learn_surrogates(
    x: FloatArray,
    codes: npt.NDArray[np.int64],
    *,
    n_surrogates: int | None,
    number: NumberRule,
    rng: np.random.Generator,
) -> Surrogates:
    """Surrogate variables of a labelled study.

    Parameters
    ----------
    x
        Measurements, shape (n, p). Constant features get weight 0.
    codes
        Class code of each row, shape (n,).
    n_surrogates
        Number of surrogate variables; None estimates it.
    number
        Rule for that: ``"be"`` permutes residuals, ``"leek"`` is asymptotic in the number of
        features; both are in :mod:`crossplate.correct.surrogate_number`.
    rng
        Draws the permutations.

    Raises
    ------
    InputError
        When the samples do not bear as many surrogate variables as asked for.
    """
    design = label_design(codes)
    varying = varying_features(x)
    most = max(0, min(len(x) - design.shape[1] - 1, int(varying.sum())))
    wanted = n_surrogates
    if wanted is None:
        basis = _basis(design)
        if number == "be":
            found = number_by_permutation(x[:, varying], basis, rng)
        else:
            found = number_by_asymptotics(x[:, varying], basis)
        wanted = min(found, most)
    elif wanted > most:
        raise InputError(
            f"{wanted} surrogate variables asked for, but {len(x)} labelled samples of "
            f"{design.shape[1]} classes with {varying.sum()} varying features bear at most {most}"
        )
    probabilities = np.zeros((2, x.shape[1]))
    variables = np.empty((len(x), 0))
    if wanted > 0:
        part = reweighted_surrogates(x[:, varying], design, wanted)
        variables = part.variables
        probabilities[:, varying] = part.linked_to_hidden, part.linked_to_label
    if n_surrogates is not None and variables.shape[1] < n_surrogates:
        raise InputError(
            f"only {variables.shape[1]} of {n_surrogates} surrogate variables are to be found: the "
            "features show no more variation beside the labels; ask for fewer"
        )
    return Surrogates(variables, *probabilities)


def _basis(design: FloatArray) -> FloatArray:
    """Orthonormal basis of the columns, shape (n, rank)."""
    left, strength, _ = np.linalg.svd(design, full_matrices=False)
    basis: FloatArray = left[:, strength > _RANK_TOLERANCE * strength[0]]
    return basis


def _residuals(x: FloatArray, basis: FloatArray) -> FloatArray:
    return x - basis @ (basis.T @ x)


def _leading_directions(x: FloatArray, count: int) -> FloatArray:
    """Leading left singular vectors, shape (n, min(count, rank))."""
    n, p = x.shape
    gram = x @ x.T if n <= p else x.T @ x
    top = (max(len(gram) - count, 0), len(gram) - 1)
    squares, vectors = scipy.linalg.eigh(gram, subset_by_index=top)
    kept = squares > _SQUARED_TOLERANCE * squares[-1]
    vectors, squares = vectors[:, kept][:, ::-1], squares[kept][::-1]
    return vectors if n <= p else x @ vectors / np.sqrt(squares)
