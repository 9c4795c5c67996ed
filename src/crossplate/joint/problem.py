"""What the members of a stack have in common: scaled data, batches, networks, settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from crossplate.joint.feeds import Resident
from crossplate.joint.few_labels import Guess, batches_with_few, correction, own_places
from crossplate.joint.inference import TrainedNetworks
from crossplate.joint.labels import FEWEST_HELD_OUT, hold_out
from crossplate.joint.linear import Head, exact_heads, with_head
from crossplate.joint.member_spread import with_spread_of_source
from crossplate.joint.minibatches import IntArray, Member
from crossplate.joint.networks import Architecture
from crossplate.joint.offsets import (
    Offsets,
    offset_arrays,
    offset_probabilities,
    offsets_of,
    share_scores,
    to_probabilities,
)
from crossplate.joint.settings import RIDGE, JointSettings
from crossplate.joint.source_fit import SourceFit, fit_source
from crossplate.joint.trainer import EpochLosses, TrainedStack, train
from crossplate.kernels import median_bandwidths
from crossplate.rows import UNLABELLED

FloatArray = npt.NDArray[np.float64]

__all__ = ["Problem", "architecture_of"]


def architecture_of(
    n_features: int, n_batches: int, n_classes: int, settings: JointSettings
) -> Architecture:
    """Networks of the size that features, batches and classes need."""
    return Architecture(
        n_features=n_features,
        n_batches=n_batches if settings.alpha else 0,
        n_outputs=1 if n_classes == 2 else n_classes,
        residual=bool(settings.residual),
        hidden=settings.hidden,
        head=settings.head or (),
    )


@dataclass(frozen=True)
class Problem:
    """Scaled rows of all batches, ready to be learned from with one set of labels or many.

    Parameters
    ----------
    z
        Scaled rows, shape (n, p).
    batch
        Batch code 0 … K-1 of each row, shape (n,).
    subject
        Subject of each row, shape (n,); None takes each row for one.
    origins
        Where each batch lay before it was standardised, shape (K, p).
    architecture, settings
        The networks and how to train them.
    """

    z: FloatArray
    batch: IntArray
    origins: FloatArray
    subject: npt.NDArray[np.str_] | None
    architecture: Architecture
    settings: JointSettings

    @classmethod
    def of(
        cls,
        z: FloatArray,
        batch: IntArray,
        origins: FloatArray,
        subject: npt.NDArray[np.str_] | None,
        n_classes: int,
        settings: JointSettings,
    ) -> Problem:
        """Problem with networks of the size that its data and classes need."""
        n_batches = int(batch.max()) + 1
        architecture = architecture_of(z.shape[1], n_batches, n_classes, settings)
        return cls(z, batch, origins, subject, architecture, settings)

    def committee(
        self, codes: IntArray, seeds: Sequence[int], batch: IntArray | None = None
    ) -> list[Member]:
        """Members that learn the same class codes, the first of them linear.

        Parameters
        ----------
        codes, batch
            As in :meth:`member`.
        seeds
            Of the members.
        """
        linear = round((self.settings.linear_share or 0.0) * len(seeds))
        used = self.batch if batch is None else batch
        source = self._source_fit(_without_few(codes, used), used)
        members = [replace(self.member(codes, int(s), batch), source=source) for s in seeds]
        if self.settings.offset and len(batches_with_few(codes, used)):
            ridge = members[0].ridge_of(self.settings) or RIDGE
            counted = self.z * members[0].feature_weights(self.z.shape[1])
            places = own_places(counted, codes, used, ridge)
            members = [replace(member, places=places) for member in members]
        return [self._linear(its) for its in members[:linear]] + members[linear:]

    def _source_fit(self, codes: IntArray, batch: IntArray) -> SourceFit | None:
        if self.settings.ridge is not None and not self.settings.offset:
            return None
        labelled = np.unique(self.batch[(codes != UNLABELLED) & (batch >= 0)])
        origin = self.origins[labelled].mean(axis=0)
        return fit_source(self.z, codes, batch, self.subject, self.settings, origin)

    def _linear(self, member: Member) -> Member:
        """The member as a linear one, which does without one subject.

        It is solved exactly, so that nothing else would make it differ from the others. A class's
        only subject stays.
        """
        taught = member.training[member.classes[member.training] >= 0]
        who = taught if self.subject is None else self.subject[taught]
        pairs = {(int(code), one) for code, one in zip(member.classes[taught], who, strict=True)}
        counts = np.bincount([code for code, _ in pairs])
        spare = sorted(one for code, one in pairs if counts[code] > 1)
        if not spare:
            return replace(member, linear=True)
        without = taught[who == np.random.default_rng(member.seed).choice(spare)]
        return replace(member, training=np.setdiff1d(member.training, without), linear=True)

    def member(self, codes: IntArray, seed: int, batch: IntArray | None = None) -> Member:
        """A member that learns these class codes, with its own held-out rows.

        Parameters
        ----------
        codes
            Class code of each row, ``UNLABELLED`` for none, shape (n,).
        seed
            Of the member.
        batch
            Batch code of each row as this member takes them, -1 for rows it does not use; None
            takes the problem's.
        """
        batch = self.batch if batch is None else batch
        held_out = hold_out(
            codes,
            self.subject,
            self.settings.held_out_share,
            FEWEST_HELD_OUT,
            np.random.default_rng(seed),
        )
        training = np.setdiff1d(np.flatnonzero(batch >= 0), held_out)
        return Member(codes, batch, training, held_out, seed)

    def train(
        self,
        members: Sequence[Member],
        device: torch.device,
        progress: Callable[[EpochLosses], None] | None = None,
    ) -> TrainedStack:
        """Solve linear members, train all others (:func:`crossplate.joint.trainer.train`)."""
        heads = exact_heads(self.z, members, self.settings, self.architecture.n_outputs)
        trained = self._joined(members, heads, device, progress)
        if not self.settings.offset:
            return trained
        weights = trained.weights
        if not self.architecture.head:
            weights = with_spread_of_source(weights, self.architecture, self.z, members)
        networks = TrainedNetworks(self.architecture, weights, torch.device("cpu"))
        taught = [replace(m, classes=_without_few(m.classes, m.batch)) for m in members]
        return replace(trained, weights=weights | offset_arrays(networks, self.z, taught))

    def _joined(
        self,
        members: Sequence[Member],
        heads: Sequence[Head | None],
        device: torch.device,
        progress: Callable[[EpochLosses], None] | None,
    ) -> TrainedStack:
        """All members in their order; those without a head are trained."""
        places = [place for place, head in enumerate(heads) if head is None]
        history: list[dict[str, float]] = []
        found: dict[int, dict[str, npt.NDArray[np.float32]]] = {
            place: with_head(self.architecture, member.seed, head)
            for place, (member, head) in enumerate(zip(members, heads, strict=True))
            if head is not None
        }
        if places:
            widest = self.settings.widest_bandwidth or float(median_bandwidths(self.z).max())
            x = torch.from_numpy(self.z.astype(np.float32)).to(device)
            feed = Resident(x, [members[place] for place in places], self.settings)
            trained = train(feed, self.architecture, self.settings, widest, progress)
            for number, place in enumerate(places):
                found[place] = {name: value[number] for name, value in trained.weights.items()}
            history = [{**each, "member": places[int(each["member"])]} for each in trained.history]
        names = found[0].keys()
        each = [found[place] for place in range(len(members))]
        weights = {name: np.stack([its[name] for its in each]) for name in names}
        return TrainedStack(weights, history)

    def probabilities(
        self, trained: TrainedNetworks, rows: IntArray, unlabelled: npt.NDArray[np.bool_]
    ) -> FloatArray:
        """Class probabilities by each member.

        Parameters
        ----------
        trained
            Members trained on this problem.
        rows
            Row numbers, shape (m,).
        unlabelled
            True for rows of batches without labels, shape (m,); all rows of such a batch are
            among ``rows``.

        Returns
        -------
        Shape (members, m, classes).
        """
        scores = trained.scores(self.z[rows])
        found = to_probabilities(scores)
        if self.settings.offset and unlabelled.any():
            its = rows[unlabelled]
            found[:, unlabelled] = offset_probabilities(
                scores[:, unlabelled],
                share_scores(self.z[its], trained.weights),
                self.batch[its],
                trained.weights,
                self.origins,
            )
        return found

    def offsets(
        self,
        trained: TrainedNetworks,
        names: npt.NDArray[np.str_],
        codes: IntArray,
        ridge: float,
    ) -> dict[str, Offsets]:
        """What may be added to the scores of each batch without labels, or with a few, by its name.

        The ridge is that of logistic regressions on the latter.
        """
        if not self.settings.offset:
            return {}
        few = batches_with_few(codes, self.batch)
        found = {}
        for number in np.union1d(np.setdiff1d(self.batch, self.batch[codes >= 0]), few):
            z = self.z[self.batch == number]
            telling = share_scores(z, trained.weights)
            origin = self.origins[number]
            its = offsets_of(trained.scores(z), telling, trained.weights, origin)
            if number in few:
                its = Offsets.sure(its.mean + self._moved(int(number), codes, ridge))
            found[str(names[number])] = its
        return found

    def _moved(self, number: int, codes: IntArray, ridge: float) -> FloatArray:
        """What the few labels of a batch add to its offset."""
        fit = self._source_fit(_without_few(codes, self.batch), self.batch)
        without = None if fit is None else Guess(fit, self.origins[number])
        return correction(self.z, codes, self.batch, number, self.subject, ridge, without)


def _without_few(codes: IntArray, batch: IntArray) -> IntArray:
    """Class codes without those of batches that have a few labels only."""
    return np.where(np.isin(batch, batches_with_few(codes, batch)), UNLABELLED, codes)
