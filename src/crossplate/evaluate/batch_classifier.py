"""How well a classifier tells the batch of a sample: a batch effect as a machine would see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from crossplate.errors import InputError
from crossplate.evaluate.intervals import score_intervals
from crossplate.evaluate.scores import Floats, Labels
from crossplate.rows import batch_names, subject_numbers

_TREES = 100

__all__ = ["BatchAccuracy", "BatchClassification", "classify_batches"]


@dataclass(frozen=True)
class BatchAccuracy:
    """Cross-validated accuracy of telling the batch.

    Attributes
    ----------
    data
        Name of the data, such as ``before``.
    classifier
        ``logistic_regression`` sees shifts, ``random_forest`` also other differences.
    accuracy, low, high
        Share of samples whose batch is told right, with its 95% interval over subjects.
    balanced_accuracy
        Mean over batches of that share; by chance 1 divided by the number of batches.
    """

    data: str
    classifier: str
    accuracy: float
    low: float | None
    high: float | None
    balanced_accuracy: float

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values that ``json.dumps`` accepts."""
        return {
            "data": self.data,
            "classifier": self.classifier,
            "accuracy": self.accuracy,
            "low": self.low,
            "high": self.high,
            "balanced_accuracy": self.balanced_accuracy,
        }


@dataclass(frozen=True)
class BatchClassification:
    """Accuracy of telling the batch, in each of several data of the same rows.

    Attributes
    ----------
    accuracies
        One entry for each data and classifier.
    chance
        Accuracy of always naming the largest batch.
    n_rows, n_splits
        Rows used of each batch, and folds.
    too_small
        Batches of fewer than two subjects, which are left out.
    """

    accuracies: tuple[BatchAccuracy, ...]
    chance: float
    n_rows: dict[str, int]
    n_splits: int
    too_small: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values that ``json.dumps`` accepts."""
        return {
            "accuracies": [one.to_dict() for one in self.accuracies],
            "chance": self.chance,
            "n_rows": self.n_rows,
            "n_splits": self.n_splits,
            "too_small": list(self.too_small),
        }

    def to_frame(self) -> pd.DataFrame:
        """One row for each data and classifier, with ``chance`` as the last column."""
        return pd.DataFrame([one.to_dict() for one in self.accuracies]).assign(chance=self.chance)


def classify_batches(
    data: Mapping[str, ArrayLike],
    batch: Labels,
    *,
    subject: Labels | None = None,
    n_splits: int = 5,
    max_rows: int = 500,
    random_state: int = 0,
) -> BatchClassification:
    """Tell the batch from the features, in folds that keep the samples of a subject together.

    Chance is what no batch effect at all comes to, if the batches hold alike samples; where
    classes have other shares in another batch, more is reached through the classes. Less than
    chance is no better than chance: centring each batch by itself makes a fold's mean the
    opposite of the rest's.

    Parameters
    ----------
    data
        Name → measurements, shape (n, p), no missing value, the same rows in each; such as
        ``{"before": x, "after": corrected}``. All are tested on the same rows and folds.
    batch
        Batch of each row, shape (n,).
    subject
        Subject of each row, shape (n,); None if each row is a subject.
    n_splits
        Folds; fewer where a batch has fewer subjects.
    max_rows
        Most rows of a batch, drawn at random, to bound the time.
    random_state
        Seed.

    Raises
    ------
    InputError
        If shapes do not fit, values are missing or infinite, or fewer than two batches have two
        subjects.
    """
    names = batch_names(batch, len(np.asarray(batch, dtype=object)))
    arrays = {name: _checked(name, values, len(names)) for name, values in data.items()}
    who = subject_numbers(subject, np.ones(len(names), dtype=bool))
    subjects = pd.Series(who).groupby(names).nunique()
    order = list(dict.fromkeys(names.tolist()))
    kept = [name for name in order if subjects[name] >= 2]
    if len(kept) < 2 or n_splits < 2:
        raise InputError(
            f"{len(kept)} batches have two subjects or more and n_splits is {n_splits}; at least "
            "two of both are needed to tell batches apart"
        )
    rng = np.random.default_rng(random_state)
    drawn = [_draw(np.flatnonzero(names == name), max_rows, rng) for name in kept]
    rows = np.concatenate(drawn)
    codes = np.repeat(np.arange(len(kept)), [len(some) for some in drawn])
    n_splits = int(min(n_splits, *(len(np.unique(who[some])) for some in drawn)))
    folds = StratifiedGroupKFold(n_splits, shuffle=True, random_state=random_state)
    splits = list(folds.split(rows, codes, who[rows]))
    accuracies = []
    for name, values in arrays.items():
        for title, classifier in _classifiers(random_state).items():
            proba = _cross_validated(classifier, values[rows], codes, splits, len(kept))
            found = score_intervals(codes, proba, range(len(kept)), subject=who[rows]).scores
            accuracy, balanced = found["accuracy"], found["balanced_accuracy"]
            assert accuracy is not None
            assert balanced is not None
            accuracies.append(
                BatchAccuracy(
                    name,
                    title,
                    accuracy.estimate,
                    accuracy.low,
                    accuracy.high,
                    balanced.estimate,
                )
            )
    counts = np.bincount(codes)
    return BatchClassification(
        accuracies=tuple(accuracies),
        chance=float(counts.max() / counts.sum()),
        n_rows={name: int(count) for name, count in zip(kept, counts, strict=True)},
        n_splits=n_splits,
        too_small=tuple(name for name in order if name not in kept),
    )


def _classifiers(random_state: int) -> dict[str, Any]:
    return {
        "logistic_regression": make_pipeline(
            StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)
        ),
        "random_forest": RandomForestClassifier(_TREES, random_state=random_state),
    }


def _draw(rows: NDArray[np.intp], most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def _cross_validated(
    classifier: Any,
    values: Floats,
    codes: NDArray[np.intp],
    splits: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
    n_classes: int,
) -> Floats:
    """Probabilities of each row from the folds it is not in, shape (n, K)."""
    proba = np.zeros((len(codes), n_classes))
    for learned, tested in splits:
        model = clone(classifier).fit(values[learned], codes[learned])
        # A fold may have taken all subjects of a small batch.
        proba[np.ix_(tested, model.classes_)] = model.predict_proba(values[tested])
    return proba


def _checked(name: str, values: ArrayLike, n_rows: int) -> Floats:
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 2 or len(x) != n_rows:
        raise InputError(
            f"data {name!r} has shape {x.shape} for {n_rows} batch entries; give samples in rows"
        )
    if not np.isfinite(x).all():
        raise InputError(
            f"data {name!r} has {int((~np.isfinite(x)).sum())} missing or infinite values; impute "
            "them first"
        )
    return x
