"""What a comparison comes to: one row a method and classifier, one column a pair of batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crossplate.compare.methods import OWN_CLASSIFIER
from crossplate.compare.resampling import Contrast, Key, PairCalls, contrasts
from crossplate.compare.scoring import SAMPLE, SUBJECT
from crossplate.compare.settings import BASELINE

JOINT = ("joint", "joint")
ACROSS, WITHIN = "across", "in-batch"
TESTED = ("difference", "low", "high", "p_value")
FIGURES = (
    *("n_pairs", "balanced_accuracy", "accuracy", "worst_pair", "mean_rank"),
    *TESTED,
    "seconds",
)
Work = tuple[str, str, str]

__all__ = ["ACROSS", "FIGURES", "JOINT", "WITHIN", "Summary", "Work", "summarise"]


@dataclass(frozen=True)
class Summary:
    """A comparison in one table.

    Parameters
    ----------
    frame
        One row a level, protocol, method and classifier; within each level and protocol the best
        mean first. Columns:

        - ``level``: ``sample`` or ``subject``;
        - ``protocol``: ``across`` batches; ``in-batch`` for tenfold cross-validation within the
          target of each pair, the ceiling;
        - ``method``, ``classifier``;
        - ``n_pairs``: pairs that it answered;
        - ``balanced_accuracy``, ``accuracy``: mean over these pairs, of the mean over seeds;
        - ``worst_pair``: lowest balanced accuracy of a pair;
        - ``mean_rank``: mean over pairs of the rank by balanced accuracy, 1 the best, equal ones
          sharing theirs, a pair without an answer counting as the last;
        - ``difference``, ``low``, ``high``, ``p_value``: to per-batch z-score and logistic
          regression, as in :class:`~crossplate.compare.resampling.Contrast`;
        - ``seconds``: mean over pairs and seeds;
        - one column a pair, ``source:target``: balanced accuracy, mean over seeds.
    level
        What the methods are judged by: ``subject`` where there are subjects, else ``sample``.
    joint
        The joint model against the best method that is no form of it; None where there is none.
    """

    frame: pd.DataFrame
    level: str
    joint: Contrast | None

    @property
    def pairs(self) -> list[str]:
        """Columns of the pairs of batches."""
        fixed = {"level", "protocol", "method", "classifier", *FIGURES}
        return [str(name) for name in self.frame.columns if name not in fixed]

    def rows(self, level: str, protocol: str) -> pd.DataFrame:
        """Rows of one level and protocol."""
        frame = self.frame
        return frame[(frame["level"] == level) & (frame["protocol"] == protocol)]


def summarise(rows: pd.DataFrame, calls: Mapping[Work, pd.DataFrame]) -> Summary:
    """Summarise a comparison.

    Parameters
    ----------
    rows
        As comparison.csv, columns :data:`crossplate.compare.scoring.COLUMNS`.
    calls
        (source, target, method) → predicted classes, as in
        :class:`~crossplate.compare.scoring.Scored`.
    """
    levels = [level for level in (SUBJECT, SAMPLE) if (rows["level"] == level).any()]
    own = rows["source"] == rows["target"]
    across = rows.assign(pair=rows["source"] + ":" + rows["target"])[~own]
    pairs = across[["target", "pair"]].drop_duplicates()
    within = rows[own].merge(pairs, on="target", how="left")
    parts, joint = [], []
    for level in levels:
        table = _table(across[across["level"] == level])
        joint.append(_test(table, _pair_calls(calls, level)))
        ceiling = _table(within[within["level"] == level]).assign(mean_rank=np.nan)
        parts += [_labelled(table, level, ACROSS), _labelled(ceiling, level, WITHIN)]
    frame = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return Summary(frame, levels[0], joint[0])


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Figures and pairs of each (method, classifier), without the tests."""
    keys = ["method", "classifier"]
    means = {
        pair: its.groupby(keys, sort=False)[["balanced_accuracy", "accuracy"]].mean()
        for pair, its in rows.groupby("pair", sort=False)
    }
    balanced = pd.DataFrame({pair: its["balanced_accuracy"] for pair, its in means.items()})
    accuracy = pd.DataFrame({pair: its["accuracy"] for pair, its in means.items()})
    figures = pd.DataFrame(
        {
            "n_pairs": balanced.notna().sum(axis=1),
            "balanced_accuracy": balanced.mean(axis=1),
            "accuracy": accuracy.mean(axis=1),
            "worst_pair": balanced.min(axis=1),
            "mean_rank": balanced.fillna(-1.0).rank(ascending=False).mean(axis=1),
            **dict.fromkeys(TESTED, np.nan),
            "seconds": rows.groupby(keys, sort=False)["seconds"].mean(),
        }
    )
    return figures.join(balanced)


def _test(table: pd.DataFrame, calls: Sequence[PairCalls]) -> Contrast | None:
    """Fill in the tests against the baseline; returns the joint model against the best other."""
    wanted: list[tuple[Key, Key]] = [(key, BASELINE) for key in table.index if key != BASELINE]
    others = table[[method not in OWN_CLASSIFIER for method, _ in table.index]]
    has_best = JOINT in table.index and others["balanced_accuracy"].notna().any()
    if has_best:
        wanted.append((JOINT, list(others.index)[int(np.nanargmax(others["balanced_accuracy"]))]))
    found = contrasts(calls, wanted) if wanted else []
    joint = found.pop() if has_best else None
    for each in found:
        table.loc[each.one, list(TESTED)] = [getattr(each, name) for name in TESTED]
    return joint


def _pair_calls(calls: Mapping[Work, pd.DataFrame], level: str) -> list[PairCalls]:
    """Calls of all methods on each pair, put together."""
    correct: dict[tuple[str, str], dict[Key, np.ndarray]] = {}
    frames: dict[tuple[str, str], pd.DataFrame] = {}
    for (source, target, method), frame in calls.items():
        if source == target:
            continue
        at_level = frame[frame["level"] == level]
        frames.setdefault((source, target), at_level)
        its = correct.setdefault((source, target), {})
        runs = at_level.columns[4:]
        for classifier in dict.fromkeys(name.rpartition(":")[0] for name in runs):
            seeds = [name for name in runs if name.rpartition(":")[0] == classifier]
            right = at_level[seeds].eq(at_level["truth"], axis=0)
            its[method, classifier] = right.to_numpy().mean(axis=1)
    return [
        PairCalls(
            target,
            frames[source, target]["truth"].to_numpy(dtype=object),
            frames[source, target]["unit"].to_numpy(dtype=object),
            its,
        )
        for (source, target), its in correct.items()
    ]


def _labelled(table: pd.DataFrame, level: str, protocol: str) -> pd.DataFrame:
    table = table.sort_values("balanced_accuracy", ascending=False, kind="stable").reset_index()
    table.insert(0, "protocol", protocol)
    table.insert(0, "level", level)
    return table
