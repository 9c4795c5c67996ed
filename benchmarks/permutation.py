"""Wall time of a permutation test, of folds and of pairs of plates, against single fits.

Run from the project's folder: python benchmarks/permutation.py
Writes benchmarks/results/permutation.md. Simulated rows of the CyTOF study's shape, and simulated
plates of the MALDI study's.
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

from crossplate import JointClassifier, make_plates
from crossplate.joint.permutation import permutation_test
from crossplate.joint.protocols import predict_across_batches, predict_within_batches

RESULTS = Path(__file__).parent / "results" / "permutation.md"
ROWS, FEATURES, SHUFFLES, ROUNDS = 1858, 25, 100, 2
ONE = JointClassifier(random_state=0, n_members=1)
Ways = dict[str, Callable[[], object]]


def seconds(work: Callable[[], object]) -> float:
    """Wall time of a call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def cytof_shape() -> Ways:
    """Two days of cells, the second without labels."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 2 * ROWS).astype(object)
    X = rng.normal(size=(2 * ROWS, FEATURES)) + 0.7 * truth[:, None].astype(float)
    batch = np.repeat(["source", "target"], ROWS)
    return ways_of(X, truth, batch, None, "source")


def maldi_shape() -> Ways:
    """Two plates of replicate spectra, the second without labels."""
    table = make_plates(n_subjects=(201, 212)).table
    assert table.label is not None
    assert table.subject is not None
    return ways_of(
        table.features.to_numpy(),
        table.label.to_numpy(dtype=object),
        table.batch.to_numpy(),
        table.subject.to_numpy(),
        table.batches[0],
    )


def ways_of(
    X: np.ndarray, truth: np.ndarray, batch: np.ndarray, subject: np.ndarray | None, source: str
) -> Ways:
    """A single fit, the shuffles and the folds of one study."""
    y = np.where(batch == source, truth, None)
    known = {"batch": batch, "subject": subject}
    return {
        "one fit (default, five members)": lambda: JointClassifier(random_state=0).fit(
            X, y, **known
        ),
        "one fit (one member)": lambda: ONE.fit(X, y, **known),
        f"{SHUFFLES} shuffles": lambda: permutation_test(
            ONE, X, y, truth, n_permutations=SHUFFLES, **known
        ),
        "ten folds within each of two batches": lambda: predict_within_batches(
            ONE, X, truth, **known
        ),
        "both ordered pairs": lambda: predict_across_batches(ONE, X, truth, **known),
    }


def timed(ways: Ways) -> list[str]:
    """Markdown rows of one study, the ways taking turns."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, work in ways.items():
            found[name].append(seconds(work))
    one = found["one fit (one member)"]
    fits = {f"{SHUFFLES} shuffles": SHUFFLES, "ten folds within each of two batches": 20,
            "both ordered pairs": 2}  # fmt: skip
    lines = []
    for name, times in found.items():
        ratios = [whole / single for whole, single in zip(times, one, strict=True)]
        ratio = statistics.median(ratios)
        each = f"{ratio / fits[name]:.2f}" if name in fits else ""
        lines.append(
            f"| {name} | {statistics.median(times):.1f} ({min(times):.1f}–{max(times):.1f}) "
            f"| {ratio:.1f} | {each} |"
        )
    return lines


def main() -> None:
    """Time both studies and write the file."""
    parts = [
        f"""# A permutation test, folds and pairs of plates against single fits

Command: `python benchmarks/permutation.py`
Date: {date.today()}. {platform.machine()}, Python {platform.python_version()}, \
torch {version("torch")}, crossplate {version("crossplate")}; a shared machine of two cores.

Default settings; a shuffle, a fold and a pair is one member. Seconds: median (lowest–highest) of
{ROUNDS} rounds in which the ways take turns; ratio: this ÷ one fit of one member, median over
rounds; a fit: the ratio divided by the number of fits done. Shuffled labels stop early, since
their held-out loss soon rises, and members stacked together use the cores better.
"""
    ]
    for title, ways in (
        (f"CyTOF shape ({ROWS} + {ROWS} rows, {FEATURES} features)", cytof_shape()),
        ("MALDI shape (201 + 212 subjects, about five spectra each, 814 features)", maldi_shape()),
    ):
        lines = timed(ways)
        print(title, *lines, sep="\n", flush=True)
        parts.append(f"## {title}\n\n| | seconds | ratio | a fit |\n|---|---|---|---|")
        parts.append("\n".join(lines) + "\n")
    RESULTS.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
