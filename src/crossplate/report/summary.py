"""Everything the report shows, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from crossplate.report.boxes import BoxPlots
from crossplate.report.embedding import Embedding
from crossplate.report.headline import MOST_NAMES, calls_with_doubt, threshold_of
from crossplate.report.samples import Samples
from crossplate.report.sentences import LEVELS, Sentence, result_sentences
from crossplate.report.tables import (
    OWN,
    Table,
    batch_effect_table,
    batch_table,
    calls_table,
    confusion_table,
    score_table,
)
from crossplate.report.wording import shortened

# Enough for the shape of a curve; the paper's 2000 epochs would fill megabytes.
MAX_EPOCHS_SHOWN = 300

DATA_NAMES = {"before": "as measured", "after": "calibrated", "codes": "latent codes"}
LOSS_NAMES = {
    "total": "Total",
    "classification": "Classification",
    "calibration": "Calibration (MMD²)",
    "reconstruction": "Reconstruction",
    "held_out": "Classification, held-out rows",
}

GROUP_NAMES = {
    "general": "General",
    "run": "Options of the command",
    "study": "Study",
    "model": "Model",
    "versions": "Versions",
}

PAPER = (
    "Niu J., Yang J., Guo Y., Qian K., Wang Q. Joint deep learning for batch effect removal and "
    "classification toward MALDI MS based metabolomics. BMC Bioinformatics 23, 270 (2022). "
    "doi:10.1186/s12859-022-04758-z"
)


@dataclass(frozen=True)
class Level:
    """Scores at one level: of samples, or of subjects."""

    noun: str
    scores: Table
    confusion: Table


@dataclass(frozen=True)
class Distance:
    """Root MMD between batches and within a batch, mean and standard deviation over draws."""

    data: str
    across: float
    across_sd: float
    in_batch: float
    in_batch_sd: float


@dataclass(frozen=True)
class LossCurve:
    """One loss over the epochs: for each member a tuple of (epoch from 1, value)."""

    name: str
    members: tuple[tuple[tuple[int, float], ...], ...]


@dataclass(frozen=True)
class ReportSummary:
    """Plain data of a report; `crossplate.report.render_page` makes the page of it.

    Attributes
    ----------
    title
        One line: what was called.
    sentences
        The result in words, in the order to be read; a collapsed classifier comes first.
    scored_on
        Which labels the scores come from; None without scores.
    levels
        Scores of subjects, then of samples, where labels are known.
    batch_effect, distances
        MMD before and after as a table and as figures; None and empty where not measured.
    batches
        Calls counted by batch, where there are several target batches.
    calls
        Calls of the subjects, without a subject column of the samples.
    sample_calls
        Calls of the samples, where ``calls`` has those of the subjects.
    losses
        Loss curves; empty for a model trained earlier.
    embedding
        Samples before and after calibration as points of one plane.
    notices
        What the user should know of decisions taken on the way.
    settings
        Groups of names and values, as text.
    version, date
        Of crossplate and of the run; empty where the settings do not say.
    citation
        What to cite, one entry a work.
    samples
        All samples, for the picture of them; None where only the picture's points are known.
    boxes
        Box plots of the features, where labels are known.
    """

    title: str
    sentences: tuple[Sentence, ...]
    scored_on: str | None
    levels: tuple[Level, ...]
    batch_effect: Table | None
    distances: tuple[Distance, ...]
    batches: Table | None
    calls: Table
    sample_calls: Table | None
    losses: tuple[LossCurve, ...]
    embedding: Embedding | None
    notices: tuple[str, ...]
    settings: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    version: str
    date: str
    citation: tuple[str, ...]
    samples: Samples | None = None
    boxes: BoxPlots | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values that ``json.dumps`` accepts."""
        return asdict(self)


def summarise(
    *,
    metrics: dict[str, Any],
    predictions: pd.DataFrame,
    subjects: pd.DataFrame | None,
    history: pd.DataFrame | None,
    settings: dict[str, Any],
    notices: Sequence[str],
    embedding: Embedding | None,
    samples: Samples | None = None,
    boxes: BoxPlots | None = None,
    evaluation: Mapping[str, Any] | None = None,
) -> ReportSummary:
    """Gather what the report shows from the pieces of a study.

    Parameters
    ----------
    metrics
        As in metrics.json; scores and batch effect may be absent or None.
    predictions
        Calls of the target samples, as in predictions.csv, index the sample ids.
    subjects
        Calls of the subjects, as in subjects.csv, index the subjects; None without a subject
        column.
    history
        Losses, one row a trained member and epoch: columns ``member``, ``epoch`` (from 0) and the
        losses; None for a model trained earlier.
    settings
        As in settings.json; ``versions`` and ``date`` are shown apart.
    notices
        Sentences for the user.
    embedding
        From `crossplate.report.pca_embedding`; None for no such figure.
    samples
        All samples, in the order the embedding was made of.
    boxes
        From `crossplate.report.boxes.box_plots`, of the labelled samples.
    evaluation
        As in evaluation.json, for the sentences and for calls that are left open.
    """
    measured = metrics.get("batch_effect") or {}
    effects = {DATA_NAMES.get(data, data): effect for data, effect in measured.items() if effect}
    if subjects is not None and subjects.empty:
        subjects = None
    batches = predictions["batch"].astype(str).unique().tolist()
    called = calls_with_doubt(predictions, threshold_of(evaluation, "sample"))
    version = str((settings.get("versions") or {}).get("crossplate", ""))
    return ReportSummary(
        title=f"Calls for {shortened(batches, MOST_NAMES, 'batch')}",
        sentences=result_sentences(metrics, predictions, subjects, evaluation),
        scored_on=metrics.get("scored_on"),
        levels=_levels(metrics),
        batch_effect=batch_effect_table(effects),
        distances=_distances(effects),
        batches=batch_table(called) if len(batches) > 1 else None,
        calls=_calls(called, subjects, evaluation),
        sample_calls=None if subjects is None else calls_table(called, "predictions.csv"),
        losses=() if history is None else _loss_curves(history),
        embedding=embedding,
        notices=(*map(str, notices), *_embedding_notice(embedding)),
        settings=_setting_groups(settings),
        version=version,
        date=str(settings.get("date", "")),
        samples=samples,
        boxes=boxes,
        citation=(f"crossplate {version}".strip() + " (software).", f"The method: {PAPER}"),
    )


def _levels(metrics: Mapping[str, Any]) -> tuple[Level, ...]:
    return tuple(
        Level(noun, score_table(metrics[key], noun), confusion_table(metrics[key][OWN], noun))
        for key, noun in LEVELS.items()
        if metrics.get(key)
    )


def _calls(
    called: pd.DataFrame, subjects: pd.DataFrame | None, evaluation: Mapping[str, Any] | None
) -> Table:
    if subjects is None:
        return calls_table(called, "predictions.csv")
    people = calls_with_doubt(subjects, threshold_of(evaluation, "subject"))
    return calls_table(people, "subjects.csv")


def _distances(effects: Mapping[str, Mapping[str, Any]]) -> tuple[Distance, ...]:
    return tuple(
        Distance(
            data,
            effect["across"]["root_biased"],
            effect["across"]["root_biased_sd"],
            effect["in_batch"]["root_biased"],
            effect["in_batch"]["root_biased_sd"],
        )
        for data, effect in effects.items()
        if effect["across"] is not None and effect["in_batch"] is not None
    )


def _loss_curves(history: pd.DataFrame) -> tuple[LossCurve, ...]:
    """Curves of the losses that were recorded, of long training only every so manieth epoch."""
    curves = []
    for column, name in LOSS_NAMES.items():
        if column not in history or not history[column].notna().any():
            continue
        members = []
        for _, rows in history.groupby("member", sort=True):
            known = rows.loc[rows[column].notna()].sort_values("epoch")
            step = -(-len(known) // MAX_EPOCHS_SHOWN) or 1
            thin = known.iloc[::-step][::-1]  # counted from the end: the last epoch stays
            points = zip(thin["epoch"], thin[column], strict=True)
            members.append(tuple((int(epoch) + 1, float(value)) for epoch, value in points))
        curves.append(LossCurve(name, tuple(members)))
    return tuple(curves)


def _embedding_notice(embedding: Embedding | None) -> list[str]:
    if embedding is None or len(embedding.before) == embedding.n_total:
        return []
    return [
        f"The figure of samples before and after calibration shows {len(embedding.before):,} of "
        f"{embedding.n_total:,} samples, drawn at random."
    ]


def _setting_groups(
    settings: Mapping[str, Any],
) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Groups of settings; what is no group itself goes into the first."""
    loose = {name: value for name, value in settings.items() if not isinstance(value, Mapping)}
    groups: dict[str, Mapping[str, Any]] = {"general": loose} if loose else {}
    groups.update((name, value) for name, value in settings.items() if isinstance(value, Mapping))
    return tuple(
        (GROUP_NAMES.get(name, str(name)), tuple(_flat(group)))
        for name, group in groups.items()
        if group
    )


def _flat(group: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    entries = []
    for name, value in group.items():
        if isinstance(value, Mapping):
            entries += _flat(value, f"{prefix}{name}.")
        else:
            entries.append((f"{prefix}{name}", _setting(value)))
    return entries


def _setting(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_setting(entry) for entry in value) or "none"
    return str(value)
