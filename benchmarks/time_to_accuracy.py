"""Time from start to the paper's accuracy on CyTOF: the authors' settings and crossplate's default.

Run from the project's folder, with the data where CROSSPLATE_DATA says:

    python benchmarks/time_to_accuracy.py

Writes benchmarks/results/time_to_accuracy.md. The authors' training is followed epoch by epoch with
our engine, which computes the same steps faster; its time is the number of those steps times the
time of the authors' own step, measured in the same run. ``--keep FILE`` keeps the numbers of steps,
which depend on nothing but the seeds, so that the timing can be repeated without the training.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from crossplate import JointClassifier
from crossplate.datasets import load
from crossplate.joint.feeds import Resident
from crossplate.joint.inference import TrainedNetworks
from crossplate.joint.offsets import to_probabilities
from crossplate.joint.training import StackTraining
from crossplate.kernels import median_bandwidths
from cytof import METRICS, PUBLISHED, TASKS
from engine import authors_step

RESULTS = Path(__file__).parent / "results" / "time_to_accuracy.md"
SEEDS = range(3)
STEPS_TIMED, ROUNDS = 40, 7


def seconds_a_step(p: int, rows: int) -> list[float]:
    """Times of the authors' step, after a warm-up."""
    x = torch.randn(2 * rows, p, generator=torch.Generator().manual_seed(0))
    step = authors_step(p, rows, x, (x[:rows, 0] > 0).float())
    found = []
    for _ in range(ROUNDS + 1):
        start = time.perf_counter()
        for _ in range(STEPS_TIMED):
            step()
        found.append((time.perf_counter() - start) / STEPS_TIMED)
    return found[1:]


@torch.no_grad()
def authors_training(
    X: np.ndarray, y: np.ndarray, batch: np.ndarray, truth: np.ndarray, wanted: float
) -> list[tuple[int, int, float]]:
    """For each seed: steps to the wanted accuracy on the target (0: never), steps in all, best."""
    model = JointClassifier(preset="paper")
    problem, codes = model.pose(X, y, batch=batch)
    x = torch.from_numpy(problem.z.astype(np.float32))
    feed = Resident(x, [problem.member(codes, seed) for seed in SEEDS], problem.settings)
    everyone = slice(len(SEEDS))
    training = StackTraining(feed, everyone, problem.architecture, problem.settings, 16.0)
    target, order = codes < 0, feed.plan
    best, reached = np.zeros(len(SEEDS)), np.zeros(len(SEEDS), dtype=int)
    for epoch in range(order.epochs):
        training.run_epoch(epoch)
        states = [training.member_state(place) for place in range(len(SEEDS))]
        weights = {name: torch.stack([s[name] for s in states]).numpy() for name in states[0]}
        networks = TrainedNetworks(problem.architecture, weights, torch.device("cpu"))
        called = to_probabilities(networks.scores(problem.z[target])).argmax(axis=2)
        accuracy = (model.classes_[called] == truth[target]).mean(axis=1)
        best = np.maximum(best, accuracy)
        reached[(reached == 0) & (accuracy >= wanted)] = (epoch + 1) * order.steps
        if reached.all():
            break
    return [
        (int(steps), order.steps * order.epochs, float(highest))
        for steps, highest in zip(reached, best, strict=True)
    ]


@torch.no_grad()
def default_training(
    X: np.ndarray, y: np.ndarray, batch: np.ndarray, truth: np.ndarray, wanted: float, seed: int
) -> tuple[float, float]:
    """Seconds from raw measurements to the wanted accuracy (NaN: never), and to the end.

    Of one member, looked at after every epoch like the authors' training; looking is not timed.
    """
    target = np.equal(y, None)
    start = time.perf_counter()
    model = JointClassifier(random_state=seed, n_members=1)
    problem, codes = model.pose(X, y, batch=batch)
    x = torch.from_numpy(problem.z.astype(np.float32))
    feed = Resident(x, [problem.member(codes, seed)], problem.settings)
    widest = float(median_bandwidths(problem.z).max())
    training = StackTraining(feed, slice(1), problem.architecture, problem.settings, widest)
    spent, reached = time.perf_counter() - start, np.nan
    for epoch in range(feed.plan.epochs):
        start = time.perf_counter()
        training.run_epoch(epoch)
        spent += time.perf_counter() - start
        weights = {name: value[None].numpy() for name, value in training.member_state(0).items()}
        networks = TrainedNetworks(problem.architecture, weights, torch.device("cpu"))
        called = to_probabilities(networks.scores(problem.z[target]))[0].argmax(axis=1)
        if (model.classes_[called] == truth[target]).mean() >= wanted:
            reached = spent
            break
    start = time.perf_counter()
    JointClassifier(random_state=seed, n_members=1).fit(X, y, batch=batch)
    return reached, time.perf_counter() - start


def committee_accuracy(
    X: np.ndarray, y: np.ndarray, batch: np.ndarray, truth: np.ndarray
) -> tuple[float, float]:
    """Median seconds of the usual fit of five members, and its mean accuracy on the target."""
    target, spent, found = np.equal(y, None), [], []
    for seed in SEEDS:
        start = time.perf_counter()
        model = JointClassifier(random_state=seed).fit(X, y, batch=batch)
        spent.append(time.perf_counter() - start)
        called = model.predict(X[target], batch=batch[target])
        found.append(float((called == truth[target]).mean()))
    return statistics.median(spent), statistics.mean(found)


def studies() -> list[tuple[str, float, tuple[np.ndarray, ...]]]:
    """Name, accuracy to reach, and X, y, batch, truth of each task."""
    found = []
    for (name, dataset, source, _), published in zip(TASKS, PUBLISHED, strict=True):
        table = load(dataset)
        assert table.label is not None
        truth = table.label.to_numpy(dtype=object)
        batch = table.batch.to_numpy()
        y = np.where(batch == source, truth, None)
        arrays = (table.features.to_numpy(), y, batch, truth)
        found.append((name, float(published[METRICS.index("accuracy")]), arrays))
    return found


def followed_trainings(keep: Path | None) -> list[list[tuple[int, int, float]]]:
    """Steps of the authors' trainings on each task, read from ``keep`` where that exists."""
    if keep is not None and keep.exists():
        return [[tuple(seed) for seed in task] for task in json.loads(keep.read_text())]
    threads, found = torch.get_num_threads(), []
    torch.set_num_threads(1)
    for name, wanted, arrays in studies():
        found.append(authors_training(*arrays, wanted))
        print(name, found[-1], flush=True)
    torch.set_num_threads(threads)
    if keep is not None:
        keep.write_text(json.dumps(found))
    return found


def main() -> None:
    """Follow the authors' trainings, then time all steps and fits, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, metavar="FILE", help="keeps the numbers of steps")
    kept = parser.parse_args().keep
    followed = followed_trainings(kept)
    print("timing", flush=True)
    steps, measured = [], []
    for _, wanted, arrays in studies():
        steps += seconds_a_step(arrays[0].shape[1], 100)
        ours = [default_training(*arrays, wanted, seed) for seed in SEEDS]
        measured.append((ours, *committee_accuracy(*arrays)))
    # all four tasks have the same 25 features and rows in a step, so their step is one figure
    step, rows = statistics.median(steps), []
    for (name, wanted, _), theirs, (ours, committee, accuracy) in zip(
        studies(), followed, measured, strict=True
    ):
        spent = statistics.median(step * (reached or every) for reached, every, _ in theirs)
        bound = "" if all(reached for reached, _, _ in theirs) else "at least "
        told = ", ".join(
            f"{step * reached:,.0f} s" if reached else f"not in {step * every:,.0f} s ({best:.3f})"
            for reached, every, best in theirs
        )
        to_reach = statistics.median(reached for reached, _ in ours)
        whole = statistics.median(end for _, end in ours)
        rows.append(
            f"| {name} | {wanted:.3f} | {told} "
            f"| {to_reach:.2f} s | {bound}{spent / to_reach:,.0f} "
            f"| {whole:.2f} s | {bound}{spent / whole:,.0f} | {committee:.2f} s | {accuracy:.3f} |"
        )
        print(rows[-1], flush=True)
    spread = f"{1e3 * min(steps):.1f} to {1e3 * max(steps):.1f}"
    write_results(rows, kept, f"{1e3 * step:.1f} ms ({spread} over {len(steps)} rounds)")


def write_results(rows: list[str], kept: Path | None, step: str) -> None:
    """Write the Markdown file."""
    RESULTS.write_text(
        f"""# Time from start to the paper's accuracy on CyTOF

Command: `python benchmarks/time_to_accuracy.py{" --keep FILE" if kept else ""}` \
(with `CROSSPLATE_DATA` naming the tables' folder)
Date: {date.today()}. {platform.machine()}, Python {platform.python_version()}, \
torch {version("torch")}, crossplate {version("crossplate")}; a shared machine of two cores.

Time until the accuracy on the target day first reaches the published one, looked at after every
epoch, which no user could do, since it takes the target's labels. Authors' settings: each of
{len(SEEDS)} seeds; steps needed times the median time of the authors' step in this run, {step};
where 2,000 epochs do not reach it, their time and the best accuracy on the way. crossplate: default
settings, from raw measurements, one member (the authors train one network), median over the seeds,
to the same accuracy and to the end of the fit, where nobody looks; last, the usual committee of
five with its accuracy. Ratio: median time of the authors' settings ÷ that before it.

| task | to reach | authors' settings | crossplate, to reach | ratio \
| to the end | ratio | committee | accuracy |
|---|---|---|---|---|---|---|---|---|
"""
        + "\n".join(rows)
        + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
