"""Notice a target batch that looks as if it were in other units than the source."""

import numpy as np
from numpy.typing import ArrayLike

from crossplate.table import SampleTable

#: The source's usual range of a feature, as quantiles.
USUAL_RANGE = (0.005, 0.995)
#: Share of features out of range from which a batch is reported. A shift between plates moves
#: single features out of the range; another unit or transform moves most of them.
REPORTED_SHARE = 0.5


def unusual_targets(table: SampleTable, source_mask: ArrayLike) -> tuple[str, ...]:
    """Report target batches most of whose features lie where the source never is.

    A feature is out of range in a batch if the median of the batch lies outside the 0.5 % to
    99.5 % quantiles of the source. Missing values are left out.

    Parameters
    ----------
    table
        Source and target together.
    source_mask
        Bool, shape (n,), true for the samples of the source.

    Returns
    -------
    notices
        One sentence for each batch with more than half of its features out of range: how many,
        and the median over the features of the ratio of medians, target to source. Empty if all
        is well. To be given to `SampleTable.with_notices`.
    """
    mask = np.asarray(source_mask, dtype=bool)
    source = table.features.loc[mask]
    target = table.select(~mask)
    low, high = (source.quantile(share).to_numpy() for share in USUAL_RANGE)
    source_median = source.median().to_numpy()
    notices = []
    for name in target.batches:
        median = target.features.loc[(target.batch == name).to_numpy()].median().to_numpy()
        known = ~np.isnan(median) & ~np.isnan(source_median)
        outside = known & ((median < low) | (median > high))
        if not known.any() or outside.sum() <= REPORTED_SHARE * known.sum():
            continue
        divisible = known & (source_median != 0)
        ratio = ""
        if divisible.any():
            typical = np.median(median[divisible] / source_median[divisible])
            ratio = f" (the typical ratio of medians, target to source, is {typical:.3g})"
        notices.append(
            f"batch {name}: the median of {outside.sum()} of {known.sum()} features lies outside "
            f"their usual range in the source{ratio}; check that both are in the same units and on "
            "the same scale (logarithm or not)"
        )
    return tuple(notices)
