"""Training on more rows than memory holds: a pool of rows from every batch, renewed as it goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from crossplate.joint.feeds import Pool
from crossplate.joint.labels import FEWEST_HELD_OUT
from crossplate.joint.minibatches import Member, Plan, plan
from crossplate.joint.settings import JointSettings
from crossplate.joint.stored_rows import BatchRows, IntArray, Keys, StoredStudy
from crossplate.kernels import median_bandwidths
from crossplate.scaling import PlateScaler
from crossplate.scaling.blocks import Sample, fit_in_blocks
from crossplate.stored import StoredMatrix

FloatArray = npt.NDArray[np.float64]
Rows = npt.NDArray[np.float32]

POOL_BYTES = 3.2e7
"""Bytes of a pool as float32; reading and scaling it takes some five times as much."""
FEWEST_POOLS = 10
"""A training looks at its held-out loss after every pool, so it gets at least this many."""
SAMPLE_ROWS = 20_000
"""Rows of each batch that medians and kernel widths are taken from."""
MOST_HELD_OUT = 10_000
"""Held-out rows kept in memory."""

__all__ = ["StreamedRows", "fit_scaler", "streamed_plan"]


def streamed_plan(settings: JointSettings, sizes: Sequence[int], n_features: int) -> Plan:
    """Mini-batches of one pool, and pools; as many steps as rows in memory would get."""
    whole = plan(settings, sizes)
    total = whole.steps * whole.epochs
    fitting = int(POOL_BYTES // (4 * n_features * len(sizes) * whole.rows))
    steps = max(1, min(-(-total // FEWEST_POOLS), fitting))
    return Plan(whole.rows, steps, -(-total // steps))


def fit_scaler(
    scaler: PlateScaler, matrix: StoredMatrix, study: StoredStudy, seed: int
) -> tuple[int, float]:
    """Fit a scaler to a stored matrix.

    Returns
    -------
    Missing cells, and the median heuristic's widest kernel of the scaled rows.
    """
    most = max(2, int(2 * POOL_BYTES // (8 * matrix.shape[1] * len(study.batches))))
    parts = [
        BatchRows(matrix, study.batch, code, seed).take(min(most, SAMPLE_ROWS, int(count)))
        for code, count in enumerate(study.rows)
    ]
    rows = np.concatenate([part[0] for part in parts])
    names = study.batches[study.batch[rows]]
    x = np.concatenate([part[1] for part in parts])
    moments = fit_in_blocks(
        scaler,
        lambda: ((block, study.batch[where]) for where, block in matrix.blocks()),
        study.batches,
        Sample(x, names, study.classes[rows] >= 0),
    )
    missing = matrix.shape[0] * matrix.shape[1] - int(moments.count.sum())
    return missing, float(median_bandwidths(scaler.scale(x, names)).max())


@dataclass(frozen=True)
class StreamedRows:
    """Feed of members from a stored matrix.

    All members see the same pools. Whether a row is held out from a member is decided by its
    subject's (or its own) number and the member's seed, so it needs no list of rows.

    Parameters
    ----------
    matrix, study
        The stored rows and what is known of each.
    scaler
        Fitted to them.
    subject
        Key of each row's subject; None takes each row for one.
    settings
        How to train.
    seeds
        Of the members; the first also orders the pools.
    device
        Where to train.
    """

    matrix: StoredMatrix
    study: StoredStudy
    scaler: PlateScaler
    subject: Keys | None
    settings: JointSettings
    seeds: tuple[int, ...]
    device: torch.device

    @property
    def plan(self) -> Plan:
        """Mini-batches of a pool, and the number of pools."""
        return streamed_plan(self.settings, self.study.rows.tolist(), self.matrix.shape[1])

    @property
    def n_members(self) -> int:
        """Members to train."""
        return len(self.seeds)

    @property
    def n_batches(self) -> int:
        """Batches K."""
        return len(self.study.batches)

    @property
    def with_labels(self) -> IntArray:
        """Batches with labelled rows."""
        return np.flatnonzero(self.study.labelled_rows)

    def label_counts(self, n_classes: int) -> IntArray:
        """Labelled rows of each class, the same for every member, shape (members, classes)."""
        counts = np.zeros(n_classes, dtype=np.int64)
        counts[: len(self.study.label_names)] = self.study.class_counts
        return np.tile(counts, (self.n_members, 1))

    def training_counts(self) -> IntArray:
        """Labelled rows that each member trains on, about, shape (members,)."""
        share = 1.0 - self.settings.held_out_share
        count = max(1, round(share * int(self.study.class_counts.sum())))
        return np.full(self.n_members, count)

    def pools(self, members: slice) -> Iterator[Pool]:
        """Pools of new rows beside the first pool's held-out ones."""
        streams = [
            BatchRows(self.matrix, self.study.batch, code, self.seeds[0])
            for code in range(self.n_batches)
        ]
        kept: tuple[IntArray, Rows] | None = None
        while True:
            rows, z = self._draw(streams)
            if kept is None:
                outside = self._kept_out(rows)
                kept = rows[outside], z[outside].copy()
            yield self._pool(rows, z, kept, self.seeds[members])

    def _draw(self, streams: Sequence[BatchRows]) -> tuple[IntArray, Rows]:
        order = self.plan
        wanted = order.rows * order.steps / (1.0 - self.settings.held_out_share)
        parts, scaled = [], []
        for stream, size in zip(streams, self.study.rows, strict=True):
            rows, x = stream.take(min(int(np.ceil(wanted)), int(size)))
            names = np.full(len(rows), self.study.batches[stream.code])
            parts.append(rows)
            scaled.append(self.scaler.scale(x, names).astype(np.float32))
        return np.concatenate(parts), np.concatenate(scaled)

    def _kept_out(self, rows: IntArray) -> IntArray:
        """Places of the rows that any member holds out, not more than ``MOST_HELD_OUT``."""
        held = np.any([self._held_out(rows, seed) for seed in self.seeds], axis=0)
        return np.random.default_rng(self.seeds[0]).permutation(np.flatnonzero(held))[
            :MOST_HELD_OUT
        ]

    def _held_out(self, rows: IntArray, seed: int) -> npt.NDArray[np.bool_]:
        keys = rows.astype(np.uint64) if self.subject is None else self.subject[rows]
        chosen = _uniform(keys, seed) < self.settings.held_out_share
        return chosen & (self.study.classes[rows] >= 0)

    def _pool(
        self,
        rows: IntArray,
        z: Rows,
        kept: tuple[IntArray, Rows],
        seeds: Sequence[int],
    ) -> Pool:
        every = np.concatenate([kept[0], rows])
        classes = self.study.classes[every].astype(np.int64)
        batch = self.study.batch[every].astype(np.int64)
        new = np.arange(len(every)) >= len(kept[0])
        members = []
        for seed in seeds:
            held_out = self._held_out(every, seed)
            validation = np.flatnonzero(held_out & ~new)
            if self._too_few(every[validation]):
                validation = np.empty(0, dtype=np.int64)
            training = np.flatnonzero(new & ~held_out)
            members.append(Member(classes, batch, training, validation, seed))
        x = torch.from_numpy(np.concatenate([kept[1], z])).to(self.device)
        return Pool(x, members)

    def _too_few(self, rows: IntArray) -> bool:
        """Whether a class has too few held-out subjects to say when to stop."""
        keys = rows if self.subject is None else self.subject[rows]
        codes = self.study.classes[rows]
        return any(
            len(np.unique(keys[codes == code])) < FEWEST_HELD_OUT
            for code in range(len(self.study.label_names))
        )


def _uniform(keys: Keys, seed: int) -> FloatArray:
    """A number in [0, 1) for each key, the same whenever asked (splitmix64)."""
    offset = (seed * 0x9E3779B97F4A7C15) % 2**64
    mixed = keys + np.uint64(offset)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    return np.asarray((mixed >> np.uint64(11)) * 2.0**-53, dtype=np.float64)
