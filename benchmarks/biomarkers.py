"""Planted biomarkers that are found, against the number of subjects.

Run from the project's folder: python benchmarks/biomarkers.py
Writes benchmarks/results/biomarkers.md. Three simulated plates a study (crossplate.make_plates),
each searched by itself.
"""

from __future__ import annotations

import argparse
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from crossplate import make_plates
from crossplate.evaluate.biomarkers import find_biomarkers

RESULTS = Path(__file__).parent / "results" / "biomarkers.md"
SIZES = (50, 100, 200, 400)
PLATES, PLANTED = 3, 40
WAYS = {
    "one": "in one plate",
    "two": "in two plates or three, same direction",
    "fdr": "q < 0.05 alone, in one plate",
}


def ways_of(n_subjects: int, n_planted: int, seed: int) -> dict[str, list[tuple[int, int]]]:
    """Features found and how many of them were planted, for each way and plate."""
    plates = make_plates(
        n_subjects=(n_subjects,) * PLATES,
        n_informative=n_planted,
        max_replicates=2,
        random_state=seed,
    )
    found = find_biomarkers(plates.table, random_state=seed)
    planted = set(plates.informative.index)
    frame = found.features
    by_plate = frame.groupby("batch", sort=False)
    counts = {
        "one": [_count(its.loc[its["selected"], "feature"], planted) for _, its in by_plate],
        "fdr": [_count(its.loc[its["q"] < 0.05, "feature"], planted) for _, its in by_plate],
    }
    chosen = frame[frame["selected"]]
    direction = np.sign(chosen["effect"]).groupby(chosen["feature"]).agg(["size", "sum"])
    several = direction[(direction["size"] > 1) & (direction["sum"].abs() == direction["size"])]
    counts["two"] = [_count(several.index.to_series(), planted)]
    return counts


def _count(names: pd.Series, planted: set[str]) -> tuple[int, int]:
    return len(names), int(names.isin(planted).sum())


def rows_of(n_subjects: int, n_studies: int) -> list[str]:
    """Markdown rows of one size."""
    planted = [ways_of(n_subjects, PLANTED, seed) for seed in range(n_studies)]
    null = [ways_of(n_subjects, 0, 1000 + seed) for seed in range(n_studies)]
    lines = []
    for way, title in WAYS.items():
        found = np.array([pair for study in planted for pair in study[way]])
        false = np.array([pair[0] for study in null for pair in study[way]])
        total, right = found.sum(axis=0)
        precision = f"{right / total:.2f}" if total else "–"
        lines.append(
            f"| {n_subjects} | {title} | {found[:, 0].mean():.1f} | {precision} "
            f"| {right / (PLANTED * len(found)):.2f} | {false.mean():.2f} |"
        )
    return lines


def main() -> None:
    """Simulate and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=5, help="studies a size")
    given = parser.parse_args()
    lines = []
    for size in SIZES:
        lines += rows_of(size, given.studies)
        print(*lines[-len(WAYS) :], sep="\n", flush=True)
    text = f"""# Planted biomarkers that are found

Command: `python benchmarks/biomarkers.py --studies {given.studies}`
Date: {date.today()}. Python {platform.python_version()}, numpy {version("numpy")}, scikit-learn \
{version("scikit-learn")}, crossplate {version("crossplate")}.

{given.studies} simulated studies a size, {PLATES} plates each, 814 features, {PLANTED} of them
planted (0.28 to 0.83 log units, 0.4 to 1.2 standard deviations between subjects), up to two spectra
a subject, all batch effects at their defaults. Selected: in more than 90% of 100 half-samples, and
p < 0.05. Recall counts all planted features, small ones too. The last column is the number found
in as many studies without any planted feature, where each is false.

| subjects a plate | selected | found | precision | recall | found where none is |
|---|---|---|---|---|---|
"""
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(text + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
