"""What the runs come to: means, ranks, losses, and differences with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from opponents import BASELINE, JOINT, NOTHING
from tasks import Case

from crossplate.compare.resampling import Contrast, PairCalls, contrasts

N_DRAWS = 10_000
ROUNDING = 9

__all__ = ["Standing", "differences", "means", "overall_difference", "standings"]


@dataclass(frozen=True)
class Standing:
    """A method's place over several data sets.

    Parameters
    ----------
    mean, rank
        Of the balanced accuracies and of the ranks by it, over data sets; NaN where the method
        lacks one of them.
    worst
        Method that it is held against → (its largest loss against that, in balanced accuracy, and
        the data set where; a gain everywhere is above 0).
    """

    mean: float
    rank: float
    worst: Mapping[str, tuple[float, str]]


def means(frame: pd.DataFrame, figure: str) -> pd.DataFrame:
    """Mean over seeds, then over cases: methods in rows, data sets in columns.

    Parameters
    ----------
    frame
        As from :func:`runs.collected`.
    figure
        One of its columns.
    """
    known = frame.dropna(subset=[figure])
    cases = known.groupby(["method", "data", "case"], sort=False)[figure].mean()
    found = cases.groupby(["method", "data"], sort=False).mean().reset_index()
    found = found.pivot_table(figure, "method", "data")
    return found.reindex(
        index=list(dict.fromkeys(frame["method"])), columns=list(dict.fromkeys(frame["data"]))
    )


def standings(frame: pd.DataFrame) -> dict[str, Standing]:
    """Place of each method, the best mean first and those that lack a data set last.

    Forms of the joint model are no rivals of it: each is ranked in its place.
    """
    table = means(frame, "balanced_accuracy")
    complete = table.dropna()
    forms = set(frame.loc[frame["is_form"], "method"])
    ranks = _ranks(complete.round(ROUNDING), forms)
    order = [*complete.mean(axis=1).sort_values(ascending=False, kind="stable").index]
    order += [name for name in table.index if name not in complete.index]
    found = {}
    for name in order:
        worst = {}
        for other in (BASELINE, NOTHING):
            if other in table.index and name != other:
                gain = (table.loc[name] - table.loc[other]).dropna()
                if len(gain):
                    worst[other] = (float(gain.min()), str(gain.idxmin()))
        mean = float(table.loc[name].mean(skipna=False))
        found[name] = Standing(mean, float(ranks.get(name, np.nan)), worst)
    return found


def _ranks(table: pd.DataFrame, forms: set[str]) -> pd.Series:
    """Mean rank over data sets; a form of the joint model is ranked in place of it."""
    rivals = table[~table.index.isin(forms)]
    ranks = rivals.rank(ascending=False).mean(axis=1)
    for form in table.index.intersection(list(forms)):
        instead = pd.concat([rivals.drop(index=JOINT, errors="ignore"), table.loc[[form]]])
        ranks[form] = instead.rank(ascending=False).mean(axis=1)[form]
    return ranks


def differences(
    frame: pd.DataFrame, cases: Sequence[Case], others: Sequence[str]
) -> dict[str, list[Contrast]]:
    """The joint model minus others on each data set, with intervals over the target's subjects.

    Parameters
    ----------
    frame
        As from :func:`runs.collected`.
    cases
        Those of the frame, which have the truth.
    others
        Methods to hold it against, where they were run.
    """
    right = frame.dropna(subset=["right"]).groupby(["data", "case", "method"])["right"].agg(list)
    found = {}
    for data in dict.fromkeys(case.data for case in cases):
        calls = [_calls(case, right) for case in cases if case.data == data]
        there = {name for each in calls for name, _ in each.correct}
        wanted = [((JOINT, ""), (other, "")) for other in others if other in there]
        if JOINT in there and wanted:
            found[data] = contrasts(calls, wanted)
    return found


def _calls(case: Case, right: pd.Series) -> PairCalls:
    """What each method got right on a case, mean over seeds, on rows that can be scored."""
    truth = case.truth()
    teaches = case.table.batch.isin([case.source, *case.labelled]).to_numpy(dtype=bool)
    known = {str(label) for label in case.table.labels_of(teaches)[teaches] if label is not None}
    scored = np.array([label in known for label in truth])
    units = case.subjects()
    if units is None:
        units = case.table.features.index[case.rows].to_numpy(dtype=object)
    if case.seed is not None:  # each draw has subjects of its own, though not names
        units = np.array([f"{case.name} {unit}" for unit in units], dtype=object)
    correct = {}
    if (case.data, case.name) in right.index.droplevel("method"):
        for method, texts in right.loc[case.data, case.name].items():
            rows = [[int(each) for each in text] for text in texts]
            correct[str(method), ""] = np.mean(rows, axis=0)[scored]
    return PairCalls(case.target, truth[scored], units[scored], correct)


def overall_difference(frame: pd.DataFrame, other: str) -> tuple[float, float, float]:
    """The joint model minus another, mean over data sets, with an interval over plates.

    Data sets are drawn anew, and cases within each: what would come out on other plates of such
    kinds.

    Parameters
    ----------
    frame
        As from :func:`runs.collected`.
    other
        The method to hold it against.

    Returns
    -------
    The difference in balanced accuracy and its 95% interval; NaN where they share nothing.
    """
    both = frame[frame["method"].isin([JOINT, other])].dropna(subset=["balanced_accuracy"])
    cases = both.groupby(["data", "case", "method"])["balanced_accuracy"].mean()
    cases = cases.reset_index().pivot_table("balanced_accuracy", ["data", "case"], "method")
    if not {JOINT, other} <= set(cases.columns) or cases.dropna().empty:
        return np.nan, np.nan, np.nan
    gain = (cases[JOINT] - cases[other]).dropna()
    groups = [its.to_numpy() for _, its in gain.groupby("data")]
    rng = np.random.default_rng(0)
    drawn = np.empty(N_DRAWS)
    for draw in range(N_DRAWS):
        chosen = rng.integers(len(groups), size=len(groups))
        drawn[draw] = np.mean(
            [
                groups[one][rng.integers(len(groups[one]), size=len(groups[one]))].mean()
                for one in chosen
            ]
        )
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(np.mean([group.mean() for group in groups])), float(low), float(high)
