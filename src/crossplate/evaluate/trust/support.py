"""Whether target samples lie where the source has none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import hypergeom

from crossplate.evaluate.scores import Labels
from crossplate.evaluate.trust.check import NO_Z, TrustCheck, graded
from crossplate.evaluate.trust.units import Floats, Ints, finite_rows, units_of
from crossplate.kernels import squared_distances

NAME = "support"
FIGURE = "share of target subjects much farther from the source than its own subjects"
LOOK_SHARE = 0.05
STOP_SHARE = 0.5
LEVEL = 0.01
OUTSIDE_QUANTILE = 0.01
"""Share of the source's own subjects that are taken to lie outside."""
FAR = 1.25
"""How many times the limit of the source's own distances a target sample has to lie away.

Plates scatter in ways of their own, which puts samples a little outside and does their calls no
harm.
"""
N_NEIGHBOURS = 5
MOST_ROWS = 4000
"""Source rows that distances are taken to, drawn at random from more."""
FEWEST_UNITS = 20
BLOCK = 1000

__all__ = ["Support", "check_support", "outside_support"]


@dataclass(frozen=True)
class Support:
    """Distances of target samples to the source.

    Attributes
    ----------
    distance
        Mean distance of each target row to its five nearest source rows, in the units of the
        measurements, shape (target rows,), in their order.
    limit
        `FAR` times the distance that a hundredth of the source's rows exceed, each left out with
        all rows of its subject.
    outside
        Whether ``distance`` is above ``limit``, shape (target rows,).
    target_subjects, source_subjects
        Median distance of each subject's rows.
    """

    distance: Floats
    limit: float
    outside: NDArray[np.bool_]
    target_subjects: Floats
    source_subjects: Floats

    def to_frame(self) -> pd.DataFrame:
        """Return ``distance`` and ``outside``, one row a target row."""
        return pd.DataFrame({"distance": self.distance, "outside": self.outside})


def outside_support(
    values: ArrayLike,
    target: NDArray[np.bool_],
    batch: Labels,
    subject: Labels | None = None,
    *,
    random_state: int = 0,
) -> Support:
    """Measure how far each target row is from the source, against the source's own distances.

    Parameters
    ----------
    values
        Calibrated codes or measurements standardised within each batch, shape (n, p), no missing
        value.
    target
        True for rows of the target, shape (n,); all others are the source, labelled or not.
    batch, subject
        Of each row, shape (n,).
    random_state
        Seed of the source rows taken where there are more than `MOST_ROWS`.

    Raises
    ------
    InputError
        If shapes do not fit or values are missing.
    """
    table = finite_rows(values, len(target), "values")
    units = units_of(batch, subject)
    who = units.subject[units.of_row]
    rng = np.random.default_rng(random_state)
    source = np.sort(rng.permutation(np.flatnonzero(~target))[:MOST_ROWS])
    rows = np.flatnonzero(target)
    # A subject of the target that is in the source too says nothing about the source's extent.
    distance = _distances(table, who, rows, source)
    own = _distances(table, who, source, source)
    limit = FAR * float(np.quantile(own, 1 - OUTSIDE_QUANTILE))
    return Support(
        distance=distance,
        limit=limit,
        outside=distance > limit,
        target_subjects=_by_unit(distance, units.of_row[rows]),
        source_subjects=_by_unit(own, units.of_row[source]),
    )


def check_support(
    values: ArrayLike | None,
    target: NDArray[np.bool_],
    batch: Labels,
    subject: Labels | None = None,
    *,
    random_state: int = 0,
) -> TrustCheck:
    """Check how many target subjects lie outside the source's support.

    A target subject is outside if its distance (`outside_support`) is more than `FAR` times that
    of all but a hundredth of the source's subjects (of all, if there are fewer than two hundred).
    "look" needs a share of `LOOK_SHARE` and more subjects outside than chance allows at `LEVEL` if
    source and target were one population; "stop" `STOP_SHARE`.

    Parameters
    ----------
    values, target, batch, subject, random_state
        As in `outside_support`; ``values`` None: there are none.

    Returns
    -------
    TrustCheck
        Not applicable without measurements, with fewer than `FEWEST_UNITS` source subjects or no
        target row.

    Raises
    ------
    InputError
        If shapes do not fit or values are missing.
    """
    if values is None:
        return TrustCheck.not_applicable(NAME, FIGURE, NO_Z)
    n_source = len(np.unique(units_of(batch, subject).of_row[~target]))
    if n_source < FEWEST_UNITS or not target.any():
        reason = f"Fewer than {FEWEST_UNITS} source subjects, or no target, to compare distances."
        return TrustCheck.not_applicable(NAME, FIGURE, reason)
    found = outside_support(values, target, batch, subject, random_state=random_state)
    own = np.sort(found.source_subjects)[::-1]
    rank = max(1, int(OUTSIDE_QUANTILE * (len(own) + 1)))
    m, outside = (
        len(found.target_subjects),
        int((found.target_subjects > FAR * own[rank - 1]).sum()),
    )
    top = outside + rank - 1
    p_value = float(hypergeom.sf(outside - 1, len(own) + m, m, top)) if outside else 1.0
    share = outside / m
    details = {
        "subjects_outside": outside,
        "subjects": m,
        "rows_outside": int(found.outside.sum()),
        "rows": len(found.outside),
        "row_limit": found.limit,
        "p_value": p_value,
    }
    verdict = graded(share, LOOK_SHARE, STOP_SHARE, p_value < LEVEL)
    if verdict == "ok":
        advice = f"{outside} of {m} target subjects lie outside the source: nothing to do."
    else:
        advice = (
            f"{outside} of {m} target subjects ({share:.0%}) are unlike any of the source: do not "
            "rely on their calls, and ask whether the target was measured or recruited otherwise."
        )
    return TrustCheck(NAME, verdict, share, FIGURE, LOOK_SHARE, advice, details)


def _distances(table: Floats, who: Ints, rows: Ints, source: Ints) -> Floats:
    """Mean distance of rows to their nearest source rows of other subjects."""
    found = np.empty(len(rows))
    for start in range(0, len(rows), BLOCK):
        some = rows[start : start + BLOCK]
        squared = squared_distances(table[some], table[source])
        squared[who[some][:, None] == who[source]] = np.inf
        nearest = np.partition(squared, N_NEIGHBOURS - 1, axis=1)[:, :N_NEIGHBOURS]
        found[start : start + BLOCK] = np.sqrt(nearest).mean(axis=1)
    return found


def _by_unit(distance: Floats, unit: Ints) -> Floats:
    return np.asarray(pd.Series(distance).groupby(unit).median().to_numpy(np.float64))
