"""Whether probabilities mean what they say: reliability curve, calibration error, Brier score."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from crossplate.errors import InputError
from crossplate.evaluate.scores import Codes, Floats, Labels, checked_proba, score
from crossplate.rows import subject_numbers

# Draws that say how large the error of a calibrated classifier looks by chance.
_N_DRAWS = 200

__all__ = ["Calibration", "ReliabilityBin", "calibration"]


@dataclass(frozen=True)
class ReliabilityBin:
    """Rows of similar probability.

    Attributes
    ----------
    class_name
        Class whose probability and share are meant.
    n
        Rows.
    predicted
        Mean probability.
    observed
        Share of rows that are of the class.
    low, high
        95% interval of that share, subjects being what varies.
    """

    class_name: Any
    n: int
    predicted: float
    observed: float
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        """Return the bin as plain values that ``json.dumps`` accepts."""
        return {
            "class": self.class_name,
            "n": self.n,
            "predicted": self.predicted,
            "observed": self.observed,
            "low": self.low,
            "high": self.high,
        }


@dataclass(frozen=True)
class Calibration:
    """How far probabilities are from the shares they announce.

    Attributes
    ----------
    n
        Rows with a known label.
    brier
        Brier score, as in `crossplate.evaluate.Scores`.
    ece
        Expected calibration error: mean over rows of the distance between ``predicted`` and
        ``observed`` of their bin; more than two classes: mean over classes, one against the rest.
    ece_calibrated, ece_calibrated_95
        What ``ece`` would be on average, and below what it would stay in 95% of studies, were the
        probabilities exactly right. The error is above 0 by chance alone, the more so the fewer
        subjects: read ``ece`` beside these.
    curve
        Bins of ascending probability; two classes: of the positive class (the second of the
        sorted ones), more: of each class in turn.
    """

    n: int
    brier: float
    ece: float
    ece_calibrated: float
    ece_calibrated_95: float
    curve: tuple[ReliabilityBin, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values that ``json.dumps`` accepts."""
        return {
            "n": self.n,
            "brier": self.brier,
            "ece": self.ece,
            "ece_calibrated": self.ece_calibrated,
            "ece_calibrated_95": self.ece_calibrated_95,
            "curve": [one.to_dict() for one in self.curve],
        }

    def to_frame(self) -> pd.DataFrame:
        """One row a bin; columns ``class, n, predicted, observed, low, high``."""
        return pd.DataFrame([one.to_dict() for one in self.curve])


def calibration(
    y_true: Labels,
    proba: ArrayLike,
    classes: Iterable[Hashable],
    *,
    subject: Labels | None = None,
    n_bins: int = 10,
    random_state: int = 0,
) -> Calibration:
    """Compare class probabilities with the shares of the classes.

    Rows are put into bins of equal count by their probability, since bins of equal width leave
    most bins of a good classifier nearly empty; rows of equal probability stay together. The
    interval of a bin is Wilson's [Wilson1927]_ for as many rows as would tell as much if each
    were of another subject.

    Parameters
    ----------
    y_true, proba, classes
        As in `crossplate.evaluate.score`. Rows without a label are left out.
    subject
        Subject of each row, shape (n,); None if each row is a subject.
    n_bins
        Most bins of a class; fewer where that would leave bins of less than 10 subjects.
    random_state
        Seed of the draws behind ``ece_calibrated``.

    Raises
    ------
    InputError
        As `crossplate.evaluate.score`; a labelled row without subject, or ``n_bins`` below 1.

    References
    ----------
    .. [Wilson1927] E. Wilson, Journal of the American Statistical Association 22:209, 1927.
    """
    if n_bins < 1:
        raise InputError(f"n_bins is {n_bins}; give at least 1.")
    found = score(y_true, proba, classes)
    names = found.classes
    codes = pd.Index(names, dtype=object).get_indexer(
        np.array(pd.Series(y_true, dtype=object), dtype=object)
    )
    known = codes >= 0
    who = subject_numbers(subject, known)
    p = checked_proba(proba, len(names))[known]
    n_subjects = int(who.max()) + 1
    n_bins = max(1, min(n_bins, n_subjects // 10))
    positive = found.positive_class
    columns = range(len(names)) if positive is None else [names.index(positive)]
    bins = [_bins(p[:, column], n_bins) for column in columns]
    truth = codes[known]
    curve = [
        _bin(names[column], p[rows, column], truth[rows] == column, who[rows])
        for column, places in zip(columns, bins, strict=True)
        for rows in (places == place for place in range(places.max() + 1))
    ]
    chance = _ece_by_chance(p, _label_units(who, truth), columns, bins, random_state)
    return Calibration(
        n=len(p),
        brier=found.brier,
        ece=_ece(p, truth, columns, bins),
        ece_calibrated=float(chance.mean()),
        ece_calibrated_95=float(np.quantile(chance, 0.95)),
        curve=tuple(curve),
    )


def _bins(p: Floats, n_bins: int) -> Codes:
    """Bin of each row, bins of equal count numbered from 0; equal probabilities share a bin."""
    edges = np.unique(np.quantile(p, np.arange(1, n_bins) / n_bins))
    _, places = np.unique(np.searchsorted(edges, p, side="left"), return_inverse=True)
    return np.asarray(places, dtype=np.intp)


def _ece(p: Floats, truth: Codes, columns: Iterable[int], bins: list[Codes]) -> float:
    """Mean over classes of the distance between probability and share, bin by bin."""
    errors = []
    for column, places in zip(columns, bins, strict=True):
        excess = np.bincount(places, weights=(truth == column) - p[:, column])
        errors.append(np.abs(excess).sum() / len(p))
    return float(np.mean(errors))


def _ece_by_chance(
    p: Floats,
    unit: Codes,
    columns: Iterable[int],
    bins: list[Codes],
    random_state: int,
) -> Floats:
    """Draws of the error that chance alone makes: labels drawn with each unit's probabilities."""
    rows = np.bincount(unit)
    mean = np.column_stack([np.bincount(unit, weights=column) / rows for column in p.T])
    limits = np.cumsum(mean, axis=1)[:, :-1]
    counts = []
    for places in bins:
        of_bin = np.zeros((len(rows), places.max() + 1))
        np.add.at(of_bin, (unit, places), 1.0)
        counts.append(of_bin)
    rng = np.random.default_rng(random_state)
    errors = np.empty(_N_DRAWS)
    for draw in range(_N_DRAWS):
        labels = (rng.random((len(rows), 1)) > limits).sum(axis=1)
        excess = [
            np.abs(((labels == column) - mean[:, column]) @ of_bin).sum()
            for column, of_bin in zip(columns, counts, strict=True)
        ]
        errors[draw] = np.mean(excess) / len(p)
    return errors


def _label_units(who: Codes, truth: Codes) -> Codes:
    """Rows that can only have one label together: those of a subject, if all of its labels agree.

    Cells of one subject that are of different classes each have a label of their own.
    """
    first = truth[np.unique(who, return_index=True)[1]]
    mixed = np.bincount(who, weights=truth != first[who]) > 0
    unit = np.where(mixed[who], who.max() + 1 + np.arange(len(who)), who)
    return np.unique(unit, return_inverse=True)[1].astype(np.intp)


def _bin(name: Any, p: Floats, inside: NDArray[np.bool_], who: Codes) -> ReliabilityBin:
    observed = float(inside.mean())
    low, high = _wilson(observed, _effective_rows(inside, who))
    return ReliabilityBin(name, len(p), float(p.mean()), observed, low, high)


def _effective_rows(inside: NDArray[np.bool_], who: Codes) -> float:
    """Rows of as many subjects that would tell a share as exactly as these rows do.

    Rows divided by the ratio of the variance over subjects to that of independent rows. Where all
    rows agree there is no variance to compare; they then count as their subjects.
    """
    rows = np.bincount(who)
    hits = np.bincount(who, weights=inside)[rows > 0]
    rows = rows[rows > 0]
    share, n, m = inside.mean(), len(inside), len(rows)
    if share in (0.0, 1.0) or m == 1:
        return float(m)
    over_subjects = ((hits - share * rows) ** 2).sum() * m / (m - 1)
    ratio = max(1.0, over_subjects / (n * share * (1 - share)))
    return float(n / ratio)


def _wilson(share: float, n: float) -> tuple[float, float]:
    z = float(norm.ppf(0.975))
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return float(max(0.0, centre - reach)), float(min(1.0, centre + reach))
