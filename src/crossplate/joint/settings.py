"""Settings of the joint model: the default and the authors' own."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from crossplate.scaling import LogChoice, PlateScaler
from crossplate.scaling.compression import Compression

Preset = Literal["default", "paper"]
HEAD = (64,)
MANY_SUBJECTS, SUBJECTS_A_FEATURE = 500, 10
FEW_SUBJECTS = 50
HELD_OUT = 0.1
RIDGE = 10.0
FEATURES_OF_A_LEVEL = 50
"""With fewer features a row's mean and spread tell of what they measure rather than of its sample's
amount."""

OPTIONS = ("n_members", "log", "alpha", "beta", "gamma", "learning_rate", "epochs", "batch_size")
"""Settings that users give; None leaves them to the preset."""

__all__ = ["OPTIONS", "PRESETS", "JointSettings", "Preset", "preset_settings"]


@dataclass(frozen=True)
class JointSettings:
    """Everything that decides how a joint model is built and trained.

    Parameters
    ----------
    log
        Log transform of the input; see :class:`crossplate.scaling.PlateScaler`.
    per_batch_statistics
        Standardise every batch by itself, in training and at prediction. False: batch
        normalisation inside the calibrator, mini-batch statistics in training and one running
        mixture at prediction, as in [Niu2022]_.
    centre_rows
        Subtract from each row its level (:class:`crossplate.scaling.PlateScaler`); None decides
        by size (:meth:`sized`).
    compress_values, compress_rows
        Pull in outlying values, and bring all rows to one spread
        (:class:`crossplate.scaling.compression.Compression`); None decides by size (:meth:`sized`).
    residual
        Calibrator and reconstructors add a correction to their input and start as the identity.
        False: plain stacks of p-wide layers, as in [Niu2022]_. None decides by size
        (:meth:`sized`).
    hidden
        Width of the correction's hidden layer, at most p. Only with ``residual``.
    head
        Widths of the discriminator's hidden layers, empty for a linear one; None decides by size
        (:meth:`sized`).
    alpha, beta, gamma
        Weights of reconstruction, calibration (MMD²) and classification loss. A ``beta`` of None
        decides by size (:meth:`sized`).
    widest_bandwidth
        Largest Gaussian width of the MMD; None takes four times the median distance of the
        scaled rows.
    balance
        Classes count in the classification loss by their frequency to the power of minus this:
        0 trusts the source's class proportions, 1 takes all classes for equally frequent. None
        decides by size (:meth:`sized`).
    offset
        Move the class scores of a batch without labels to where its class shares put them
        (:mod:`crossplate.joint.offsets`); None decides by size (:meth:`sized`).
    sum_classification
        Sum the cross entropy over the mini-batch instead of taking its mean.
    learning_rate, weight_decay
        Of Adam; the decay is decoupled (AdamW) unless ``paper_optimiser``.
    paper_optimiser
        Adam made anew each epoch, so that its moments are lost, and a learning rate of
        ``learning_rate · 0.9^(epoch / 10000)``. False: one AdamW and a cosine that ends at zero.
    epochs
        Passes over the largest batch; None sets them from the number of steps that
        :func:`crossplate.joint.minibatches.plan` finds enough.
    batch_size
        Rows of each batch in a mini-batch.
    ridge
        Penalty ``ridge / 2n · ‖w‖²`` on the discriminator's weights, n being the labelled
        rows a member trains on; 10 is that of a logistic regression with C = 0.1. None takes
        that for large studies and where rows are read in pieces, and cross-validates the labelled
        subjects for small ones (:mod:`crossplate.joint.source_fit`).
    validation_share
        Share of the labelled rows held out of each member's training to stop it early; 0 for
        none, None decides by size (:meth:`sized`).
    linear_share
        Share of the members whose calibrator stays the identity; only with ``residual``. None
        decides by size (:meth:`sized`).
    n_members
        Independently trained members whose mean probability is the prediction.
    """

    log: LogChoice = "auto"
    per_batch_statistics: bool = True
    centre_rows: bool | None = None
    compress_values: bool | None = None
    compress_rows: bool | None = None
    residual: bool | None = None
    hidden: int = 128
    head: tuple[int, ...] | None = None
    alpha: float = 1.0
    beta: float | None = None
    gamma: float = 1.0
    widest_bandwidth: float | None = None
    balance: float | None = None
    offset: bool | None = None
    sum_classification: bool = False
    learning_rate: float = 3e-3
    weight_decay: float = 0.1
    paper_optimiser: bool = False
    epochs: int | None = None
    batch_size: int = 64
    ridge: float | None = None
    validation_share: float | None = None
    linear_share: float | None = None
    n_members: int = 5

    def __post_init__(self) -> None:
        """Refuse values that cannot be trained with."""
        for name in ("learning_rate", "batch_size", "n_members", "hidden"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0; got {getattr(self, name)!r}")
        for name in ("alpha", "beta", "gamma", "weight_decay", "balance", "ridge"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ValueError(f"{name} must not be negative; got {getattr(self, name)!r}")
        if not 0.0 <= self.held_out_share < 1.0:
            raise ValueError(f"validation_share must be in [0, 1); got {self.validation_share!r}")
        if self.epochs is not None and self.epochs < 1:
            raise ValueError(f"epochs must be at least 1 or None; got {self.epochs!r}")
        if self.log not in ("auto", "always", "never"):
            raise ValueError(f"log must be auto, always or never; got {self.log!r}")

    @property
    def class_balance(self) -> float:
        """``balance`` once the size is known."""
        return self.balance or 0.0

    @property
    def held_out_share(self) -> float:
        """``validation_share`` once the size is known."""
        return self.validation_share or 0.0

    def scaler(self) -> PlateScaler:
        """Scaler of the plates, to be fitted, once the size is known."""
        return PlateScaler(
            self.log,
            self.per_batch_statistics,
            bool(self.centre_rows),
            Compression(bool(self.compress_values), bool(self.compress_rows)),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        values = asdict(self)
        values["head"] = None if self.head is None else list(self.head)
        return values

    def sized(self, n_labelled: int, n_features: int) -> JointSettings:
        """Settings with what is left open (None) decided by a study's size.

        Matching distributions and p-wide stacks need rows to be learned from: at least
        ``MANY_SUBJECTS`` labelled subjects, and ``SUBJECTS_A_FEATURE`` for each feature. With
        fewer, MMD pulls target samples to the wrong class (on simulated plates of 200 subjects
        and 814 features it costs 5 to 16 points of balanced accuracy, while 800 subjects and 40
        features gain 1 to 2), so batches are aligned by their standardisation alone, and the
        networks are corrections of the identity with a linear head, which start as a linear
        classifier and depart from it only as far as the data push them; four members in five, and
        all with fewer than ``FEW_SUBJECTS`` labelled subjects, stay linear. Rows are held out
        to stop early only where there are many. docs/design/joint-model.md has the figures.
        """
        many = n_labelled >= max(MANY_SUBJECTS, SUBJECTS_A_FEATURE * n_features)
        wide = not many and n_features >= FEATURES_OF_A_LEVEL
        return replace(
            self,
            centre_rows=wide if self.centre_rows is None else self.centre_rows,
            compress_values=not many if self.compress_values is None else self.compress_values,
            compress_rows=wide if self.compress_rows is None else self.compress_rows,
            residual=not many if self.residual is None else self.residual,
            head=(HEAD if many else ()) if self.head is None else self.head,
            beta=float(many) if self.beta is None else self.beta,
            balance=(0.5 if many else 1.0) if self.balance is None else self.balance,
            offset=not many if self.offset is None else self.offset,
            ridge=RIDGE if many and self.ridge is None else self.ridge,
            validation_share=HELD_OUT * many
            if self.validation_share is None
            else self.validation_share,
            linear_share=_linear_share(n_labelled, many)
            if self.linear_share is None
            else self.linear_share,
        )

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> JointSettings:
        """Settings from :meth:`to_dict`; unknown names raise ``ValueError``."""
        unknown = set(values) - {entry.name for entry in fields(cls)}
        if unknown:
            raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
        head = values.get("head")
        return cls(**{**values, "head": None if head is None else tuple(head)})


PRESETS: dict[str, JointSettings] = {
    "default": JointSettings(),
    "paper": JointSettings(
        log="never",
        per_batch_statistics=False,
        centre_rows=False,
        compress_values=False,
        compress_rows=False,
        residual=False,
        head=(128, 64, 32, 16),
        alpha=0.01,
        beta=1.0,
        gamma=0.01,
        widest_bandwidth=16.0,
        balance=0.0,
        offset=False,
        ridge=0.0,
        sum_classification=True,
        learning_rate=1e-4,
        weight_decay=5e-5,
        paper_optimiser=True,
        epochs=2000,
        batch_size=100,
        validation_share=0.0,
        linear_share=0.0,
        n_members=1,
    ),
}


def _linear_share(n_labelled: int, many: bool) -> float:
    if many:
        return 0.0
    return 1.0 if n_labelled < FEW_SUBJECTS else 0.8


def preset_settings(preset: str, **overrides: Any) -> JointSettings:
    """Settings of a preset, with those given (not None) put in its place.

    Raises
    ------
    ValueError
        For an unknown preset or a value out of range.
    """
    if preset not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}; got {preset!r}")
    given = {name: value for name, value in overrides.items() if value is not None}
    return replace(PRESETS[preset], **given)
