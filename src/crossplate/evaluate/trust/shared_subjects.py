"""Whether subjects are in source and target, by name or by a near-identical profile."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from crossplate.evaluate.scores import Labels
from crossplate.evaluate.trust.check import TrustCheck, graded
from crossplate.evaluate.trust.units import Floats, Units, finite_rows, units_of
from crossplate.kernels import squared_distances

NAME = "shared_subjects"
FIGURE = "share of target subjects that are in the source too"
STOP_SHARE = 0.1
"""From a tenth on, the target's scores are visibly those of known people."""
LEVEL = 0.01
"""Chance of a single false pair of profiles in a study."""
MOST_UNITS = 3000
"""Subjects of a side above which profiles are not compared; single cells are no people."""
FEWEST_UNITS = 10
SHOWN = 20

__all__ = ["check_shared_subjects", "profile_twins"]


def profile_twins(source: Floats, target: Floats) -> list[tuple[int, int]]:
    """Find target profiles that lie far closer to one source profile than to any other.

    Among unrelated profiles the ratio of the distances to the nearest and the second nearest
    neighbour, to the power of the data's intrinsic dimension, is uniform on (0, 1) [Facco2017]_.
    The dimension is estimated within source and target each; a target profile whose ratio is too
    small for chance, at `LEVEL` over the number of target profiles, has a twin.

    Parameters
    ----------
    source, target
        Profiles, one a subject, shapes (n, p) and (m, p), standardised within each batch.

    Returns
    -------
    Pairs (row of target, row of source).

    References
    ----------
    .. [Facco2017] E. Facco et al., Estimating the intrinsic dimension of datasets by a minimal
       neighborhood information, Scientific Reports 7, 2017.
    """
    own = [_two_nearest(side, side, same=True)[0] for side in (source, target)]
    spread = np.median(-np.log(np.concatenate(own)))
    if spread <= 0:
        return []
    dimension = np.log(2) / spread
    ratio, nearest = _two_nearest(target, source, same=False)
    twins = np.flatnonzero(dimension * np.log(ratio) < np.log(LEVEL / len(target)))
    return [(int(row), int(nearest[row])) for row in twins]


def check_shared_subjects(
    target: NDArray[np.bool_],
    batch: Labels,
    subject: Labels | None = None,
    z: ArrayLike | None = None,
) -> TrustCheck:
    """Check whether subjects of the target are in the source too.

    Names are compared, and, where ``z`` is given, profiles (`profile_twins`, means of a subject's
    rows). Any subject found is "look", `STOP_SHARE` of the target's "stop".

    Parameters
    ----------
    target
        True for rows of the target, false for rows of the source, shape (n,).
    batch
        Batch of each row, shape (n,).
    subject
        Subject of each row, shape (n,). Without it profiles alone are compared, one a row, and
        the verdict is never "ok".
    z
        Measurements standardised within each batch, shape (n, p), no missing value.

    Raises
    ------
    InputError
        If the shapes do not fit or values of ``z`` are missing.
    """
    units = units_of(batch, subject)
    inside = target[units.first]
    names = _names(subject, units.first)
    by_name = np.isin(units.subject, units.subject[~inside]) & inside
    twins, compared = _twins(z, units, inside)
    rows, others = np.flatnonzero(inside), np.flatnonzero(~inside)
    # A pair of one name is found already.
    pairs = [
        (int(rows[row]), int(others[other]))
        for row, other in twins
        if units.subject[rows[row]] != units.subject[others[other]]
    ]
    alike = np.zeros(len(inside), dtype=bool)
    alike[[row for row, _ in pairs]] = True
    share = float((by_name | alike).sum() / max(1, inside.sum()))
    details = {
        "by_name": int(by_name.sum()),
        "names": sorted({names[i] for i in np.flatnonzero(by_name)})[:SHOWN],
        "by_profile": len(pairs),
        "pairs": [[names[row], names[other]] for row, other in pairs[:SHOWN]],
        "profiles_compared": compared,
    }
    if share > 0:
        verdict = graded(share, 0.0, STOP_SHARE)
        return TrustCheck(NAME, verdict, share, FIGURE, 0.0, _found(details), details)
    if subject is None:
        also = " (no two profiles are near-identical)" if compared else ""
        reason = f"There is no subject column, so shared subjects cannot be told{also}."
        return TrustCheck(NAME, None, None, FIGURE, 0.0, reason, details)
    advice = "No subject of the target is in the source: nothing to do."
    return TrustCheck(NAME, "ok", share, FIGURE, 0.0, advice, details)


def _found(details: dict[str, Any]) -> str:
    found = []
    if details["by_name"]:
        found.append(f"{details['by_name']} by name (such as '{details['names'][0]}')")
    if details["by_profile"]:
        one, other = details["pairs"][0]
        found.append(f"{details['by_profile']} by a twin profile (such as '{one}' and '{other}')")
    return (
        f"Subjects of the target are in the source too, {' and '.join(found)}: leave them out of "
        "the scores, or rename them if they are different people."
    )


def _names(subject: Labels | None, first: NDArray[np.int64]) -> list[str]:
    rows = [f"row {row + 1}" for row in first]
    if subject is None:
        return rows
    given = pd.Series(subject, dtype=object).iloc[first]
    return [row if pd.isna(name) else str(name) for name, row in zip(given, rows, strict=True)]


def _twins(
    z: ArrayLike | None, units: Units, inside: NDArray[np.bool_]
) -> tuple[list[tuple[int, int]], bool]:
    fewest, most = sorted((int(inside.sum()), int((~inside).sum())))
    if z is None or fewest < FEWEST_UNITS or most > MOST_UNITS:
        return [], False
    profile = units.mean(finite_rows(z, len(units.of_row), "z"))
    return profile_twins(profile[~inside], profile[inside]), True


def _two_nearest(rows: Floats, others: Floats, *, same: bool) -> tuple[Floats, NDArray[np.intp]]:
    """Ratio of the distances to the two nearest others (1 where both are 0), and the nearest."""
    distances = squared_distances(rows, others)
    if same:
        np.fill_diagonal(distances, np.inf)
    nearest = np.argmin(distances, axis=1)
    two = np.sqrt(np.partition(distances, 1, axis=1)[:, :2])
    ratio = np.divide(two[:, 0], two[:, 1], out=np.ones(len(rows)), where=two[:, 1] > 0)
    return np.maximum(ratio, np.finfo(float).tiny), nearest
