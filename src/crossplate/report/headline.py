"""The first sentence: what was called, and how far it is to be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from crossplate.report.tables import NOT_CALLED, OWN, class_names, commonest_class
from crossplate.report.wording import alike, count_of, decimals, shortened

MOST_NAMES = 6

LIKELIEST = "likeliest"

__all__ = [
    "MOST_NAMES",
    "calls_told",
    "calls_with_doubt",
    "expectation",
    "standing",
    "threshold_of",
]


def threshold_of(evaluation: Mapping[str, Any] | None, noun: str) -> float | None:
    """Least confidence of a call in ``evaluation["calling"]``; None where there is none.

    Parameters
    ----------
    evaluation
        As in evaluation.json; ``calling`` is what `Calling.to_dict` gives, or that for each of
        ``"subject"`` and ``"sample"``.
    noun
        ``"subject"`` or ``"sample"``.
    """
    calling = (evaluation or {}).get("calling") or {}
    if isinstance(calling.get(noun), Mapping):
        calling = calling[noun]
    if "threshold" not in calling:
        return None
    # Without a threshold that reaches the wanted accuracy nothing is called.
    return float("inf") if calling["threshold"] is None else float(calling["threshold"])


def calls_with_doubt(frame: pd.DataFrame, threshold: float | None) -> pd.DataFrame:
    """Predictions or subjects, "not called" where the confidence is below the threshold.

    The likeliest class then stands beside, in a column `LIKELIEST`.
    """
    if threshold is None:
        return frame
    confidence = frame[[f"p_{name}" for name in class_names(frame)]].max(axis=1)
    doubtful = (confidence < threshold).to_numpy()
    if not doubtful.any():
        return frame
    called = frame["predicted"].astype(object).mask(doubtful, NOT_CALLED)
    made = frame.assign(predicted=called)
    made.insert(list(frame.columns).index("predicted"), LIKELIEST, frame["predicted"])
    return made


def calls_told(predictions: pd.DataFrame, subjects: pd.DataFrame | None) -> str:
    """Batches, subjects and samples, and how often each class was called."""
    batches = predictions["batch"].astype(str).unique().tolist()
    what = f"Batch {batches[0]}"
    if len(batches) > 1:
        what = f"{len(batches)} batches ({shortened(batches, MOST_NAMES, 'batch')})"
    n_samples = count_of(len(predictions), "sample")
    if subjects is None:
        return f"{what}, {n_samples}: {_called(predictions)}."
    people = count_of(len(subjects), "subject")
    text = f"{what}, {people} ({n_samples}): {_called(subjects)}."
    nobody = int(predictions["subject"].isna().sum()) if "subject" in predictions else 0
    if nobody:
        text += f" Not counted: {count_of(nobody, 'sample')} without a subject."
    return text


def _called(frame: pd.DataFrame) -> str:
    """Classes and how often each was called, the most frequent first."""
    counts = frame["predicted"].astype(str).value_counts().to_dict()
    names = sorted(class_names(frame), key=lambda name: -counts.get(name, 0))
    parts = [f"{counts.get(name, 0):,} {name}" for name in names]
    number, _, name = parts[0].partition(" ")
    told = [f"{number} called {name}", *parts[1:]]
    if counts.get(NOT_CALLED) == len(frame):
        likely = _called(frame.assign(predicted=frame[LIKELIEST])).replace(" called ", " ", 1)
        return f"none sure enough to be called; likely {likely}"
    if counts.get(NOT_CALLED) and NOT_CALLED not in names:
        told.append(f"{counts[NOT_CALLED]:,} {NOT_CALLED}")
    return ", ".join(told)


def standing(level: Mapping[str, Any], interval: Mapping[str, Any] | None) -> str:
    """Accuracy with its interval, beside chance and the best simple method.

    Parameters
    ----------
    level
        ``metrics["subject_level"]`` or ``metrics["sample_level"]``.
    interval
        ``{"low", "high"}`` of crossplate's accuracy, where it is known.
    """
    _, chance = commonest_class(level[OWN])
    simple = [scores["accuracy"] for method, scores in level.items() if method != OWN]
    return _beside("Accuracy", level[OWN]["accuracy"], interval, chance, max(simple, default=None))


def expectation(expected: Mapping[str, Any] | None) -> str:
    """Say what the source lets one expect of calls that cannot be scored; empty without.

    Parameters
    ----------
    expected
        ``evaluation["expected"]`` of subjects, or of samples: ``scores``, ``chance`` and the
        accuracy of ``zscore_logistic_regression``.
    """
    found = ((expected or {}).get("scores") or {}).get("accuracy")
    if not expected or not found:
        return ""
    simple = expected.get("zscore_logistic_regression")
    own = found["estimate"]
    return _beside("Expected accuracy", own, found, expected.get("chance"), simple)


def _beside(
    what: str,
    own: float,
    interval: Mapping[str, Any] | None,
    chance: float | None,
    simple: float | None,
) -> str:
    names = {"chance": chance, "best simple method": simple}
    known = {name: value for name, value in names.items() if value is not None}
    values = [own, *known.values()]
    text, *others = alike(values)
    ends = [(interval or {}).get(end) for end in ("low", "high")]
    numbers = [float(end) for end in ends if end is not None]
    if len(numbers) == 2:
        places = decimals(values)
        text += f" ({numbers[0]:.{places}f}–{numbers[1]:.{places}f})"
    told = [f"{name} {other}" for name, other in zip(known, others, strict=True)]
    return ", ".join([f"{what} {text}", *told]) + "."
