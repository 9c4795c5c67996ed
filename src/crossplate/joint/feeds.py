"""Where members in training get their rows from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from torch import Tensor

from crossplate.joint.minibatches import IntArray, Member, Plan, plan
from crossplate.joint.settings import JointSettings

__all__ = ["Feed", "Pool", "Resident"]


@dataclass(frozen=True)
class Pool:
    """Rows in memory, and what each member takes of them.

    Parameters
    ----------
    x
        Scaled rows, shape (n, p), on the device to train on.
    members
        The members that train on them.
    """

    x: Tensor
    members: Sequence[Member]


class Feed(Protocol):
    """Rows for a training, all at once or one pool an epoch."""

    @property
    def plan(self) -> Plan:
        """Mini-batches and epochs."""

    @property
    def n_members(self) -> int:
        """Members to train."""

    @property
    def n_batches(self) -> int:
        """Batches K of every member."""

    @property
    def with_labels(self) -> IntArray:
        """Batches with labelled training rows in any member, shape (labelled batches,)."""

    def label_counts(self, n_classes: int) -> IntArray:
        """Labelled rows of each class, shape (members, classes)."""

    def training_counts(self) -> IntArray:
        """Labelled rows that each member trains on, shape (members,)."""

    def pools(self, members: slice) -> Iterator[Pool]:
        """Endless pools of some members, one an epoch; every call gives the same ones."""


@dataclass(frozen=True)
class Resident:
    """One copy of all rows in memory, which the members share.

    Parameters
    ----------
    x
        Scaled rows, shape (n, p), on the device to train on.
    members
        What each member learns from.
    settings
        Schedule and mini-batch size.
    """

    x: Tensor
    members: Sequence[Member]
    settings: JointSettings

    @property
    def plan(self) -> Plan:
        """Plan of the largest batch of any member."""
        counts = [
            np.bincount(m.batch[m.batch >= 0], minlength=self.n_batches) for m in self.members
        ]
        return plan(self.settings, np.max(counts, axis=0).tolist())

    @property
    def n_members(self) -> int:
        """Members to train."""
        return len(self.members)

    @property
    def n_batches(self) -> int:
        """Batches K of every member."""
        return 1 + max(int(member.batch.max()) for member in self.members)

    @property
    def with_labels(self) -> IntArray:
        """Batches with labelled training rows in any member."""
        found = [m.batch[m.training[m.classes[m.training] >= 0]] for m in self.members]
        return np.unique(np.concatenate(found))

    def label_counts(self, n_classes: int) -> IntArray:
        """Labelled rows of each class, held-out ones too, shape (members, classes)."""
        counts = [np.bincount(m.classes[m.classes >= 0], minlength=n_classes) for m in self.members]
        return np.array(counts)

    def training_counts(self) -> IntArray:
        """Labelled rows that each member trains on, shape (members,)."""
        return np.array([(m.classes[m.training] >= 0).sum() for m in self.members])

    def pools(self, members: slice) -> Iterator[Pool]:
        """The same rows in every epoch."""
        pool = Pool(self.x, self.members[members])
        while True:
            yield pool
