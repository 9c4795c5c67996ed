"""Permutation test: what the whole procedure reaches when the source labels mean nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.utils import check_random_state

from crossplate.errors import InputError
from crossplate.joint.classifier import JointClassifier
from crossplate.rows import shuffled_codes

FloatArray = npt.NDArray[np.float64]
SCORES = {"accuracy": accuracy_score, "balanced_accuracy": balanced_accuracy_score}

__all__ = ["PermutationResult", "permutation_test"]


@dataclass(frozen=True)
class PermutationResult:
    """Score on the target with the true source labels, and with shuffled ones.

    Parameters
    ----------
    score
        Name of the score.
    observed
        Score of one member trained on the true source labels.
    shuffled
        Scores of members trained on shuffled source labels, shape (permutations,).
    """

    score: str
    observed: float
    shuffled: FloatArray

    @property
    def p_value(self) -> float:
        """(1 + k) / (1 + n), k counting the shuffles that score at least as high."""
        at_least = int((self.shuffled >= self.observed).sum())
        return (1 + at_least) / (1 + len(self.shuffled))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "score": self.score,
            "observed": self.observed,
            "shuffled": self.shuffled.tolist(),
            "p_value": self.p_value,
        }


def permutation_test(
    model: JointClassifier,
    X: Any,
    y: Any,
    truth: Any,
    *,
    batch: Any = None,
    subject: Any = None,
    n_permutations: int = 100,
    score: str = "balanced_accuracy",
) -> PermutationResult:
    """Train on shuffled source labels, many times at once, and score on the target [Niu2022]_.

    Each shuffle is one member of a stack, and so is the true labelling it is compared with, since
    a committee of several would be compared with single members unfairly.

    Parameters
    ----------
    model
        Settings and seed; it is not changed and need not be fitted.
    X, y, batch, subject
        As in :meth:`crossplate.JointClassifier.fit`. Labels are shuffled among the subjects of
        each batch, so that replicates stay alike and each batch keeps its class proportions.
    truth
        Labels of the unlabelled rows, to score on, shape (n,); missing rows are left out. They
        are read after the training only.
    n_permutations
        Shuffles; with 100 the smallest p-value is 0.0099.
    score
        ``"balanced_accuracy"``, whose chance level is the same whatever the class proportions,
        or ``"accuracy"``.

    Raises
    ------
    InputError
        No unlabelled row with a known truth, an unknown score, a subject with contradicting
        labels, or what ``fit`` refuses.
    """
    from crossplate.joint.inference import TrainedNetworks, choose_device

    if score not in SCORES:
        raise InputError(f"score must be one of {', '.join(SCORES)}; got {score!r}")
    if n_permutations < 1:
        raise InputError(f"n_permutations must be at least 1; got {n_permutations!r}")
    posed = clone(model)
    problem, codes = posed.pose(X, y, batch=batch, subject=subject)
    truth = np.asarray(truth, dtype=object)
    target = (codes < 0) & ~np.asarray(pd.isna(truth), dtype=bool)
    if not target.any():
        raise InputError("no unlabelled row has a known truth, so there is nothing to score on")
    rng = check_random_state(model.random_state)
    seeds = rng.randint(np.iinfo(np.int32).max, size=n_permutations + 1)
    labellings = [codes]
    labellings += [
        shuffled_codes(codes, problem.batch, problem.subject, np.random.default_rng(seed))
        for seed in seeds[1:]
    ]
    members = [
        problem.committee(labels, [seed])[0] for labels, seed in zip(labellings, seeds, strict=True)
    ]
    device = choose_device(model.device)
    trained = problem.train(members, device, model.progress)
    networks = TrainedNetworks(problem.architecture, trained.weights, device)
    unlabelled = ~np.isin(problem.batch[target], problem.batch[codes >= 0])
    found = problem.probabilities(networks, np.flatnonzero(target), unlabelled)
    calls = posed.classes_[found.argmax(axis=2)]
    names = truth[target].astype(str)
    scores = np.array([SCORES[score](names, called.astype(str)) for called in calls])
    return PermutationResult(score, float(scores[0]), scores[1:])
