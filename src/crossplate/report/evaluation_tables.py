"""Tables of an evaluation: intervals, what is reached within and across batches, biomarkers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from crossplate.report.figures import ends_of
from crossplate.report.summary import DATA_NAMES, Level
from crossplate.report.tables import OWN, SCORE_NAMES, Cell, Column, Table, method_name
from crossplate.report.wording import decimal

__all__ = [
    "agreement_table",
    "attribution_table",
    "batch_classifier_table",
    "biomarker_table",
    "ceiling_table",
    "cross_batch_tables",
    "mixing_table",
    "with_intervals",
]


def with_intervals(level: Level, intervals: Mapping[str, Any] | None) -> Level:
    """Scores with a row of intervals below crossplate's own."""
    found = (intervals or {}).get(level.noun)
    if not found:
        return level
    ends = [ends_of(found["scores"].get(score)) for score in SCORE_NAMES]
    confidence = f"{found.get('confidence', 0.95):.0%} interval"
    cells: list[Cell] = [interval_text(one) for one in ends]
    rows = list(level.scores.rows)
    place = [row[0] for row in rows].index(OWN) + 1
    rows.insert(place, (confidence, *cells))
    note = (
        f"Intervals over {found['n_subjects']:,} subjects: how far the scores of this model would "
        "move with other subjects of the same kind."
    )
    notes = (*level.scores.notes, note)
    return replace(level, scores=replace(level.scores, rows=tuple(rows), notes=notes))


def interval_text(ends: tuple[float, float] | None) -> str | None:
    """Write an interval: "0.73–0.85", with a word where a minus would stand beside the dash."""
    if ends is None:
        return None
    return (" to " if min(ends) < 0 else "–").join(decimal(end, 2) for end in ends)


def ceiling_table(ceiling: Mapping[str, Any] | None) -> Table | None:
    """What is reached within each batch, learning from other subjects of the same batch."""
    entries = (ceiling or {}).get("per_batch") or []
    if not entries:
        return None
    found = [one.get("subject_scores") or one["scores"] for one in entries]
    names = [score for score in SCORE_NAMES if any(score in scores for scores in found)]
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (str(one["batch"]), *(_score(scores.get(score)) for score in names))
        for one, scores in zip(entries, found, strict=True)
    )
    noun = "subjects" if any(one.get("subject_scores") for one in entries) else "samples"
    return Table(
        caption=f"Within each batch: {noun} called by what others of the same batch taught",
        columns=(Column("Batch"), *(Column(SCORE_NAMES[score], "score") for score in names)),
        rows=rows,
        notes=(
            "Cross-validated, folds grouped by subject, networks trained anew in each. Without "
            "any batch effect a batch could be called about so well: expect no more.",
        ),
    )


def cross_batch_tables(
    entries: Sequence[Mapping[str, Any]] | None, ceiling: Mapping[str, Any] | None
) -> tuple[Table, ...]:
    """Accuracy from each batch to each other, a table a method; within a batch on the diagonal.

    Parameters
    ----------
    entries
        ``evaluation["cross_batch"]``: ``source``, ``target``, ``method``, the ``accuracy`` (or
        ``score``) of samples and, in ``subject``, that of subjects, which is shown if there.
    ceiling
        ``evaluation["ceiling"]``, for the diagonal of crossplate.
    """
    found: dict[str, dict[tuple[str, str], float | None]] = {}
    for one in entries or []:
        cells = found.setdefault(str(one.get("method", OWN)), {})
        cells[str(one["source"]), str(one["target"])] = _accuracy(one)
    for entry in (ceiling or {}).get("per_batch") or []:
        if OWN in found:
            name = str(entry["batch"])
            scores = entry.get("subject_scores") or entry["scores"]
            found[OWN][name, name] = _score(scores.get("accuracy"))
    return tuple(_matrix(method, cells) for method, cells in found.items())


def _matrix(method: str, cells: Mapping[tuple[str, str], float | None]) -> Table:
    batches = list(dict.fromkeys(name for pair in cells for name in pair))
    note = "On the diagonal: within the batch, cross-validated."
    return Table(
        caption=f"Accuracy from batch to batch: {method_name(method, {})}",
        columns=(Column("Learned from"), *(Column(f"on {name}", "score") for name in batches)),
        rows=tuple((one, *(cells.get((one, other)) for other in batches)) for one in batches),
        notes=(note,) if any(one == other for one, other in cells) else (),
    )


def _accuracy(entry: Mapping[str, Any]) -> float | None:
    subjects = entry.get("subject") or {}
    for value in (subjects.get("accuracy"), entry.get("accuracy"), entry.get("score")):
        if isinstance(value, int | float):
            return float(value)
    return None


def _score(value: Any) -> float | None:
    """A score, given as a number or as an estimate with its interval."""
    if isinstance(value, Mapping):
        value = value.get("estimate")
    return None if value is None else float(value)


def batch_classifier_table(found: Mapping[str, Any] | None) -> Table | None:
    """How often a classifier tells the batch."""
    entries = (found or {}).get("accuracies") or []
    if not found or not entries:
        return None
    rows: list[tuple[Cell, ...]] = []
    for one in entries:
        ends = ends_of(one)
        interval = interval_text(ends)
        name = str(one["classifier"]).replace("_", " ")
        data = DATA_NAMES.get(one["data"], str(one["data"]))
        rows.append((data, name, one["accuracy"], interval, one.get("balanced_accuracy")))
    chance = found.get("chance")
    return Table(
        caption="Accuracy of telling the batch of a sample",
        columns=(
            Column("Data"),
            Column("Classifier"),
            Column("Accuracy", "score"),
            Column("95% interval", "number"),
            Column("Balanced accuracy", "score"),
        ),
        rows=tuple(rows),
        notes=(f"Chance: {decimal(chance)}.",) if chance is not None else (),
    )


def mixing_table(found: Mapping[str, Any] | None) -> Table | None:
    """How many batches are among the neighbours of a sample, before and after."""
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (DATA_NAMES.get(data, data), one["mean"], one["expected"], one["mixed"])
        for data, one in (found or {}).items()
        if one
    )
    if not rows:
        return None
    n = next(one["n_neighbours"] for one in (found or {}).values() if one)
    return Table(
        caption="Batches among the neighbours of a sample (iLISI)",
        columns=(
            Column("Data"),
            Column("Batches among neighbours", "score"),
            Column("if fully mixed", "score"),
            Column("Mixed", "score"),
        ),
        rows=rows,
        notes=(
            f"Effective number of batches among the {n} nearest neighbours. Mixed: 0 for batches "
            "that lie apart, 1 for batches that cannot be told apart.",
        ),
    )


def biomarker_table(biomarkers: Mapping[str, Any] | None) -> Table | None:
    """One row a batch and feature, those selected first."""
    columns = (biomarkers or {}).get("features")
    if not isinstance(columns, Mapping) or not columns or not columns.get("feature"):
        return None
    frame = pd.DataFrame(columns)
    order = frame.assign(_p=frame["p"].astype(float)).sort_values(
        ["selected", "frequency", "_p"], ascending=[False, False, True], kind="stable"
    )
    rows = tuple(
        (
            str(row.feature),
            str(row.batch),
            "yes" if row.selected else "no",
            _number(row.frequency),
            _number(row.p),
            _number(row.q),
            _number(row.effect),
            str(row.effect_label),
        )
        for row in order.itertuples()
    )
    return Table(
        caption="Features that tell the labels apart, batch by batch",
        columns=(
            Column("Feature"),
            Column("Batch"),
            Column("Candidate"),
            Column("Frequency", "score"),
            Column("p", "small"),
            Column("q", "small"),
            Column("Effect", "score"),
            Column("higher in"),
        ),
        rows=rows,
        notes=(
            "Frequency: share of sparse models of half of the subjects that hold the feature. p, "
            "q: test between labels on subject medians, and adjusted for the number of features. "
            "Effect: Cliff's delta, from −1 to 1; above 0 the label named beside it is higher.",
        ),
    )


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


def agreement_table(biomarkers: Mapping[str, Any] | None) -> Table | None:
    """What pairs of batches have in common."""
    found = (biomarkers or {}).get("agreement")
    if not found:
        return None
    rows = pd.DataFrame(found).to_dict("records")
    return Table(
        caption="Candidates that pairs of batches have in common",
        columns=(
            Column("Batches"),
            Column("Candidates", "number"),
            Column("In both", "count"),
            Column("by chance", "score"),
            Column("p", "small"),
            Column("Same direction", "number"),
            Column("Correlation of effects", "score"),
        ),
        rows=tuple(
            (
                f"{row['batch_a']} – {row['batch_b']}",
                f"{row['n_a']} and {row['n_b']}",
                int(row["n_both"]),
                _number(row["expected_both"]),
                _number(row["p_both"]),
                f"{row['n_same_direction']} of {row['n_either']}",
                _number(row["effect_correlation"]),
            )
            for row in rows
        ),
    )


def attribution_table(attribution: Mapping[str, Any] | None) -> Table | None:
    """How much the model needs each feature."""
    entries = (attribution or {}).get("features") or []
    if not entries:
        return None
    frame = pd.DataFrame(entries).sort_values("importance", ascending=False, kind="stable")
    rows = frame.to_dict("records")
    return Table(
        caption="How much the model needs each feature",
        columns=(
            Column("Feature"),
            Column("Importance", "small"),
            Column("± sd", "small"),
            Column("Accuracy lost", "score"),
        ),
        rows=tuple(
            (
                str(row["feature"]),
                _number(row["importance"]),
                _number(row.get("sd")),
                _number(row.get("accuracy_drop")),
            )
            for row in rows
        ),
        notes=(
            "Importance: by how much the mean log loss (nats) grows when the feature is shuffled; "
            "about 0 also where another feature can play its part.",
        ),
    )
