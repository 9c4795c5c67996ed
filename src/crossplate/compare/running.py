"""Running a comparison: every method on every pair of batches, in a folder that it can resume."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations

import pandas as pd

from crossplate.compare.blind import blind_task, usable_features
from crossplate.compare.ceiling import CEILINGS, labelled_batch
from crossplate.compare.executing import Execute, Rows, Work, on_this_machine
from crossplate.compare.parts import Folder, basis_of
from crossplate.compare.scoring import score_unit
from crossplate.compare.settings import CompareSettings
from crossplate.compare.summary import Summary, summarise
from crossplate.compare.wording import markdown
from crossplate.compare.work import Unit
from crossplate.errors import InputError
from crossplate.evaluate import subject_labels
from crossplate.io import write_frame
from crossplate.table import SampleTable

RESULTS = ("comparison.csv", "summary.csv", "compare.md")

__all__ = ["Comparison", "compare", "pairs_of"]


@dataclass(frozen=True)
class Comparison:
    """What a comparison found.

    Parameters
    ----------
    rows
        One row a pair, method, classifier, level and seed, columns
        :data:`crossplate.compare.scoring.COLUMNS`; source and target are the same for
        cross-validation within a batch.
    summary
        The same in one table.
    notices
        Sentences about what was decided without being asked for, and what failed.
    """

    rows: pd.DataFrame
    summary: Summary
    notices: tuple[str, ...]


def compare(
    table: SampleTable,
    settings: CompareSettings | None = None,
    *,
    folder: str | os.PathLike[str],
    progress: Callable[[int, int], None] | None = None,
    execute: Execute | None = None,
) -> Comparison:
    """Compare methods on all pairs of batches.

    Every unit of work, a method on a pair, is written to the folder when it is finished, and not
    computed again when the comparison is: a run that is killed loses what was in flight. Results
    of all, ``comparison.csv``, ``summary.csv`` and ``compare.md``, appear when all is done.

    Parameters
    ----------
    table
        Samples of all batches, with labels.
    settings
        What to compare; the defaults if None.
    folder
        Where to; new, empty, or with a comparison of the same table and settings. Other methods
        and pairs may be asked for in the same folder.
    progress
        Called with the number of finished units and of all.
    execute
        Where units are run: :func:`crossplate.compare.executing.on_this_machine` (one process if
        None) or :func:`~crossplate.compare.executing.on_dask`.

    Raises
    ------
    InputError
        No pair of batches to learn from and to score on, an unknown batch, a batch of one
        sample, contradicting labels of a subject, or a folder that cannot be used.
    """
    settings = settings or CompareSettings()
    pairs = pairs_of(table, settings)
    basis = basis_of(table, settings)
    named = {name for pair in pairs for name in pair}
    table = table.select(table.batch.isin(named).to_numpy(dtype=bool))
    table.check_batches()
    if table.subject is not None and table.label is not None:
        subject_labels(table.label, table.subject)
    place = Folder(folder, basis)
    for name in RESULTS:
        (place.path / name).unlink(missing_ok=True)
    units = list(_units(pairs, settings))
    missing = [unit for unit in units if not place.has(unit)]
    done = len(units) - len(missing)
    report = progress or _silent
    report(done, len(units))
    for unit, answers in (execute or on_this_machine())(_work(table, missing)):
        place.write(unit, score_unit(unit, answers, table))
        done += 1
        report(done, len(units))
    rows = pd.concat([place.rows(unit) for unit in units], ignore_index=True)
    calls = {(unit.source, unit.target, unit.method): place.calls(unit) for unit in units}
    summary = summarise(rows, calls)
    notices = (*table.notices, *_notices(rows, table, pairs))
    write_frame(summary.frame, place.path / "summary.csv")
    place.write_text("compare.md", markdown(rows, summary, notices))
    write_frame(rows, place.path / "comparison.csv")
    return Comparison(rows, summary, notices)


def pairs_of(table: SampleTable, settings: CompareSettings) -> list[tuple[str, str]]:
    """Pairs of batches to compare on.

    Parameters
    ----------
    table
        Samples of all batches, with labels.
    settings
        Names them, or none for all that can be learned from and scored on.

    Raises
    ------
    InputError
        An unknown batch, a named pair without a feature in common, labels to learn from or labels
        to score on, or no pair that has these.
    """
    classes = {name: _classes_in(table, name) for name in table.batches}
    for source, target in settings.pairs:
        for name in (source, target):
            if name not in classes:
                raise InputError(
                    f"there is no batch '{name}' in the table; it has {', '.join(classes)}"
                )
        if len(classes[source]) < 2:
            raise InputError(
                f"batch '{source}' has labels of {len(classes[source])} classes, and at least two "
                "are needed to learn from it; choose another source"
            )
        if not classes[source] & classes[target]:
            raise InputError(
                f"batch '{target}' has no label of a class that '{source}' has, so nothing can be "
                "scored; choose another target"
            )
        if not usable_features(table, source, target).any():
            raise InputError(
                f"no feature differs between two samples of batch '{source}' and has a value in "
                f"'{target}'; leave the pair {source}:{target} out"
            )
    pairs = list(settings.pairs) or [
        (source, target)
        for source, target in permutations(classes, 2)
        if len(classes[source]) > 1
        and classes[source] & classes[target]
        and usable_features(table, source, target).any()
    ]
    if not pairs:
        raise InputError(
            f"no two of the {len(classes)} batches have labels to learn from and to score on; a "
            "comparison needs two labelled batches with features in common, two classes in one and "
            "one of these in the other"
        )
    return pairs


def _classes_in(table: SampleTable, batch: str) -> set[str]:
    labels = table.labels_of((table.batch == batch).to_numpy(dtype=bool))
    return {str(label) for label in labels[pd.notna(labels)]}


def _units(pairs: Sequence[tuple[str, str]], settings: CompareSettings) -> Iterator[Unit]:
    """All units of work: the pairs, then the batches that are a target."""
    methods = settings.methods_run()
    for source, target in pairs:
        for method in methods:
            yield _unit(source, target, method, settings)
    for target in dict.fromkeys(target for _, target in pairs):
        for method in methods:
            if method in CEILINGS:
                yield _unit(target, target, method, settings)


def _unit(source: str, target: str, method: str, settings: CompareSettings) -> Unit:
    return Unit(
        source,
        target,
        method,
        settings.classifiers_of(method),
        settings.repeats,
        settings.settings_of(method),
    )


def _work(table: SampleTable, units: Sequence[Unit]) -> Iterator[Work]:
    """Units with the rows they need, made when they are asked for."""
    last: tuple[str, str] | None = None
    rows: Rows | None = None
    for unit in units:
        if rows is None or (unit.source, unit.target) != last:
            last = (unit.source, unit.target)
            if unit.source == unit.target:
                rows = labelled_batch(table, unit.target)
            else:
                rows = blind_task(table, *last)
        yield unit, rows


def _notices(
    rows: pd.DataFrame, table: SampleTable, pairs: Sequence[tuple[str, str]]
) -> Iterator[str]:
    """What failed and why, each reason once, and subjects on both sides."""
    if table.subject is not None:
        batches = table.batch.groupby(table.subject).agg(set)
        shared = sum(any({*pair} <= found for pair in pairs) for found in batches)
        if shared:
            yield (
                f"{shared} of {len(batches)} subjects are in source and target: scores on them do "
                "not tell how new people would fare"
            )
    failed = rows[rows["accuracy"].isna() & (rows["note"] != "")]
    for (method, note), its in failed.groupby(["method", "note"], sort=False):
        places = its[["source", "target"]].drop_duplicates()
        where = ":".join(places.iloc[0])
        more = f" and {len(places) - 1} more" if len(places) > 1 else ""
        yield f"{method} failed on {where}{more}: {note}"


def _silent(done: int, total: int) -> None:
    """Progress that nobody watches."""
