"""What a command prints at its end: who was called what, the scores, and where the files are."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from crossplate.study import FullEvaluation, StudyResult

_METHODS = {
    "crossplate": "crossplate",
    "zscore_logistic_regression": "z-score + logistic regression",
    "best_single_feature": "best single feature",
}
_SCORES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "bal. acc.",
    "f1": "F1",
    "mcc": "MCC",
    "roc_auc": "ROC AUC",
}
_LEVELS = {"subject_level": "subjects", "sample_level": "samples"}
_FILES = {
    "report.html": "all of this as a page",
    "figures/": "its figures as SVG and PDF, with captions",
    "subjects.csv": "a call for each subject",
    "predictions.csv": "a call and probabilities for each sample",
    "calibrated.csv": "the measurements without batch effect, in original units",
    "latent.csv": "the codes the call is made from",
    "metrics.json": "counts and scores",
    "evaluation.json": "intervals, curves, trust checks and what else was evaluated",
    "history.csv": "losses of the members that were trained",
    "settings.json": "all settings and versions",
    "model/": "the model, for crossplate predict",
    "plates/": "the tables that were used",
}
_WIDEST = 100
_SHOWN = 5
# With it, the table of scores is just 80 characters wide.
_LONGEST_METHOD = 32

__all__ = ["align", "paragraph", "summary"]


def summary(
    result: StudyResult,
    out: str,
    files: Iterable[str],
    evaluation: FullEvaluation | None = None,
) -> str:
    """Write a result as a short text.

    Parameters
    ----------
    result
        What a study found.
    out
        The folder the files are in, as the user named it.
    files
        Names of the files and folders in it, folders with ``/`` at the end.
    evaluation
        What the result is worth; None for a plate predicted later.
    """
    metrics = result.metrics
    parts = [
        _heading(result),
        _calls(result, evaluation),
        *_expected(result, evaluation),
        *_scores(metrics),
        *_batch_effect(metrics["batch_effect"]),
        *_trust(evaluation),
        *_notices(result.notices),
        _files(out, set(files)),
    ]
    return "\n\n".join(parts)


def paragraph(text: str, first: str = "", indent: str = "") -> str:
    """Wrap a text to the width of the terminal, 100 characters at most."""
    return textwrap.fill(
        text,
        width=min(shutil.get_terminal_size().columns, _WIDEST),
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def align(rows: Sequence[Sequence[str]], indent: str = "  ") -> list[str]:
    """Rows of cells as lines, the first column aligned left and the others right."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return [
        (indent + row[0].ljust(widths[0]))
        + "".join(f"  {cell.rjust(width)}" for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    ]


def _heading(result: StudyResult) -> str:
    """What was learned from, if it was now, and what was diagnosed."""
    counts = result.metrics["counts"]
    target, features = _batches(counts["target"]), f"{counts['features']} features"
    if not counts["source"]:
        return paragraph(f"Diagnosed {target} with {features}.")
    return paragraph(
        f"Learned from {_batches(counts['source'])} with {features}; diagnosed {target}."
    )


def _batches(rows: Mapping[str, int]) -> str:
    shown = ", ".join(f"{name} ({n} samples)" for name, n in list(rows.items())[:_SHOWN])
    return shown + (f" and {len(rows) - _SHOWN} more batches" if len(rows) > _SHOWN else "")


def _calls(result: StudyResult, evaluation: FullEvaluation | None) -> str:
    """Count of each call, subjects first, below the labels that were learned from."""
    classes = [str(name) for name in result.model.classes_]
    labelled = result.metrics["counts"]["labelled"]
    doubt = evaluation is not None and evaluation.calling is not None
    rows = [["class", *classes, *(["not called"] if doubt else [])]]
    if labelled:
        counts = [str(labelled.get(name, 0)) for name in classes]
        rows.append(["samples learned from", *counts, *([""] if doubt else [])])
    for name, frame in (("subjects", result.subjects), ("samples", result.predictions)):
        if frame is None:
            continue
        its = None if evaluation is None else getattr(evaluation, f"called_{name}")
        kept = np.ones(len(frame), dtype=bool) if its is None else its.to_numpy(dtype=bool)
        called = frame["predicted"][kept].astype(str).value_counts()
        cells = [str(int(called.get(one, 0))) for one in classes]
        rows.append([f"{name} called", *cells, *([str(int((~kept).sum()))] if doubt else [])])
    lines = align(rows)
    if evaluation is not None and evaluation.calling is not None:
        lines += ["", _least_confidence(evaluation.calling)]
    if result.metrics["collapsed"]:
        lines.append("CAUTION: all samples are called the same; see the notes.")
    return "\n".join(lines)


def _least_confidence(calling: Mapping[str, Any]) -> str:
    level, noun, file = "sample", "samples", "predictions.csv"
    if "subject" in calling:
        level, noun, file = "subject", "subjects", "subjects.csv"
    its = calling[level]
    if its["threshold"] is None:
        return paragraph(
            f"No {noun} are called: at no confidence do the {its['n_source']} labelled {noun} of "
            f"the source, held out of the training, show that {its['wanted_accuracy']:.0%} of "
            f"calls would be right. {file} has the likelier class of each."
        )
    return paragraph(
        f"Called are {noun} of a confidence of {its['threshold']:.2f} or more: of the labelled "
        f"{noun} of the source, held out of the training, {its['source_coverage']:.0%} are that "
        f"sure and {its['source_accuracy']:.0%} of those right."
    )


def _expected(result: StudyResult, evaluation: FullEvaluation | None) -> list[str]:
    """Expected accuracy with its interval, chance and the best simple method, in a sentence."""
    if evaluation is None:
        return []
    for level in ("subject", "sample"):
        scored = result.metrics[f"{level}_level"]
        found = (evaluation.intervals or {}).get(level)
        if scored is not None and found is not None:
            own = scored["crossplate"]
            others = [
                (its["accuracy"], method)
                for method, its in scored.items()
                if method != "crossplate"
            ]
            simple = max(others, default=None)
            chance = max(own["counts"].values()) / own["n"]
            return [_standing(level, found, chance, simple, "labels of the target")]
        found = (evaluation.expected or {}).get(level)
        if scored is None and found is not None:
            simple_accuracy = found["zscore_logistic_regression"]
            simple_one = None
            if simple_accuracy is not None:
                simple_one = (simple_accuracy, "zscore_logistic_regression")
            basis = f"{found['n_subjects']} subjects of the source, held out of the training"
            return [_standing(level, found, found["chance"], simple_one, basis)]
    return []


def _standing(
    level: str,
    found: Mapping[str, Any],
    chance: float,
    simple: tuple[float, str] | None,
    basis: str,
) -> str:
    accuracy = found["scores"]["accuracy"]
    ends = ""
    if accuracy["low"] is not None:
        ends = f" ({accuracy['low']:.2f} to {accuracy['high']:.2f})"
    text = f"Expected accuracy of a {level}: {accuracy['estimate']:.2f}{ends}, chance {chance:.2f}"
    if simple is not None:
        text += f", best simple method {simple[0]:.2f} ({_METHODS[simple[1]]})"
    return paragraph(f"{text}; by {basis}.")


def _trust(evaluation: FullEvaluation | None) -> list[str]:
    """A line for each trust check that is not ok."""
    checks = [] if evaluation is None else evaluation.trust or []
    found = [check for check in checks if check["verdict"] in ("look", "stop")]
    if not found:
        return []
    found.sort(key=lambda check: check["verdict"] != "stop")
    lines = (
        paragraph(f"{check['verdict'].upper()}: {check['advice']}", "  - ", "    ")
        for check in found
    )
    return ["\n".join(["Trust checks:", *lines])]


def _scores(metrics: Mapping[str, Any]) -> list[str]:
    """Scores at both levels beside the simple methods; nothing without labels."""
    if metrics["scored_on"] is None:
        return []
    scored = metrics["sample_level"]["crossplate"]
    f1_of = scored["f1_average"] if scored["positive_class"] is None else scored["positive_class"]
    head = f"Scores ({metrics['scored_on']}; F1: {f1_of}):"
    rows = []
    for level, name in _LEVELS.items():
        if metrics[level] is not None:
            first = next(iter(metrics[level].values()))
            rows.append([f"{first['n']} {name}", *_SCORES.values()])
            rows += [
                [f"  {_method(method, its)}", *(_number(its[score]) for score in _SCORES)]
                for method, its in metrics[level].items()
            ]
    return ["\n".join([paragraph(head), *align(rows)])]


def _method(name: str, its: Mapping[str, Any]) -> str:
    feature = f", {its['feature']}" if "feature" in its else ""
    text = f"{_METHODS.get(name, name)}{feature}"
    return text if len(text) <= _LONGEST_METHOD else f"{text[: _LONGEST_METHOD - 1]}…"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _batch_effect(effect: Mapping[str, Any] | None) -> list[str]:
    """MMD between source and target beside that of halves of one batch."""
    if effect is None or any(effect[when]["across"] is None for when in ("before", "after")):
        return []
    rows = [["", "before", "after"]]
    for key, name in (("across", "source against target"), ("in_batch", "halves of one of them")):
        rows.append([name, *(_number(effect[w][key]["root_biased"]) for w in ("before", "after"))])
    head = paragraph("Batch effect (MMD; without one, both lines would be alike):")
    return ["\n".join([head, *align(rows)])]


def _notices(notices: Sequence[str]) -> list[str]:
    """All notices; one that several files share stands once, with their names in front."""
    about: dict[str, list[str]] = {}
    for notice in notices:
        place, colon, text = notice.partition(": ")
        about.setdefault(text if colon else notice, []).append(place if colon else "")
    if not about:
        return []
    texts = [
        f"{', '.join(places)}: {text}" if places[0] else text for text, places in about.items()
    ]
    return ["\n".join(["Notes:", *(paragraph(text, "  - ", "    ") for text in texts)])]


def _files(out: str, files: set[str]) -> str:
    width = max(len(name) for name in _FILES)
    lines = [f"  {name:{width}}  {what}" for name, what in _FILES.items() if name in files]
    return "\n".join([f"Written to {out}:", *lines])
