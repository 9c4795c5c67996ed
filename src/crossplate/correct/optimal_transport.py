"""Optimal transport: each row moved to where the cheapest plan sends it in the reference."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from crossplate.correct.base import Corrector, FloatArray, Names
from crossplate.correct.batch_rows import (
    largest_batch,
    need_two_rows,
    pooled_scale,
    rows_by_batch,
)
from crossplate.errors import InputError
from crossplate.kernels import squared_distances

CHUNK = 4096
"""Rows whose distances are held at once: 64 MB with 2,000 fitted rows."""
MOST_STEPS = 10_000_000
"""Steps of the network simplex; two times 2,000 rows take over 100,000, POT's own limit."""
MOST_ROUNDS = 1000
"""Rounds of Sinkhorn's algorithm before it counts as not settling."""
ACCEPTED = 1e-3
"""Error of the reference's weights that Sinkhorn's algorithm stops at, as a share of them."""

__all__ = ["OptimalTransport"]


class OptimalTransport(Corrector):
    """Move each batch onto the reference by optimal transport [Courty2017]_.

    A plan is sought that carries the rows of a batch to rows of the reference at the least total
    squared distance, every row weighing the same. Each row goes to the mean of where the plan
    carries it. A row that took no part in the plan moves as the nearest one that did
    [Ferradans2014]_: new samples of a fitted batch, and what is beyond ``max_rows``. A batch that
    was not in ``fit`` gets a plan of its own onto the kept rows of the reference.

    Distances are of features divided by their standard deviation within batches.

    The plan gives every part of the batch a part of the reference of the same size. Where a
    class is more frequent in one batch than in the other, some of its rows are carried into
    another class.

    Needs the package POT: ``pip install crossplate[ot]``.

    Parameters
    ----------
    reference
        Batch that all others are moved onto; its rows stay unchanged. None: the batch of most
        rows, of equally large ones the first by name; the publication has two domains and maps
        the labelled onto the unlabelled one.
    entropy
        Weight of the plan's entropy (Sinkhorn), as a share of the median squared distance of
        batch and reference, both centred. 0, the default, solves the plan exactly. Above 0 each
        row is averaged over more of the reference, which draws the batch together: at 0.05,
        normal rows in 25 features keep half their spread.
    max_rows
        Most rows of a batch that the plan is made of, drawn at random from more. The exact
        plan's time grows with the cube of it: 2,000 take seconds.
    random_state
        Seed of that draw.

    Attributes
    ----------
    batches_
        Sorted names of the batches in ``fit``.
    reference_
        The reference; with one batch in ``fit`` that batch.
    seed_
        Seed of the draws, in ``transform`` too.
    scale_
        Standard deviation of each feature within batches, shape (p,), in units of X; 1 for one
        without spread.
    origins_, moves_
        Batch → distinct rows in the plan and how far each is moved, both of shape (m, p), in
        units of ``scale_``.
    goals_, goal_weights_
        Distinct rows of the reference in the plan, shape (m, p), in units of ``scale_``, and their
        weights, shape (m,), sum 1.

    Raises
    ------
    InputError
        POT is not installed, a batch of one row among several batches, a reference that is not
        among the batches, or an entropy so small that Sinkhorn's algorithm does not settle.

    References
    ----------
    .. [Courty2017] Courty N., Flamary R., Tuia D., Rakotomamonjy A. Optimal transport for domain
       adaptation. IEEE Transactions on Pattern Analysis and Machine Intelligence 39, 1853-1865
       (2017). arXiv:1507.00504
    .. [Ferradans2014] Ferradans S., Papadakis N., Peyré G., Aujol J.-F. Regularized discrete
       optimal transport. SIAM Journal on Imaging Sciences 7, 1853-1882 (2014). arXiv:1307.5551
    """

    takes_new_batches: ClassVar[bool] = True

    reference_: str
    seed_: int
    scale_: FloatArray
    origins_: dict[str, FloatArray]
    moves_: dict[str, FloatArray]
    goals_: FloatArray
    goal_weights_: FloatArray

    def __init__(
        self,
        *,
        reference: str | None = None,
        entropy: float = 0.0,
        max_rows: int = 2000,
        random_state: int | None = 0,
    ) -> None:
        self.reference = reference
        self.entropy = entropy
        self.max_rows = max_rows
        self.random_state = random_state

    def _fit(self, x: FloatArray, batch: Names, y: Any) -> None:
        if not 0.0 <= self.entropy < np.inf:
            raise InputError(f"entropy is {self.entropy!r}; give 0 or a positive number")
        if self.max_rows < 2:
            raise InputError(f"max_rows is {self.max_rows!r}; give at least 2")
        self.seed_ = int(np.random.default_rng(self.random_state).integers(2**31))
        given = self._reference(self.reference)
        self.reference_ = largest_batch(batch) if given is None else given
        self.scale_ = pooled_scale(x, batch)
        self.goals_, self.goal_weights_ = self._drawn(x[batch == self.reference_])
        self.origins_, self.moves_ = {}, {}
        if len(self.batches_) == 1:
            return
        for name, rows in rows_by_batch(batch):
            need_two_rows(name, rows)
            if name != self.reference_:
                self.origins_[name], self.moves_[name] = self._moves(name, x[rows])

    def _correct(self, x: FloatArray, batch: Names) -> FloatArray:
        corrected = x.copy()
        for name, rows in rows_by_batch(batch):
            if name == self.reference_:
                continue
            if name in self.origins_:
                origins, moves = self.origins_[name], self.moves_[name]
            else:
                need_two_rows(name, rows)
                origins, moves = self._moves(name, x[rows])
            for start in range(0, len(rows), CHUNK):
                some = rows[start : start + CHUNK]
                near = _nearest(x[some] / self.scale_, origins)
                corrected[some] += moves[near] * self.scale_
        return corrected

    def _drawn(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Distinct scaled rows of a draw and their weights; the rows' order plays no part."""
        distinct, place = np.unique(x / self.scale_, axis=0, return_inverse=True)
        if len(x) > self.max_rows:
            rng = np.random.default_rng(self.seed_)
            place = rng.choice(np.sort(place), self.max_rows, replace=False)
        counts = np.bincount(place, minlength=len(distinct))
        kept = counts > 0
        return distinct[kept], counts[kept] / counts.sum()

    def _moves(self, name: str, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        origins, weights = self._drawn(x)
        # A shift between the two adds the same to every plan's cost: without it, the usual
        # distance, which entropy is a share of, is that within batches.
        cost = squared_distances(
            origins - weights @ origins, self.goals_ - self.goal_weights_ @ self.goals_
        )
        try:
            plan = _plan(weights, self.goal_weights_, np.asarray(cost, np.float64), self.entropy)
        except InputError as error:
            raise InputError(f"batch {name!r}: {error}") from error
        images = plan @ self.goals_ / plan.sum(axis=1, keepdims=True)
        return origins, images - origins


def _plan(
    weights: FloatArray, goal_weights: FloatArray, cost: FloatArray, entropy: float
) -> FloatArray:
    """Mass carried from each origin to each goal, shape (origins, goals)."""
    try:
        import ot
    except ImportError as error:
        raise InputError(
            "optimal transport needs the package POT; install it with pip install crossplate[ot]"
        ) from error
    usual = float(np.median(cost))
    if entropy == 0.0 or usual == 0.0:
        return np.asarray(ot.emd(weights, goal_weights, cost, numItermax=MOST_STEPS))
    cost = cost / usual
    # What a whole row or column has in common does not change the plan, but underflows.
    cost -= cost.min(axis=1, keepdims=True)
    cost -= cost.min(axis=0, keepdims=True)
    allowed = ACCEPTED * float(np.linalg.norm(goal_weights))
    # too little entropy overflows, which the check below finds
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        plan, log = ot.sinkhorn(
            weights,
            goal_weights,
            cost,
            entropy,
            numItermax=MOST_ROUNDS,
            stopThr=allowed,
            log=True,
        )
    if not (log["err"][-1] <= allowed and np.isfinite(plan).all()):
        raise InputError(
            f"the transport plan did not settle with entropy={entropy:g}; give more, or 0 for the "
            "exact plan"
        )
    return np.asarray(plan)


def _nearest(scaled: FloatArray, origins: FloatArray) -> npt.NDArray[np.intp]:
    """Number of the nearest origin of each row."""
    middle = origins.mean(axis=0)  # squared distances lose fewer digits near zero
    return np.asarray(squared_distances(scaled - middle, origins - middle).argmin(axis=1))
