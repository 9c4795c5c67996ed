"""The data of the leaderboard: public tables, and simulated studies of many kinds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, permutations
from typing import Any

from others import OTHER
from tasks import Case

from crossplate.cli.demo import public_plates
from crossplate.datasets import make_plates
from crossplate.table import SampleTable

NO_EFFECT: dict[str, Any] = dict.fromkeys(
    ("level", "mass", "scale", "noise", "saturation", "offset", "detection"), 0.0
)
EVEN, MILD_SHIFT, STRONG_SHIFT = (0.5, 0.5), (0.3, 0.7), (0.2, 0.8)

__all__ = ["REAL", "SIMULATED", "Study", "cases_of"]


@dataclass(frozen=True)
class Study:
    """A simulated study: plate 1 teaches, the last one is predicted.

    Parameters
    ----------
    about
        What it is, in words for the results.
    settings
        Of :func:`crossplate.make_plates`.
    teachers
        Plates with labels, from the first; the others have none.
    draws
        Draws for each seed; more where a single one has few subjects to predict.
    """

    about: str
    settings: dict[str, Any] = field(default_factory=dict)
    teachers: int = 1
    draws: int = 1


def _plates(
    subjects: int,
    features: int,
    informative: int,
    effect: float,
    *,
    shares: Sequence[float] = EVEN,
    spectra: int = 1,
    **strengths: float,
) -> dict[str, Any]:
    """Settings of plates of one size."""
    return {
        "n_subjects": (subjects,) * len(shares),
        "class_shares": tuple(shares),
        "n_features": features,
        "n_informative": informative,
        "effect_size": effect,
        "max_replicates": spectra,
        **strengths,
    }


AFFINE = {**NO_EFFECT, "level": 0.3, "mass": 0.3, "scale": 0.6, "stretch": 0.3}
# One size, so that these differ in the batch effect or in the class shares alone.
_PLAIN = (120, 200, 25, 0.5)

SIMULATED: dict[str, Study] = {
    "sim_no_effect": Study(
        "no batch effect; 2 × 120 subjects, 200 features", _plates(*_PLAIN, **NO_EFFECT)
    ),
    "sim_affine": Study(
        "the same subjects, shift and stretch of each feature's logs",
        _plates(*_PLAIN, **AFFINE),
    ),
    "sim_affine_shift": Study(
        "the same effect, 30% diseased → 70%", _plates(*_PLAIN, shares=MILD_SHIFT, **AFFINE)
    ),
    "sim_maldi": Study(
        "all effects of a MALDI plate, half diseased on both; same size", _plates(*_PLAIN)
    ),
    "sim_maldi_shift": Study("the same, 30% diseased → 70%", _plates(*_PLAIN, shares=MILD_SHIFT)),
    "sim_maldi_strong_shift": Study(
        "the same, 20% diseased → 80%", _plates(*_PLAIN, shares=STRONG_SHIFT)
    ),
    "sim_strong": Study(
        "strong effects, detector saturation and background among them; same size",
        _plates(*_PLAIN, scale=0.8, noise=1.4, saturation=0.8, offset=0.4, detection=0.4),
    ),
    "sim_weak_signal": Study(
        "weak signal; 2 × 200 subjects, 200 features", _plates(200, 200, 25, 0.3)
    ),
    "sim_replicates": Study(
        "five spectra a subject; 2 × 50 subjects, 200 features",
        _plates(50, 200, 25, 0.7, spectra=5),
    ),
    "sim_tiny": Study("2 × 15 subjects, 50 features", _plates(15, 50, 10, 1.0), draws=4),
    "sim_wide": Study("2 × 60 subjects, 5,000 features", _plates(60, 5000, 120, 0.9)),
    "sim_large": Study("2 × 1,000 subjects, 25 features", _plates(1000, 25, 8, 0.8)),
    "sim_sources": Study(
        "eight plates of 50, 100 features; seven teach together",
        _plates(50, 100, 20, 0.6, shares=(0.5, 0.3, 0.7, 0.4, 0.6, 0.5, 0.5, 0.5)),
        teachers=7,
    ),
    "sim_targets": Study(
        "the same eight plates; one teaches, seven without labels",
        _plates(50, 100, 20, 0.6, shares=(0.5, 0.3, 0.7, 0.4, 0.6, 0.5, 0.5, 0.5)),
    ),
}
"""Name → simulated study, drawn anew for every seed."""


def _all_pairs(table: SampleTable) -> list[tuple[str, str]]:
    return list(permutations(table.batches, 2))


def _platform(letter: str) -> Callable[[SampleTable], SampleTable]:
    """The laboratories of one kind and the metabolites that all of them measured."""

    def chosen(table: SampleTable) -> SampleTable:
        table = table.select(table.batch.str.startswith(letter).to_numpy(dtype=bool))
        measured = table.features.notna().groupby(table.batch.to_numpy()).any().all()
        return replace(table, features=table.features.loc[:, measured])

    return chosen


def _whole(table: SampleTable) -> SampleTable:
    return table


def _every_other(table: SampleTable) -> list[tuple[str, str]]:
    """Batches 1 → 2, 3 → 4 and so on: enough where all methods call nearly all samples right."""
    return list(pairwise(table.batches))[::2]


@dataclass(frozen=True)
class Public:
    """A public table without its quality-control samples.

    Parameters
    ----------
    dataset
        Its name in the registry.
    select
        The part of it that is meant.
    pairs
        Source and target batches.
    """

    dataset: str
    select: Callable[[SampleTable], SampleTable] = _whole
    pairs: Callable[[SampleTable], list[tuple[str, str]]] = _all_pairs


REAL: dict[str, Public] = {
    "cytof_p1": Public("cytof_person1"),
    "cytof_p2": Public("cytof_person2"),
    "fiatof": Public("fiatof_ralps"),
    "ibd": Public("ibd_franzosa"),
    "sacurine": Public("sacurine"),
    "quartet": Public("quartet_metabolomics", _platform("U_")),
    "quartet_targeted": Public("quartet_metabolomics", _platform("T_")),
    "mtbls79": Public("mtbls79", pairs=_every_other),
}
"""Name → public table."""


def cases_of(data: str, seeds: int) -> list[Case]:
    """All cases of a data set or a simulated study.

    Parameters
    ----------
    data
        A name of ``REAL``, ``OTHER`` or ``SIMULATED``.
    seeds
        How often a simulated study is drawn, with seeds from 0; a small one several times this.
    """
    if data in REAL:
        public = REAL[data]
        table = public.select(public_plates(public.dataset))
        return [Case(data, f"{s}:{t}", table, s, t) for s, t in public.pairs(table)]
    if data in OTHER:
        return OTHER[data].cases(data, seeds)
    study = SIMULATED[data]
    cases = []
    for seed in range(seeds * study.draws):
        table = make_plates(**study.settings, random_state=seed).table
        first, *others, last = table.batches
        taught = study.teachers - 1
        cases.append(
            Case(
                data,
                f"{seed}-{first}:{last}",
                table,
                first,
                last,
                tuple(others[:taught]),
                tuple(others[taught:]),
                seed,
            )
        )
    return cases
