r"""The leaderboard: all methods on public tables and on simulated studies.

Run from the project's folder, with the data where CROSSPLATE_DATA says:

    python benchmarks/leaderboard/run.py --work leaderboard

Writes benchmarks/results/leaderboard.md. Every run, a method on a pair of batches with one seed,
is kept in the folder of --work: a leaderboard that was stopped goes on, and after a change of the
code only those runs are done anew that the change can matter to.

    python benchmarks/leaderboard/run.py --work leaderboard --data ibd,sacurine \
        --methods joint --variant 'heavy={"beta": 3}' --seeds 2 --result try.md
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from opponents import chosen, opponents
from others import OTHER
from runs import collected, run_missing, runs_of
from studies import REAL, SIMULATED, cases_of
from writing import markdown

RESULTS = Path(__file__).parents[1] / "results" / "leaderboard.md"
PARTS = {"real": list(REAL), "other": list(OTHER), "simulated": list(SIMULATED)}
PARTS["all"] = [name for names in PARTS.values() for name in names]


def options() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="folder that keeps the runs")
    parser.add_argument("--part", choices=PARTS, default="all", help="which data (default: all)")
    parser.add_argument(
        "--data", help=f"these alone, with commas between: {', '.join(PARTS['all'])}"
    )
    parser.add_argument(
        "--methods",
        default="default",
        help="with commas between: simple, default (all that are not slow), all, or of: "
        + ", ".join(opponents()),
    )
    parser.add_argument(
        "--variant",
        action="append",
        default=[],
        metavar="NAME=JSON",
        help="the joint model with other settings, as a further method; may be repeated",
    )
    parser.add_argument("--seeds", type=int, default=5, help="seeds 0 to N-1 (default: 5)")
    parser.add_argument("--jobs", type=int, default=2, help="processes of one thread (default: 2)")
    parser.add_argument("--no-run", action="store_true", help="only write what is there")
    parser.add_argument("--result", type=Path, default=RESULTS, help="the file to write")
    return parser.parse_args()


def main() -> None:
    """Run what is missing and write the file."""
    given = options()
    names = given.data.split(",") if given.data else PARTS[given.part]
    unknown = [name for name in names if name not in PARTS["all"]]
    if unknown:
        raise SystemExit(f"there are no data {unknown[0]!r}; see --help")
    methods = chosen(given.methods.split(","), given.variant)
    cases = [case for name in names for case in cases_of(name, given.seeds)]
    runs = runs_of(cases, methods, given.seeds, given.work)
    if not given.no_run:
        run_missing(runs, given.jobs)
    frame = collected(runs)
    given.work.mkdir(parents=True, exist_ok=True)
    frame.drop(columns="right").to_csv(given.work / "leaderboard.csv", index=False)
    command = shlex.join(["python", "benchmarks/leaderboard/run.py", *sys.argv[1:]])
    text = markdown(frame, cases, command, given.seeds)
    given.result.write_text(text, encoding="utf-8")
    print(f"{given.result}: {len(frame)} of {len(runs)} runs")


if __name__ == "__main__":
    main()
