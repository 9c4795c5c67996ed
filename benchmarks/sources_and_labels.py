"""What further labelled plates buy, and what a few labels on the plate to be predicted buy.

Run from the project's folder, with the data where CROSSPLATE_DATA says:

    python benchmarks/sources_and_labels.py

Writes benchmarks/results/sources_and_labels.md; ``--table`` makes one of its two tables alone.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score

from crossplate import JointClassifier
from crossplate.cli.demo import public_plates
from crossplate.compare.blind import BlindTask, blind_task
from crossplate.compare.methods import METHODS
from crossplate.datasets import make_plates
from crossplate.evaluate import zscore_logistic_regression
from crossplate.table import SampleTable

RESULTS = Path(__file__).parent / "results" / "sources_and_labels.md"
SEEDS = 8
LABELS = (5, 10)
DRAWS = 2
"""Draws of the labelled subjects on each pair of public plates."""
METHOD_NAMES = ("joint", "z + LR")
SHARES = (0.5, 0.3, 0.7, 0.4, 0.6, 0.5, 0.5, 0.5)
PAIRS = {
    "ibd": ("ibd_franzosa", None),
    "sacurine": ("sacurine", None),
    "fiatof": ("fiatof_ralps", (("1", "2"), ("3", "4"))),
}
"""Public tables whose plates have ten subjects of each class to spare, and the pairs."""
PLATES: dict[str, dict[str, Any]] = {
    "sources": {"n_subjects": (50,) * 8, "class_shares": SHARES, "n_features": 100},
    "even shares": {"n_subjects": (120, 120), "class_shares": (0.5, 0.5), "n_features": 100},
    "30% -> 70%": {"n_subjects": (120, 120), "class_shares": (0.3, 0.7), "n_features": 100},
}
EFFECTS = {"sources": (20, 0.6), "even shares": (20, 0.5), "30% -> 70%": (20, 0.5)}
"""Informative features of simulated plates and the mean size of their effect."""


@dataclass(frozen=True)
class Trial:
    """One prediction of a target.

    Parameters
    ----------
    task
        The rows; those of the target to be predicted have no label.
    truth
        Class of each row, which only scores read, shape (n,).
    labelled
        Subjects a class with a label on the target.
    seed
        Of the joint model.
    """

    task: BlindTask
    truth: np.ndarray
    labelled: int
    seed: int

    def score(self, method: str, scored: np.ndarray | None = None) -> float:
        """Balanced accuracy over the target's rows without labels, or over those given."""
        asked = self.task.target_rows & np.array([label is None for label in self.task.y])
        scored = asked if scored is None else scored
        found = np.full(len(self.truth), "", dtype=object)
        found[asked] = PREDICT[method](self.task, asked, self.seed)
        return float(balanced_accuracy_score(self.truth[scored], found[scored].astype(str)))


def joint(task: BlindTask, asked: np.ndarray, seed: int) -> np.ndarray:
    """The joint model at its defaults."""
    model = JointClassifier(random_state=seed)
    model.fit(task.x, task.y, batch=task.batch, subject=task.subject)
    target = task.target_rows
    return model.predict(task.x[target], batch=task.batch[target])[asked[target]]


def zscore_logistic(task: BlindTask, asked: np.ndarray, seed: int) -> np.ndarray:
    """Each plate z-scored by itself, one logistic regression on all labelled rows."""
    proba = zscore_logistic_regression(METHODS["zscore"](task).z, task.y, asked)
    return proba.columns.to_numpy()[proba.to_numpy().argmax(axis=1)]


def target_alone(task: BlindTask, asked: np.ndarray, seed: int) -> np.ndarray:
    """A logistic regression on the target's labelled rows, classes weighted."""
    z = METHODS["zscore"](task).z
    known = task.target_rows & ~asked
    model = LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000)
    return model.fit(z[known], task.y[known].astype(str)).predict(z[asked])


PREDICT = {"joint": joint, "z + LR": zscore_logistic, "target alone": target_alone}


def trial(table: SampleTable, sources: tuple[str, ...], target: str, seed: int) -> Trial:
    """Some plates teach, another is to be predicted."""
    first, *others = sources
    chosen = table.select(table.batch.isin([*sources, target]).to_numpy(dtype=bool))
    task = blind_task(chosen, first, target, labelled=others)
    everything = np.ones(chosen.n_samples, dtype=bool)
    return Trial(task, chosen.labels_of(everything).astype(str), 0, seed)


def with_labels(blind: Trial, number: int, seed: int) -> Trial:
    """The same with labels of some subjects of each class on the target, drawn by the seed.

    At most half of a class's subjects get one, so that there are others to score.
    """
    rng = np.random.default_rng(seed)
    task = blind.task
    who = np.arange(len(task.y)).astype(str) if task.subject is None else task.subject
    known = np.zeros(len(task.y), dtype=bool)
    for label in np.unique(blind.truth[task.target_rows]):
        its = task.target_rows & (blind.truth == label)
        everyone = rng.permutation(np.unique(who[its]))
        drawn = everyone[: min(number, len(everyone) // 2)]
        known |= its & np.isin(who, drawn)
    y = np.where(known, blind.truth.astype(object), task.y)
    return replace(blind, task=replace(task, y=y), labelled=number)


def simulated(name: str, seed: int) -> SampleTable:
    """Plates of one study."""
    informative, effect = EFFECTS[name]
    return make_plates(
        n_informative=informative,
        effect_size=effect,
        max_replicates=1,
        random_state=100 + seed,
        **PLATES[name],
    ).table


def source_studies() -> Iterator[tuple[str, str, SampleTable, str, list[tuple[str, ...]], int]]:
    """Data, unit of spread, table, target, sets of sources, seed."""
    table = public_plates("fiatof_ralps")
    for target in table.batches:
        others = [name for name in table.batches if name != target]
        sets = [chosen for number in (1, 2, 3) for chosen in combinations(others, number)]
        yield "fiatof", f"target {target}", table, target, sets, 0
    for seed in range(SEEDS):
        table = simulated("sources", seed)
        *others, target = table.batches
        sets = [chosen for number in (1, 2, 3) for chosen in combinations(others[:3], number)]
        yield "simulated", f"draw {seed}", table, target, [*sets, tuple(others)], seed


def sources_frame() -> pd.DataFrame:
    """Scores of all sets of sources, and the best and the mean of the set's plates alone."""
    rows = []
    for data, unit, table, target, sets, seed in source_studies():
        for method in METHOD_NAMES:
            alone: dict[str, float] = {}
            for sources in sets:
                score = trial(table, sources, target, seed).score(method)
                if len(sources) == 1:
                    alone[sources[0]] = score
                each = [alone[name] for name in sources if name in alone]
                rows.append(
                    (data, unit, method, len(sources), score, max(each), float(np.mean(each)))
                )
        print(data, unit, flush=True)
    columns = ["data", "unit", "method", "sources", "score", "best", "mean"]
    return pd.DataFrame(rows, columns=columns)


def label_studies() -> Iterator[tuple[str, Trial, int]]:
    """Data, trial without labels, draws of labels."""
    for data, (name, pairs) in PAIRS.items():
        table = public_plates(name)
        both = table.batches
        for source, target in pairs or ((both[0], both[1]), (both[1], both[0])):
            yield data, trial(table, (source,), target, 0), DRAWS
    for name in PLATES:
        if name != "sources":
            for seed in range(SEEDS):
                table = simulated(name, seed)
                yield name, trial(table, (table.batches[0],), table.batches[1], seed), 1


def labels_frame() -> pd.DataFrame:
    """Scores with and without labels, over the same rows: the target's without a label."""
    rows = []
    for place, (data, blind, draws) in enumerate(label_studies()):
        without = {method: _once(blind, method) for method in METHOD_NAMES}
        for draw in range(draws):
            for number in LABELS:
                few = with_labels(blind, number, 1000 * place + draw)
                rest = few.task.target_rows & np.array([label is None for label in few.task.y])
                for method in PREDICT:
                    if method in without:
                        found = without[method]
                        score = balanced_accuracy_score(blind.truth[rest], found[rest])
                        rows.append((data, place, method, f"0 ({number})", float(score)))
                    rows.append((data, place, method, str(number), few.score(method)))
        print(data, place, flush=True)
    return pd.DataFrame(rows, columns=["data", "unit", "method", "labels", "score"])


def _once(blind: Trial, method: str) -> np.ndarray:
    """Predictions of all rows of the target without any of its labels."""
    target = blind.task.target_rows
    found = np.full(len(target), "", dtype=object)
    found[target] = PREDICT[method](blind.task, target, blind.seed)
    return found.astype(str)


def sources_table(frame: pd.DataFrame) -> list[str]:
    """Markdown rows: method and number of sources."""
    lines = [
        "| data | method | labelled plates | balanced accuracy "
        "| gain over the mean of them alone | gain over the best of them |",
        "|---|---|---|---|---|---|",
    ]
    for (data, method, number), its in frame.groupby(["data", "method", "sources"], sort=False):
        # of seven simulated plates only three were tried alone
        gains = [
            _spread(100 * (its["score"] - its[alone]), its["unit"], "+.1f")
            if 1 < number < 7
            else "-"
            for alone in ("mean", "best")
        ]
        found = _spread(100 * its["score"], its["unit"])
        lines.append(f"| {data} | {method} | {number} | {found} | {' | '.join(gains)} |")
    return lines


def labels_table(frame: pd.DataFrame) -> list[str]:
    """Markdown rows: method; columns: labels a class."""
    columns = ["0 (5)", "5", "0 (10)", "10"]
    lines = [
        "| data | method | no labels | 5 a class | gain | no labels | 10 a class | gain |",
        "|---|---|---|---|---|---|---|---|",
    ]
    means = frame.groupby(["data", "method", "labels"], as_index=False)["score"].mean()
    overall = means.assign(unit=means["data"], data="mean of all data")
    for (data, method), its in pd.concat([frame, overall]).groupby(["data", "method"], sort=False):
        cells = []
        for none, few in (columns[:2], columns[2:]):
            before, after = its[its["labels"] == none], its[its["labels"] == few]
            cells.append(_spread(100 * before["score"], before["unit"]) if len(before) else "-")
            cells.append(_spread(100 * after["score"], after["unit"]))
            gain = 100 * (after["score"].mean() - before["score"].mean())
            cells.append(f"{gain:+.1f}" if len(before) else "-")
        lines.append(f"| {data} | {method} | " + " | ".join(cells) + " |")
    return lines


def _spread(values: pd.Series, unit: pd.Series, form: str = ".1f") -> str:
    """Mean, and standard deviation between targets or draws."""
    each = values.groupby(unit.to_numpy()).mean()
    return f"{format(each.mean(), form)} ± {each.std():.1f}"


def main() -> None:
    """Run the studies and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", choices=("sources", "labels", "both"), default="both")
    given = parser.parse_args()
    parts = {}
    if given.table in ("labels", "both"):
        parts["labels"] = labels_table(labels_frame())
        print(*parts["labels"], sep="\n", flush=True)
    if given.table in ("sources", "both"):
        parts["sources"] = sources_table(sources_frame())
        print(*parts["sources"], sep="\n", flush=True)
    if given.table != "both":
        return
    write(parts)


def write(parts: dict[str, list[str]]) -> None:
    """Write both tables."""
    sources, labels = "\n".join(parts["sources"]), "\n".join(parts["labels"])
    shares = ", ".join(f"{100 * share:.0f}%" for share in SHARES)
    text = f"""# Several labelled plates, and a few labels on the new one

Command: `python benchmarks/sources_and_labels.py` (with `CROSSPLATE_DATA` naming the folder of the
tables)
Date: {date.today()}. Python {platform.python_version()}, crossplate {version("crossplate")}, \
scikit-learn {version("scikit-learn")}, numpy {version("numpy")}.

Balanced accuracy on the target in percent; ± is the standard deviation between targets (fiatof and
the other public tables: pairs) or draws of the simulated plates. joint: `JointClassifier` at its
defaults. z + LR: each plate z-scored by itself and a logistic regression
(C = 0.1) on all labelled rows.

## Several labelled plates

fiatof: batches 1 to 4, each once the target; all sets of one, two and three of the others.
Simulated: {SEEDS} draws of eight plates of 50 subjects and 100 features, all effects of a MALDI
plate, {shares} diseased; the eighth is the target, all sets of the first three and all seven teach.
Gains: over the plates of the set that teach alone; the best of them is the one that turned out best
on this target, which nobody would know beforehand.

{sources}

## A few labels on the new plate

Labels of 5 or 10 subjects of each class of the target, but of half of them at most (fiatof has
about nine a class), drawn by seed: {DRAWS} draws a pair of public plates, one a simulated study, of
which there are {SEEDS}. Scored are the target's other rows, and "no labels" is the model that got
none, on the same rows. target alone: a logistic
regression on the labelled rows of the target. Simulated: 2 × 120 subjects, 100 features, half
diseased on both plates or 30% and 70%. Quartet has three samples of a kind on a plate, too few for
this.

{labels}
"""
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
