"""Covariates that ComBat protects: their design matrix, and their effects on the features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crossplate.correct.combat_moments import Moments, Rows, copy_of_tile, tiles
from crossplate.errors import InputError

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Names = npt.NDArray[np.str_]

LEAST_EIGENVALUE = 1e-10
"""Where the smallest eigenvalue of the covariates' correlations falls below this they count as
dependent; a singular value of 1e-5, beyond which a third of the digits are lost."""

__all__ = [
    "Regression",
    "categories",
    "check_not_confounded",
    "covariate_frame",
    "design_matrix",
    "regression_within",
]


@dataclass(frozen=True)
class Regression:
    """Effects of covariates on each feature, common to all batches.

    Parameters
    ----------
    coefficients
        Shape (q, p); 0 where not solvable.
    solvable
        Whether a feature's present values tell the covariates apart, shape (p,).
    """

    coefficients: FloatArray
    solvable: BoolArray


def covariate_frame(covariates: Any, n_rows: int) -> pd.DataFrame:
    """Covariates as a table with text names, checked.

    Parameters
    ----------
    covariates
        Table or array, one row a sample in the order of the samples, one column a covariate; None
        for none. The columns of an array are named by their numbers from 0.
    n_rows
        Samples there must be.

    Raises
    ------
    InputError
        Wrong number of rows, a name that occurs twice, a missing or an infinite value.
    """
    if covariates is None:
        return pd.DataFrame(index=range(n_rows))
    frame = pd.DataFrame(covariates).infer_objects()
    frame.columns = frame.columns.astype(str)
    if len(frame) != n_rows:
        raise InputError(
            f"covariates have {len(frame)} rows for {n_rows} samples; give one row a sample"
        )
    if not frame.columns.is_unique:
        name = frame.columns[frame.columns.duplicated()][0]
        raise InputError(f"two covariates are named {name!r}; give each a name of its own")
    for name in frame.columns:
        column = frame[name]
        unusable = column.isna().to_numpy(dtype=bool)
        if pd.api.types.is_numeric_dtype(column):
            unusable = ~np.isfinite(column.to_numpy(dtype=float, na_value=np.nan))
        if unusable.any():
            raise InputError(
                f"covariate {name!r} is missing or infinite in row {unusable.argmax() + 1}; give "
                "a value for every sample or leave the covariate out"
            )
    return frame


def categories(frame: pd.DataFrame) -> dict[str, Names]:
    """Sorted categories, as text, of the covariates that are not numbers."""
    return {
        str(name): np.unique(frame[name].to_numpy(dtype=object).astype(str))
        for name in frame.columns
        if not pd.api.types.is_numeric_dtype(frame[name])
    }


def design_matrix(frame: pd.DataFrame, levels: dict[str, Names]) -> FloatArray:
    """Numbers as they are; an indicator for each category of a covariate but its first.

    Parameters
    ----------
    frame
        Covariates from :func:`covariate_frame`.
    levels
        Categories of the covariates that have them.

    Returns
    -------
    Shape (n, q).

    Raises
    ------
    InputError
        A category that is not among the levels, or text where numbers are expected.
    """
    columns = [np.empty((len(frame), 0))]
    for name in frame.columns:
        if name in levels:
            columns.append(_indicators(name, frame[name], levels[name]))
        elif pd.api.types.is_numeric_dtype(frame[name]):
            columns.append(frame[name].to_numpy(dtype=float)[:, None])
        else:
            raise InputError(f"covariate {name!r} was numeric in fit; give numbers again")
    return np.hstack(columns)


def _indicators(name: str, column: pd.Series[Any], levels: Names) -> FloatArray:
    values = column.to_numpy(dtype=object).astype(str)
    unknown = ~np.isin(values, levels)
    if unknown.any():
        raise InputError(
            f"covariate {name!r} has the category {str(values[unknown][0])!r}, which no sample "
            f"had in fit; there it was one of {', '.join(levels)}"
        )
    return np.asarray(values[:, None] == levels[1:], dtype=np.float64)


def check_not_confounded(
    frame: pd.DataFrame, levels: dict[str, Names], batches: list[Rows]
) -> None:
    """Make sure that the rows can tell the covariates from the batches and from each other.

    Parameters
    ----------
    frame, levels
        As for :func:`design_matrix`.
    batches
        Numbers of each batch's rows.

    Raises
    ------
    InputError
        The covariates are confounded.
    """
    for name in frame.columns:
        if _dependent(design_matrix(frame[[name]], levels), batches):
            raise InputError(
                f"covariate {name!r} is confounded with the batches (it, or a category of it, is "
                "constant within each), so its effect cannot be told from theirs; leave it out"
            )
    if len(frame.columns) and _dependent(design_matrix(frame, levels), batches):
        raise InputError(
            f"the covariates {', '.join(frame.columns)} are confounded with each other, so their "
            "effects cannot be told apart; leave one out"
        )


def _dependent(design: FloatArray, batches: list[Rows]) -> bool:
    """Whether columns depend on each other within batches, or one is constant there."""
    within = _deviations_within(batches, design)
    length = np.sqrt((within * within).sum(axis=0))
    if not length.all() or not len(length):
        return True
    within /= length
    return bool(np.linalg.eigvalsh(within.T @ within)[0] <= LEAST_EIGENVALUE)


def _deviations_within(batches: list[Rows], covariates: FloatArray) -> FloatArray:
    """Covariates less their means in each batch, shape (n, q)."""
    within = np.empty_like(covariates)
    for rows in batches:
        # Counted from the first row, a constant gives exactly 0.
        its = covariates[rows] - covariates[rows[0]]
        within[rows] = its - its.mean(axis=0)
    return within


def regression_within(
    x: FloatArray, batches: list[Rows], moments: list[Moments], covariates: FloatArray
) -> Regression:
    """Least squares of each feature on covariates and batch, by deviations within batches.

    Parameters
    ----------
    x
        Measurements, shape (n, p).
    batches
        Numbers of each batch's rows.
    moments
        :func:`batch_moments` of each of these batches.
    covariates
        Shape (n, q).

    Returns
    -------
    Coefficients from the rows where a feature is present; 0 for one that is not solvable.
    """
    n_features, n_covariates = x.shape[1], covariates.shape[1]
    within = _deviations_within(batches, covariates)
    length = np.sqrt((within * within).sum(axis=0))
    within /= np.where(length > 0.0, length, 1.0)
    products = np.zeros((n_covariates, n_features))
    gram = np.zeros((n_features, n_covariates, n_covariates))
    for rows, its in zip(batches, moments, strict=True):
        more_products, more_gram = _products_of_batch(x, rows, its, within)
        products += more_products
        gram += more_gram
    solvable = np.linalg.eigvalsh(gram)[:, 0] > LEAST_EIGENVALUE
    gram[~solvable] = np.eye(n_covariates)
    products[:, ~solvable] = 0.0
    coefficients = np.linalg.solve(gram, products.T[:, :, None])[:, :, 0].T
    return Regression(coefficients / np.where(length > 0.0, length, 1.0)[:, None], solvable)


def _products_of_batch(
    x: FloatArray, rows: Rows, its: Moments, within: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Products of covariates with features (q, p), and with each other (p, q, q) or (q, q)."""
    n_features, n_covariates = x.shape[1], within.shape[1]
    products = np.zeros((n_covariates, n_features))
    complete = bool((its.count == len(rows)).all())
    sums = np.zeros((n_features, n_covariates))
    squares = np.zeros((n_features, n_covariates**2))
    for some, features in tiles(x, rows):
        part = copy_of_tile(x, some, features)
        part -= its.mean[features]
        deviations = within[some]
        if not complete:
            missing = np.isnan(part)
            part[missing] = 0.0
            present = 1.0 - missing.T
            pairs = deviations[:, :, None] * deviations[:, None, :]
            sums[features] += present @ deviations
            squares[features] += present @ pairs.reshape(len(some), -1)
        products[:, features] += deviations.T @ part
    if complete:
        return products, within[rows].T @ within[rows]
    gram = squares.reshape(n_features, n_covariates, n_covariates)
    count = np.maximum(its.count, 1.0)[:, None, None]
    return products, gram - sums[:, :, None] * sums[:, None, :] / count
