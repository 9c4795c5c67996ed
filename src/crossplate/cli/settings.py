"""The options of a run, from the command line and a settings file, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, cast

from crossplate.cli.config import Kind, read_config
from crossplate.errors import InputError

if TYPE_CHECKING:
    from crossplate.study import StudySettings

FeatureRule = Literal["common", "source", "error"]

_CHOICES = {
    "features": ("common", "source", "error"),
    "preset": ("default", "paper"),
    "log": ("auto", "always", "never"),
}
_LEAST = {"seed": 0, "members": 1, "epochs": 1}
_LARGEST_SEED = 2**32 - 1
# Where the results go says nothing of how they came about.
_NOT_KEPT = ("out", "overwrite")

__all__ = ["RunOptions", "merge_options"]


@dataclass(frozen=True)
class RunOptions:
    """The options of ``crossplate run`` in effect; see its help.

    Attributes
    ----------
    table, batch, source_batch, target_batch
        One table and its batches; or
    source, target
        one file a batch.
    label, subject, sample_id, metadata
        Names of columns.
    features
        What to do where files differ in features.
    preset, seed, members, epochs, log
        Of the training; None takes the preset's.
    full
        Whether to make the parts of the evaluation that take long.
    out, overwrite
        Where the results go.

    Raises
    ------
    InputError
        If options are missing, contradict one another or are out of range.
    """

    table: str | None = None
    source: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    batch: str | None = None
    source_batch: tuple[str, ...] = ()
    target_batch: tuple[str, ...] = ()
    label: str | None = None
    subject: str | None = None
    sample_id: str | None = None
    metadata: tuple[str, ...] = ()
    features: str = "common"
    preset: str = "default"
    seed: int = 0
    members: int | None = None
    epochs: int | None = None
    log: str | None = None
    full: bool = False
    out: str = ""
    overwrite: bool = False

    def __post_init__(self) -> None:
        self._check_input()
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value is not None and value not in choices:
                raise InputError(f"--{name} is '{value}'; it is one of {', '.join(choices)}")
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise InputError(f"--{name} is {value}; give at least {least}")
        if self.seed > _LARGEST_SEED:
            raise InputError(f"--seed is {self.seed}; give at most {_LARGEST_SEED}")

    def _check_input(self) -> None:
        by_file = bool(self.source or self.target)
        if by_file == (self.table is not None):
            what = "both were given" if by_file else "neither was given"
            raise InputError(
                f"name either one TABLE with --batch, or files with --source and --target; {what}"
            )
        if by_file:
            for name in ("source", "target"):
                if not getattr(self, name):
                    raise InputError(f"no --{name} file was given; give at least one")
            for name in ("batch", "source_batch", "target_batch"):
                if getattr(self, name):
                    raise InputError(
                        f"--{name.replace('_', '-')} belongs to one TABLE, and each --source or "
                        "--target file is a batch of its own; leave it out"
                    )
        elif self.batch is None:
            raise InputError("which column holds the batch of a sample? name it with --batch")
        if self.label is None:
            raise InputError("which column holds the diagnosis? name it with --label")
        if not self.out:
            raise InputError("where should the results go? name a folder with --out")

    def to_dict(self) -> dict[str, Any]:
        """Options in effect that decide the result, as plain values for settings.json."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
            if name not in _NOT_KEPT and value is not None and value != () and value is not False
        }

    def input_files(self) -> tuple[str, ...]:
        """The tables to read."""
        return (*(() if self.table is None else (self.table,)), *self.source, *self.target)

    def feature_rule(self) -> FeatureRule:
        """What to do where files differ in features."""
        return cast(FeatureRule, self.features)

    def study(self, sources: Sequence[str], targets: Sequence[str]) -> StudySettings:
        """Settings of the study with these batches as source and target; empty: by the labels."""
        from crossplate.study import StudySettings

        return StudySettings(
            source_batches=tuple(sources),
            target_batches=tuple(targets),
            preset=self.preset,
            seed=self.seed,
            n_members=self.members,
            epochs=self.epochs,
            log=self.log,
        )


def _kind(annotation: str) -> Kind:
    kinds: dict[str, Kind] = {"tuple": "texts", "bool": "switch", "int": "whole number"}
    return next((kind for start, kind in kinds.items() if annotation.startswith(start)), "text")


def merge_options(given: Mapping[str, Any], config: str | None) -> RunOptions:
    """Put the options of the command line over those of a settings file.

    Parameters
    ----------
    given
        Options of the command line by name, None where not given.
    config
        The settings file, if any.

    Raises
    ------
    InputError
        As `read_config` and `RunOptions`.
    """
    # Annotations are texts here (postponed), such as "tuple[str, ...]".
    kinds = {entry.name: _kind(str(entry.type)) for entry in fields(RunOptions)}
    values = {} if config is None else read_config(config, kinds)
    values.update({name: value for name, value in given.items() if value is not None})
    for name, kind in kinds.items():
        if kind == "texts" and name in values:
            values[name] = tuple(values[name])
    return RunOptions(**values)
