"""Whether 95% intervals of scores hold the true value in 95% of studies.

Run from the project's folder: python benchmarks/coverage.py
Writes benchmarks/results/coverage.md. A study is a number of subjects with one to five samples
each and a classifier whose true scores are known from a very large study.
"""

from __future__ import annotations

import argparse
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from crossplate.evaluate import score_subjects
from crossplate.evaluate.intervals import score_intervals, subject_score_intervals
from crossplate.evaluate.scores import score

RESULTS = Path(__file__).parent / "results" / "coverage.md"
SIZES = (60, 150, 400)
SCORES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "roc_auc": "ROC AUC",
    "mcc": "MCC",
    "f1": "F1",
    "brier": "Brier",
}
DISTANCES = {"hard": 1.0, "easy": 2.2}
"""Distance of the classes, in standard deviations of a sample within a class."""
DISEASED = 0.45
SUBJECT_SD, SAMPLE_SD = 0.8, 0.6
TRUTH_SUBJECTS = 200_000
SEED = 7
"""Not used while the intervals were developed (that was 1)."""
CLASSES = ["control", "disease"]


def study(
    n_subjects: int, distance: float, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Probabilities, subject and label of the samples of one study."""
    diseased = rng.random(n_subjects) < DISEASED
    samples = rng.integers(1, 6, n_subjects)
    who = np.repeat(np.arange(n_subjects), samples)
    own = SUBJECT_SD * rng.normal(size=n_subjects)
    value = np.where(diseased, 0.5, -0.5)[who] * distance + own[who]
    second = expit(2 * (value + SAMPLE_SD * rng.normal(size=len(who))))
    index = pd.RangeIndex(len(who)).astype(str)
    return (
        pd.DataFrame({CLASSES[0]: 1 - second, CLASSES[1]: second}, index=index),
        pd.Series(who.astype(str), index=index, dtype=object),
        pd.Series(np.array(CLASSES, dtype=object)[diseased[who].astype(int)], index=index),
    )


def coverage(n_subjects: int, distance: float, n_studies: int, n_resamples: int) -> pd.DataFrame:
    """Share of studies whose interval holds the truth, its median width and the truth."""
    proba, subject, label = study(TRUTH_SUBJECTS, distance, np.random.default_rng(0))
    truth = {
        "sample": score(label, proba, CLASSES),
        "subject": score_subjects(proba, subject, label),
    }
    rng = np.random.default_rng([SEED, n_subjects, int(100 * distance)])
    rows = []
    for number in range(n_studies):
        proba, subject, label = study(n_subjects, distance, rng)
        settings = {"n_resamples": n_resamples, "random_state": number}
        found = {
            "sample": score_intervals(label, proba, CLASSES, subject=subject, **settings),
            "subject": subject_score_intervals(proba, subject, label, **settings),
        }
        for level, intervals in found.items():
            for name in SCORES:
                one, true = intervals.scores[name], getattr(truth[level], name)
                assert one is not None
                assert one.low is not None
                assert one.high is not None
                rows.append((level, name, true, one.low <= true <= one.high, one.high - one.low))
    frame = pd.DataFrame(rows, columns=["level", "score", "truth", "covered", "width"])
    by = frame.groupby(["level", "score"], sort=False)
    return by.agg({"truth": "first", "covered": "mean", "width": "median"})


def table(cells: dict[int, pd.DataFrame], level: str) -> list[str]:
    """Markdown rows: the truth, and coverage with median width for each size."""
    lines = []
    for name, title in SCORES.items():
        entries = [cells[size].loc[(level, name)] for size in SIZES]
        shown = " | ".join(f"{100 * cell.covered:.1f}% ({cell.width:.3f})" for cell in entries)
        lines.append(f"| {level}s | {title} | {entries[0].truth:.3f} | {shown} |")
    return lines


def main() -> None:
    """Simulate and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=1000, help="studies a row and column")
    parser.add_argument("--resamples", type=int, default=1000, help="resamples a study")
    given = parser.parse_args()
    error = 100 * np.sqrt(0.95 * 0.05 / given.studies)
    sizes = " | ".join(f"{size} subjects" for size in SIZES)
    parts = [
        f"""# Coverage of the 95% intervals of scores

Command: `python benchmarks/coverage.py --studies {given.studies} --resamples {given.resamples}`
Date: {date.today()}. Python {platform.python_version()}, numpy {version("numpy")}, \
crossplate {version("crossplate")}.

Share of {given.studies} simulated studies whose interval holds the true score, and the median
width of the interval. The standard error of a share is {error:.1f} points. One to five samples a
subject, correlation of a subject's samples {SUBJECT_SD**2 / (SUBJECT_SD**2 + SAMPLE_SD**2):.2f}, \
{100 * DISEASED:.0f}% diseased.
"""
    ]
    for title, distance in DISTANCES.items():
        cells = {size: coverage(size, distance, given.studies, given.resamples) for size in SIZES}
        lines = [*table(cells, "sample"), *table(cells, "subject")]
        print(title, *lines, sep="\n", flush=True)
        parts.append(
            f"## {title.capitalize()} ({distance:g} standard deviations between the classes)\n\n"
            f"| level | score | truth | {sizes} |\n|---|---|---|" + "---|" * len(SIZES)
        )
        parts[-1] += "\n" + "\n".join(lines) + "\n"
        RESULTS.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
