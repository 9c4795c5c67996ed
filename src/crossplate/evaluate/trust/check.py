"""What a trust check says: a verdict, a figure and one sentence of advice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import pandas as pd

Verdict = Literal["ok", "look", "stop"]

NO_Z = "No standardised measurements were given."
NO_PROBA = "No cross-validated probabilities of the source were given."

__all__ = ["NO_PROBA", "NO_Z", "TrustCheck", "Verdict", "checks_frame", "graded"]


@dataclass(frozen=True)
class TrustCheck:
    """Outcome of one check.

    Attributes
    ----------
    name
        Short name of the check, the same in every study.
    verdict
        ``"ok"``: the fault was not found; ``"look"``: read the advice before using the result;
        ``"stop"``: do not use it before the fault is dealt with. None: the check could not be
        made, and the advice says why.
    figure
        The figure the verdict rests on; None where there is none.
    figure_name
        What the figure is, in words.
    threshold
        The figure's value from which on the verdict is no longer "ok" (a check may also ask for
        significance, see its own text); None where there is none.
    advice
        One plain sentence: what was found and what to do.
    details
        Further figures, plain values that ``json.dumps`` accepts.
    """

    name: str
    verdict: Verdict | None
    figure: float | None
    figure_name: str
    threshold: float | None
    advice: str
    details: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def not_applicable(cls, name: str, figure_name: str, reason: str) -> TrustCheck:
        """Outcome of a check that could not be made; ``reason`` is a sentence."""
        return cls(name, None, None, figure_name, None, reason)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values that ``json.dumps`` accepts."""
        return asdict(self)


def graded(figure: float, look: float, stop: float, significant: bool = True) -> Verdict:
    """Return the verdict on a figure that is the worse the larger it is.

    Parameters
    ----------
    figure
        The figure.
    look, stop
        Least figures of these verdicts.
    significant
        Whether the figure is beyond chance; if not, the verdict is "ok".
    """
    if not significant or figure < look:
        return "ok"
    return "stop" if figure >= stop else "look"


def checks_frame(checks: Iterable[TrustCheck]) -> pd.DataFrame:
    """Return checks as a table, one row a check (index ``name``), without their details."""
    columns = ["name", "verdict", "figure", "figure_name", "threshold", "advice"]
    rows = [[getattr(check, column) for column in columns] for check in checks]
    return pd.DataFrame(rows, columns=columns).set_index("name")
