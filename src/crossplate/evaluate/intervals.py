"""Intervals of scores: how far they would move with other subjects, the classifier as it is."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit, logit
from scipy.stats import t as student

from crossplate.errors import InputError
from crossplate.evaluate.scores import Floats, Labels, checked_proba, score
from crossplate.evaluate.subjects import by_subject, subject_labels
from crossplate.evaluate.weighted_scores import SubjectSums, subject_sums, weighted_scores
from crossplate.rows import subject_numbers

# Lowest and highest value of each score; the Brier score of more than two classes goes to 2.
_RANGES = {
    "accuracy": (0.0, 1.0),
    "balanced_accuracy": (0.0, 1.0),
    "f1": (0.0, 1.0),
    "mcc": (-1.0, 1.0),
    "roc_auc": (0.0, 1.0),
    "brier": (0.0, 1.0),
}
_OF_ALL_ROWS = {"accuracy", "brier"}
# Numbers held at once while resampling: 16 MB.
_BLOCK = 2_000_000

__all__ = ["Interval", "ScoreIntervals", "score_intervals", "subject_score_intervals"]


@dataclass(frozen=True)
class Interval:
    """A score and its interval.

    Attributes
    ----------
    estimate
        The score, as in `crossplate.evaluate.Scores`.
    low, high
        Ends of the interval; None where resampling does not move a score that is neither the
        lowest nor the highest possible, as with all rows predicted to be one class.
    """

    estimate: float
    low: float | None
    high: float | None

    def to_dict(self) -> dict[str, float | None]:
        """Return the three numbers as plain values that ``json.dumps`` accepts."""
        return {"estimate": self.estimate, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class ScoreIntervals:
    """Intervals of all scores.

    Attributes
    ----------
    n, n_subjects
        Rows scored, and the subjects they come from.
    confidence
        Share of studies whose interval holds the true value.
    n_resamples
        Resamples of the subjects.
    scores
        Name of the score, as in `crossplate.evaluate.Scores`, to its interval; None for a score
        that does not exist, as the ROC AUC with one class only.
    """

    n: int
    n_subjects: int
    confidence: float
    n_resamples: int
    scores: dict[str, Interval | None]

    def to_dict(self) -> dict[str, Any]:
        """Return the intervals as plain values that ``json.dumps`` accepts."""
        return {
            "n": self.n,
            "n_subjects": self.n_subjects,
            "confidence": self.confidence,
            "n_resamples": self.n_resamples,
            "scores": {
                name: None if one is None else one.to_dict() for name, one in self.scores.items()
            },
        }

    def to_frame(self) -> pd.DataFrame:
        """One row a score (index ``score``), columns ``estimate``, ``low`` and ``high``."""
        rows = {name: one.to_dict() for name, one in self.scores.items() if one is not None}
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=["estimate", "low", "high"])
        return frame.astype(np.float64).rename_axis("score")


def score_intervals(
    y_true: Labels,
    proba: ArrayLike,
    classes: Iterable[Hashable],
    *,
    subject: Labels | None = None,
    confidence: float = 0.95,
    n_resamples: int = 1000,
    random_state: int = 0,
) -> ScoreIntervals:
    """Intervals of the scores of class probabilities, subjects being what varies.

    Whole subjects are drawn with replacement, since the samples of one are alike. The standard
    deviation of a score over the draws gives the interval on the scale of its logit (MCC and
    Brier score brought to 0–1 first), where intervals near the ends of the range stay inside it
    and are as long as they should be [DiCiccio1996]_; with Student's quantile for subjects less
    classes. Percentiles of the draws were tried: theirs are too short (coverage 0.91 to 0.95 at
    60 subjects, instead of 0.94 to 0.97). Where all subjects are right or all wrong, no draw
    differs, and the exact binomial bound for as many subjects, or those of the rarest class,
    takes its place.

    The intervals are for this classifier on new subjects of this population. They do not hold
    what another training set would change.

    Parameters
    ----------
    y_true, proba, classes
        As in `crossplate.evaluate.score`.
    subject
        Subject of each row, shape (n,), none missing where there is a label; None if each row is
        a subject.
    confidence
        Between 0 and 1.
    n_resamples
        With 1000 the standard deviation is known to about 2%.
    random_state
        Seed.

    Raises
    ------
    InputError
        As `crossplate.evaluate.score`; a row without subject, fewer than two subjects, or a
        number out of range.

    References
    ----------
    .. [DiCiccio1996] T. DiCiccio, B. Efron, Statistical Science 11:189, 1996.
    """
    if not 0 < confidence < 1 or n_resamples < 2:
        raise InputError(
            f"confidence is {confidence} and n_resamples {n_resamples}; give a share between 0 "
            "and 1, and at least 2 resamples."
        )
    found = score(y_true, proba, classes)
    labels = np.array(pd.Series(y_true, dtype=object), dtype=object)
    codes = pd.Index(found.classes, dtype=object).get_indexer(labels)
    known = codes >= 0
    who = subject_numbers(subject, known)
    n_subjects = int(who.max()) + 1
    if n_subjects < 2:
        raise InputError("There is one subject only, so no interval can be given; score more.")
    positive = None
    if found.positive_class is not None:
        positive = found.classes.index(found.positive_class)
    p = checked_proba(proba, len(found.classes))[known]
    sums = subject_sums(codes[known], p, who, n_subjects, positive)
    draws = _resampled(sums, n_subjects, n_resamples, random_state)
    by_class = (sums.confusion.sum(axis=2) > 0).sum(axis=0)
    rarest = int(by_class[by_class > 0].min())
    freedom = max(1, n_subjects - int((by_class > 0).sum()))
    scores: dict[str, Interval | None] = {}
    for name, (lowest, highest) in _RANGES.items():
        estimate = getattr(found, name)
        if estimate is None:
            scores[name] = None
            continue
        top = 2.0 if name == "brier" and positive is None else highest
        n_exact = n_subjects if name in _OF_ALL_ROWS else rarest
        low, high = _ends(
            (estimate - lowest) / (top - lowest),
            float(np.nanstd(draws[name], ddof=1)) / (top - lowest),
            float(student.ppf((1 + confidence) / 2, freedom)),
            ((1 - confidence) / 2) ** (1 / n_exact),
        )
        width = top - lowest
        scores[name] = Interval(
            estimate,
            None if low is None else lowest + width * low,
            None if high is None else lowest + width * high,
        )
    return ScoreIntervals(len(who), n_subjects, confidence, n_resamples, scores)


def subject_score_intervals(
    proba: pd.DataFrame,
    subject: pd.Series[str],
    label: pd.Series[str],
    *,
    confidence: float = 0.95,
    n_resamples: int = 1000,
    random_state: int = 0,
) -> ScoreIntervals:
    """Intervals of the scores at subject level, as of `crossplate.evaluate.score_subjects`.

    Parameters
    ----------
    proba, subject, label
        As in `crossplate.evaluate.score_subjects`.
    confidence, n_resamples, random_state
        As in `score_intervals`.

    Raises
    ------
    InputError
        As `crossplate.evaluate.score_subjects` and `score_intervals`.
    """
    table = by_subject(proba, subject)
    truth = subject_labels(label, subject).reindex(table.index)
    return score_intervals(
        truth.to_numpy(dtype=object),
        table[[f"p_{name}" for name in proba.columns]].to_numpy(dtype=np.float64),
        list(proba.columns),
        confidence=confidence,
        n_resamples=n_resamples,
        random_state=random_state,
    )


def _resampled(
    sums: SubjectSums, n_subjects: int, n_resamples: int, random_state: int
) -> dict[str, Floats]:
    """Each score on each resample of the subjects, NaN where it does not exist."""
    width = max((len(ranked.subject) for ranked in sums.ranked), default=n_subjects)
    blocks = [
        weighted_scores(sums, weights)
        for weights in _subject_weights(n_subjects, n_resamples, random_state, width)
    ]
    return {name: np.concatenate([block[name] for block in blocks]) for name in _RANGES}


def _subject_weights(
    n_subjects: int, n_resamples: int, random_state: int, width: int
) -> Iterator[Floats]:
    """How often each subject is drawn, in blocks of resamples, shape (block, n_subjects)."""
    rng = np.random.default_rng(random_state)
    shares = np.full(n_subjects, 1.0 / n_subjects)
    at_once = max(1, _BLOCK // width)
    for start in range(0, n_resamples, at_once):
        size = min(at_once, n_resamples - start)
        yield rng.multinomial(n_subjects, shares, size=size).astype(np.float64)


def _ends(
    unit: float, deviation: float, quantile: float, exact: float
) -> tuple[float | None, float | None]:
    """Ends of the interval of a score that was brought to 0–1.

    ``exact`` is the least share at which nothing but hits would still be plausible.
    """
    # Sums of weights round to 1 only almost.
    if unit >= 1 - 1e-12:
        return exact, 1.0
    if unit <= 1e-12:
        return 0.0, 1.0 - exact
    if deviation <= 1e-12:
        return None, None
    reach = quantile * deviation / (unit * (1 - unit))
    return float(expit(logit(unit) - reach)), float(expit(logit(unit) + reach))
