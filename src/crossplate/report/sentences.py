"""The result in plain words, and no more than the figures show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from crossplate.report.tables import COMMONEST, OWN, class_names, commonest_class, method_name
from crossplate.report.wording import alike, count_of, decimals, listed, shortened

UNUSED_LABELS = "target labels, unused in training"
MOST_NAMES = 6
NAMING_COMMONEST = COMMONEST.replace("always", "always naming")
COMPARED = ("accuracy", "balanced_accuracy")
LEVELS = {"subject_level": "subject", "sample_level": "sample"}


@dataclass(frozen=True)
class Sentence:
    """A sentence of the result; a warning is set off from the others."""

    text: str
    warning: bool = False


def result_sentences(
    metrics: Mapping[str, Any], predictions: pd.DataFrame, subjects: pd.DataFrame | None
) -> tuple[Sentence, ...]:
    """Say what was called, how good that is, and what became of the batch effect.

    Parameters
    ----------
    metrics
        As in metrics.json.
    predictions
        Calls of the samples: columns ``batch``, ``subject`` if any, ``predicted``, ``p_<class>``.
    subjects
        Calls of the subjects, if there are any: ``n_samples``, ``predicted``, ``p_<class>``.
    """
    return (
        *_collapse(metrics, predictions),
        Sentence(_calls(predictions, subjects)),
        *_learned(metrics),
        *_scores(metrics),
        *_batch_effect(metrics.get("batch_effect")),
    )


def _collapse(metrics: Mapping[str, Any], predictions: pd.DataFrame) -> list[Sentence]:
    if not metrics.get("collapsed"):
        return []
    names = " and ".join(str(name) for name in predictions["predicted"].unique())
    text = (
        f"All {count_of(len(predictions), 'sample')} were called {names}. A classifier that names "
        "one class only has usually collapsed: do not rely on these calls."
    )
    return [Sentence(text, warning=True)]


def _calls(predictions: pd.DataFrame, subjects: pd.DataFrame | None) -> str:
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
    return ", ".join([f"{number} called {name}", *parts[1:]])


def _learned(metrics: Mapping[str, Any]) -> list[Sentence]:
    counts = metrics.get("counts") or {}
    source = counts.get("source") or {}
    if not source:
        return []
    names = [str(name) for name in source]
    noun = "batch" if len(names) == 1 else "batches"
    text = (
        f"Learned from {noun} {shortened(names, MOST_NAMES, 'batch')}: "
        f"{count_of(sum(source.values()), 'sample')}, {count_of(counts['features'], 'feature')}"
    )
    if counts.get("labelled"):
        labelled = [f"{n:,} {name}" for name, n in counts["labelled"].items()]
        text += f"; labelled: {', '.join(labelled)}"
    imputed = counts.get("imputed_cells") or 0
    if imputed:
        text += (
            f". {count_of(imputed, 'missing value')} {'was' if imputed == 1 else 'were'} imputed"
        )
    return [Sentence(f"{text}.")]


def _scores(metrics: Mapping[str, Any]) -> list[Sentence]:
    levels = {noun: metrics[key] for key, noun in LEVELS.items() if metrics.get(key)}
    if not levels:
        text = "No labels of these samples are known, so how many calls are right is not known."
        return [Sentence(text)]
    noun, level = next(iter(levels.items()))
    sentences = [Sentence(_accuracy(level, noun, metrics.get("scored_on")))]
    sentences += _unknown_classes(level[OWN], noun)
    for noun, level in levels.items():
        sentences += _beaten(level, noun, say_level=len(levels) > 1)
    return sentences


def _accuracy(level: Mapping[str, Any], noun: str, scored_on: str | None) -> str:
    own = level[OWN]
    _, commonest = commonest_class(own)
    others = [method for method in level if method != OWN]
    names = [f"{_the(method)}{method_name(method, level[method])}" for method in others]
    values = [own["accuracy"], *(level[method]["accuracy"] for method in others), commonest]
    texts = alike(values)
    rows = count_of(own["n"], noun)
    if own["n_unlabelled"]:
        rows = f"the {own['n']:,} of {count_of(own['n'] + own['n_unlabelled'], noun)} with a label"
    basis = scored_on
    if scored_on == UNUSED_LABELS:
        basis = "labels of the target were not used in training"
    rivals = list(zip([*names, NAMING_COMMONEST], texts[1:], strict=True))
    (first, reached), *others_told = rivals
    told = [f"{first} reaches {reached}", *(f"{name} {text}" for name, text in others_told)]
    aside = f" ({basis})" if basis else ""
    return f"Accuracy {texts[0]} on {rows}{aside}; {', '.join(told)}."


def _the(method: str) -> str:
    return "the " if method == "best_single_feature" else ""


def _unknown_classes(own: Mapping[str, Any], noun: str) -> list[Sentence]:
    n = own["n_unknown_class"]
    if not n:
        return []
    text = (
        f"{count_of(n, noun)} of a class that the source does not have cannot be called right and "
        "are left out of all scores, which are too good by as much."
    )
    return [Sentence(text, warning=True)]


def _beaten(level: Mapping[str, Any], noun: str, *, say_level: bool) -> list[Sentence]:
    """Say which simple methods the joint model does not beat, by either kind of accuracy."""
    own = level[OWN]
    _, share = commonest_class(own)
    present = sum(1 for n in own["counts"].values() if n > 0)
    rivals = {
        f"{_the(method)}{method_name(method, scores)}": scores
        for method, scores in level.items()
        if method != OWN
    }
    rivals[NAMING_COMMONEST] = {"accuracy": share, "balanced_accuracy": 1 / present}
    where = f"On {noun}s, crossplate" if say_level else "crossplate"
    sentences = []
    for name, scores in rivals.items():
        unbeaten = [score for score in COMPARED if scores[score] >= own[score]]
        if unbeaten:
            below = any(scores[score] > own[score] for score in unbeaten)
            told = [_against(score, own[score], scores[score]) for score in unbeaten]
            how = "is below" if below else "is no better than"
            sentences.append(Sentence(f"{where} {how} {name}: {listed(told)}.", warning=True))
    return sentences


def _against(score: str, own: float, other: float) -> str:
    texts = alike([own, other])
    return f"{score.replace('_', ' ')} {texts[0]} against {texts[1]}"


def _batch_effect(effects: Mapping[str, Any] | None) -> list[Sentence]:
    before, after = ((effects or {}).get(when) for when in ("before", "after"))
    if not before or not after:
        return []
    if before["across"] is None or after["across"] is None:
        text = (
            "The distance between batches was not measured: that takes two batches of at least "
            "four samples."
        )
        return [Sentence(text)]
    across = [before["across"]["root_biased"], after["across"]["root_biased"]]
    inside = [before["in_batch"]["root_biased"], after["in_batch"]["root_biased"]]
    places = decimals([*across, *inside], apart=across)
    texts = [f"{value:.{places}f}" for value in (*across, *inside)]
    halves = texts[2] if texts[2] == texts[3] else f"{texts[2]} before and {texts[3]} after"
    text = (
        f"Distance between batches (root MMD): {texts[0]} before, {texts[1]} after; "
        f"two random halves of one batch differ by {halves}."
    )
    return [Sentence(text), *_effect_verdict(before, after)]


def _effect_verdict(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Sentence]:
    sentences = []
    noise = before["in_batch"]["root_biased"] + 2 * before["in_batch"]["root_biased_sd"]
    if before["across"]["root_biased"] <= noise:
        text = (
            "Before calibration the batches lay hardly further apart than halves of one batch: "
            "by this measure there was little to remove."
        )
        sentences.append(Sentence(text))
    elif _ratio(after) >= _ratio(before):
        text = "By this measure calibration did not bring the batches closer together."
        sentences.append(Sentence(text, warning=True))
    elif _ratio(after) >= 1.5:
        text = (
            f"After calibration they are still {_ratio(after):.1f} times as far apart as halves "
            "of one batch: part of the batch effect remains."
        )
        sentences.append(Sentence(text))
    return sentences


def _ratio(effect: Mapping[str, Any]) -> float:
    inside = effect["in_batch"]["root_biased"]
    return float(effect["across"]["root_biased"] / inside) if inside > 0 else float("inf")
