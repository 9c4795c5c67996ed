"""A comparison in words: the cells of its table, what they mean, and the Markdown file."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

import pandas as pd

from crossplate.compare.methods import OWN_CLASSIFIER
from crossplate.compare.resampling import N_FLIPS, N_RESAMPLES, Key
from crossplate.compare.scoring import SUBJECT
from crossplate.compare.settings import BASELINE
from crossplate.compare.summary import ACROSS, WITHIN, Summary

UNITS = {True: "subjects", False: "samples"}

__all__ = ["explanation", "joint_sentence", "markdown", "method_name", "table_cells"]


def table_cells(summary: Summary, level: str, pairs: Sequence[str]) -> list[list[str]]:
    """Cells of the table of one level: head, methods from the best mean down, ceilings.

    Parameters
    ----------
    summary
        The comparison.
    level
        ``sample`` or ``subject``.
    pairs
        Pairs to show, of ``summary.pairs``.
    """
    across = summary.rows(level, ACROSS)
    incomplete = bool((across["n_pairs"] < len(summary.pairs)).any())
    head = ["method", *(pair.replace(":", "→", 1) for pair in pairs), "mean", "acc.", "rank"]
    head += ["to baseline", "p"]
    rows = [head + (["pairs"] if incomplete else [])]
    for protocol, mark in ((ACROSS, ""), (WITHIN, "in-batch: ")):
        for row in summary.rows(level, protocol).to_dict("records"):
            cells = [mark + method_name((row["method"], row["classifier"]))]
            cells += [_number(row[name]) for name in (*pairs, "balanced_accuracy", "accuracy")]
            cells += [_number(row["mean_rank"], 1), *_tested(row)]
            rows.append(cells + ([str(row["n_pairs"])] if incomplete else []))
    return rows


def method_name(key: Key) -> str:
    """Method and classifier in words; the method alone where it classifies by itself."""
    return key[0] if key[0] in OWN_CLASSIFIER else f"{key[0]} + {key[1]}"


def _tested(row: dict[Any, Any]) -> list[str]:
    """Difference to the baseline in points, with its interval, and p."""
    if not isfinite(row["difference"]):
        is_baseline = (row["method"], row["classifier"]) == BASELINE and row["protocol"] == ACROSS
        return ["baseline" if is_baseline else "-", "-"]
    points = [f"{100 * row[name]:+.1f}" for name in ("difference", "low", "high")]
    return [f"{points[0]} [{points[1]}, {points[2]}]", _p_value(row["p_value"])]


def _number(value: float, decimals: int = 3) -> str:
    return f"{value:.{decimals}f}" if isfinite(value) else "-"


def _p_value(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def explanation(summary: Summary) -> list[str]:
    """What the table shows and how the tests were made, in sentences."""
    units = UNITS[summary.level == SUBJECT]
    n_tests = len(summary.rows(summary.level, ACROSS)) - 1
    sentences = [
        f"Balanced accuracy on the target's {units}, whose labels no method gets, mean over pairs "
        "and seeds; acc.: accuracy; rank: mean over pairs, 1 the best.",
        f"To baseline ({method_name(BASELINE)}): points of balanced accuracy and 95% interval, "
        f"from {N_RESAMPLES:,} resamples of the target's {units} within class and batch; p: from "
        f"{N_FLIPS:,} random exchanges of the two methods' calls, and the safer where few calls "
        f"differ. Both speak of other {units} on these plates, not of other plates.",
    ]
    if n_tests > 1:
        sentences.append(
            f"p is not adjusted for the {n_tests} comparisons: below {0.05 / n_tests:.2g} it holds "
            "after Bonferroni's correction."
        )
    if len(summary.rows(summary.level, WITHIN)):
        sentences.append(
            "In-batch: cross-validated within the target, at most tenfold, subjects kept together: "
            "a ceiling."
        )
    return sentences


def joint_sentence(summary: Summary) -> str | None:
    """Sign and size of the joint model's distance to the best other method; None without it."""
    found = summary.joint
    if found is None or not isfinite(found.difference):
        return None
    side = "above" if found.difference > 0 else "below" if found.difference < 0 else "from"
    return (
        f"The joint model is {abs(100 * found.difference):.1f} points of balanced accuracy {side} "
        f"the best other method, {method_name(found.other)} (95% interval "
        f"{100 * found.low:+.1f} to {100 * found.high:+.1f}, p {_p_text(found.p_value)}), which "
        "was picked on these results."
    )


def _p_text(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def markdown(rows: pd.DataFrame, summary: Summary, notices: Sequence[str]) -> str:
    """The comparison as a Markdown text.

    Parameters
    ----------
    rows
        As comparison.csv.
    summary
        The same in one table.
    notices
        What was decided and what failed.
    """
    seeds = sorted(set(rows["seed"]))
    parts = ["# Comparison of methods", *explanation(summary)]
    parts.append(
        f"Seeds {', '.join(map(str, seeds))}; what has no seed (a corrector that trains nothing, "
        "logistic regression) was run once, as seed 0."
        if len(seeds) > 1
        else f"Seed {seeds[0]}."
    )
    sentence = joint_sentence(summary)
    parts += [] if sentence is None else [f"**{sentence}**"]
    for level in dict.fromkeys(summary.frame["level"]):
        head, *body = table_cells(summary, level, summary.pairs)
        lines = [_line(head), _line(["---"] * len(head)), *map(_line, body)]
        parts.append("\n".join([f"## By {level}", "", *lines]))
    if notices:
        parts.append("\n".join(["## Notes", "", *(f"- {notice}" for notice in notices)]))
    return "\n\n".join(parts) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
