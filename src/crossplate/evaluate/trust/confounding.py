"""Whether the labels go with the batches among the labelled samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import fisher_exact, random_table

from crossplate.evaluate.scores import Labels
from crossplate.evaluate.trust.check import TrustCheck, Verdict, graded
from crossplate.evaluate.trust.units import label_codes, units_of
from crossplate.rows import batch_names

Counts = NDArray[np.int64]

NAME = "confounding"
FIGURE = "Cramér's V of batch and label among labelled subjects, corrected for bias"
LOOK_V = 0.15
"""Weaker association changes the class shares of two batches by less than 15 points."""
STOP_V = 0.5
"""Two batches with 75 % and 25 % of a class, say."""
LEVEL = 0.01
"""Significance asked for; at 0.05 one sound study in twenty would be reported."""
N_TABLES = 9999

__all__ = ["check_confounding", "cramers_v"]


def cramers_v(table: Counts) -> float:
    """Cramér's V of a contingency table, with the bias correction of [Bergsma2013]_.

    Parameters
    ----------
    table
        Counts, shape (r, k), no empty row or column.

    Returns
    -------
    0 (independent, on average over tables) to 1; 0 for a table of one row or column.

    References
    ----------
    .. [Bergsma2013] W. Bergsma, A bias-correction for Cramér's V and Tschuprow's T, Journal of
       the Korean Statistical Society 42, 2013.
    """
    n = int(table.sum())
    if min(table.shape) < 2 or n < 2:
        return 0.0
    free = np.array(table.shape) - 1
    phi2 = max(0.0, _chi2(table[None])[0] / n - free.prod() / (n - 1))
    rows, columns = table.shape - free**2 / (n - 1)
    fewest = min(rows, columns) - 1
    return float(min(1.0, np.sqrt(phi2 / fewest))) if fewest > 0 else 1.0


def check_confounding(
    batch: Labels, label: Labels, subject: Labels | None = None, *, random_state: int = 0
) -> TrustCheck:
    """Check whether batch and label are confounded among the labelled rows.

    Counts subjects, once a batch. The test of independence is Fisher's exact one for two batches
    and two classes, and the chi-squared statistic over random tables of the same margins for more.
    "look" needs V of `LOOK_V` and significance at `LEVEL`, "stop" V of `STOP_V`; batches that hold
    one class each are always "stop", since nothing then tells batch from label.

    Parameters
    ----------
    batch
        Batch of each row, shape (n,).
    label
        Label of each row, shape (n,), missing where unknown or not to be read.
    subject
        Subject of each row, shape (n,); None counts rows.
    random_state
        Seed of the random tables.

    Returns
    -------
    TrustCheck
        Not applicable with fewer than two labelled batches or two classes.

    Raises
    ------
    InputError
        If the lengths differ or a row has no batch.
    """
    classes, codes = label_codes(label)
    units = units_of(batch, subject, codes)
    known = units.first[codes[units.first] >= 0]
    names = batch_names(batch, len(codes))[known]
    batches, number = np.unique(names, return_inverse=True)
    if len(batches) < 2 or len(classes) < 2:
        what = "batch" if len(batches) < 2 else "class"
        reason = f"All labelled samples are of one {what}, so batch and label cannot go together."
        return TrustCheck.not_applicable(NAME, FIGURE, reason)
    table = np.zeros((len(batches), len(classes)), dtype=np.int64)
    np.add.at(table, (number, codes[known]), 1)
    v, p = cramers_v(table), _independence_p(table, random_state)
    pure = bool(((table > 0).sum(axis=1) == 1).all())
    details = {
        "p_value": p,
        "batches": batches.tolist(),
        "classes": [str(name) for name in classes],
        "subjects_by_batch_and_class": table.tolist(),
    }
    verdict: Verdict = "stop" if pure else graded(v, LOOK_V, STOP_V, p < LEVEL)
    advice = {
        "ok": f"Labels are spread over the labelled batches alike (V = {v:.2f}): nothing to do.",
        "look": f"The shares of the classes differ between the labelled batches (V = {v:.2f}): "
        "compare with a model trained on each batch alone.",
        "stop": f"Batch and label go together (V = {v:.2f}), so a model may learn the batch in "
        "place of the label: measure each class on every batch before you trust any result.",
    }
    return TrustCheck(NAME, verdict, v, FIGURE, LOOK_V, advice[verdict], details)


def _independence_p(table: Counts, random_state: int) -> float:
    if table.shape == (2, 2):
        return float(fisher_exact(table)[1])
    margins = random_table(table.sum(axis=1), table.sum(axis=0))
    drawn = margins.rvs(N_TABLES, random_state=random_state).astype(np.int64)
    # Equal tables may differ in the last digit of their sums.
    at_least = int((_chi2(drawn) >= _chi2(table[None])[0] * (1 - 1e-9)).sum())
    return (1 + at_least) / (1 + N_TABLES)


def _chi2(tables: Counts) -> NDArray[np.float64]:
    """Pearson's statistic of each table, shape (tables, r, k)."""
    rows, columns = tables[0].sum(axis=1), tables[0].sum(axis=0)
    expected = np.outer(rows, columns) / rows.sum()
    return np.asarray(((tables - expected) ** 2 / expected).sum(axis=(1, 2)))
