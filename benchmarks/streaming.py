"""Training and prediction on a file larger than memory: rows per second and peak memory.

Run from the project's folder: python benchmarks/streaming.py
Writes benchmarks/results/streaming.md. Simulated cells of two days, 40 markers, float32; the
largest file takes 1.7 GB in the folder for temporary files.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import threading
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np

from crossplate import JointClassifier

RESULTS = Path(__file__).parent / "results" / "streaming.md"
MARKERS, AT_ONCE = 40, 500_000
SIZES = (1_000_000, 10_000_000)
ROUNDS = 2


def write_cells(folder: Path, n_rows: int) -> None:
    """Files of measurements, labels (missing on the second day) and days, written in pieces."""
    rng = np.random.default_rng(0)
    centres = rng.normal(0, 0.4, size=(2, MARKERS))
    x = np.lib.format.open_memmap(folder / "x.npy", "w+", np.float32, (n_rows, MARKERS))
    y = np.lib.format.open_memmap(folder / "y.npy", "w+", np.float32, (n_rows,))
    truth = np.lib.format.open_memmap(folder / "truth.npy", "w+", np.int8, (n_rows,))
    day = np.lib.format.open_memmap(folder / "day.npy", "w+", np.int8, (n_rows,))
    for start in range(0, n_rows, AT_ONCE):
        some = slice(start, min(start + AT_ONCE, n_rows))
        size = some.stop - some.start
        classes, days = rng.integers(0, 2, size), rng.integers(0, 2, size)
        cells = rng.normal(size=(size, MARKERS)) + centres[classes] + 0.7 * days[:, None]
        x[some], truth[some], day[some] = np.exp(cells), classes, days
        y[some] = np.where(days == 0, classes, np.nan)


def peak_memory(stop: threading.Event, found: list[int]) -> None:
    """Highest memory of this process beyond files mapped into it, looked at every 20 ms."""
    while not stop.wait(0.02):
        status = Path("/proc/self/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("RssAnon"))
        found.append(1024 * int(line.split()[1]))


def measure(folder: Path) -> dict[str, float]:
    """Fit and predict once, in this process."""
    x, y, truth, day = (
        np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("x", "y", "truth", "day")
    )
    # the libraries are loaded and warm before the clock and the memory count
    JointClassifier(n_members=1, epochs=1, random_state=0).fit(x[:2000], y[:2000], batch=day[:2000])
    found: list[int] = []
    stop = threading.Event()
    watch = threading.Thread(target=peak_memory, args=(stop, found))
    watch.start()
    start = time.perf_counter()
    model = JointClassifier(n_members=1, epochs=1, batch_size=256, random_state=0)
    model.fit(x, y, batch=day)
    fitted = time.perf_counter()
    in_fit = max(found) - found[0]
    called = model.predict(x, batch=day)
    done = time.perf_counter()
    stop.set()
    watch.join()
    target = np.asarray(day) == 1
    return {
        "fit": fitted - start,
        "predict": done - fitted,
        "memory in fit": in_fit,
        "memory": max(found) - found[0],
        "accuracy": float((called[target] == truth[target]).mean()),
    }


def main() -> None:
    """Measure every size in processes of their own, taking turns, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="rows of the files")
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure)))
        return
    found: dict[int, list[dict[str, float]]] = {size: [] for size in options.sizes}
    with tempfile.TemporaryDirectory() as place:
        for size in options.sizes:
            (Path(place) / str(size)).mkdir()
            write_cells(Path(place) / str(size), size)
        for _ in range(ROUNDS):
            for size in options.sizes:
                command = [sys.executable, __file__, "--measure", f"{place}/{size}"]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                found[size].append(json.loads(done.stdout))
                print(size, found[size][-1], flush=True)
    write_results(found)


def write_results(found: dict[int, list[dict[str, float]]]) -> None:
    """Write the Markdown file."""
    rows = []
    smallest = min(found)
    base = min(run["fit"] for run in found[smallest]) / smallest
    for size, runs in found.items():
        fit, predict = (min(run[name] for run in runs) for name in ("fit", "predict"))
        in_fit, memory = (max(run[m] for run in runs) / 1e6 for m in ("memory in fit", "memory"))
        rows.append(
            f"| {size:,} | {size / fit:,.0f} | {base * size / fit:.2f} | {size / predict:,.0f} "
            f"| {in_fit:.0f} | {memory:.0f} | {4e-6 * MARKERS * size:,.0f} "
            f"| {runs[0]['accuracy']:.3f} |"
        )
    RESULTS.write_text(
        f"""# Training and predicting on a mapped file

Command: `python benchmarks/streaming.py`
Date: {date.today()}. {platform.machine()}, Python {platform.python_version()}, \
torch {version("torch")}, crossplate {version("crossplate")}; a shared machine of two cores.

Simulated cells of two days, {MARKERS} markers, float32 in one file, rows of both days mixed.
Training: one member, one pass over all rows, 256 rows of each day a step; the two passes before it
that find the scale of each day are part of the time. Best of {ROUNDS} rounds in which the sizes
take turns, each in a process of its own. Memory: highest resident memory beyond mapped files, minus
that before; in prediction the calls themselves, 8 bytes a row, are part of it.

| rows | rows/s in training | relative | rows/s in prediction | memory in training, MB \
| and in prediction, MB | file, MB | accuracy on day 2 |
|---|---|---|---|---|---|---|---|
"""
        + "\n".join(rows)
        + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
