"""A few negative values that keep logarithms from being taken."""

from __future__ import annotations

import numpy as np

from crossplate.scaling import choose_log_unit
from crossplate.table import SampleTable

FEW_NEGATIVES = 0.1
"""Share of negative cells up to which a table may hold intensities; about half of the cells are
negative in one that was logged and centred."""

__all__ = ["few_negatives"]


def few_negatives(table: SampleTable, log: str) -> tuple[str, ...]:
    """Say so where logs would be taken but for a few negative values.

    A baseline that was taken off a little too far makes intensities near 0 negative.

    Parameters
    ----------
    table
        The samples as measured.
    log
        When logs are taken: nothing is said unless it is ``"auto"``.
    """
    values, batch = table.features.to_numpy(), table.batch.to_numpy(dtype=str)
    negative = values < 0.0
    share = float(negative.mean())
    if log != "auto" or not 0.0 < share <= FEW_NEGATIVES:
        return ()
    if choose_log_unit(np.maximum(values, 0.0), batch) is None:
        return ()
    return (
        f"{int(negative.sum())} cells ({100 * share:.2g}%) are negative, so no logarithms were "
        "taken; if these are intensities, set negative values to 0 in the table: their logarithms "
        "are less skewed, and batches differ less on that scale",
    )
