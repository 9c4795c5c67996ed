"""The leaderboard as a Markdown file."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from math import isfinite

import numpy as np
import pandas as pd
from opponents import BASELINE, JOINT, NOTHING
from others import OTHER
from runs import AT_COVERAGE, LEAST_PROBABILITY, OF_SUBJECTS
from standings import Standing, differences, means, overall_difference, standings
from studies import REAL, SIMULATED
from tasks import Case

from crossplate.compare.resampling import N_RESAMPLES

PACKAGES = ("crossplate", "torch", "numpy", "scikit-learn", "POT", "clarabel")
HELD_AGAINST = (BASELINE, NOTHING, "remove-r", "no-mmd", "mmd")
# Data, figure, least value: what the default of the joint model should reach.
AIMS = (
    ("ibd", "balanced_accuracy", 0.80),
    ("sacurine", "accuracy", 0.87),
    ("fiatof", "accuracy", 0.93),
    ("fiatof", "subject_accuracy", 0.93),
    ("quartet", "accuracy", 1.0),
    ("cytof_p1", "accuracy", 0.970),
    ("cytof_p2", "accuracy", 0.980),
)
NAMES = {"subject_accuracy": "accuracy by subject"}
PLAIN = "zscore + network"
MOST_LOSS, KEPT = 0.01, 0.95

__all__ = ["markdown"]

Rows = list[list[str]]


def markdown(frame: pd.DataFrame, cases: Sequence[Case], command: str, seeds: int) -> str:
    """The whole file.

    Parameters
    ----------
    frame
        As from :func:`runs.collected`.
    cases
        Those of the frame.
    command
        By which it was made.
    seeds
        How many.
    """
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    parts = [
        "# Leaderboard",
        f"Command: `{command}` (with `CROSSPLATE_DATA` naming the folder of the tables)\n"
        f"Date: {date.today()}. Python {platform.python_version()}, {versions}.",
        "Every method learns on one batch and predicts another, whose labels it never gets. "
        f"Figures are means over the samples' scores of all pairs and of seeds 0 to {seeds - 1}; "
        "what has no seed was run once, slow methods with seed 0. Simulated studies are drawn "
        "anew for every seed. remove-r: no reconstructors; no-mmd: beta = 0, which the default has "
        "for small studies; mmd: beta = 1, which it has for large ones; "
        f"{PLAIN}, deep-coral and dann: a network p → 128 → 64 → classes, stopped by held-out "
        "source rows. Harmony is not among the methods: harmonypy is under the GPL. "
        "The joint model was designed while looking at most of the public data and simulated "
        "studies (docs/design/joint-model.md), so its figures there flatter it. The other tasks "
        "decided two choices only: how strongly class shares are held to what is expected, and the "
        "spread of a trained member's scores.",
    ]
    for title, known in (
        ("Public data", list(REAL)),
        ("Other tasks on the public tables", list(OTHER)),
        ("Simulated studies", list(SIMULATED)),
    ):
        its = frame[frame["data"].isin(known)]
        if len(its):
            parts += _part(title, its, [case for case in cases if case.data in known])
    return "\n\n".join(parts) + "\n"


def _part(title: str, frame: pd.DataFrame, cases: Sequence[Case]) -> list[str]:
    """Everything about the public data, or about the simulated."""
    places = standings(frame)
    order = list(places)
    parts = [f"## {title}", _about(cases)]
    aims = _aims(frame, places)
    if aims:
        parts += ["### What the joint model should reach", _table(aims)]
    parts += [
        "### Balanced accuracy",
        "Rank: mean over data sets, 1 the best, equal ones sharing theirs; forms of the joint "
        "model are ranked each in its place. Worst: largest loss on a data set in points, or the "
        "smallest gain. Best of each data set in bold.",
        _table(_main_rows(frame, places)),
    ]
    if JOINT in places:
        parts += [
            "### Joint model minus others",
            f"Points of balanced accuracy; 95% intervals from {N_RESAMPLES:,} resamples of the "
            "target's subjects (samples where there are none), on these plates. All: mean over "
            "data sets, data sets and pairs drawn anew.",
            _table(_difference_rows(frame, cases)),
        ]
    parts += [
        "### Accuracy",
        _table(_figure_rows(means(frame, "accuracy").loc[order], 3)),
        *_by_subject(frame, order),
        "### Log loss",
        f"Probabilities of less than {LEAST_PROBABILITY:g} count as that.",
        _table(_figure_rows(means(frame, "log_loss").loc[order], 3)),
        "### Expected calibration error",
        "As `crossplate.evaluate.calibration_curve`: at most ten bins of equal count, fewer with "
        "less than 100 subjects.",
        _table(_figure_rows(means(frame, "ece").loc[order], 3)),
        *_surest(frame, order),
        "### Seconds",
        "Correction, training and prediction on one thread, while other runs had the other cores.",
        _table(_figure_rows(means(frame, "seconds").loc[order], 2)),
    ]
    notes = _failures(frame)
    if notes:
        parts += ["### Failures and warnings", "\n".join(f"- {note}" for note in notes)]
    return parts


def _about(cases: Sequence[Case]) -> str:
    """One line a data set."""
    lines = []
    for data in dict.fromkeys(case.data for case in cases):
        its = [case for case in cases if case.data == data]
        table = its[0].table
        size = f"{table.n_samples:,} samples, {table.n_features:,} features"
        about = {**SIMULATED, **OTHER}.get(data)
        if about is not None:
            times = "pairs" if its[0].seed is None else "draws"
            lines.append(f"- {data}: {about.about}; {size}; {len(its)} {times}")
        else:
            lines.append(f"- {data}: {size}, {len(table.batches)} batches; {len(its)} pairs")
    return "\n".join(lines)


def _main_rows(frame: pd.DataFrame, places: dict[str, Standing]) -> Rows:
    table = means(frame, "balanced_accuracy")
    best = table.max().round(6)
    head = ["method", *table.columns, "mean", "rank", f"worst to {BASELINE}", f"to {NOTHING}"]
    rows = [head]
    for name, place in places.items():
        cells = [f"**{name}**" if name == JOINT else name]
        for data in table.columns:
            value = table.loc[name, data]
            text = _number(value)
            cells.append(f"**{text}**" if round(value, 6) == best[data] else text)
        cells += [_number(place.mean), _number(place.rank, 2)]
        for other in (BASELINE, NOTHING):
            loss = place.worst.get(other)
            cells.append("-" if loss is None else f"{100 * loss[0]:+.1f} ({loss[1]})")
        rows.append(cells)
    return rows


def _figure_rows(table: pd.DataFrame, decimals: int, *, with_mean: bool = True) -> Rows:
    rows = [["method", *map(str, table.columns), *(["mean"] if with_mean else [])]]
    for name, its in table.iterrows():
        values = [*its, *([its.mean(skipna=False)] if with_mean else [])]
        rows.append([str(name), *(_number(value, decimals) for value in values)])
    return rows


def _difference_rows(frame: pd.DataFrame, cases: Sequence[Case]) -> Rows:
    others = [name for name in HELD_AGAINST if name in set(frame["method"])]
    found = differences(frame, cases, others)
    rows = [["data", *others]]
    for data, its in found.items():
        told = {contrast.other[0]: contrast for contrast in its}
        cells = [
            _points(told[name].difference, told[name].low, told[name].high) if name in told else "-"
            for name in others
        ]
        rows.append([data, *cells])
    rows.append(["all", *(_points(*overall_difference(frame, name)) for name in others)])
    return rows


def _aims(frame: pd.DataFrame, places: dict[str, Standing]) -> Rows:
    """What was asked of the default, and whether it is reached."""
    if JOINT not in places:
        return []
    balanced = means(frame, "balanced_accuracy")
    ours, place = balanced.loc[JOINT], places[JOINT]
    checks: list[tuple[str, str, bool]] = []
    for data, figure, least in AIMS:
        if data in ours.index:
            value = means(frame, figure).loc[JOINT, data]
            name = NAMES.get(figure, figure.replace("_", " "))
            checks.append((f"{data}: {name} ≥ {least:.3f}", _number(value), value >= least))
    for shifted, even in (
        ("sim_affine_shift", "sim_affine"),
        ("sim_maldi_shift", "sim_maldi"),
        ("sim_maldi_strong_shift", "sim_maldi"),
    ):
        if {shifted, even} <= set(ours.index):
            share = ours[shifted] / ours[even]
            text = f"{shifted}: {100 * KEPT:.0f}% of the figure on {even}"
            checks.append((text, f"{100 * share:.1f}%", share >= KEPT))
    if "sim_no_effect" in ours.index and PLAIN in balanced.index:
        gain = ours["sim_no_effect"] - balanced.loc[PLAIN, "sim_no_effect"]
        text = f"sim_no_effect: within a point of {PLAIN}"
        checks.append((text, f"{100 * gain:+.1f}", gain >= -MOST_LOSS))
    if {"sim_affine", "sim_no_effect"} <= set(ours.index):
        gain = ours["sim_affine"] - ours["sim_no_effect"]
        text = "sim_affine: within a point of the same subjects without batch effect"
        checks.append((text, f"{100 * gain:+.1f}", gain >= -MOST_LOSS))
    for other, (loss, where) in place.worst.items():
        text = f"nowhere more than a point below {other}"
        checks.append((text, f"{100 * loss:+.1f} ({where})", loss >= -MOST_LOSS))
    forms = set(frame.loc[frame["is_form"], "method"])
    ranked = {n: its for n, its in places.items() if isfinite(its.rank) and n not in forms}
    if JOINT in ranked:
        for text, figure in (("mean", -place.mean), ("rank", place.rank)):
            best = min((-o.mean if text == "mean" else o.rank) for o in ranked.values())
            value = _number(place.mean) if text == "mean" else _number(place.rank, 2)
            checks.append((f"best {text} of all methods", value, figure <= best + 1e-12))
    rows = [[aim, value, "yes" if reached else "no"] for aim, value, reached in checks]
    return [["aim", "found", "reached"], *rows]


def _by_subject(frame: pd.DataFrame, order: Sequence[str]) -> list[str]:
    """Figures of data whose subjects have several samples."""
    found = {
        f"{data}, {name}": its
        for figure, name in zip(OF_SUBJECTS, ("balanced accuracy", "accuracy"), strict=True)
        for data, its in means(frame, figure).loc[order].dropna(axis=1, how="all").items()
    }
    if not found:
        return []
    return [
        "### By subject",
        "Where subjects have several samples: the class of the highest median of their "
        "probabilities, as `crossplate.evaluate.by_subject`.",
        _table(_figure_rows(pd.DataFrame(found), 3, with_mean=False)),
    ]


def _surest(frame: pd.DataFrame, order: Sequence[str]) -> list[str]:
    """What leaving out the least sure samples gains."""
    tables = {share: means(frame, name) for share, name in AT_COVERAGE.items()}
    every = pd.DataFrame({f"{share:.0%}": its.mean(axis=1) for share, its in tables.items()})
    every = every.where(tables[1.0].notna().all(axis=1))
    parts = [
        "### Accuracy of the surest",
        "Mean over data sets when only the surest samples are called, by the probability of the "
        "called class. " + _gain_sentence(tables, order),
        _table(_figure_rows(every.loc[order], 3, with_mean=False)),
    ]
    if JOINT in order:
        ours = pd.DataFrame({f"{share:.0%}": its.loc[JOINT] for share, its in tables.items()})
        parts += ["Of the joint model, by data set:", _table(_by_data(ours))]
    return [
        *parts,
        "### Area under the risk-coverage curve",
        "As `crossplate.evaluate.accuracy_coverage`: share of wrong calls among the surest, mean "
        "over all coverages; the lower the better.",
        _table(_figure_rows(means(frame, "aurc").loc[order], 3)),
    ]


def _gain_sentence(tables: dict[float, pd.DataFrame], order: Sequence[str]) -> str:
    """How much leaving out the least sure fifth gains."""
    gains = 100 * (tables[0.8] - tables[1.0]).mean(axis=1)
    if JOINT not in order or not isfinite(gains[JOINT]):
        return ""
    others = gains.drop(index=JOINT).dropna()
    text = f"Leaving out the least sure 20% gains the joint model {gains[JOINT]:.1f} points"
    if len(others):
        text += f", the other methods {others.min():.1f} to {others.max():.1f}"
    return text + "."


def _by_data(table: pd.DataFrame) -> Rows:
    rows = [["data", *map(str, table.columns)]]
    rows += [[str(name), *(_number(value) for value in its)] for name, its in table.iterrows()]
    return rows


def _failures(frame: pd.DataFrame) -> list[str]:
    """What failed and what libraries warned of, each once."""
    noted = frame[frame["note"].fillna("") != ""]
    lines = []
    for (method, note), its in noted.groupby(["method", "note"], sort=False):
        failed = "failed" if its["accuracy"].isna().all() else "warned"
        where = ", ".join(dict.fromkeys(its["data"]))
        lines.append(f"{method} {failed} on {where} ({len(its)} runs): {note}")
    return lines


def _points(difference: float, low: float, high: float) -> str:
    if not np.isfinite(difference):
        return "-"
    return f"{100 * difference:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"


def _number(value: float, decimals: int = 3) -> str:
    return f"{value:.{decimals}f}" if isfinite(value) else "-"


def _table(rows: Rows) -> str:
    head, *body = rows
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
