"""What is to be known of a correction that was not asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from crossplate.correct.batch_zscore import BatchZScore
from crossplate.correct.log_scale import OnLogScale
from crossplate.correct.no_correction import NoCorrection
from crossplate.correct.ratio_g import RatioG
from crossplate.correct.sva import SVA
from crossplate.evaluate.trust import check_confounding
from crossplate.study.few_negatives import few_negatives
from crossplate.table import SampleTable

__all__ = ["new_batches", "notices_of_fit"]


def notices_of_fit(table: SampleTable, corrector: OnLogScale) -> tuple[str, ...]:
    """Sentences about a table and the corrector fitted to it.

    Labels, where there are any, are looked at only to see whether they go with the batches.

    Parameters
    ----------
    table
        The samples as measured.
    corrector
        Fitted to them.
    """
    return (
        *_single_batch(table, corrector),
        *_confounded(table),
        *_without_positive(corrector, table.features.columns),
        *_other_units(corrector),
        *(() if corrector.corrector_.wants_intensities else few_negatives(table, corrector.log)),
    )


def new_batches(corrector: OnLogScale, table: SampleTable) -> tuple[str, ...]:
    """Sentences about batches that were not in the fit.

    Parameters
    ----------
    corrector
        The fitted corrector.
    table
        New samples.
    """
    if isinstance(corrector.corrector_, NoCorrection | SVA):  # these do not look at batches
        return ()
    return tuple(
        f"batch '{name}' was not in the fit and was corrected by its own "
        f"{int((table.batch == name).sum())} samples: give all there are of it together"
        for name in table.batches
        if name not in corrector.batches_
    )


def _single_batch(table: SampleTable, corrector: OnLogScale) -> Sequence[str]:
    if len(table.batches) > 1:
        return ()
    later = (
        "; batches given to crossplate apply later are brought to it"
        if corrector.corrector_.takes_new_batches
        else ""
    )
    return (f"all samples are of batch '{table.batches[0]}', so nothing was corrected{later}",)


def _confounded(table: SampleTable) -> Sequence[str]:
    if table.label is None or not table.labelled.any():
        return ()
    check = check_confounding(table.batch, table.label, table.subject)
    if check.verdict in (None, "ok"):
        return ()
    return (
        f"batch and label go together (Cramer's V = {check.figure:.2f}): a correction takes part "
        "of the difference between the labels away with that between the batches",
    )


def _without_positive(corrector: OnLogScale, names: pd.Index) -> Sequence[str]:
    inside = corrector.corrector_
    if not isinstance(inside, RatioG) or len(inside.batches_) == 1:
        return ()
    absent = np.any([mean == 0.0 for mean in inside.mean_.values()], axis=0)
    if not absent.any():
        return ()
    return (
        f"{int(absent.sum())} of {len(names)} features have no positive value in some batch and "
        f"were left as they are there, such as '{names[absent][0]}'",
    )


def _other_units(corrector: OnLogScale) -> Sequence[str]:
    inside = corrector.corrector_
    if len(inside.batches_) == 1:
        return ()
    if isinstance(inside, BatchZScore):
        return ("the corrected values are z-scores, not intensities",)
    if isinstance(inside, RatioG) and inside.reference_ is None:
        return ("the corrected values are ratios to each batch's geometric mean, not intensities",)
    return ()
