"""Hit and false-alarm rates of the trust checks, on studies whose faults are known.

Run from the project's folder: python benchmarks/trust.py
Writes benchmarks/results/trust.md; with --only, the rows whose check and study hold that text are
made anew and the others kept. Every draw is a study of its own seed. Checks were developed with
seeds below 500000; the tables use seeds from there on.
"""

from __future__ import annotations

import argparse
import platform
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np

from trust_studies import (
    NO_EFFECT,
    SMALL,
    Draw,
    batch_effect,
    confounded,
    one_feature,
    ordered,
    overcorrected,
    precise,
    shared_by_name,
    shared_by_profile,
    shifted,
    shifted_normal,
    unsupported,
)

RESULTS = Path(__file__).parent / "results" / "trust.md"
HIT, ALARM = 0.95, 0.05
FIRST_SEED = 500_000


@dataclass(frozen=True)
class Case:
    """A simulation of one check: the sound study, and faults from small to large."""

    check: str
    study: str
    strength: str
    sound: float
    faults: tuple[float, ...]
    draw: Draw

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
        confounded((100, 100, 100)),
    ),
    Case(
        "confounding",
        "4 labelled plates of 40 people",
        "confounding",
        0.0,
        (0.2, 0.3, 0.4),
        confounded((40, 40, 40, 40, 40)),
    ),
    Case("shared_subjects (names)", "100 + 100 people", "people shared", 0, (1, 5), shared_by_name),
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
        (0.75, 0.85),
        shifted_normal(200, 2.5, 0.0),
    ),
    Case(
        "label_shift",
        "200 + 200 normal rows, classes 4 sd apart, target offset by 0.8 sd",
        SHARE,
        0.5,
        (0.65, 0.75),
        shifted_normal(200, 4.0, 0.8),
    ),
    Case(
        "single_feature",
        "200 people, 20 features together 2.5 sd apart",
        "distance of one more feature, sd",
        0.0,
        (2.0, 3.0, 4.0),
        one_feature(2.5),
    ),
    Case(
        "single_feature",
        "200 people, nothing else tells the classes",
        "distance of one feature, sd",
        0.0,
        (1.0, 1.5),
        one_feature(0.0),
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


def write_results(draws: int, rows: list[str], limits: list[str]) -> None:
    """Write the Markdown file."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "scikit-learn"))
    header = """| check | study | fault | false alarms | hits | ≥ 95 % and ≤ 5 % from |
|---|---|---|---|---|---|"""
    text = f"""# Trust checks: hit and false-alarm rates

Command: `python benchmarks/trust.py --draws {draws}`
Date: {date.today()}. Python {platform.python_version()}, {versions}, crossplate \
{version("crossplate")}.

{draws} simulated studies a figure, seeds from {FIRST_SEED} on; the checks were developed with
others, below. A check counts as raised if it says "look" or "stop". False alarms: of studies
without the fault. Hits: of studies with it, at the sizes named. The last column is the smallest of
these sizes at which hits reach 95 % while false alarms stay at or below 5 %. Plates are
`make_plates` with {SMALL["n_features"]} features, {SMALL["n_informative"]} of them informative
(effect {SMALL["effect_size"]}), up to three spectra a person; probabilities are those of a logistic
regression.

## Rates
{header}
{chr(10).join(rows)}

## Where they fail
Plates whose noise is as large as the defaults of `make_plates` hide the class shares and lie
partly outside the source; and where the model separates the classes badly, an offset of the
target's scores and a label shift look alike.

{header}
{chr(10).join(limits)}
"""
    RESULTS.write_text(text, encoding="utf-8")


def main() -> None:
    """Simulate and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=60, help="studies a figure")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED, help="another writes nothing")
    parser.add_argument("--only", default="", help="text in check or study")
    options = parser.parse_args()
    made = {
        case.key: row_of(case, options.draws, options.first_seed)
        for case in (*CASES, *LIMITS)
        if options.only in case.key
    }
    if options.first_seed == FIRST_SEED:
        rows = kept_rows() | made
        tables = [
            [rows[case.key] for case in cases if case.key in rows] for cases in (CASES, LIMITS)
        ]
        write_results(options.draws, *tables)


if __name__ == "__main__":
    main()
