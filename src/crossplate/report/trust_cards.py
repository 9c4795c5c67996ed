"""Trust checks as cards: the worst first, each with its figure and advice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crossplate.report.wording import count_of

CHECK_NAMES = {
    "confounding": "Batch and label apart",
    "shared_subjects": "Different subjects",
    "label_shift": "Class shares",
    "single_feature": "More than one feature",
    "run_order": "Run order",
    "overcorrection": "Signal kept",
    "batch_effect": "A batch effect to remove",
    "support": "Target like the source",
    "precision": "Enough subjects",
}
VERDICT_NAMES = {"stop": "Stop", "look": "Look", "ok": "OK", None: "Not checked"}
# Finer differences of a figure are rounding errors.
_DECIMALS = 6
_ORDER = {verdict: place for place, verdict in enumerate(VERDICT_NAMES)}

__all__ = ["TrustCard", "trust_cards", "trust_sentence"]


@dataclass(frozen=True)
class TrustCard:
    """One check.

    Attributes
    ----------
    title
        What should be so.
    verdict
        ``"ok"``, ``"look"``, ``"stop"`` or ``"none"``, for its colour.
    word
        The verdict in words.
    advice
        What was found and what to do.
    figure
        The figure the verdict rests on, with what it is; empty where there is none.
    """

    title: str
    verdict: str
    word: str
    advice: str
    figure: str


def trust_cards(checks: Sequence[Mapping[str, Any]] | None) -> tuple[TrustCard, ...]:
    """Cards of ``evaluation["trust"]``, entries as `TrustCheck.to_dict` gives them."""
    known = sorted(checks or [], key=lambda check: _ORDER.get(check.get("verdict"), 1))
    return tuple(_card(check) for check in known)


def _card(check: Mapping[str, Any]) -> TrustCard:
    name, verdict = str(check["name"]), check.get("verdict")
    return TrustCard(
        title=CHECK_NAMES.get(name, name.replace("_", " ").capitalize()),
        verdict=verdict if verdict in ("ok", "look", "stop") else "none",
        word=VERDICT_NAMES.get(verdict, str(verdict)),
        advice=str(check.get("advice") or check.get("sentence") or ""),
        figure=_figure(check),
    )


def _figure(check: Mapping[str, Any]) -> str:
    figure, name = check.get("figure"), str(check.get("figure_name") or "")
    if figure is None:
        return ""
    # Adding 0 turns the -0.0 of a tiny negative number into 0.
    number = f"{round(figure, _DECIMALS) + 0.0:.3g}"
    text = f"{name}: {number}" if name else number
    limit = check.get("threshold")
    return f"{text[:1].upper()}{text[1:]}" + (f" (limit {limit:.3g})" if limit is not None else "")


def trust_sentence(checks: Sequence[Mapping[str, Any]] | None) -> tuple[str, bool] | None:
    """Say how many checks ask for attention, and whether one says to stop; None without checks."""
    made = [check for check in checks or [] if check.get("verdict") in ("ok", "look", "stop")]
    if not made:
        return None
    names = {
        verdict: [_card(check).title.lower() for check in made if check["verdict"] == verdict]
        for verdict in ("stop", "look")
    }
    told = [
        f"{len(its)} {one if len(its) == 1 else several} ({', '.join(its)})"
        for its, one, several in (
            (names["stop"], "says stop", "say stop"),
            (names["look"], "asks for a look", "ask for a look"),
        )
        if its
    ]
    if not told:
        return f"No fault in {count_of(len(made), 'trust check')} that could be made.", False
    text = f"Of {count_of(len(made), 'trust check')}, {' and '.join(told)}: read the advice below."
    return text, bool(names["stop"])
