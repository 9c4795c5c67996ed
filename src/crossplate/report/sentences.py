"""The result in plain words, and no more than the figures show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from crossplate.report.headline import (
    MOST_NAMES,
    calls_told,
    calls_with_doubt,
    expectation,
    standing,
    threshold_of,
)
from crossplate.report.tables import COMMONEST, OWN, commonest_class, method_name
from crossplate.report.trust_cards import trust_sentence
from crossplate.report.wording import alike, count_of, decimals, listed, shortened, two_digits

UNUSED_LABELS = "target labels, unused in training"
LARGE_P = 0.05
NAMING_COMMONEST = COMMONEST.replace("always", "always naming")
COMPARED = ("accuracy", "balanced_accuracy")
LEVELS = {"subject_level": "subject", "sample_level": "sample"}


@dataclass(frozen=True)
class Sentence:
    """A sentence of the result; a warning is set off from the others."""

    text: str
    warning: bool = False


def result_sentences(
    metrics: Mapping[str, Any],
    predictions: pd.DataFrame,
    subjects: pd.DataFrame | None,
    evaluation: Mapping[str, Any] | None = None,
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
    evaluation
        As in evaluation.json, of which ``intervals``, ``calling``, ``ceiling``, ``permutation``
        and ``trust`` are read.
    """
    more = evaluation or {}
    return (
        *_collapse(metrics, predictions),
        Sentence(_headline(metrics, predictions, subjects, more)),
        *_doubt(more, subjects is not None),
        *_trust(more.get("trust")),
        *_learned(metrics),
        *_scores(metrics, more.get("expected")),
        *_ceiling(more.get("ceiling")),
        *_permutation(more.get("permutation")),
        *_batch_effect(metrics.get("batch_effect")),
    )


def _headline(
    metrics: Mapping[str, Any],
    predictions: pd.DataFrame,
    subjects: pd.DataFrame | None,
    evaluation: Mapping[str, Any],
) -> str:
    called = calls_with_doubt(predictions, threshold_of(evaluation, "sample"))
    people = subjects
    if subjects is not None:
        people = calls_with_doubt(subjects, threshold_of(evaluation, "subject"))
    text = calls_told(called, people)
    for key, noun in LEVELS.items():
        if metrics.get(key):
            found = ((evaluation.get("intervals") or {}).get(noun) or {}).get("scores") or {}
            return f"{text} {standing(metrics[key], found.get('accuracy'))}"
    expected = evaluation.get("expected") or {}
    noun = "sample" if subjects is None else "subject"
    return f"{text} {expectation(expected.get(noun) or expected.get('sample'))}".strip()


def _doubt(evaluation: Mapping[str, Any], by_subject: bool) -> list[Sentence]:
    """From which probability on a call is made, and why."""
    noun = "subject" if by_subject else "sample"
    least = threshold_of(evaluation, noun)
    if least is None:
        return []
    calling = evaluation["calling"].get(noun) or evaluation["calling"]
    wanted = calling.get("wanted_accuracy")
    aim = "" if wanted is None else f" of {wanted:.0%}"
    if least == float("inf"):
        text = (
            f"No call is made: at no probability do calls of the source, cross-validated, reach "
            f"the wanted accuracy{aim}."
        )
        return [Sentence(text, warning=True)]
    text = (
        f"Called from a probability of {least:.2f} on, where calls of the source, cross-validated, "
        f"reach the wanted accuracy{aim}. Scores count all subjects and samples, called or not."
    )
    return [Sentence(text)]


def _trust(checks: Sequence[Mapping[str, Any]] | None) -> list[Sentence]:
    told = trust_sentence(checks)
    return [] if told is None else [Sentence(told[0], warning=told[1])]


def _ceiling(ceiling: Mapping[str, Any] | None) -> list[Sentence]:
    """What a batch reaches on itself."""
    found = {}
    for one in (ceiling or {}).get("per_batch") or []:
        value = (one.get("subject_scores") or one["scores"]).get("accuracy")
        if isinstance(value, Mapping):
            value = value.get("estimate")
        if value is not None:
            found[str(one["batch"])] = float(value)
    if not found:
        return []
    texts = [
        f"{text} on {name}" for name, text in zip(found, alike(list(found.values())), strict=True)
    ]
    text = (
        f"Learned and tested within one batch, cross-validated, accuracy is "
        f"{shortened(texts, MOST_NAMES, 'batch')}: about what could be reached without any batch "
        "effect."
    )
    return [Sentence(text)]


def _permutation(found: Mapping[str, Any] | None) -> list[Sentence]:
    if not found or found.get("p_value") is None:
        return []
    n = found.get("n_permutations") or len(found.get("null") or ())
    score = str(found.get("score", "score")).replace("_", " ")
    text = (
        f"With source labels shuffled {n:,} times, so good a {score} came about by chance with "
        f"p = {two_digits(found['p_value'])}."
    )
    return [Sentence(text, warning=found["p_value"] > LARGE_P)]


def _collapse(metrics: Mapping[str, Any], predictions: pd.DataFrame) -> list[Sentence]:
    if not metrics.get("collapsed"):
        return []
    names = " and ".join(str(name) for name in predictions["predicted"].unique())
    text = (
        f"All {count_of(len(predictions), 'sample')} were called {names}. A classifier that names "
        "one class only has usually collapsed: do not rely on these calls."
    )
    return [Sentence(text, warning=True)]


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


def _scores(metrics: Mapping[str, Any], expected: Mapping[str, Any] | None) -> list[Sentence]:
    levels = {noun: metrics[key] for key, noun in LEVELS.items() if metrics.get(key)}
    if not levels:
        text = "No labels of these samples are known, so how many calls are right is not known."
        if expected:
            text += (
                " The expected accuracy is that of source samples held out of training; it holds "
                "as far as the target is like the source."
            )
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
    told = [
        f"{first} reaches an accuracy of {reached}",
        *(f"{name} {text}" for name, text in others_told),
    ]
    aside = f" ({basis})" if basis else ""
    return f"Scored on {rows}{aside}: {', '.join(told)}."


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
