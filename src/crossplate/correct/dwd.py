"""Distance-weighted discrimination: each batch is moved along the direction that separates it."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg
from scipy import sparse
from scipy.spatial.distance import cdist

from crossplate.correct.base import Corrector, FloatArray, Names
from crossplate.correct.batch_rows import rows_by_batch
from crossplate.errors import InputError

MAX_ROWS = 1000
"""Most rows of one side that a direction is sought from; the cone programme grows with them."""

_PENALTY = 100.0  # [Marron2007], for data in units of the median distance between the batches
_GAPS = (1e-10, 1e-8)  # rounding now and then stops the solver short of the first
_ACCEPTED_GAP = 1e-6
_LEAST_LENGTH = 1e-8
_RANK_TOLERANCE = 1e-10

__all__ = ["DWD", "MAX_ROWS", "dwd_direction"]


class DWD(Corrector):
    """Distance-weighted discrimination [Marron2007]_, [Benito2004]_.

    The direction w that tells two batches apart best is sought, and the rows are moved along w
    until the mean projections of the two batches agree. Everything across w stays as it is. The
    labels are not read.

    Parameters
    ----------
    reference
        Name of the batch that stays where it is; every other batch is moved onto it, each along
        its own direction. None does as [Benito2004]_: the two largest batches are moved to mean
        projection 0, then taken as one against the next largest, and so on. Projections are of
        the values as they come, so that None also moves the level of the whole table.
    C
        Penalty of a row on the wrong side, in 1 / (units of the features)². None takes 100 over
        the squared median distance between rows of the two sides, as [Marron2007]_.
    random_state
        Seed for the rows drawn where a side has more than 1,000: directions are sought from 1,000
        rows a side at most (2,000 a pair), mean projections from all rows.

    Attributes
    ----------
    batches_
        Sorted names of the batches in ``fit``.
    reference_
        The reference, None where there is none.
    shift_
        Batch → what is added to its rows, shape (p,), in units of X.
    directions_
        Batch → unit vector, shape (p,), that tells it from the reference or, without one, from
        the larger batches taken together; zeros where they cannot be told apart. The batch
        that all start from has none.

    Raises
    ------
    InputError
        A reference that is not among the batches, a C that is not positive, or two batches whose
        direction the solver does not find.

    References
    ----------
    .. [Marron2007] Marron J. S., Todd M. J., Ahn J. Distance-weighted discrimination. Journal of
       the American Statistical Association 102, 1267-1271 (2007).
       doi:10.1198/016214507000001120
    .. [Benito2004] Benito M. et al. Adjustment of systematic microarray data biases.
       Bioinformatics 20, 105-114 (2004). doi:10.1093/bioinformatics/btg385
    """

    reference_: str | None
    shift_: dict[str, FloatArray]
    directions_: dict[str, FloatArray]

    def __init__(
        self,
        *,
        reference: str | None = None,
        C: float | None = None,
        random_state: int | None = 0,
    ) -> None:
        self.reference = reference
        self.C = C
        self.random_state = random_state

    def _fit(self, x: FloatArray, batch: Names, y: Any) -> None:
        if self.C is not None and not 0.0 < self.C < np.inf:
            raise InputError(f"C is {self.C:g}; give a positive number or None")
        self.reference_ = self._reference(self.reference)
        self.shift_ = {str(name): np.zeros(x.shape[1]) for name in self.batches_}
        self.directions_ = {}
        rng = np.random.default_rng(self.random_state)
        if self.reference_ is None:
            self._fit_stepwise(x, batch, rng)
        else:
            self._fit_pairwise(x, batch, self.reference_, rng)

    def _fit_pairwise(
        self, x: FloatArray, batch: Names, reference: str, rng: np.random.Generator
    ) -> None:
        fixed = x[batch == reference]
        for name, rows in rows_by_batch(batch):
            if name != reference:
                moved = x[rows]
                w = self._direction(fixed, moved, (reference, name), rng)
                self.directions_[name] = w
                self.shift_[name] = (fixed.mean(axis=0) - moved.mean(axis=0)) @ w * w

    def _fit_stepwise(self, x: FloatArray, batch: Names, rng: np.random.Generator) -> None:
        names, sizes = np.unique(batch, return_counts=True)
        first, *others = (str(name) for name in names[np.argsort(-sizes, kind="stable")])
        merged, merged_names = x[batch == first], [first]
        for name in others:
            added = x[batch == name]
            w = self._direction(merged, added, (" and ".join(merged_names), name), rng)
            to_zero = -merged.mean(axis=0) @ w * w
            for before in merged_names:
                self.shift_[before] = self.shift_[before] + to_zero
            self.shift_[name] = -added.mean(axis=0) @ w * w
            self.directions_[name] = w
            merged = np.concatenate([merged + to_zero, added + self.shift_[name]])
            merged_names.append(name)

    def _direction(
        self,
        one: FloatArray,
        other: FloatArray,
        names: tuple[str, str],
        rng: np.random.Generator,
    ) -> FloatArray:
        try:
            return dwd_direction(_drawn(one, rng), _drawn(other, rng), C=self.C)
        except InputError as error:
            raise InputError(f"batches {names[0]} and {names[1]}: {error}") from error

    def _correct(self, x: FloatArray, batch: Names) -> FloatArray:
        corrected = x.copy()
        for name, rows in rows_by_batch(batch):
            corrected[rows] += self.shift_[name]
        return corrected


def dwd_direction(one: FloatArray, other: FloatArray, *, C: float | None = None) -> FloatArray:
    """Direction of distance-weighted discrimination of two samples.

    w and b minimise Σ 1/rᵢ + C Σ ξᵢ with rᵢ = yᵢ(xᵢ'w + b) + ξᵢ, ξ ≥ 0 and ‖w‖ ≤ 1, where y is 1
    for the rows of ``one`` and -1 for those of ``other`` [Marron2007]_.

    Parameters
    ----------
    one, other
        Samples in rows, shapes (n, p) and (m, p). The time grows with the cube of
        min(n + m, p).
    C
        As in :class:`DWD`.

    Returns
    -------
    Unit vector towards ``one``, shape (p,); zeros when the samples cannot be told apart.

    Raises
    ------
    InputError
        When the cone solver finds no solution.
    """
    rows = np.concatenate([one, other])
    sides = np.repeat([1.0, -1.0], [len(one), len(other)])
    # The intercept takes up any shift, and coordinates in the span of the rows keep distances.
    _, strength, axes = scipy.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    kept = strength > _RANK_TOLERANCE * max(strength[0], np.abs(rows).max())
    if not kept.any():
        return np.zeros(rows.shape[1])
    axes = axes[kept]
    coordinates = (rows - rows.mean(axis=0)) @ axes.T
    unit = _median_distance(coordinates[: len(one)], coordinates[len(one) :])
    penalty = _PENALTY if C is None else C * unit**2
    w = _solve_cone_programme(coordinates / unit, sides, penalty) @ axes
    length = float(np.linalg.norm(w))
    # No direction at all is the optimum when both means agree.
    return w / length if length > _LEAST_LENGTH else np.zeros(len(w))


def _drawn(rows: FloatArray, rng: np.random.Generator) -> FloatArray:
    if len(rows) <= MAX_ROWS:
        return rows
    return rows[np.sort(rng.choice(len(rows), MAX_ROWS, replace=False))]


def _median_distance(one: FloatArray, other: FloatArray) -> float:
    """Median distance between rows of either side that differ."""
    distances = cdist(one, other)
    median = float(np.median(distances))
    if median > 0.0:
        return median
    differing = distances[distances > 0.0]
    return float(np.median(differing)) if differing.size else 1.0


def _solve_cone_programme(x: FloatArray, sides: FloatArray, penalty: float) -> FloatArray:
    """Solve for w, x of shape (n, d) in units of the median distance.

    The variables are w, b, ξ, r and t ≥ 1/r, the last being the cone ‖(r − t, 2)‖ ≤ r + t.
    """
    import clarabel

    n, d = x.shape
    identity = sparse.identity(n, format="csc")
    sided = sparse.csc_array(-sides[:, None] * np.column_stack([x, np.ones(n)]))
    margins = sparse.hstack([sided, -identity, identity, sparse.csc_array((n, n))])
    slacks = sparse.hstack([sparse.csc_array((n, d + 1)), -identity, sparse.csc_array((n, 2 * n))])
    of_r, of_t = np.array([[-1.0], [-1.0], [0.0]]), np.array([[-1.0], [1.0], [0.0]])
    blank = sparse.csc_array((3 * n, d + 1 + n))
    reciprocals = sparse.hstack([blank, sparse.kron(identity, of_r), sparse.kron(identity, of_t)])
    length = sparse.hstack(
        [
            sparse.vstack([sparse.csc_array((1, d)), -sparse.identity(d)]),
            sparse.csc_array((d + 1, 1 + 3 * n)),
        ]
    )
    a = sparse.csc_matrix(sparse.vstack([margins, slacks, reciprocals, length]))
    b = np.concatenate([np.zeros(2 * n), np.tile([0.0, 0.0, 2.0], n), [1.0], np.zeros(d)])
    cost = np.repeat([0.0, penalty, 0.0, 1.0], [d + 1, n, n, n])
    cones = [clarabel.ZeroConeT(n), clarabel.NonnegativeConeT(n)]
    cones += [clarabel.SecondOrderConeT(3)] * n + [clarabel.SecondOrderConeT(d + 1)]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.reduced_tol_gap_abs = settings.reduced_tol_gap_rel = _ACCEPTED_GAP
    no_squares = sparse.csc_matrix((len(cost), len(cost)))
    for gap in _GAPS:
        settings.tol_gap_abs = settings.tol_gap_rel = gap
        found = clarabel.DefaultSolver(no_squares, cost, a, b, cones, settings).solve()
        if str(found.status) in {"Solved", "AlmostSolved"}:
            return np.asarray(found.x[:d])
    raise InputError(
        f"the search for the direction stopped unsolved ({found.status}); look for rows or "
        "features of extreme size and take logs or drop them"
    )
