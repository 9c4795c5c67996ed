"""What a comparison runs: methods, classifiers, pairs of batches, repeats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crossplate.compare.classifiers import CLASSIFIERS
from crossplate.compare.methods import METHODS, OWN_CLASSIFIER
from crossplate.errors import InputError

BASELINE = ("zscore", "logistic")
"""Method and classifier that all others are tested against: the best simple one."""

__all__ = ["BASELINE", "CompareSettings"]


@dataclass(frozen=True)
class CompareSettings:
    """What to compare.

    Parameters
    ----------
    methods
        Names of :data:`crossplate.compare.methods.METHODS`; empty for all. ``zscore`` is run in
        any case, because the others are tested against it.
    classifiers
        What follows a corrector: names of :data:`crossplate.compare.classifiers.CLASSIFIERS`.
        ``logistic`` is run after ``zscore`` in any case.
    pairs
        (source, target) batches; empty for every ordered pair that has labels to learn from and
        to score on.
    repeats
        Seeds 0 to ``repeats - 1`` of what is drawn at random; 3, so that a lucky seed shows. What
        has no seed is run once.
    method_settings
        Method → its settings, where they are not the defaults: parameters of the corrector, or of
        :class:`crossplate.JointClassifier`.

    Raises
    ------
    InputError
        An unknown or repeated name, a pair of one batch, or fewer than one repeat.
    """

    methods: tuple[str, ...] = ()
    classifiers: tuple[str, ...] = ("discriminator", "logistic", "forest")
    pairs: tuple[tuple[str, str], ...] = ()
    repeats: int = 3
    method_settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_names("method", (*self.methods, *self.method_settings), METHODS)
        _check_names("classifier", self.classifiers, CLASSIFIERS)
        for kind, given in (
            ("method", self.methods),
            ("classifier", self.classifiers),
            ("pair", self.pairs),
        ):
            repeated = [entry for entry in given if given.count(entry) > 1]
            if repeated:
                raise InputError(f"{kind} {repeated[0]!r} is named twice; name it once")
        if not self.classifiers:
            raise InputError(f"no classifier was named; choose from {', '.join(CLASSIFIERS)}")
        same = [source for source, target in self.pairs if source == target]
        if same:
            raise InputError(
                f"the pair {same[0]}:{same[0]} is one batch; name two (the score of a batch on "
                "itself is computed anyway)"
            )
        if self.repeats < 1:
            raise InputError(f"repeats is {self.repeats}; give at least 1")

    def methods_run(self) -> tuple[str, ...]:
        """All methods to run, the baseline among them."""
        chosen = self.methods or tuple(METHODS)
        return chosen if BASELINE[0] in chosen else (BASELINE[0], *chosen)

    def classifiers_of(self, method: str) -> tuple[str, ...]:
        """Classifiers to run after a method; the method itself where it has its own."""
        if method in OWN_CLASSIFIER:
            return (OWN_CLASSIFIER[method],)
        if method == BASELINE[0] and BASELINE[1] not in self.classifiers:
            return (*self.classifiers, BASELINE[1])
        return self.classifiers

    def settings_of(self, method: str) -> dict[str, Any]:
        """Settings of a method that are not its defaults."""
        return dict(self.method_settings.get(method, {}))


def _check_names(kind: str, given: tuple[str, ...], known: Mapping[str, Any]) -> None:
    unknown = [name for name in given if name not in known]
    if unknown:
        raise InputError(
            f"there is no {kind} {unknown[0]!r} to compare; choose from {', '.join(known)}"
        )
