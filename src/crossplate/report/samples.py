"""What is known of each sample, column by column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

Texts = tuple[str | None, ...]

__all__ = ["Samples"]


@dataclass(frozen=True)
class Samples:
    """Samples of source and target, one entry a sample throughout.

    Attributes
    ----------
    batch
        Batch of each sample.
    label
        Known label, None where unknown; None as a whole where no sample has one.
    sample, subject, called
        Sample id, subject and called class, likewise.
    confidence
        Probability of the called class, likewise.
    """

    batch: tuple[str, ...]
    label: Texts | None
    sample: Texts | None = None
    subject: Texts | None = None
    called: Texts | None = None
    confidence: tuple[float | None, ...] | None = None

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Samples:
        """Take the columns ``batch``, ``label``, ``subject``, ``called``, ``confidence``.

        All but the first may be absent; the index holds the sample ids.
        """
        confidence: tuple[float | None, ...] | None = None
        if "confidence" in frame and frame["confidence"].notna().any():
            confidence = tuple(None if pd.isna(one) else float(one) for one in frame["confidence"])
        return cls(
            batch=tuple(frame["batch"].astype(str)),
            label=_texts(frame, "label"),
            sample=tuple(str(name) for name in frame.index),
            subject=_texts(frame, "subject"),
            called=_texts(frame, "called"),
            confidence=confidence,
        )

    def at(self, rows: Iterable[int]) -> Samples:
        """Samples at these positions."""
        places = list(rows)

        def taken(values: tuple[Any, ...] | None) -> Any:
            return None if values is None else tuple(values[place] for place in places)

        return Samples(**{name: taken(values) for name, values in vars(self).items()})


def _texts(frame: pd.DataFrame, name: str) -> Texts | None:
    if name not in frame or not frame[name].notna().any():
        return None
    return tuple(None if pd.isna(value) else str(value) for value in frame[name])
