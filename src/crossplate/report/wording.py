"""How numbers and lists are put into words."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, isfinite, log10

FEWEST_DECIMALS, MOST_DECIMALS = 2, 4
# Smaller numbers are written with a power of ten.
SMALL = 0.001


def decimals(values: Sequence[float], apart: Sequence[float] | None = None) -> int:
    """Fewest decimals, 2 to 4, at which different values look different.

    A value short of 1 must not read 1.00, nor one above 0 read 0.00. ``apart`` are the values to
    be told from one another, if not all.
    """
    different = {*(values if apart is None else apart)}
    for places in range(FEWEST_DECIMALS, MOST_DECIMALS):
        texts = {f"{value:.{places}f}" for value in different}
        rounded = any(
            value not in (0, 1) and float(f"{value:.{places}f}") in (0, 1) for value in values
        )
        if len(texts) == len(different) and not rounded:
            return places
    return MOST_DECIMALS


def alike(values: Sequence[float]) -> list[str]:
    """Write values that are compared with one another with equally many decimals."""
    places = decimals(values)
    return [f"{value:.{places}f}" for value in values]


def decimal(value: float | None, places: int = 3) -> str:
    """Write a number with fixed decimals; a dash where there is none."""
    if value is None or not isfinite(value):
        return "–"
    # Adding 0 turns the -0.0 of a tiny negative number into 0.
    return f"{round(value, places) + 0.0:.{places}f}"


def two_digits(value: float | None) -> str:
    """Write a number that may be very small, such as a p-value; a dash where there is none."""
    if value is None or not isfinite(value):
        return "–"
    if value == 0:
        return "0"
    if abs(value) < SMALL:
        digits, _, exponent = f"{value:.1e}".partition("e")
        return f"{digits}e{int(exponent)}"
    return f"{value:.{max(0, 1 - floor(log10(abs(value))))}f}"


def count_of(n: int, noun: str) -> str:
    """Write a count with its noun: "1 sample", "1,053 samples", "3 batches"."""
    ending = "" if n == 1 else "es" if noun.endswith("ch") or noun.endswith("ss") else "s"
    return f"{n:,} {noun}{ending}"


def listed(names: Sequence[str]) -> str:
    """Write names as "a", "a and b" or "a, b and c"."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def shortened(names: Sequence[str], most: int, noun: str) -> str:
    """Write the first ``most`` names as a list and count the others."""
    if len(names) <= most:
        return listed(names)
    return f"{', '.join(names[:most])} and {count_of(len(names) - most, f'further {noun}')}"


def clipped(text: str, most: int) -> str:
    """Put a text on one line of at most ``most`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
