"""What a fitted model relies on: loss when one original feature is shuffled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from crossplate.errors import InputError
from crossplate.evaluate.scores import Floats, Labels, checked_proba
from crossplate.rows import batch_names, subject_numbers

# Rows given to the model at once.
_AT_ONCE = 20_000
_LEAST = 1e-12

__all__ = ["Attribution", "permutation_importance"]


@dataclass(frozen=True)
class Attribution:
    """Importance of features for a model.

    Attributes
    ----------
    features
        One row a feature, in order; columns

        - ``feature``;
        - ``importance``: by how much the mean log loss (nats) grows when the feature is
          shuffled; about 0 for a feature that the model does not need, and for one whose part
          another can play;
        - ``sd``: its standard deviation over the shuffles;
        - ``accuracy_drop``: by how much the accuracy falls.
    log_loss, accuracy
        Of the model on the rows as they are.
    n_repeats
        Shuffles of each feature.
    """

    features: pd.DataFrame
    log_loss: float
    accuracy: float
    n_repeats: int

    def to_frame(self) -> pd.DataFrame:
        """One row a feature, the most important first."""
        return self.features.sort_values("importance", ascending=False, kind="stable").reset_index(
            drop=True
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values that ``json.dumps`` accepts."""
        return {
            "log_loss": self.log_loss,
            "accuracy": self.accuracy,
            "n_repeats": self.n_repeats,
            "features": [
                {str(name): value for name, value in row.items()}
                for row in self.to_frame().astype(object).to_dict("records")
            ],
        }


def permutation_importance(
    model: Any,
    X: pd.DataFrame | ArrayLike,
    y: Labels,
    *,
    batch: Labels | None = None,
    subject: Labels | None = None,
    row_arguments: Mapping[str, Sequence[Any] | ArrayLike] | None = None,
    features: Sequence[str] | None = None,
    n_repeats: int = 5,
    random_state: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Attribution:
    """Shuffle each feature among the subjects of each batch, and see what the model loses.

    Within a batch, since a value from another batch would be strange whatever the feature says;
    by subject, since a replicate would bring back nearly the same value. Use rows the model was
    not trained on: on its training rows a model seems to rely on what it learned by heart.

    Parameters
    ----------
    model
        Fitted, with ``predict_proba(X, **row_arguments)`` and ``classes_``.
    X
        Original measurements, shape (n, p). The model gets a DataFrame if this is one.
    y
        Labels, shape (n,); rows without one, or of a class the model does not know, are left out.
    batch, subject
        Batch and subject of each row, shape (n,); None for one batch and for rows that are
        subjects.
    row_arguments
        Further arguments of ``predict_proba`` with one entry a row, such as ``{"batch": batch}``
        for `crossplate.JointClassifier`.
    features
        Names of the features to shuffle (column numbers as text where X has no names); all if
        None.
    n_repeats
        Shuffles of each feature.
    random_state
        Seed. All features are shuffled alike, so that they are compared on the same rows.
    progress
        Called with the number of features done and of all, over all shuffles.

    Raises
    ------
    InputError
        If shapes do not fit, a feature is unknown, no row has a known label, a row has no batch
        or subject, or the model returns no probabilities.
    """
    if n_repeats < 1:
        raise InputError(f"n_repeats is {n_repeats}; give at least 1")
    values = np.asarray(X, dtype=np.float64)
    columns = list(X.columns) if isinstance(X, pd.DataFrame) else None
    names = [str(name) for name in columns or range(values.shape[1])]
    wanted = _places(names, features)
    classes = [str(name) for name in model.classes_]
    codes = _numbers(classes, _texts(y, len(values)))
    rows = codes >= 0
    if not rows.any():
        raise InputError(f"no row has a label out of {', '.join(classes)}; give labels")
    given = {
        name: np.asarray(entry, dtype=object)[rows] for name, entry in (row_arguments or {}).items()
    }
    plates = np.zeros(len(values)) if batch is None else batch_names(batch, len(values))
    asked = _Asked(model, values[rows], columns, given, codes[rows])
    loss, right = asked.losses(np.empty((0, 1), dtype=np.intp), np.empty(0, dtype=np.intp))
    who = subject_numbers(subject, rows)
    rng = np.random.default_rng(random_state)
    found = np.empty((2, n_repeats, len(wanted)))
    at_once = max(1, _AT_ONCE // len(asked.values))
    for repeat in range(n_repeats):
        donors = _donors(plates[rows], who, rng)
        for start in range(0, len(wanted), at_once):
            some = wanted[start : start + at_once]
            found[:, repeat, start : start + len(some)] = asked.losses(donors, some)
            if progress is not None:
                done = repeat * len(wanted) + start + len(some)
                progress(done, n_repeats * len(wanted))
    growth = found[0] - loss[0]
    frame = pd.DataFrame(
        {
            "feature": [names[place] for place in wanted],
            "importance": growth.mean(axis=0),
            "sd": growth.std(axis=0, ddof=1) if n_repeats > 1 else np.nan,
            "accuracy_drop": right[0] - found[1].mean(axis=0),
        }
    )
    return Attribution(frame, float(loss[0]), float(right[0]), n_repeats)


@dataclass(frozen=True)
class _Asked:
    """A model and the rows it is asked about."""

    model: Any
    values: Floats
    columns: list[Any] | None
    given: dict[str, NDArray[np.object_]]
    codes: NDArray[np.intp]

    def losses(self, donors: NDArray[np.intp], shuffled: NDArray[np.intp]) -> Floats:
        """Log loss and accuracy with each feature of ``shuffled`` taken from the donor rows.

        Shape (2, features); with no feature to shuffle, of the rows as they are, shape (2, 1).
        """
        n, copies = len(self.values), max(1, len(shuffled))
        x = np.tile(self.values, (copies, 1))
        for copy, place in enumerate(shuffled):
            x[copy * n : (copy + 1) * n, place] = self.values[donors, place]
        rows = x if self.columns is None else pd.DataFrame(x, columns=self.columns)
        given = {name: np.tile(entry, copies) for name, entry in self.given.items()}
        proba = checked_proba(
            self.model.predict_proba(rows, **given), len(self.model.classes_)
        ).reshape(copies, n, -1)
        true = proba[:, np.arange(n), self.codes]
        log_loss = -np.log(np.maximum(true, _LEAST)).mean(axis=1)
        return np.array([log_loss, (proba.argmax(axis=2) == self.codes).mean(axis=1)])


def _texts(y: Labels, n_rows: int) -> NDArray[np.object_]:
    """Labels as text, None where missing."""
    labels = np.array(pd.Series(y, dtype=object), dtype=object)
    if labels.shape != (n_rows,):
        raise InputError(f"y has {len(labels)} labels for {n_rows} rows; give one label a row")
    known = ~np.asarray(pd.isna(labels), dtype=bool)
    texts = np.full(n_rows, None, dtype=object)
    texts[known] = labels[known].astype(str)
    return texts


def _places(names: list[str], features: Sequence[str] | None) -> NDArray[np.intp]:
    if features is None:
        return np.arange(len(names), dtype=np.intp)
    places = _numbers(names, [str(name) for name in features])
    if (places < 0).any():
        raise InputError(
            f"feature {features[int(np.argmax(places < 0))]!r} is not among the {len(names)} "
            "features; check its name"
        )
    return places


def _numbers(names: Sequence[str], wanted: Iterable[Any]) -> NDArray[np.intp]:
    """Place of each wanted name, -1 for one that is not there."""
    place = {name: number for number, name in enumerate(names)}
    return np.array([place.get(one, -1) for one in wanted], dtype=np.intp)


def _donors(
    batch: NDArray[Any], who: NDArray[np.intp], rng: np.random.Generator
) -> NDArray[np.intp]:
    """Row that each row takes its value from: of another subject of the batch, drawn at random.

    A subject with more samples than its donor takes the donor's in turn.
    """
    _, plate = np.unique(batch, return_inverse=True)
    key = plate * (int(who.max()) + 1) + who
    _, first, unit, counts = np.unique(
        key, return_index=True, return_inverse=True, return_counts=True
    )
    donor = np.arange(len(counts))
    for number in range(int(plate.max()) + 1):
        own = np.flatnonzero(plate[first] == number)
        donor[own] = rng.permutation(own)
    order = np.argsort(unit, kind="stable")
    starts = np.cumsum(counts) - counts
    within = np.empty(len(unit), dtype=np.intp)
    within[order] = np.arange(len(unit)) - np.repeat(starts, counts)
    chosen = donor[unit]
    rows: NDArray[np.intp] = order[starts[chosen] + within % counts[chosen]]
    return rows
