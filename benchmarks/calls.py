"""What calls above a confidence and flags outside the source's support are worth.

Run from the project's folder: python benchmarks/calls.py
Writes benchmarks/results/calls.md. Seeds as in trust.py.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np

from crossplate import JointClassifier
from crossplate.datasets import demo_plates
from crossplate.evaluate.trust import NOT_CALLED, call, calling_threshold, outside_support
from trust_studies import NO_EFFECT, Study, plates

RESULTS = Path(__file__).parent / "results" / "calls.md"
FIRST_SEED = 500_000


def calls(wanted: float, **settings: object) -> Callable[[int], tuple[float, float, float]]:
    def draw(seed: int) -> tuple[float, float, float]:
        """Accuracy of all subjects of the target, of the called ones, and their share."""
        study = plates(seed, (150, 150), **settings)
        z = study.z
        subjects, first, who = np.unique(study.subject, return_index=True, return_inverse=True)
        mean = np.array([z[who == number].mean(axis=0) for number in range(len(subjects))])
        people = Study(mean, study.batch[first], study.label[first], subjects, study.target[first])
        proba, target, label = people.proba(mean), people.target, people.label
        calling = calling_threshold(proba[~target], label[~target], wanted_accuracy=wanted)
        called, coverage = call(proba[target], calling)
        right = proba.idxmax(axis=1).to_numpy()[target] == label[target]
        sure = (called != NOT_CALLED).to_numpy()
        return float(right.mean()), float(right[sure].mean()) if sure.any() else np.nan, coverage

    return draw


def calls_table(draws: int, first: int) -> list[str]:
    """Markdown rows: accuracy wanted, accuracy reached, share called."""
    rows = []
    for name, settings in (
        ("no batch effect, weaker disease", NO_EFFECT | {"effect_size": 0.5}),
        ("all batch effects", {}),
    ):
        for wanted in (0.9, 0.95, 0.98):
            found = np.array([calls(wanted, **settings)(first + i) for i in range(draws)])
            whole, reached, coverage = np.nanmean(found, axis=0)
            rows.append(f"| {name} | {wanted} | {whole:.3f} | {reached:.3f} | {coverage:.2f} |")
            print(rows[-1], flush=True)
    return rows


def flags_table(draws: int, first: int) -> list[str]:
    """Markdown row: accuracy of the joint model's calls inside and outside the source's support."""
    right, outside = [], []
    for seed in range(first, first + draws):
        table = demo_plates(seed).table
        batch = table.batch.to_numpy(dtype=str)
        target = batch == table.batches[1]
        label = table.label.to_numpy(dtype=object)
        known = np.where(target, None, label)
        model = JointClassifier(random_state=0, n_members=1)
        model.fit(table.features, known, batch=batch, subject=table.subject)
        codes = model.transform(table.features, batch=batch)
        called = model.predict(table.features[target], batch=batch[target])
        right.append(called == label[target])
        outside.append(outside_support(codes, target, batch, table.subject).outside)
    hits, away = np.concatenate(right), np.concatenate(outside)
    row = f"| {away.mean():.2f} | {hits[~away].mean():.3f} | {hits[away].mean():.3f} |"
    print(row, flush=True)
    return [row]


def main() -> None:
    """Simulate and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=60, help="studies a figure of the calls")
    parser.add_argument("--flag-draws", type=int, default=10, help="studies of the flags")
    options = parser.parse_args()
    calls_ = calls_table(options.draws, FIRST_SEED)
    flags = flags_table(options.flag_draws, FIRST_SEED)
    text = f"""# What calls and flags are worth

Command: `python benchmarks/calls.py --draws {options.draws} --flag-draws {options.flag_draws}`
Date: {date.today()}. Python {platform.python_version()}, numpy {version("numpy")}, scikit-learn \
{version("scikit-learn")}, torch {version("torch")}, crossplate {version("crossplate")}.

## Calls
150 + 150 people, predicted by person. Accuracy of the target's called people where the threshold
was chosen on the source for a wanted one; means over {options.draws} draws, seeds from {FIRST_SEED}
on. The threshold promises accuracy on people like the source's: batch effects that standardising
leaves take their share.

| plates | wanted | all, none left open | called | share called |
|---|---|---|---|---|
{chr(10).join(calls_)}

## Flags
Spectra of the target of `demo_plates` ({options.flag_draws} draws) outside the support of the
source in the joint model's codes, and the accuracy of its calls inside and outside.

| share outside | accuracy inside | accuracy outside |
|---|---|---|
{chr(10).join(flags)}
"""
    RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
