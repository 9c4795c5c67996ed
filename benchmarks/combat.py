"""Time and memory of ComBat beside neuroCombat and pycombat.

Run from the project's folder, on Linux, with the packages neuroCombat and combat installed:

    python benchmarks/combat.py

Writes benchmarks/results/combat.md. Every run is a process of its own, the ways taking turns.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results" / "combat.md"
SHAPES = [(100_000, 1_000), (500, 20_000)]
WAYS = {"crossplate": "crossplate", "neuroCombat": "neuroCombat", "pycombat": "combat"}
"""Ways and the packages they come from."""
N_BATCHES = 3
COMPARED = 50
"""Samples and features of the corner whose corrected values are compared."""


def resident(field: str) -> int:
    """Bytes of this process in memory: now (VmRSS) or at most so far (VmHWM)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return 1024 * int(line.split()[1])
    raise RuntimeError(f"no {field} in /proc/self/status; run this on Linux")


def plates(n: int, p: int, features_first: bool) -> tuple[Any, Any]:
    """The same table for all ways, each in the order in memory that the way expects.

    Filled in place, a few samples at a time, so that making it takes no more memory than it has.
    """
    import numpy as np

    rng = np.random.default_rng(0)
    batch = rng.integers(0, N_BATCHES, n)
    shift = rng.normal(size=(N_BATCHES, p))
    spread = np.exp(rng.normal(scale=0.3, size=(N_BATCHES, p)))
    table = np.empty((p, n) if features_first else (n, p))
    by_sample = table.T if features_first else table
    for start in range(0, n, 100):
        some = batch[start : start + 100]
        drawn = rng.standard_normal((len(some), p))
        by_sample[start : start + 100] = 8.0 + shift[some] + spread[some] * drawn
    return table, batch


def measure(way: str, n: int, p: int) -> dict[str, Any]:
    """Seconds, peak memory and a corner of the result of one way, in this process."""
    import numpy as np
    import pandas as pd

    if way == "crossplate":
        from crossplate.correct.combat import ComBat
    elif way == "neuroCombat":
        from neuroCombat import neuroCombat
    else:
        from combat.pycombat import pycombat
    before = resident("VmRSS")
    table, batch = plates(n, p, features_first=way != "crossplate")
    start = time.perf_counter()
    if way == "crossplate":
        result = ComBat().fit_transform(table, batch=batch)
    elif way == "neuroCombat":
        about = pd.DataFrame({"batch": batch})
        result = neuroCombat(dat=table, covars=about, batch_col="batch")["data"].T
    else:
        result = pycombat(pd.DataFrame(table, copy=False), batch.tolist()).to_numpy().T
    seconds = time.perf_counter() - start
    return {
        "seconds": seconds,
        "memory": (resident("VmHWM") - before) / table.nbytes,
        "corner": np.asarray(result[:COMPARED, :COMPARED]).tolist(),
    }


def in_own_process(way: str, n: int, p: int) -> dict[str, Any]:
    """The same in a fresh process."""
    # -P: this file must not stand in for the package of the same name.
    command = [sys.executable, "-P", __file__, "--one", way, str(n), str(p)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{way} failed on {n} x {p}:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def largest_difference(one: list[list[float]], other: list[list[float]]) -> float:
    """Largest absolute difference of two corners."""
    pairs = zip(one, other, strict=True)
    return max(abs(a - b) for rows in pairs for a, b in zip(*rows, strict=True))


def rows_of(n: int, p: int, rounds: int) -> list[str]:
    """Markdown rows of one shape."""
    runs: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way, found in runs.items():
            found.append(in_own_process(way, n, p))
            print(f"{n} x {p} {way}: {found[-1]['seconds']:.2f} s", flush=True)
    ours = [run["seconds"] for run in runs["crossplate"]]
    lines = []
    for way, found in runs.items():
        seconds = [run["seconds"] for run in found]
        ratios = [theirs / our for theirs, our in zip(seconds, ours, strict=True)]
        apart = largest_difference(found[0]["corner"], runs["crossplate"][0]["corner"])
        lines.append(
            f"| {n:,} × {p:,} | {way} | {statistics.median(seconds):.2f} "
            f"({min(seconds):.2f}–{max(seconds):.2f}) | {statistics.median(ratios):.1f} "
            f"| {max(run['memory'] for run in found):.2f} | {apart:.0e} |"
        )
    return lines


def write_results(rounds: int, lines: list[str]) -> None:
    """Write the Markdown file."""
    packages = [*WAYS.values(), "numpy", "pandas", "scikit-learn"]
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    text = f"""# ComBat: time and memory beside other packages

Command: `python benchmarks/combat.py --rounds {rounds}`
Date: {date.today()}. {platform.machine()}, {os.cpu_count()} cores (a shared machine), \
OMP_NUM_THREADS {os.environ.get("OMP_NUM_THREADS", "not set")}.
Python {platform.python_version()}, {versions} (pycombat is in the package combat).

Simulated rows in {N_BATCHES} batches in mixed order, float64, parametric priors, no covariates; fit
and correction together. Each run is a process of its own and gets the table in the order in memory
that it expects. Seconds: median (lowest–highest) of {rounds} rounds in which the ways take turns;
ratio: this ÷ crossplate, median over rounds. Memory: highest of the process above what it had
before the table was made, as a multiple of the table, which is itself 1 and the result another 1.
Difference: largest from crossplate's values among the first {COMPARED} samples and features. That
of pycombat 0.3.3 is its own: it updates all variances with the first feature's location
(`g_new[0][0]` in `it_sol`) and divides by n; with both changed it gives the values of R's sva.

| samples × features | way | seconds | ratio | memory ÷ input | difference |
|---|---|---|---|---|---|
"""
    RESULTS.write_text(text + "\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def main() -> None:
    """Measure all shapes and write the table, or measure one way in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds in which the ways take turns")
    parser.add_argument("--one", nargs=3, metavar=("WAY", "N", "P"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        way, n, p = options.one
        with contextlib.redirect_stdout(io.StringIO()):  # the packages print as they go
            found = measure(way, int(n), int(p))
        print(json.dumps(found))
        return
    lines = [line for n, p in SHAPES for line in rows_of(n, p, options.rounds)]
    write_results(options.rounds, lines)


if __name__ == "__main__":
    main()
