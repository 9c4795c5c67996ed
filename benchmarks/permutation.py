"""Wall time of a permutation test of 100 shuffles against single fits.

Run from the project's folder: python benchmarks/permutation.py
Writes benchmarks/results/permutation.md. Simulated rows of the CyTOF study's shape.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np

from crossplate import JointClassifier
from crossplate.joint.permutation import permutation_test

RESULTS = Path(__file__).parent / "results" / "permutation.md"
ROWS, FEATURES, SHUFFLES, ROUNDS = 1858, 25, 100, 3


def seconds(work: Callable[[], object]) -> float:
    """Wall time of a call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Time both, taking turns, and write the file."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 2 * ROWS).astype(object)
    X = rng.normal(size=(2 * ROWS, FEATURES)) + 0.7 * truth[:, None].astype(float)
    batch = np.repeat(["source", "target"], ROWS)
    y = np.where(batch == "source", truth, None)
    ways: dict[str, Callable[[], object]] = {
        "one fit (five members)": lambda: JointClassifier(random_state=0).fit(X, y, batch=batch),
        "one fit (one member)": lambda: JointClassifier(random_state=0, n_members=1).fit(
            X, y, batch=batch
        ),
        f"{SHUFFLES} shuffles": lambda: permutation_test(
            JointClassifier(random_state=0), X, y, truth, batch=batch, n_permutations=SHUFFLES
        ),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, work in ways.items():
            found[name].append(seconds(work))
    last = found[f"{SHUFFLES} shuffles"]
    lines = []
    for name, times in found.items():
        ratios = [whole / one for whole, one in zip(last, times, strict=True)]
        lines.append(
            f"| {name} | {statistics.median(times):.1f} ({min(times):.1f}–{max(times):.1f}) "
            f"| {statistics.median(ratios):.1f} |"
        )
    text = f"""# A permutation test against single fits

Command: `python benchmarks/permutation.py`
Date: {date.today()}. {platform.machine()}, Python {platform.python_version()}, \
torch {version("torch")}, crossplate {version("crossplate")}; a shared machine of two cores.

Simulated rows of the CyTOF study's shape ({ROWS} + {ROWS} rows, {FEATURES} features), default
settings. A shuffle is one member. Seconds: median (lowest–highest) of {ROUNDS} rounds in which the
ways take turns; ratio: {SHUFFLES} shuffles ÷ this, median over rounds.

| | seconds | ratio |
|---|---|---|
""" + "\n".join(lines)
    print(text)
    RESULTS.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
