"""Hit and false-alarm rates of the trust checks, on studies whose faults are known.

Run from the project's folder: python benchmarks/trust.py
Writes benchmarks/results/trust.md; with --only, the rows whose check and study hold that text are
made anew and the others kept. Every draw is a study of its own seed. Thresholds were chosen with
seeds from 100000 on; the tables use seeds from 0 on.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from crossplate import JointClassifier, make_plates
from crossplate.datasets import demo_plates
from crossplate.evaluate.trust import (
    NOT_CALLED,
    TrustCheck,
    call,
    calling_threshold,
    check_batch_effect,
    check_confounding,
    check_label_shift,
    check_overcorrection,
    check_precision,
    check_run_order,
    check_shared_subjects,
    check_single_feature,
    check_support,
    outside_support,
)
from crossplate.scaling import PlateScaler

RESULTS = Path(__file__).parent / "results" / "trust.md"
HIT, ALARM = 0.95, 0.05
NO_EFFECT = dict.fromkeys(
    ("level", "mass", "scale", "noise", "saturation", "offset", "detection"), 0.0
)
SMALL = {"n_features": 200, "n_informative": 20, "effect_size": 0.8, "max_replicates": 3}


@dataclass(frozen=True)
class Study:
    """One row a sample; plate1 is the source unless said otherwise."""

    x: np.ndarray
    batch: np.ndarray
    label: np.ndarray
    subject: np.ndarray
    target: np.ndarray

    @property
    def z(self) -> np.ndarray:
        """Logs standardised within each plate."""
        return PlateScaler().fit(self.x, self.batch, ~self.target).scale(self.x, self.batch)

    def proba(self, z: np.ndarray) -> pd.DataFrame:
        """Logistic regression: cross-validated in the source, fitted on it for the target."""
        model = LogisticRegression(C=0.01, max_iter=5000)
        source = ~self.target
        classes = np.unique(self.label)
        p = np.full((len(z), len(classes)), np.nan)
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
        p[source] = cross_val_predict(
            model, z[source], self.label[source], groups=self.subject[source], cv=folds,
            method="predict_proba",
        )  # fmt: skip
        if self.target.any():
            model.fit(z[source], self.label[source])
            p[self.target] = model.predict_proba(z[self.target])
        return pd.DataFrame(p, columns=classes)


def plates(seed: int, n: tuple[int, ...], **settings: object) -> Study:
    """Simulated MALDI-like plates; the last is the target."""
    table = make_plates(n_subjects=n, random_state=seed, **{**SMALL, **settings}).table
    batch = table.batch.to_numpy(dtype=str)
    return Study(
        table.features.to_numpy(),
        batch,
        table.label.to_numpy(dtype=str),
        table.subject.to_numpy(dtype=str),
        batch == f"plate{len(n)}",
    )


def by_chance(seed: int, n: tuple[int, ...], share: float = 0.5) -> list[float]:
    """Shares of diseased subjects as chance makes them."""
    rng = np.random.default_rng([seed, 1])
    return [rng.binomial(size, share) / size for size in n]


def normal(
    seed: int, n: int, p: int, distance: float, share: float = 0.5, n_informative: int = 20
) -> tuple[np.ndarray, np.ndarray]:
    """Normal rows of two classes, whose means lie ``distance`` apart, and whether diseased."""
    rng = np.random.default_rng([seed, 2])
    y = rng.permutation(np.arange(n) < round(share * n))
    x = rng.normal(size=(n, p))
    x[:, :n_informative] += y[:, None] * distance / np.sqrt(n_informative)
    return x, y


# --- confounding ------------------------------------------------------------------------------
def confounded(seed: int, confounding: float) -> TrustCheck:
    n = (100, 100, 100)
    study = plates(
        seed, n, class_shares=by_chance(seed, n), confounding=confounding, n_features=5,
        n_informative=5,
    )  # fmt: skip
    label = np.where(study.target, None, study.label)
    return check_confounding(study.batch, label, study.subject)


def confounded_four(seed: int, confounding: float) -> TrustCheck:
    n = (40, 40, 40, 40, 40)
    study = plates(
        seed, n, class_shares=by_chance(seed, n), confounding=confounding, n_features=5,
        n_informative=5,
    )  # fmt: skip
    label = np.where(study.target, None, study.label)
    return check_confounding(study.batch, label, study.subject)


# --- shared subjects --------------------------------------------------------------------------
def shared_by_name(seed: int, number: int) -> TrustCheck:
    study = plates(seed, (100, 100), n_features=50, n_informative=10)
    subject = study.subject.astype(object)
    for i in range(1, number + 1):
        subject[subject == f"P2_S{i:03d}"] = f"P1_S{i:03d}"
    return check_shared_subjects(study.target, study.batch, subject, study.z)


def shared_by_profile(p: int) -> Callable[[int, float], TrustCheck]:
    def draw(seed: int, noise: float) -> TrustCheck:
        """One subject of the target was measured in the source under another name."""
        rng = np.random.default_rng([seed, 3])
        n = 100
        factors = rng.normal(size=(2 * n, 10)) @ rng.normal(size=(10, p)) / np.sqrt(10)
        person = factors + rng.normal(size=(2 * n, p))
        between = np.sqrt(2.0)
        if noise < np.inf:
            person[n] = person[0]
            measured = person + noise * between * rng.normal(size=(2 * n, p))
        else:
            measured = person + 0.3 * between * rng.normal(size=(2 * n, p))
        batch = np.repeat(["plate1", "plate2"], n)
        z = np.concatenate(
            [(part - part.mean(0)) / part.std(0) for part in (measured[:n], measured[n:])]
        )
        subject = np.arange(2 * n).astype(str)
        return check_shared_subjects(batch == "plate2", batch, subject, z)

    return draw


# --- label shift ------------------------------------------------------------------------------
def shifted(n: int, **settings: object) -> Callable[[int, float], TrustCheck]:
    def draw(seed: int, share: float) -> TrustCheck:
        rng = np.random.default_rng([seed, 4])
        shares = (0.5, rng.binomial(n, share) / n)
        study = plates(seed, (n, n), class_shares=shares, **settings)
        proba = study.proba(study.z)
        label = np.where(study.target, None, study.label)
        return check_label_shift(
            proba, study.target, study.batch, label, study.subject, random_state=seed
        )

    return draw


def shifted_normal(n: int, distance: float, offset: float) -> Callable[[int, float], TrustCheck]:
    def draw(seed: int, share: float) -> TrustCheck:
        """Not standardised by batch; the target's informative features carry an offset."""
        source, y = normal(seed, n, 50, distance)
        drawn = np.random.default_rng([seed, 4]).binomial(n, share) / n
        target, y_target = normal(seed + 10**6, n, 50, distance, drawn)
        target[:, :20] += offset / np.sqrt(20)
        label = np.where(np.concatenate([y, y_target]), "SLE", "control")
        batch = np.repeat(["plate1", "plate2"], n)
        study = Study(
            np.concatenate([source, target]), batch, label, np.arange(2 * n).astype(str),
            batch == "plate2",
        )  # fmt: skip
        hidden = np.where(study.target, None, label)
        return check_label_shift(
            study.proba(study.x), study.target, batch, hidden, None, random_state=seed
        )

    return draw


# --- single feature ---------------------------------------------------------------------------
def one_feature(seed: int, distance: float) -> TrustCheck:
    """20 features share a distance of 2.5 standard deviations; one more has its own."""
    x, y = normal(seed, 200, 200, 2.5)
    x[:, 50] += distance * y
    n = len(x)
    study = Study(
        x, np.full(n, "plate1"), np.where(y, "SLE", "control"), np.arange(n).astype(str),
        np.zeros(n, dtype=bool),
    )  # fmt: skip
    return check_single_feature(
        x, study.proba(x), study.target, study.batch, study.label, study.subject
    )


def weak_model(seed: int, distance: float) -> TrustCheck:
    """As before, but nothing beside the one feature tells the classes."""
    x, y = normal(seed, 200, 200, 0.0)
    x[:, 50] += distance * y
    n = len(x)
    study = Study(
        x, np.full(n, "plate1"), np.where(y, "SLE", "control"), np.arange(n).astype(str),
        np.zeros(n, dtype=bool),
    )  # fmt: skip
    return check_single_feature(
        x, study.proba(x), study.target, study.batch, study.label, study.subject
    )


# --- run order --------------------------------------------------------------------------------
def ordered(n: int) -> Callable[[int, float], TrustCheck]:
    def draw(seed: int, lag: float) -> TrustCheck:
        """Two plates; the diseased come later by ``lag`` standard deviations of the order."""
        study = plates(seed, (n, n), n_features=5, n_informative=5)
        rng = np.random.default_rng([seed, 5])
        subjects, who = np.unique(study.subject, return_inverse=True)
        time = rng.normal(size=len(subjects))[who] + lag * (study.label == "SLE")
        time = time + 0.01 * rng.normal(size=len(time))
        order = np.argsort(np.argsort(time)).astype(float)
        return check_run_order(order, study.batch, study.label, study.subject, random_state=seed)

    return draw


# --- overcorrection ---------------------------------------------------------------------------
def overcorrected(n: int) -> Callable[[int, float], TrustCheck]:
    def draw(seed: int, removed: float) -> TrustCheck:
        """A share of each class's mean is removed; the sound calibration turns the axes."""
        study = plates(seed, (n, n))
        z = study.z
        after = z.copy()
        for name in np.unique(study.label):
            rows = study.label == name
            after[rows] -= removed * z[rows & ~study.target].mean(axis=0)
        rng = np.random.default_rng([seed, 6])
        turn = np.linalg.qr(rng.normal(size=(z.shape[1],) * 2))[0]
        after = after @ turn + 0.3 * rng.normal(size=z.shape)
        label = np.where(study.target, None, study.label)
        return check_overcorrection(
            z, after, study.target, study.batch, label, study.subject, random_state=seed
        )

    return draw


# --- batch effect -----------------------------------------------------------------------------
def batch_effect(n: int) -> Callable[[int, float], TrustCheck]:
    def draw(seed: int, scale: float) -> TrustCheck:
        """Shift of each feature between plates; 0 is the fault that the check looks for."""
        study = plates(
            seed, (n, n), class_shares=by_chance(seed, (n, n)), **{**NO_EFFECT, "scale": scale}
        )
        return check_batch_effect(study.x, study.batch, study.subject, random_state=seed)

    return draw


# --- support ----------------------------------------------------------------------------------
def unsupported(share: float, **settings: object) -> Callable[[int, float], TrustCheck]:
    def draw(seed: int, shift: float) -> TrustCheck:
        """A share of the target's subjects differs in all features by ``shift`` sd."""
        study = plates(seed, (150, 150), **settings)
        subjects = np.unique(study.subject[study.target])
        rng = np.random.default_rng([seed, 7])
        strange = rng.choice(subjects, round(share * len(subjects)), replace=False)
        signs = rng.choice([-1.0, 1.0], size=study.x.shape[1])
        z = study.z + shift * signs * np.isin(study.subject, strange)[:, None]
        return check_support(z, study.target, study.batch, study.subject, random_state=seed)

    return draw


# --- precision --------------------------------------------------------------------------------
def precise(seed: int, n: int) -> TrustCheck:
    study = plates(seed, (n, 20))
    return check_precision(
        study.proba(study.z), study.target, study.batch, study.label, study.subject
    )


# --- what calls and flags are worth -----------------------------------------------------------
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


# --- the table --------------------------------------------------------------------------------
@dataclass(frozen=True)
class Case:
    """A simulation of one check: the sound study, and faults from small to large."""

    check: str
    study: str
    strength: str
    sound: float | None
    faults: tuple[float, ...]
    draw: Callable[[int, float], TrustCheck]

    @property
    def key(self) -> str:
        """The row's first two cells."""
        return f"| {self.check} | {self.study} |"


SHARE = "share of a class in the target, source 0.5"
NOISE = "noise of a measurement ÷ spread between people"
CASES = [
    Case(
        "confounding",
        "2 labelled plates of 100 people",
        "confounding",
        0.0,
        (0.2, 0.3, 0.4),
        confounded,
    ),
    Case(
        "confounding",
        "4 labelled plates of 40 people",
        "confounding",
        0.0,
        (0.2, 0.3, 0.4),
        confounded_four,
    ),
    Case(
        "shared_subjects (names)",
        "100 + 100 people",
        "people shared",
        0,
        (1, 5),
        shared_by_name,
    ),
    Case(
        "shared_subjects (profiles)",
        "100 + 100 people, 50 features, one shared",
        NOISE,
        np.inf,
        (0.5, 0.4, 0.3),
        shared_by_profile(50),
    ),
    Case(
        "shared_subjects (profiles)",
        "100 + 100 people, 500 features, one shared",
        NOISE,
        np.inf,
        (0.7, 0.5),
        shared_by_profile(500),
    ),
    Case(
        "label_shift",
        "200 + 200 people, plates with noise 0.5, each standardised by itself",
        SHARE,
        0.5,
        (0.7, 0.8),
        shifted(200, noise=0.5),
    ),
    Case(
        "label_shift",
        "200 + 200 normal rows, nothing standardised, classes 2.5 sd apart",
        SHARE,
        0.5,
        (0.7, 0.8),
        shifted_normal(200, 2.5, 0.0),
    ),
    Case(
        "label_shift",
        "200 + 200 normal rows, classes 4 sd apart, target offset by 0.8 sd",
        SHARE,
        0.5,
        (0.65, 0.7),
        shifted_normal(200, 4.0, 0.8),
    ),
    Case(
        "single_feature",
        "200 people, 20 features together 2.5 sd apart",
        "distance of one more feature, sd",
        0.0,
        (2.0, 3.0, 4.0),
        one_feature,
    ),
    Case(
        "single_feature",
        "200 people, nothing else tells the classes",
        "distance of one feature, sd",
        0.0,
        (1.0, 1.5),
        weak_model,
    ),
    Case(
        "run_order",
        "2 plates of 100 people",
        "lag of a class, sd of the order",
        0.0,
        (0.4, 0.6, 0.8),
        ordered(100),
    ),
    Case(
        "run_order",
        "2 plates of 30 people",
        "lag of a class, sd of the order",
        0.0,
        (1.0, 1.2, 1.5),
        ordered(30),
    ),
    Case(
        "overcorrection",
        "200 people",
        "share of the class means removed",
        0.0,
        (0.2, 0.3, 0.5),
        overcorrected(200),
    ),
    Case(
        "overcorrection",
        "60 people",
        "share of the class means removed",
        0.0,
        (0.3, 0.5),
        overcorrected(60),
    ),
    Case(
        "batch_effect (none there)",
        "100 + 100 people; sound: features shifted by 0.1",
        "shift of features, log units",
        0.1,
        (0.05, 0.0),
        batch_effect(100),
    ),
    Case(
        "batch_effect (none there)",
        "30 + 30 people; sound: features shifted by 0.15",
        "shift of features, log units",
        0.15,
        (0.05, 0.0),
        batch_effect(30),
    ),
    Case(
        "support",
        "150 + 150 people, no batch effect, a tenth strange",
        "shift of all features, sd",
        0.0,
        (1.0, 1.5, 2.0),
        unsupported(0.1, **NO_EFFECT),
    ),
    Case(
        "support",
        "150 + 150 people, noise 0.5, each plate standardised, a tenth strange",
        "shift of all features, sd",
        0.0,
        (1.0, 1.5, 2.0),
        unsupported(0.1, noise=0.5),
    ),
    Case(
        "precision",
        "sound: 250 people in the source",
        "people in the source",
        250,
        (60, 50, 40),
        precise,
    ),
]
LIMITS = [
    Case(
        "label_shift",
        "200 + 200 people, plates with all effects, each standardised by itself",
        SHARE,
        0.5,
        (0.8,),
        shifted(200),
    ),
    Case(
        "label_shift",
        "200 + 200 normal rows, classes 2 sd apart, target offset by 0.5 sd",
        SHARE,
        0.5,
        (0.8,),
        shifted_normal(200, 2.0, 0.5),
    ),
    Case(
        "support",
        "150 + 150 people, plates with all effects, each standardised by itself",
        "shift of all features, sd",
        0.0,
        (1.5,),
        unsupported(0.1),
    ),
]


def raised(case: Case, strength: float, draws: int, first: int) -> float:
    """Share of studies with the verdict "look" or "stop"."""
    verdicts = [case.draw(first + i, strength).verdict for i in range(draws)]
    return float(np.mean([verdict in {"look", "stop"} for verdict in verdicts]))


def row_of(case: Case, draws: int, first: int) -> str:
    """One Markdown row of a case."""
    alarms = raised(case, case.sound, draws, first)
    hits = [raised(case, strength, draws, first) for strength in case.faults]
    found = ", ".join(f"{s:g}: {hit:.0%}" for s, hit in zip(case.faults, hits, strict=True))
    reached = [s for s, hit in zip(case.faults, hits, strict=True) if hit >= HIT]
    at = f"{reached[0]:g}" if reached and alarms <= ALARM else "–"
    row = f"{case.key} {case.strength} | {alarms:.0%} | {found} | {at} |"
    print(row, flush=True)
    return row


def kept_rows() -> dict[str, str]:
    """Rows of an earlier run by their first two cells."""
    if not RESULTS.exists():
        return {}
    lines = [line for line in RESULTS.read_text(encoding="utf-8").splitlines() if line[:2] == "| "]
    return {"|".join(line.split("|")[:3]) + "|": line for line in lines}


def section(text: str, title: str) -> list[str]:
    """Table rows of a section of an earlier run."""
    part = text.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return [line for line in part.splitlines() if line[:2] == "| "][1:]


def write_results(draws: int, main_rows: list[str], limits: list[str], calls_: list[str],
                  flags: list[str]) -> None:  # fmt: skip
    """Write the Markdown file."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "scikit-learn"))
    header = """| check | study | fault | false alarms | hits | ≥ 95 % and ≤ 5 % from |
|---|---|---|---|---|---|"""
    text = f"""# Trust checks: hit and false-alarm rates

Command: `python benchmarks/trust.py --draws {draws}`
Date: {date.today()}. {platform.machine()}, {os.cpu_count()} cores, Python \
{platform.python_version()}, {versions}, crossplate {version("crossplate")}.

{draws} simulated studies a figure, seeds from 0 on; thresholds were chosen with seeds from 100000
on. A check counts as raised if it says "look" or "stop". False alarms: of studies without the
fault. Hits: of studies with it, at the sizes named. The last column is the smallest of these sizes
at which hits reach 95 % while false alarms stay at or below 5 %. Plates are `make_plates` with
{SMALL["n_features"]} features, {SMALL["n_informative"]} of them informative (effect
{SMALL["effect_size"]}), three spectra a person; probabilities are those of a logistic regression.

## Rates
{header}
{chr(10).join(main_rows)}

## Where they fail
Plates whose noise is as large as the defaults of `make_plates` hide the class shares and lie
partly outside the source; and where the model separates the classes badly, an offset of the
target's scores and a label shift look alike.

{header}
{chr(10).join(limits)}

## Calls
150 + 150 people, predicted by person. Accuracy of the target's called people where the threshold
was chosen on the source for a wanted one; means over the draws. The threshold promises accuracy on
people like the source's: batch effects that standardising leaves take their share.

| plates | wanted | all, none left open | called | share called |
|---|---|---|---|---|
{chr(10).join(calls_)}

## Flags
Spectra of the target of `demo_plates` (seeds from 0 on, {FLAG_DRAWS} draws) outside the support of
the source in the joint model's codes, and the accuracy of its calls inside and outside.

| share outside | accuracy inside | accuracy outside |
|---|---|---|
{chr(10).join(flags)}
"""
    RESULTS.write_text(text, encoding="utf-8")


FLAG_DRAWS = 10


def main() -> None:
    """Simulate and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=60, help="studies a figure")
    parser.add_argument("--first-seed", type=int, default=0, help="other than 0 writes nothing")
    parser.add_argument("--only", default="", help="text in check or study, 'calls' or 'flags'")
    options = parser.parse_args()
    draws, first, only = options.draws, options.first_seed, options.only
    kept = kept_rows()
    earlier = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    rows: list[list[str]] = []
    for cases in (CASES, LIMITS):
        rows.append([])
        for case in cases:
            if only in case.key:
                rows[-1].append(row_of(case, draws, first))
            elif case.key in kept:
                rows[-1].append(kept[case.key])
    calls_ = section(earlier, "Calls") if only not in {"", "calls"} else calls_table(draws, first)
    flags = (
        section(earlier, "Flags") if only not in {"", "flags"} else flags_table(FLAG_DRAWS, first)
    )
    if first == 0:
        write_results(draws, *rows, calls_, flags)


if __name__ == "__main__":
    main()
