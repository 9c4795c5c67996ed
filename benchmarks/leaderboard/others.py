"""Other tasks on the public tables: other labels, small parts of them, other class shares.

The joint model was designed while looking at the tables' own labels and at simulated plates; these
tasks are of the same measurements, and none of them decided anything but the two choices that
docs/design/joint-model.md names: the price of class shares and the spread of a member's scores.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from itertools import permutations

import numpy as np
import pandas as pd
from tasks import Case

from crossplate.cli.demo import public_plates
from crossplate.table import SampleTable

DRAWS = 4
"""Draws of a small part for every seed."""
CELLS = 150
_plates = cache(public_plates)

__all__ = ["OTHER", "Other"]


@dataclass(frozen=True)
class Other:
    """A task.

    Parameters
    ----------
    about
        What it is, in words for the results.
    cases
        Its cases, from its name and the number of seeds.
    """

    about: str
    cases: Callable[[str, int], list[Case]]


def _both_ways(
    dataset: str, label: Callable[[SampleTable], pd.Series]
) -> Callable[[str, int], list[Case]]:
    """All pairs of batches of a table with other labels; samples without one are left out."""

    def cases(data: str, seeds: int) -> list[Case]:
        table = _plates(dataset)
        table = replace(table, label=label(table).astype(object))
        table = table.select(table.labelled)
        return [Case(data, f"{s}:{t}", table, s, t) for s, t in permutations(table.batches, 2)]

    return cases


def _drawn(
    draw: Callable[[np.random.Generator, int], tuple[SampleTable, str, str]],
) -> Callable[[str, int], list[Case]]:
    """Parts of tables, each with its source and target, drawn anew for every seed."""

    def cases(data: str, seeds: int) -> list[Case]:
        found = []
        for seed in range(DRAWS * seeds):
            table, source, target = draw(np.random.default_rng([77, seed]), seed)
            found.append(Case(data, f"{seed}-{source}:{target}", table, source, target, seed=seed))
        return found

    return cases


def _above_median(column: str) -> Callable[[SampleTable], pd.Series]:
    def label(table: SampleTable) -> pd.Series:
        values = pd.to_numeric(table.metadata[column])
        high = pd.Series(np.where(values > values.median(), "high", "low"), values.index)
        return high.where(values.notna())

    return label


def _diagnosis(table: SampleTable) -> pd.Series:
    return table.metadata["diagnosis"]


def _kind_of_ibd(table: SampleTable) -> pd.Series:
    diagnosis = table.metadata["diagnosis"]
    return diagnosis.where(diagnosis != "Control")


def _part(
    table: SampleTable, rng: np.random.Generator, wanted: dict[tuple[str, str], int]
) -> SampleTable:
    """So many random samples of each batch and label."""
    chosen = np.zeros(table.n_samples, dtype=bool)
    assert table.label is not None
    for (batch, label), n in wanted.items():
        there = np.flatnonzero(
            ((table.batch == batch) & (table.label == label)).to_numpy(dtype=bool)
        )
        chosen[rng.choice(there, min(n, len(there)), replace=False)] = True
    return table.select(chosen)


def _mixtures(
    n_classes: int, source: tuple[int, ...], target: tuple[int, ...]
) -> Callable[[np.random.Generator, int], tuple[SampleTable, str, str]]:
    """Some of the six mixtures of fiatof on two of its batches, so many samples of each."""

    def draw(rng: np.random.Generator, seed: int) -> tuple[SampleTable, str, str]:
        table = _plates("fiatof_ralps")
        first, second = rng.choice(table.batches, 2, replace=False).tolist()
        assert table.label is not None
        labels = rng.choice(sorted(set(table.label)), n_classes, replace=False).tolist()
        wanted = {(first, label): n for label, n in zip(labels, source, strict=True)}
        wanted |= {(second, label): n for label, n in zip(labels, target, strict=True)}
        return _part(table, rng, wanted), first, second

    return draw


def _dilution(rng: np.random.Generator, seed: int) -> tuple[SampleTable, str, str]:
    table = _plates("fiatof_ralps")
    first, second = rng.choice(table.batches, 2, replace=False).tolist()
    table = replace(table, label=_above_median("level")(table).astype(object))
    wanted = {(batch, label): 25 for batch in (first, second) for label in ("low", "high")}
    return _part(table, rng, wanted), first, second


def _cells(
    other: str, without: tuple[str, ...] = ()
) -> Callable[[np.random.Generator, int], tuple[SampleTable, str, str]]:
    """Few cells of two days of a person, or of two persons on a day."""

    def draw(rng: np.random.Generator, seed: int) -> tuple[SampleTable, str, str]:
        tables = [_plates(f"cytof_person{one}") for one in (1, 2)]
        fixed, order = seed % 2, (0, 1) if seed // 2 % 2 else (1, 0)
        if other == "day":
            parts = [(tables[fixed], tables[fixed].batches[day]) for day in order]
        else:
            parts = [(tables[one], tables[one].batches[fixed]) for one in order]
        few = []
        for name, (table, batch) in zip(("first", "second"), parts, strict=True):
            there = np.flatnonzero((table.batch == batch).to_numpy(dtype=bool))
            mask = np.zeros(table.n_samples, dtype=bool)
            mask[rng.choice(there, CELLS, replace=False)] = True
            its = table.select(mask)
            few.append((name, its.features.drop(columns=list(without)), its.label))
        joined = SampleTable(
            features=pd.concat([features for _, features, _ in few], ignore_index=True),
            batch=pd.Series(np.repeat([name for name, _, _ in few], CELLS)),
            label=pd.concat([label for _, _, label in few], ignore_index=True),
        )
        return joined, "first", "second"

    return draw


OTHER: dict[str, Other] = {
    "ibd_three": Other(
        "ibd: Crohn's disease, ulcerative colitis, control", _both_ways("ibd_franzosa", _diagnosis)
    ),
    "ibd_kind": Other(
        "ibd: Crohn's disease or ulcerative colitis", _both_ways("ibd_franzosa", _kind_of_ibd)
    ),
    "ibd_age": Other(
        "ibd: older than the median", _both_ways("ibd_franzosa", _above_median("age"))
    ),
    "sacurine_age": Other(
        "sacurine: older than the median", _both_ways("sacurine", _above_median("age"))
    ),
    "sacurine_bmi": Other(
        "sacurine: body mass index above the median", _both_ways("sacurine", _above_median("bmi"))
    ),
    "sacurine_osmolality": Other(
        "sacurine: osmolality above the median, which is how concentrated the urine was",
        _both_ways("sacurine", _above_median("osmolality")),
    ),
    "fiatof_small": Other(
        "fiatof: three of the mixtures, ten samples of each on two of the batches",
        _drawn(_mixtures(3, (10, 10, 10), (10, 10, 10))),
    ),
    "fiatof_shift": Other(
        "fiatof: two of the mixtures, 18 and 8 samples, then 8 and 18",
        _drawn(_mixtures(2, (18, 8), (8, 18))),
    ),
    "fiatof_dilution": Other(
        "fiatof: strong or weak dilution, 25 samples of each on two of the batches",
        _drawn(_dilution),
    ),
    "cytof_days": Other(
        f"cytof: {CELLS} cells of a person's two days, CD8 or not", _drawn(_cells("day"))
    ),
    "cytof_persons": Other(f"cytof: {CELLS} cells of each person", _drawn(_cells("person"))),
    "cytof_without_x5": Other(
        f"cytof: {CELLS} cells of two days, without the marker that tells CD8",
        _drawn(_cells("day", ("X5",))),
    ),
}
"""Name → task."""
