"""Whether permutation p-values are uniform where the labels mean nothing.

Run from the project's folder: python benchmarks/permutation_null.py
Writes benchmarks/results/permutation_null.md. The model is cheap (nearest class mean); what is
tested is the shuffling: by subject, within batches that differ in level and in class shares.
"""

from __future__ import annotations

import argparse
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
from scipy.stats import kstest, rankdata

from crossplate.evaluate.shuffling import shuffle_test

RESULTS = Path(__file__).parent / "results" / "permutation_null.md"
SUBJECTS, FEATURES = (40, 40, 60), 10
SHARES = (0.35, 0.65)
"""Share of the second class on the two labelled plates; the third is the target."""
PLATE_SHIFT, SUBJECT_SD, SAMPLE_SD = 1.0, 1.0, 0.5
WAYS = {
    "by subject, within the plate": {"batch": True, "subject": True},
    "by sample, within the plate": {"batch": True, "subject": False},
    "by subject, over plates": {"batch": False, "subject": True},
}


def study(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Measurements, labels (None in the target), truth, plate and subject; labels mean nothing."""
    rng = np.random.default_rng(seed)
    plates, truths = [], []
    for plate, n in enumerate(SUBJECTS):
        plates.append(np.full(n, plate))
        share = SHARES[plate] if plate < len(SHARES) else 0.5
        truths.append(rng.permutation(np.arange(n) < round(share * n)).astype(int))
    plate, truth = np.concatenate(plates), np.concatenate(truths)
    who = np.repeat(np.arange(len(plate)), rng.integers(1, 6, len(plate)))
    level = PLATE_SHIFT * rng.normal(size=(len(SUBJECTS), FEATURES))
    own = level[plate] + SUBJECT_SD * rng.normal(size=(len(plate), FEATURES))
    x = own[who] + SAMPLE_SD * rng.normal(size=(len(who), FEATURES))
    labels = np.where(plate[who] < len(SHARES), truth[who].astype(object), None)
    return x, labels, truth[who], plate[who], who


def p_values(seed: int, n_permutations: int) -> dict[str, tuple[float, float]]:
    """P-value of each way of shuffling, for balanced accuracy and ROC AUC on the target."""
    x, labels, truth, plate, who = study(seed)
    target = plate == len(SHARES)

    def scores(shuffled: np.ndarray) -> tuple[float, float]:
        first, second = (x[shuffled == k].mean(axis=0) for k in (0, 1))
        value = (x[target] - (first + second) / 2) @ (second - first)
        second_class = truth[target] == 1
        recalls = (value[second_class] > 0).mean(), (value[~second_class] <= 0).mean()
        n = second_class.sum()
        wins = rankdata(value)[second_class].sum() - n * (n + 1) / 2
        return float(np.mean(recalls)), float(wins / (n * (~second_class).sum()))

    found = {}
    for name, way in WAYS.items():
        settings = {
            "batch": plate if way["batch"] else None,
            "subject": who if way["subject"] else None,
            "n_permutations": n_permutations,
            "random_state": seed,
        }
        p_both = [
            shuffle_test(lambda given, at=at: scores(given)[at], labels, **settings).p_value
            for at in (0, 1)
        ]
        found[name] = (p_both[0], p_both[1])
    return found


def main() -> None:
    """Simulate and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=300, help="simulated studies")
    parser.add_argument("--permutations", type=int, default=99, help="shuffles a study")
    given = parser.parse_args()
    found = [p_values(seed, given.permutations) for seed in range(given.studies)]
    # A p-value is one of the numbers i/(n + 1); spread over the step below it, it is continuous.
    spread = np.random.default_rng(0).random(given.studies) / (given.permutations + 1)
    lines = []
    for name in WAYS:
        for at, score in enumerate(("balanced accuracy", "ROC AUC")):
            p = np.array([one[name][at] for one in found])
            test = kstest(p - spread, "uniform")
            lines.append(
                f"| {name} | {score} | {test.statistic:.3f} | {test.pvalue:.2g} "
                f"| {100 * (p <= 0.05).mean():.1f}% | {100 * (p <= 0.1).mean():.1f}% |"
            )
    print(*lines, sep="\n")
    plates = " + ".join(map(str, SUBJECTS))
    text = f"""# Permutation p-values where the labels mean nothing

Command: `python benchmarks/permutation_null.py --studies {given.studies} --permutations \
{given.permutations}`
Date: {date.today()}. Python {platform.python_version()}, numpy {version("numpy")}, \
crossplate {version("crossplate")}.

{given.studies} simulated studies of {plates} subjects with one to five samples each on three
plates of different level. {100 * SHARES[0]:.0f}% and {100 * SHARES[1]:.0f}% are of the second \
class on the two
labelled plates; the third is the target. Labels are independent of the measurements. Nearest class
mean; {given.permutations} shuffles a study. The first way is crossplate's, the others show what it
guards against. KS: Kolmogorov and Smirnov's distance from the uniform distribution and its p-value;
then how often p <= 0.05 and 0.1 came out.

| shuffled | score | KS | p of KS | p <= 0.05 | p <= 0.1 |
|---|---|---|---|---|---|
"""
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(text + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
