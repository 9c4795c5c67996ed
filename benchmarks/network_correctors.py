"""What the correctors with networks do to batches: NormAE on simulated plates, MMDResNet on CyTOF.

Run from the project's folder, with the data where CROSSPLATE_DATA says:

    python benchmarks/network_correctors.py

Writes benchmarks/results/network_correctors.md. Everything is measured on subjects (CyTOF: cells)
that no corrector was fitted on.
"""

from __future__ import annotations

import argparse
import os
import platform
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from crossplate.correct.batch_zscore import BatchZScore
from crossplate.correct.log_scale import OnLogScale
from crossplate.correct.mmd_resnet import MMDResNet
from crossplate.correct.normae import NormAE
from crossplate.datasets import load, make_plates
from crossplate.evaluate import batch_effect
from crossplate.evaluate.batch_classifier import classify_batches
from crossplate.scaling import choose_log_unit
from crossplate.table import SampleTable

RESULTS = Path(__file__).parent / "results" / "network_correctors.md"
COMMAND = "python benchmarks/network_correctors.py"
N_FEATURES = 100
SIZES = {2: (1000, 200), 3: (1000,)}
"""Plates → subjects of each plate that NormAE is fitted on."""
N_TESTED = 500
"""Subjects of each plate that are looked at afterwards."""
FIRST_SEED = 10
"""The settings of NormAE were chosen on plates of seed 0."""
DAYS = ("day1", "day2")
CLASSIFIERS = ("logistic_regression", "random_forest")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """Measurements with what is known of each row."""

    x: Floats
    batch: npt.NDArray[np.str_]
    subject: npt.NDArray[np.str_]
    label: npt.NDArray[np.str_]

    @classmethod
    def of(cls, table: SampleTable) -> Rows:
        """All rows of a table."""
        n = len(table.features)
        subject = np.arange(n) if table.subject is None else table.subject
        known = (np.asarray(column).astype(str) for column in (table.batch, subject, table.label))
        return cls(table.features.to_numpy(dtype=float), *known)

    def at(self, rows: npt.NDArray[Any]) -> Rows:
        """Some of the rows."""
        return Rows(self.x[rows], self.batch[rows], self.subject[rows], self.label[rows])


def drawn(rows: Rows, share: float, seed: int) -> tuple[Rows, Rows]:
    """Two parts without common subjects: a share of each batch's subjects, and the others."""
    rng = np.random.default_rng(seed)
    chosen: list[str] = []
    for name in np.unique(rows.batch):
        subjects = np.unique(rows.subject[rows.batch == name])
        chosen.extend(rng.permutation(subjects)[: round(share * len(subjects))])
    inside = np.isin(rows.subject, chosen)
    return rows.at(inside), rows.at(~inside)


def label_accuracy(x: Floats, rows: Rows) -> float:
    """Cross-validated accuracy of the diagnosis inside a batch, mean over the batches."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    return float(
        np.mean(
            [
                cross_val_score(
                    model, x[its], rows.label[its], groups=rows.subject[its], cv=folds
                ).mean()
                for its in (rows.batch == name for name in np.unique(rows.batch))
            ]
        )
    )


def one_simulation(n_plates: int, n_fitted: int, seed: int) -> dict[str, list[float]]:
    """Data → accuracies of telling the batch and of telling the diagnosis, on new subjects."""
    total = n_fitted + N_TESTED
    plates = make_plates(
        n_subjects=(total,) * n_plates,
        class_shares=(0.5,) * n_plates,
        n_features=N_FEATURES,
        max_replicates=1,
        random_state=seed,
    )
    fitted, new = drawn(Rows.of(plates.table), n_fitted / total, seed)
    unit = choose_log_unit(fitted.x, fitted.batch)
    assert unit is not None
    correctors = {"per-batch z-score": BatchZScore(), "NormAE": NormAE(random_state=seed)}
    logs = np.log1p(new.x / unit)
    data = {"before": logs} | {
        name: corrector.fit(np.log1p(fitted.x / unit), batch=fitted.batch).transform(
            logs, batch=new.batch
        )
        for name, corrector in correctors.items()
    }
    told = classify_batches(data, new.batch, subject=new.subject, random_state=seed)
    return {
        name: [
            *(
                entry.accuracy
                for classifier in CLASSIFIERS
                for entry in told.accuracies
                if (entry.data, entry.classifier) == (name, classifier)
            ),
            label_accuracy(values, new),
        ]
        for name, values in data.items()
    }


def spread(values: Any, digits: int = 3) -> str:
    """Mean ± standard deviation, or the one value."""
    mean, n = float(np.mean(values)), len(values)
    return f"{mean:.{digits}f}" + (f" ± {np.std(values, ddof=1):.{digits}f}" if n > 1 else "")


def simulated_rows(seeds: int) -> tuple[list[str], list[str]]:
    """Markdown rows of NormAE, and whether it is within five points of chance."""
    lines, reached = [], []
    for n_plates, sizes in SIZES.items():
        for n_fitted in sizes:
            runs = [
                one_simulation(n_plates, n_fitted, seed)
                for seed in range(FIRST_SEED, FIRST_SEED + seeds)
            ]
            chance = 1.0 / n_plates
            for name in runs[0]:
                figures = np.array([run[name] for run in runs])
                cells = " | ".join(spread(column) for column in figures.T)
                where = f"{n_plates} | {n_fitted}" if name == "before" else " |"
                lines.append(f"| {where} | {name} | {cells} | {chance:.3f} |")
                print(lines[-1], flush=True)
            excess = np.array([run["NormAE"][:2] for run in runs]).mean(axis=0) - chance
            words = ", ".join(
                f"{100 * value:+.1f} points ({name.replace('_', ' ')})"
                for name, value in zip(CLASSIFIERS, excess, strict=True)
            )
            verdict = "within" if (excess <= 0.05).all() else "NOT within"
            reached.append(
                f"- {n_plates} plates, {n_fitted} subjects of each fitted: {words} from chance; "
                f"{verdict} 5 points."
            )
    return lines, reached


def cytof_rows(seeds: int) -> list[str]:
    """Markdown rows of MMDResNet."""
    lines = []
    for person, (reference, other) in product((1, 2), permutations(DAYS)):
        rows = Rows.of(load(f"cytof_person{person}"))
        found = [one_cytof(rows, reference, seed) for seed in range(FIRST_SEED, FIRST_SEED + seeds)]
        for title in found[0]:
            cells = " | ".join(
                f"{np.mean([run[title][at] for run in found]):.3f} ± "
                f"{np.mean([run[title][at + 1] for run in found]):.3f}"
                for at in (0, 2)
            )
            between = spread([run[title][0] for run in found])
            name = f"P{person}, {other} onto {reference}" if title == "before" else ""
            lines.append(f"| {name} | {title} | {cells} | {between} |")
            print(lines[-1], flush=True)
    return lines


def one_cytof(rows: Rows, reference: str, seed: int) -> dict[str, list[float]]:
    """Data → MMD across the days and inside a day, each with its deviation over draws."""
    fitted, new = drawn(rows, 0.5, seed)
    model = OnLogScale(MMDResNet(reference=reference, random_state=seed))
    model.fit(fitted.x, batch=fitted.batch)
    kept = np.log1p(fitted.x[fitted.batch == reference] / model.log_unit_)
    scaler = StandardScaler().fit(kept)
    measured = [
        scaler.transform(np.log1p(values / model.log_unit_))
        for values in (new.x, model.transform(new.x, batch=new.batch))
    ]
    widths = batch_effect(measured[0], new.batch).bandwidths
    found = {}
    for title, z in zip(("before", "MMDResNet"), measured, strict=True):
        effect = batch_effect(z, new.batch, bandwidths=widths)
        assert effect.across is not None
        assert effect.in_batch is not None
        across, inside = effect.across, effect.in_batch
        found[title] = [
            across.root_biased, across.root_biased_sd, inside.root_biased, inside.root_biased_sd
        ]  # fmt: skip
    return found


def main() -> None:
    """Measure both and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds of each")
    options = parser.parse_args()
    command = COMMAND + ("" if options.seeds == 3 else f" --seeds {options.seeds}")
    told, reached = simulated_rows(options.seeds)
    cells = cytof_rows(options.seeds)
    settings = {name: value for name, value in NormAE().get_params().items() if value is not None}
    write_results(command, options.seeds, told, reached, cells, settings)


def write_results(
    command: str,
    seeds: int,
    told: list[str],
    reached: list[str],
    cells: list[str],
    settings: dict[str, Any],
) -> None:
    """Write the Markdown file."""
    versions = ", ".join(
        f"{name} {version(name)}" for name in ("crossplate", "torch", "numpy", "scikit-learn")
    )
    given = ", ".join(f"{name} {value}" for name, value in settings.items())
    lines, verdicts, cytof = ("\n".join(part) for part in (told, reached, cells))
    text = f"""# The correctors with networks: NormAE on simulated plates, MMDResNet on CyTOF

Command: `{command}` (with `CROSSPLATE_DATA` naming the folder of the tables)
Date: {date.today()}. {platform.machine()}, Python {platform.python_version()}, {versions}, \
OMP_NUM_THREADS {os.environ.get("OMP_NUM_THREADS", "not set")}.

Mean ± standard deviation over seeds {FIRST_SEED}–{FIRST_SEED + seeds - 1} (of the simulation, the
split and the networks). The settings of NormAE were chosen on simulated plates of seed 0.

## NormAE: can the batch still be told?

Plates of `crossplate.datasets.make_plates` with {N_FEATURES} features, one spectrum a subject, half
of each plate diseased, all batch effects at their defaults; logs are taken first. The correctors
are fitted on some subjects of each plate, without labels. What is scored are {N_TESTED} **other
subjects** of each plate, corrected with what was fitted: a batch classifier is trained and tested
on them in five folds grouped by subject (`crossplate.evaluate.classify_batches`). So neither the
corrector nor the classifier has seen a scored row. On the rows that a corrector was fitted on the
figure says little: it falls *below* chance there, because the batches' means agree exactly.
Label: accuracy of the diagnosis inside a plate, logistic regression, five folds, same rows.
Settings of NormAE (the defaults): {given}.

| plates | subjects fitted on | data | batch told, logistic regression | batch told, random forest \
| label told | chance (batch) |
|---|---|---|---|---|---|---|
{lines}

{verdicts}

## MMDResNet: the distance of the days

Cells of two people, measured on two days each (Shaham et al. 2017), logs taken first. Fitted on a
random half of the cells of each day, measured on the **other half**: root of the biased MMD² (it is
above 0 without a batch effect too: read it beside the in-batch value), features in standard
deviations of the reference day, the same kernel widths before and after, mean ± standard
deviation of 10 draws of 500 cells a side.

| task | data | MMD across the days | MMD in one day | across, over seeds |
|---|---|---|---|---|
{cytof}
"""
    RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
