"""A plate that arrives after the training: predicted as it is, adapted to, or trained with anew.

Run from the project's folder, with the data where CROSSPLATE_DATA says:

    python benchmarks/later_plate.py

Writes benchmarks/results/later_plate.md. In every run a model learns on one labelled plate and one
without labels; a third plate comes later, and its labels are used for scores alone.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crossplate import JointClassifier, make_plates
from crossplate.cli.demo import public_plates
from crossplate.table import SampleTable

RESULTS = Path(__file__).parent / "results" / "later_plate.md"
SIZE: dict[str, Any] = {"n_subjects": (120,) * 3, "n_features": 200, "n_informative": 25}
LARGE: dict[str, Any] = {"n_subjects": (1000, 300, 300), "n_features": 25, "n_informative": 8}
EVEN = (0.5,) * 3


@dataclass(frozen=True)
class Study:
    """Runs of one kind.

    Parameters
    ----------
    about
        What it is, for the results.
    runs
        Seed → table, source, plate without labels in the training, and plate that comes later.
    """

    about: str
    runs: Callable[[int], Iterator[tuple[SampleTable, str, str, str]]]


def rounds(table: SampleTable) -> Iterator[tuple[SampleTable, str, str, str]]:
    """Each batch as the source once; the next one without labels, the one after that later."""
    names = table.batches
    for place in range(len(names)):
        yield table, *(names[(place + step) % len(names)] for step in range(3))


def quartet() -> SampleTable:
    """The laboratories of one kind and the metabolites that all of them measured."""
    table = public_plates("quartet_metabolomics")
    table = table.select(table.batch.str.startswith("U_").to_numpy(dtype=bool))
    measured = table.features.notna().groupby(table.batch.to_numpy()).any().all()
    return replace(table, features=table.features.loc[:, measured])


def cytof() -> SampleTable:
    """Both patients on both days, as four batches."""
    people = [public_plates(f"cytof_person{person}") for person in (1, 2)]
    parts = [
        pd.concat([its.features, its.batch.radd(f"person{k}_").rename("batch"), its.label], axis=1)
        for k, its in enumerate(people, 1)
    ]
    whole = pd.concat(parts, ignore_index=True)
    features = whole.drop(columns=["batch", people[0].label.name])
    names = features.index.astype(str)
    columns = (whole["batch"].astype(str), whole[people[0].label.name].astype(str))
    batch, label = (column.set_axis(names) for column in columns)
    return SampleTable(features.set_axis(names), batch.rename("batch"), label.rename("label"))


def simulated(settings: dict[str, Any]) -> Callable[[int], Iterator[tuple[Any, str, str, str]]]:
    """Plates drawn with the seed."""

    def runs(seed: int) -> Iterator[tuple[SampleTable, str, str, str]]:
        table = make_plates(**settings, max_replicates=1, random_state=seed).table
        yield table, *table.batches

    return runs


def studies() -> dict[str, Study]:
    """All studies by name."""
    return {
        "fiatof": Study(
            "fiatof_ralps, batches 1 to 4, each the source once; 375 features, six classes",
            lambda _: rounds(public_plates("fiatof_ralps")),
        ),
        "quartet": Study(
            "quartet_metabolomics, untargeted laboratories, all orders; 12 samples each, four "
            "classes",
            lambda _: ((quartet(), *names) for names in permutations(quartet().batches, 3)),
        ),
        "cytof": Study(
            "cytof_person1 and 2, four batches, each the source once; a large study, beta = 1",
            lambda _: rounds(cytof()),
        ),
        "sim": Study(
            "simulated, 120 subjects a plate, 200 features, half diseased everywhere",
            simulated({**SIZE, "class_shares": EVEN}),
        ),
        "sim shift": Study(
            "the same, 30% diseased in the source, 50%, and 70% on the later plate",
            simulated({**SIZE, "class_shares": (0.3, 0.5, 0.7)}),
        ),
        "sim large": Study(
            "simulated, 1,000 + 300 + 300 subjects, 25 features; a large study, beta = 1",
            simulated({**LARGE, "effect_size": 0.8, "class_shares": EVEN}),
        ),
    }


def balanced_accuracy(truth: np.ndarray, called: np.ndarray) -> float:
    """Mean share of right calls over the classes."""
    return float(np.mean([(called[truth == name] == name).mean() for name in np.unique(truth)]))


def timed(action: Callable[[], JointClassifier]) -> tuple[JointClassifier, float]:
    """What an action gives, and its seconds."""
    start = time.perf_counter()
    found = action()
    return found, time.perf_counter() - start


def one_run(table: SampleTable, source: str, other: str, later: str, seed: int) -> dict[str, float]:
    """Scores, seconds and changes of one run."""
    table = table.select(table.batch.isin([source, other, later]).to_numpy(dtype=bool))
    assert table.label is not None
    x, batch = table.features.to_numpy(), table.batch.to_numpy(dtype=str)
    truth = table.label.to_numpy(dtype=object).astype(str)
    y = np.where(batch == source, truth, None)
    old, new = batch != later, np.flatnonzero(batch == later)

    def fitted(rows: np.ndarray) -> JointClassifier:
        return JointClassifier(random_state=seed).fit(x[rows], y[rows], batch=batch[rows])

    def called(model: JointClassifier, rows: np.ndarray) -> np.ndarray:
        return model.predict(x[rows], batch=batch[rows])

    def of_earlier(model: JointClassifier) -> list[np.ndarray]:
        given = {"X": x[old], "batch": batch[old]}
        found = [model.predict_proba(**given), model.transform(**given)]
        return [*found, *(model.reconstruct(**given, as_batch=name) for name in (source, other))]

    model, fit = timed(lambda: fitted(old))
    before = of_earlier(model)
    predicted = called(model, new)
    model, adapt = timed(lambda: model.adapt(x[new], batch=later))
    adapted = called(model, new)
    again, retrain = timed(lambda: fitted(np.ones(len(x), dtype=bool)))
    retrained = called(again, new)
    order = np.random.default_rng(seed).permutation(len(new))
    half, rest = order[: len(new) // 2], order[len(new) // 2 :][:MOST_ALONE]
    model.adapt(x[new[half]], batch=later)
    alone = np.array([called(model, new[[row]])[0] for row in rest])
    changes = [
        float(np.abs(now - then).max()) for now, then in zip(of_earlier(model), before, strict=True)
    ]
    its = truth[new]
    return {
        "predict": balanced_accuracy(its, predicted),
        "adapt": balanced_accuracy(its, adapted),
        "retrain": balanced_accuracy(its, retrained),
        "rest, one by one": balanced_accuracy(its[rest], alone),
        "rest, whole plate": balanced_accuracy(its[rest], adapted[rest]),
        "rest, retrain": balanced_accuracy(its[rest], retrained[rest]),
        "fit s": fit,
        "adapt s": adapt,
        "retrain s": retrain,
        "change": max(changes),
    }


MOST_ALONE = 200
"""Rows of the rest that are predicted one at a time."""


def of_seeds(runs: pd.DataFrame, column: str) -> str:
    """Mean, and the standard deviation of the seeds' means, in percent."""
    means = 100 * runs.groupby("seed")[column].mean()
    return f"{means.mean():.1f} ± {means.std(ddof=1):.1f}"


def difference(runs: pd.DataFrame, one: str, other: str) -> str:
    """Mean difference in points and the standard deviation of the runs'."""
    points = 100 * (runs[one] - runs[other])
    return f"{points.mean():+.1f} ± {points.std(ddof=1):.1f}"


def main() -> None:
    """Run all studies and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0 to N-1")
    seeds = parser.parse_args().seeds
    found: dict[str, pd.DataFrame] = {}
    for name, study in studies().items():
        rows = []
        for seed in range(seeds):
            for table, *plates in study.runs(seed):
                rows.append({"seed": seed, **one_run(table, *plates, seed)})
        found[name] = pd.DataFrame(rows)
        print(name, found[name].mean().round(3).to_dict(), flush=True)
    write_results(seeds, found)


def write_results(seeds: int, found: dict[str, pd.DataFrame]) -> None:
    """Write the Markdown file."""
    about = "\n".join(f"- {name}: {study.about}." for name, study in studies().items())
    scores, halves, seconds = [], [], []
    for name, runs in found.items():
        cells = [of_seeds(runs, column) for column in ("predict", "adapt", "retrain")]
        cells += [difference(runs, "adapt", "retrain")]
        scores.append(f"| {name} | {len(runs)} | {' | '.join(cells)} |")
        columns = ("rest, one by one", "rest, whole plate", "rest, retrain")
        cells = [of_seeds(runs, column) for column in columns]
        cells += [difference(runs, "rest, one by one", "rest, whole plate")]
        halves.append(f"| {name} | {' | '.join(cells)} |")
        times = [runs[f"{what} s"].median() for what in ("fit", "adapt", "retrain")]
        ratio = (runs["retrain s"] / runs["adapt s"]).median()
        cells = [f"{spent:.2f}" for spent in times] + [f"{ratio:.1f}", f"{runs['change'].max():g}"]
        seconds.append(f"| {name} | {' | '.join(cells)} |")
    versions = ", ".join(f"{name} {version(name)}" for name in ("crossplate", "torch", "numpy"))
    text = f"""# A plate that arrives later

Command: `python benchmarks/later_plate.py --seeds {seeds}` (with `CROSSPLATE_DATA` naming the \
folder of the tables)
Date: {date.today()}. Python {platform.python_version()}, {versions}.

A model learns on one labelled plate and one without labels; a third plate comes later. predict:
its rows are predicted together, with their own statistics. adapt: the model takes the plate in
without labels (`model.adapt`), then predicts. retrain: a new model of all three plates, with the
labels of the first. Default settings, seeds 0 to {seeds - 1}; a simulated study is drawn anew for
every seed.

{about}

## Balanced accuracy on the later plate

Percent: mean over runs ± standard deviation of the seeds' means. Last column: points, mean over
runs ± standard deviation of the runs.

| study | runs | predict | adapt | retrain | adapt - retrain |
|---|---|---|---|---|---|
{chr(10).join(scores)}

adapt keeps what predict makes of the whole plate, so both are the same; what it adds is that
later rows can come one by one, and that the plate has a reconstructor. Where training anew gains
(docs/design/joint-model.md says by what), do so if the labelled rows are still at hand.

## Half of the plate adapted to, the rest predicted one row at a time

Balanced accuracy of the same rest (at most {MOST_ALONE} rows) when the whole plate was given, and
after retraining on all of it.

| study | one by one | whole plate | retrain | one by one - whole plate |
|---|---|---|---|---|
{chr(10).join(halves)}

## Seconds, and what changes for the earlier plates

Medians on a machine that was shared with other work; the ratio is the median of the runs'. Last:
the largest change of any probability, code or restored measurement of the earlier plates.

| study | fit | adapt | retrain | retrain ÷ adapt | change |
|---|---|---|---|---|---|
{chr(10).join(seconds)}
"""
    RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
