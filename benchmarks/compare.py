"""Every method on public data of several batches, and what the joint model adds to the best.

Run from the project's folder, with the data where CROSSPLATE_DATA says:

    python benchmarks/compare.py --work comparisons

Writes benchmarks/results/compare.md; the comparisons themselves are kept in the folder of --work,
where a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import platform
import shlex
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path

from crossplate.cli.demo import public_plates
from crossplate.compare import CompareSettings, Comparison, compare, on_this_machine
from crossplate.compare.summary import ACROSS, JOINT
from crossplate.compare.wording import explanation, joint_sentence, method_name, table_cells
from crossplate.table import SampleTable

DATASETS = (
    "cytof_person1",
    "cytof_person2",
    "fiatof_ralps",
    "ibd_franzosa",
    "sacurine",
    "quartet_metabolomics",
)
PACKAGES = ("crossplate", "torch", "numpy", "scikit-learn", "POT", "clarabel")
RESULTS = Path(__file__).parent / "results" / "compare.md"
MOST_PAIRS = 6


def report_progress(done: int, total: int) -> None:
    """Say how far a comparison is, where somebody watches."""
    if sys.stderr.isatty():
        print(f"\r  {done} of {total}", end="", file=sys.stderr, flush=True)


def overview(name: str, found: Comparison) -> str:
    """One line of the first table: the joint model beside the best other method."""
    rows = found.summary.rows(found.summary.level, ACROSS)
    scores = rows.set_index(["method", "classifier"])["balanced_accuracy"].to_dict()
    joint = found.summary.joint
    if joint is None:
        return f"| {name} | {found.summary.level} | - | - | - | - |"
    points = [f"{100 * value:+.1f}" for value in (joint.difference, joint.low, joint.high)]
    return (
        f"| {name} | {found.summary.level} | {scores[JOINT]:.3f} | "
        f"{method_name(joint.other)} {scores[joint.other]:.3f} | "
        f"{points[0]} [{points[1]}, {points[2]}] | {joint.p_value:.3f} |"
    )


def section(name: str, table: SampleTable, found: Comparison) -> str:
    """Everything about one data set."""
    summary = found.summary
    pairs = summary.pairs if len(summary.pairs) <= MOST_PAIRS else []
    head, *body = table_cells(summary, summary.level, pairs)
    lines = [head, ["---"] * len(head), *body]
    about = (
        f"{table.n_samples:,} samples, {table.n_features:,} features, {len(table.batches)} "
        f"batches, {len(summary.pairs)} pairs; by {summary.level}."
    )
    sentence = joint_sentence(summary)
    parts = [f"## {name}", about, *([] if sentence is None else [f"**{sentence}**"])]
    parts.append("\n".join("| " + " | ".join(cells) + " |" for cells in lines))
    if found.notices:
        parts.append("\n".join(f"- {notice}" for notice in found.notices))
    return "\n\n".join(parts)


def main() -> None:
    """Compare on each data set and write the file after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder of the comparisons")
    parser.add_argument("--repeats", type=int, default=3, help="seeds 0 to N-1")
    parser.add_argument("--jobs", type=int, default=-1, help="processes; -1 for one a core")
    parser.add_argument("--datasets", default=",".join(DATASETS), help="with commas between")
    parser.add_argument("--methods", default="all", help="with commas between, or all")
    parser.add_argument("--result", type=Path, default=RESULTS, help="the file to write")
    options = parser.parse_args()
    methods = () if options.methods == "all" else tuple(options.methods.split(","))
    lines, sections, notes = [], [], []
    for name in options.datasets.split(","):
        print(name, flush=True)
        table = public_plates(name)
        settings = CompareSettings(methods=methods, repeats=options.repeats)
        found = compare(
            table,
            settings,
            folder=options.work / name,
            progress=report_progress,
            execute=on_this_machine(options.jobs),
        )
        lines.append(overview(name, found))
        sections.append(section(name, table, found))
        notes = explanation(found.summary)
        print(joint_sentence(found.summary), flush=True)
        write_results(options.result, options.repeats, lines, sections, notes)


def write_results(
    path: Path, repeats: int, lines: list[str], sections: list[str], notes: list[str]
) -> None:
    """Write the Markdown file."""
    command = shlex.join(["python", "benchmarks/compare.py", *sys.argv[1:]])
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    reading = " ".join(note for note in notes if not note.startswith(("p is not", "Balanced")))
    path.write_text(
        f"""# All methods on public data of several batches

Command: `{command}` (with `CROSSPLATE_DATA` naming the folder of the tables)
Date: {date.today()}. Python {platform.python_version()}, {versions}.

Every method learns on one batch and predicts another, whose labels it never gets; all ordered
pairs. Mean balanced accuracy over pairs and seeds 0 to {repeats - 1}; what has no seed was run
once. The best other method is the best of all correctors and classifiers on the target's labels,
so that its own figure is flattered; Remove_R, a form of the joint model, is not among them.

| data | by | joint | best other | joint - best other, points [95%] | p |
|---|---|---|---|---|---|
"""
        + "\n".join(lines)
        + f"\n\n{reading}\n\n"
        + "\n\n".join(sections)
        + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
