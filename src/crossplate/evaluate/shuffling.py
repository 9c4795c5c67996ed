"""Permutation test of any procedure: what it reaches when the labels mean nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crossplate.errors import InputError
from crossplate.evaluate.scores import Floats, Labels
from crossplate.rows import batch_names, encode_labels, shuffled_codes, subject_numbers

__all__ = ["ShuffleTest", "shuffle_test"]


@dataclass(frozen=True)
class ShuffleTest:
    """Score with the true labels, and with shuffled ones.

    Attributes
    ----------
    observed
        Score of the true labels; more is better.
    shuffled
        Score of each shuffle, shape (shuffles,).
    """

    observed: float
    shuffled: Floats

    @property
    def p_value(self) -> float:
        """(1 + k) / (1 + n), k counting the shuffles that score at least as high."""
        at_least = int((self.shuffled >= self.observed).sum())
        return (1 + at_least) / (1 + len(self.shuffled))

    def to_dict(self) -> dict[str, Any]:
        """Return the scores as plain values that ``json.dumps`` accepts."""
        return {
            "observed": self.observed,
            "shuffled": self.shuffled.tolist(),
            "p_value": self.p_value,
        }


def shuffle_test(
    score_of: Callable[[NDArray[np.object_]], float],
    labels: Labels,
    *,
    batch: Labels | None = None,
    subject: Labels | None = None,
    n_permutations: int = 100,
    random_state: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> ShuffleTest:
    """Score a procedure on the labels and on shuffles of them.

    Labels are shuffled among the subjects of each batch: samples of a subject stay alike, and no
    difference between batches is taken for one between labels. For the joint model
    `crossplate.joint.permutation` does the same with all shuffles trained as one stack.

    Parameters
    ----------
    score_of
        Takes labels, shape (n,), None where unlabelled; trains on them alone and returns a score,
        more being better.
    labels
        True labels, shape (n,), missing (None, NaN, NA) where unlabelled.
    batch, subject
        Batch and subject of each row, shape (n,); None for one batch and for rows that are
        subjects.
    n_permutations
        Shuffles; with 100 the smallest p-value is 0.0099.
    random_state
        Seed of the shuffles.
    progress
        Called with the number of shuffles done and of all.

    Raises
    ------
    InputError
        If shapes do not fit, there are fewer than two labels, a row has no batch or subject, or a
        subject has contradicting labels in one batch.
    """
    if n_permutations < 1:
        raise InputError(f"n_permutations is {n_permutations}; give at least 1")
    given = np.array(pd.Series(labels, dtype=object), dtype=object)
    classes, codes = encode_labels(given)
    names = np.zeros(len(codes)) if batch is None else batch_names(batch, len(codes))
    who = None if subject is None else subject_numbers(subject, np.ones(len(codes), dtype=bool))
    rng = np.random.default_rng(random_state)
    observed = float(score_of(_named(codes, classes)))
    shuffled = np.empty(n_permutations)
    for number in range(n_permutations):
        shuffled[number] = score_of(_named(shuffled_codes(codes, names, who, rng), classes))
        if progress is not None:
            progress(number + 1, n_permutations)
    return ShuffleTest(observed, shuffled)


def _named(codes: NDArray[np.int64], classes: NDArray[Any]) -> NDArray[np.object_]:
    labels = np.full(len(codes), None, dtype=object)
    labels[codes >= 0] = classes.astype(object)[codes[codes >= 0]]
    return labels
