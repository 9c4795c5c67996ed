"""The methods of the leaderboard, and one run of one of them."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import networks

import crossplate
from crossplate.compare.aligning import Align
from crossplate.compare.classifiers import RANDOM_CLASSIFIERS
from crossplate.compare.methods import METHODS, OWN_CLASSIFIER, RANDOM, learn_jointly
from crossplate.compare.work import Unit
from crossplate.correct.registry import corrector_class

JOINT, BASELINE, NOTHING = "joint", "zscore + logistic", "none + logistic"
SIMPLE = ("none", "zscore", "centring", "ratio-g", "combat", "dwd", "fsva", "coral", "ot")
SLOW = ("mmd-resnet", "normae")
NETWORKS: dict[str, Align] = {
    "zscore + network": networks.source_network,
    "deep-coral": networks.deep_coral,
    "dann": networks.dann,
}
VARIANTS: dict[str, dict[str, Any]] = {
    "remove-r": {"alpha": 0.0},
    "no-mmd": {"beta": 0.0},
    "mmd": {"beta": 1},
}
PAPER_FEATURES = 1000
PACKAGE = Path(crossplate.__file__).parent

__all__ = [
    "BASELINE",
    "JOINT",
    "NOTHING",
    "Opponent",
    "chosen",
    "imported",
    "opponents",
    "variant",
]


@dataclass(frozen=True)
class Opponent:
    """A method of the leaderboard.

    Parameters
    ----------
    name
        In the tables.
    method, classifier
        As in :class:`crossplate.compare.work.Unit`.
    settings
        Of the method, where they are not its defaults.
    align
        The method where it is none of crossplate's own.
    is_random
        Whether its result depends on the seed.
    is_slow
        Run with one seed, and only where it is asked for.
    most_features
        Left out of data with more, where it would take hours.
    module
        The file that its result depends on, beside those of the comparison, with all of
        crossplate that it imports.
    """

    name: str
    method: str
    classifier: str
    settings: dict[str, Any] = field(default_factory=dict)
    align: Align | None = None
    is_random: bool = False
    is_slow: bool = False
    most_features: int | None = None
    module: Path = Path()

    @property
    def is_form(self) -> bool:
        """Whether it is another form of the joint model."""
        return self.align is learn_jointly and self.name != JOINT

    def unit(self, source: str, target: str, seed: int) -> Unit:
        """One run."""
        return Unit(
            source,
            target,
            self.method,
            (self.classifier,),
            1,
            self.settings,
            first_seed=seed,
            align=self.align,
            distances=False,
        )

    def digest(self) -> str:
        """Of the settings and of the code that the result depends on."""
        found = hashlib.sha256(json.dumps([self.name, self.settings], sort_keys=True).encode())
        for path in (*(PACKAGE / place for place in _COMPARISON), *imported(self.module)):
            found.update(_code(path).encode())
        return found.hexdigest()[:12]


@cache
def _code(path: Path) -> str:
    """What a file does, without comments and docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [
                each
                for each in body
                if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
            ]
    return ast.dump(tree)


@cache
def imported(module: Path) -> list[Path]:
    """A file and all files of crossplate that it imports, directly or not, sorted."""
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("crossplate."):
                place = PACKAGE.parent.joinpath(*str(node.module).split("."))
                places = [place, *(place / each.name for each in node.names)]
                files = [p.with_suffix(".py") for p in places] + [place / "__init__.py"]
                waiting += [file for file in files if file.exists()]
    return sorted(found)


_COMPARISON = (
    "compare/aligning.py",
    "compare/blind.py",
    "compare/classifiers.py",
    "compare/preparation.py",
    "evaluate/baselines.py",
    "scaling/logs.py",
)


def _file(module: str) -> Path:
    return PACKAGE.parent.joinpath(*module.split(".")).with_suffix(".py")


def _followed(method: str, classifier: str) -> Opponent:
    return Opponent(
        f"{method} + {classifier}",
        method,
        classifier,
        is_random=method in RANDOM or classifier in RANDOM_CLASSIFIERS,
        is_slow=method in SLOW,
        module=_file(corrector_class(method).__module__),
    )


def variant(name: str, settings: dict[str, Any], **more: Any) -> Opponent:
    """The joint model with settings of :class:`crossplate.JointClassifier`."""
    return Opponent(
        name,
        name,
        OWN_CLASSIFIER["joint"],
        settings,
        align=learn_jointly,
        is_random=True,
        module=_file("crossplate.compare.methods"),
        **more,
    )


def opponents() -> dict[str, Opponent]:
    """All methods, the quick ones first."""
    found = [_followed(name, "logistic") for name in SIMPLE]
    found.append(_followed("zscore", "forest"))
    found += [
        Opponent(name, name, name, align=align, is_random=True, module=Path(networks.__file__))
        for name, align in NETWORKS.items()
    ]
    found.append(variant(JOINT, {}))
    found += [variant(name, settings) for name, settings in VARIANTS.items()]
    found += [_followed(name, "logistic") for name in SLOW if name in METHODS]
    paper = variant("paper", {"preset": "paper"}, is_slow=True, most_features=PAPER_FEATURES)
    return {each.name: each for each in [*found, paper]}


def chosen(names: Sequence[str], variants: Sequence[str]) -> list[Opponent]:
    """Methods by name.

    Parameters
    ----------
    names
        Names of :func:`opponents`; ``simple`` for what is followed by a classifier, ``default``
        for all that are not slow, ``all`` for the slow ones too.
    variants
        Further forms of the joint model, ``NAME={"setting": value, ...}`` with JSON at the right.
    """
    known = opponents()
    groups = {
        "simple": [name for name, each in known.items() if " + " in name and not each.is_slow],
        "default": [name for name, each in known.items() if not each.is_slow],
        "all": list(known),
    }
    wanted: dict[str, Opponent] = {}
    for name in names:
        for each in groups.get(name, [name]):
            if each not in known:
                raise SystemExit(f"there is no method {each!r}; choose from {', '.join(known)}")
            wanted[each] = known[each]
    for text in variants:
        name, _, settings = text.partition("=")
        wanted[name] = variant(name, json.loads(settings))
    return list(wanted.values())
