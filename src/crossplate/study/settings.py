"""What a study learns from, what it predicts, and how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from crossplate.joint.classifier import JointClassifier

if TYPE_CHECKING:
    from crossplate.joint.trainer import EpochLosses

__all__ = ["StudySettings"]


@dataclass(frozen=True)
class StudySettings:
    """What to learn from, what to predict, and how.

    Parameters
    ----------
    source_batches
        Labelled batches to learn from; empty for every labelled batch that is not a target.
    target_batches
        Batches to predict; empty for every batch that is not a source. Labels they carry are
        used for scoring only.
    preset, device
        As in :class:`crossplate.JointClassifier`.
    seed
        Seed of the training; 0 so that a run can be repeated without thinking of it.
    n_members, log, alpha, beta, gamma, learning_rate, epochs, batch_size
        As in :class:`crossplate.JointClassifier`; None takes the preset's.
    """

    source_batches: tuple[str, ...] = ()
    target_batches: tuple[str, ...] = ()
    preset: str = "default"
    device: str = "auto"
    seed: int = 0
    n_members: int | None = None
    log: str | None = None
    alpha: float | None = None
    beta: float | None = None
    gamma: float | None = None
    learning_rate: float | None = None
    epochs: int | None = None
    batch_size: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        values = asdict(self)
        return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}

    def classifier(self, progress: Callable[[EpochLosses], None] | None) -> JointClassifier:
        """The estimator with these settings, not yet fitted."""
        values = asdict(self)
        for name in ("source_batches", "target_batches"):
            del values[name]
        return JointClassifier(random_state=values.pop("seed"), progress=progress, **values)
