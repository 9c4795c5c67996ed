"""Whether the target holds the classes in other shares than the source."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2

from crossplate.evaluate.scores import Labels
from crossplate.evaluate.trust.check import NO_PROBA, TrustCheck, graded
from crossplate.evaluate.trust.class_shares import (
    Floats,
    Ints,
    class_scores,
    confusion_shares,
    likelihood_shares,
    offset_shares,
    separation,
    to_scores,
)
from crossplate.evaluate.trust.units import codes_of_columns, units_of
from crossplate.rows import batch_names

NAME = "label_shift"
FIGURE = "largest difference of a class's share, target minus source"
LOOK_MARGIN = 0.05
"""How far the interval has to stay away from the source's share."""
STOP_MARGIN = 0.25
LEAST_SEPARATION = 0.2
"""Two classes: a balanced accuracy of about 0.6; below, shares cannot be read off predictions."""
FEWEST_UNITS = 10
FEWEST_OF_CLASS = 5
N_BOOTSTRAP = 200
OFFSET_LEVEL = 0.01

Estimates = dict[str, dict[str, Floats]]

__all__ = ["check_label_shift"]


def check_label_shift(
    proba: pd.DataFrame | None,
    target: NDArray[np.bool_],
    batch: Labels,
    label: Labels,
    subject: Labels | None = None,
    *,
    random_state: int = 0,
) -> TrustCheck:
    """Check whether class shares of the target differ from the source's, without target labels.

    Each target batch's shares are estimated (`class_shares`) by BBSE and EM and, where the scores
    speak for it (likelihood ratio test at `OFFSET_LEVEL`), by maximum likelihood that lets the
    batch's scores be shifted and stretched, as they are after each batch was standardised by
    itself. Intervals are the 2.5 % to 97.5 % percentiles over bootstrap samples of source subjects
    (by class) and target subjects.

    The verdict rests on the last estimate where there is one, and on BBSE, which needs no
    distribution, elsewhere. "look": the interval lies further than `LOOK_MARGIN` from the source's
    share of a class, "stop": than `STOP_MARGIN`. Where the model separates the classes badly, an
    offset and a label shift look alike.

    Parameters
    ----------
    proba
        Class probabilities, shape (n, K), columns named by class: source rows from
        cross-validation, target rows from the model; NaN in rows to leave out. None: there are
        none.
    target
        True for rows of the target, shape (n,).
    batch, label, subject
        Of each row, shape (n,). Labels of target rows are not read.
    random_state
        Seed of the bootstrap.

    Returns
    -------
    TrustCheck
        Not applicable without probabilities, with fewer than `FEWEST_UNITS` target subjects, fewer
        than `FEWEST_OF_CLASS` labelled source subjects of a class, or probabilities that hardly
        tell the source's classes apart.

    Raises
    ------
    InputError
        If a label is none of the columns of ``proba``.
    """
    if proba is None:
        return TrustCheck.not_applicable(NAME, FIGURE, NO_PROBA)
    codes = codes_of_columns(proba, label, ~target)
    p = proba.to_numpy(np.float64)
    rows = np.flatnonzero(np.isfinite(p).all(axis=1) & (target | (codes >= 0)))
    units = units_of(batch, subject, codes, rows)
    first = rows[units.first]
    names, source = batch_names(batch, len(codes))[first], ~target[first]
    p = units.shares(p[rows])
    known, its_codes = p[source], codes[first][source]
    counts = np.bincount(its_codes, minlength=proba.shape[1])
    sizes = pd.Series(names[~source]).value_counts(sort=False)
    enough = [str(name) for name, size in sizes.items() if size >= FEWEST_UNITS]
    if not enough or counts.min() < FEWEST_OF_CLASS:
        reason = (
            f"Class shares cannot be estimated from fewer than {FEWEST_UNITS} target subjects with "
            f"predictions, or {FEWEST_OF_CLASS} source subjects of a class."
        )
        return TrustCheck.not_applicable(NAME, FIGURE, reason)
    if separation(known, its_codes) < LEAST_SEPARATION:
        reason = (
            "The model hardly tells the classes apart in the source, so the target's class shares "
            "cannot be estimated."
        )
        return TrustCheck.not_applicable(NAME, FIGURE, reason)
    rng = np.random.default_rng(random_state)
    shares = counts / counts.sum()
    parts = {name: p[~source & (names == name)] for name in enough}
    found = {name: _estimates(known, its_codes, part, rng) for name, part in parts.items()}
    return _verdict(found, shares, [str(name) for name in proba.columns])


def _estimates(known: Floats, codes: Ints, unknown: Floats, rng: np.random.Generator) -> Estimates:
    """Each estimate's shares and interval, of one target batch; the decisive one first."""
    methods = {"bbse": confusion_shares, "em": _by_likelihood}
    if _scores_are_offset(known, codes, unknown):
        methods = {"offset": _by_offset, **methods}
    by_class = [np.flatnonzero(codes == code) for code in range(known.shape[1])]
    drawn: dict[str, list[Floats]] = {name: [] for name in methods}
    for _ in range(N_BOOTSTRAP):
        rows = np.concatenate([rng.choice(own, len(own)) for own in by_class])
        others = rng.integers(len(unknown), size=len(unknown))
        for name, method in methods.items():
            drawn[name].append(method(known[rows], codes[rows], unknown[others]))
    estimates = {}
    for name, method in methods.items():
        low, high = np.quantile(drawn[name], [0.025, 0.975], axis=0)
        estimates[name] = {"shares": method(known, codes, unknown), "low": low, "high": high}
    return estimates


def _by_likelihood(known: Floats, codes: Ints, unknown: Floats) -> Floats:
    by_class = class_scores(to_scores(known), codes, known.shape[1])
    return likelihood_shares(by_class, to_scores(unknown))


def _by_offset(known: Floats, codes: Ints, unknown: Floats) -> Floats:
    by_class = class_scores(to_scores(known), codes, known.shape[1])
    return offset_shares(by_class, to_scores(unknown))[0]


def _scores_are_offset(known: Floats, codes: Ints, unknown: Floats) -> bool:
    """Whether an offset explains the target's scores significantly better than shares alone.

    A likelihood ratio test; its statistic grows with the target's size over the source's, because
    the source's distributions are estimates themselves.
    """
    by_class = class_scores(to_scores(known), codes, known.shape[1])
    scores = to_scores(unknown)
    with_it, without = (offset_shares(by_class, scores, offset=free)[1] for free in (True, False))
    limit = chi2.ppf(1 - OFFSET_LEVEL, scores.shape[1])
    return bool(2 * (with_it - without) > limit * (1 + len(unknown) / len(known)))


def _away(estimate: dict[str, Floats], shares: Floats) -> Floats:
    """How far each class's interval lies from the source's share; 0 where it holds it."""
    return np.maximum(0.0, np.maximum(estimate["low"] - shares, shares - estimate["high"]))


def _verdict(found: dict[str, Estimates], shares: Floats, classes: list[str]) -> TrustCheck:
    decisive = {name: next(iter(estimates)) for name, estimates in found.items()}
    away = {name: _away(found[name][decisive[name]], shares) for name in found}
    worst = max(away, key=lambda name: float(away[name].max()))
    chosen = found[worst][decisive[worst]]
    differences = chosen["shares"] - shares
    k = int(np.argmax(away[worst] if away[worst].any() else np.abs(differences)))
    distance, figure = float(away[worst][k]), float(differences[k])
    details: dict[str, Any] = {
        "classes": classes,
        "source_shares": shares.tolist(),
        "batch": worst,
        "rests_on": decisive[worst],
        "target_shares": {
            batch: {
                name: {key: value.tolist() for key, value in estimate.items()}
                for name, estimate in estimates.items()
            }
            for batch, estimates in found.items()
        },
    }
    about = (
        f"about {chosen['shares'][k]:.0%} ({chosen['low'][k]:.0%} to {chosen['high'][k]:.0%}) of "
        f"{worst} seem to be {classes[k]}, against {shares[k]:.0%} of the source"
    )
    verdict = graded(distance, LOOK_MARGIN, STOP_MARGIN)
    if verdict == "ok":
        advice = f"No difference in class shares shows: {about}."
    else:
        advice = (
            f"Class shares differ: {about}; matching or standardising whole batches then moves "
            "the classes, so weight or match by class."
        )
    return TrustCheck(NAME, verdict, figure, FIGURE, LOOK_MARGIN, advice, details)
