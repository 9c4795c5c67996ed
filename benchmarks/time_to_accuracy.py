"""Time from start to the paper's accuracy on CyTOF: the authors' settings and crossplate's default.

Run from the project's folder, with the data where CROSSPLATE_DATA says:

    python benchmarks/time_to_accuracy.py

Writes benchmarks/results/time_to_accuracy.md. The authors' training is followed epoch by epoch with
our engine, which computes the same steps faster; its time is the number of those steps times the
time of the authors' own step, measured in the same run.
"""

from __future__ import annotations

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
from crossplate.joint.training import StackTraining
from cytof import METRICS, PUBLISHED, TASKS
from engine import authors_step

RESULTS = Path(__file__).parent / "results" / "time_to_accuracy.md"
SEEDS = range(3)
STEPS_TIMED, ROUNDS = 40, 7


def seconds_a_step(p: int, rows: int) -> float:
    """Median time of the authors' step, after a warm-up."""
    x = torch.randn(2 * rows, p, generator=torch.Generator().manual_seed(0))
    step = authors_step(p, rows, x, (x[:rows, 0] > 0).float())
    found = []
    for _ in range(ROUNDS + 1):
        start = time.perf_counter()
        for _ in range(STEPS_TIMED):
            step()
        found.append((time.perf_counter() - start) / STEPS_TIMED)
    return statistics.median(found[1:])


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
        called = networks.probabilities(problem.z[target]).argmax(axis=2)
        accuracy = (model.classes_[called] == truth[target]).mean(axis=1)
        best = np.maximum(best, accuracy)
        reached[(reached == 0) & (accuracy >= wanted)] = (epoch + 1) * order.steps
        if reached.all():
            break
    return [
        (int(steps), order.steps * order.epochs, float(highest))
        for steps, highest in zip(reached, best, strict=True)
    ]


def default_training(
    X: np.ndarray, y: np.ndarray, batch: np.ndarray, truth: np.ndarray, seed: int, members: int
) -> tuple[float, float]:
    """Seconds of a whole default fit, and its accuracy on the target."""
    start = time.perf_counter()
    model = JointClassifier(random_state=seed, n_members=members).fit(X, y, batch=batch)
    spent = time.perf_counter() - start
    target = np.equal(y, None)
    called = model.predict(X[target], batch=batch[target])
    return spent, float((called == truth[target]).mean())


def main() -> None:
    """Follow all tasks and write the file."""
    threads, rows = torch.get_num_threads(), []
    for (name, dataset, source, _), published in zip(TASKS, PUBLISHED, strict=True):
        wanted = published[METRICS.index("accuracy")]
        table = load(dataset)
        X, batch = table.features.to_numpy(), table.batch.to_numpy()
        assert table.label is not None
        truth = table.label.to_numpy(dtype=object)
        y = np.where(batch == source, truth, None)
        step = seconds_a_step(X.shape[1], 100)
        torch.set_num_threads(1)
        theirs = authors_training(X, y, batch, truth, wanted)
        torch.set_num_threads(threads)
        spent = [step * (reached or every) for reached, every, _ in theirs]
        bound = "" if all(reached for reached, _, _ in theirs) else "at least "
        told = ", ".join(
            f"{step * reached:,.0f} s" if reached else f"not in {step * every:,.0f} s ({best:.3f})"
            for reached, every, best in theirs
        )
        cells = []
        for members in (1, 5):
            ours = [default_training(X, y, batch, truth, seed, members) for seed in SEEDS]
            seconds = statistics.median(taken for taken, _ in ours)
            accuracy = statistics.mean(found for _, found in ours)
            ratio = statistics.median(spent) / seconds
            cells.append(f"{seconds:.2f} s ({accuracy:.3f}) | {bound}{ratio:,.0f}")
        rows.append(f"| {name} | {wanted:.3f} | {1e3 * step:.1f} | {told} | {' | '.join(cells)} |")
        print(rows[-1], flush=True)
    RESULTS.write_text(
        f"""# Time from start to the paper's accuracy on CyTOF

Command: `python benchmarks/time_to_accuracy.py` (with `CROSSPLATE_DATA` naming the tables' folder)
Date: {date.today()}. {platform.machine()}, Python {platform.python_version()}, \
torch {version("torch")}, crossplate {version("crossplate")}; a shared machine of two cores.

Authors' settings: time until the accuracy on the target day first reaches the published one, looked
at after every epoch, for each of {len(SEEDS)} seeds (steps needed times the time of the authors'
step, measured in the same run); where 2,000 epochs do not reach it, their time and the best
accuracy on the way. Looking at the target's labels to stop is a favour that no user could do
them. crossplate: the default fit from raw measurements to its own end, of one member (the authors
train one network) and of the usual committee of five; median time and mean accuracy over the seeds.
Ratio: median time of the authors' settings ÷ ours.

| task | accuracy to reach | authors' step, ms | authors' settings | one member (accuracy) | ratio \
| five members (accuracy) | ratio |
|---|---|---|---|---|---|---|---|
"""
        + "\n".join(rows)
        + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
