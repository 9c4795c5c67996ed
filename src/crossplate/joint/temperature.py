"""How sure a committee may be: one temperature for its mean probabilities.

A penalised classifier of few subjects is not sure enough where classes are easily told, and an
overfitted one too sure where they are not. Rows of the source that a logistic regression of the
same ridge has not learned from say by how much: the factor of its scores that makes their log loss
least. On another plate calls are wrong more often than on held-out rows of the same one, so that
factor is lowered (docs/design/joint-model.md has the figures). No row of a target takes part.

A temperature changes no call: the likeliest class stays the likeliest.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from crossplate.joint.source_fit import SourceFit

FloatArray = npt.NDArray[np.float64]

NONE = 1.0
"""The temperature that changes nothing."""
CAUTION = 2 / 3
"""What the source's factor is multiplied by on another plate."""
SPREAD = 2.0
"""Standard deviation of the factor's logarithm before rows are seen: a few rows, all right, would
otherwise ask for probabilities of 0 and 1."""
LEAST, MOST = 0.05, 20.0
MOST_ITERATIONS = 1000

__all__ = ["NONE", "fit_temperature", "tempered", "tempered_mean"]


def tempered(proba: FloatArray, temperature: float) -> FloatArray:
    """Class probabilities to the power of 1 / temperature, made to add to 1 again.

    Parameters
    ----------
    proba
        Shape (…, C).
    temperature
        Above 1 less sure, below 1 surer, 1 as they are.
    """
    if temperature == NONE:
        return proba
    # relative to the likeliest, so that the sum cannot vanish
    powers = (proba / proba.max(axis=-1, keepdims=True)) ** (1.0 / temperature)
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def tempered_mean(members: FloatArray, temperature: float) -> FloatArray:
    """Class probabilities of a committee.

    Parameters
    ----------
    members
        Those of each member, shape (members, n, C).
    temperature
        As in :func:`tempered`.
    """
    return tempered(np.asarray(members.mean(axis=0)), temperature)


def fit_temperature(source: SourceFit | None) -> float:
    """Temperature of a committee.

    Parameters
    ----------
    source
        Cross-validated scores of the labelled rows; None where there are none.

    Returns
    -------
    1 without scores.
    """
    if source is None:
        return NONE
    scores, codes = source.scores, source.codes
    if scores.shape[1] == 1:
        scores = np.hstack([np.zeros_like(scores), scores])
    subjects = len(codes) / source.rows_a_subject

    def loss(log_factor: float) -> float:
        logs = log_softmax(np.exp(log_factor) * scores, axis=1)
        entropy = -np.average(logs[np.arange(len(codes)), codes], weights=source.row_weights)
        return float(subjects * entropy + 0.5 * (log_factor / SPREAD) ** 2)

    found = minimize_scalar(loss, bounds=(np.log(LEAST), np.log(MOST)), method="bounded")
    return float(1.0 / (CAUTION * np.exp(found.x)))
