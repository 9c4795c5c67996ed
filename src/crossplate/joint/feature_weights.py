"""How much each feature counts under the ridge, by how well it alone tells the classes.

A ridge that is the same for all features takes from a few strong markers to give to many features
that say nothing. Weighted by how well each tells the classes by itself, the markers are held back
less (an adaptive ridge). Whether that helps is decided by cross-validation
(:mod:`crossplate.joint.source_fit`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

CHANCE = 1.0
"""What every feature's share of variance is raised by, in units of what chance gives. With 0 a
feature counts for nothing that happens to tell nothing in a few subjects."""

__all__ = ["feature_weights"]


def feature_weights(z: FloatArray, codes: IntArray, who: npt.NDArray[np.str_]) -> FloatArray:
    """Weight of each feature, by the share of its variance that lies between classes.

    Parameters
    ----------
    z
        Scaled rows, shape (n, p).
    codes
        Class code of each row, shape (n,).
    who
        Subject of each row, shape (n,): its rows count as their mean.

    Returns
    -------
    Shape (p,). Squares are the share of variance over what chance gives, and ``CHANCE``; brought to
    a mean square of 1 over the features that vary, so that a ridge means the same as without.
    """
    means, of_subject = _subject_means(z, codes, who)
    n_subjects, n_classes = len(means), int(codes.max()) + 1
    centres = np.array([means[of_subject == code].mean(axis=0) for code in range(n_classes)])
    within = ((means - centres[of_subject]) ** 2).sum(axis=0) / max(n_subjects - n_classes, 1)
    between = centres.var(axis=0)
    total = between + within
    varies = total > 0.0
    share = np.divide(between, total, out=np.zeros_like(total), where=varies)
    squares = share * (n_subjects - 1) / (n_classes - 1) + CHANCE
    return np.sqrt(squares / squares[varies].mean()) if varies.any() else np.ones(len(total))


def _subject_means(
    z: FloatArray, codes: IntArray, who: npt.NDArray[np.str_]
) -> tuple[FloatArray, IntArray]:
    """Mean row of every subject in a class, and its class."""
    _, first, place, counts = np.unique(
        np.char.add(np.char.add(codes.astype(str), ":"), who.astype(str)),
        return_index=True,
        return_inverse=True,
        return_counts=True,
    )
    sums = np.zeros((len(first), z.shape[1]))
    np.add.at(sums, place, z)
    return sums / counts[:, None], codes[first]
