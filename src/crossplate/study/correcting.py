"""Correcting a table with one method, and new samples with what was fitted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crossplate.correct.log_scale import OnLogScale
from crossplate.correct.registry import (
    CORRECTORS,
    NEED_ALL_LABELS,
    READ_LABELS,
    corrector_class,
    make_corrector,
)
from crossplate.errors import InputError
from crossplate.evaluate import BatchEffect
from crossplate.scaling import LogChoice, log_unit
from crossplate.study.correction_effect import correction_effect
from crossplate.study.correction_notices import new_batches, notices_of_fit
from crossplate.table import SampleTable

if TYPE_CHECKING:
    from crossplate.joint.trainer import EpochLosses

FloatArray = npt.NDArray[np.float64]
Names = npt.NDArray[np.str_]

__all__ = [
    "Correction",
    "CorrectionSettings",
    "apply_correction",
    "correct_table",
    "covariates_of",
]


@dataclass(frozen=True)
class CorrectionSettings:
    """How to correct.

    Parameters
    ----------
    method
        A name of :data:`crossplate.correct.registry.CORRECTORS`.
    reference
        Batch that all others are brought to; None does as the method's publication.
    log
        When to take logs before the correction and go back after it, as in
        :class:`crossplate.correct.log_scale.OnLogScale`.
    random_state
        Seed of what a method draws at random.
    """

    method: str
    reference: str | None = None
    log: LogChoice = "auto"
    random_state: int = 0

    def corrector(self, progress: Callable[[EpochLosses], None] | None = None) -> OnLogScale:
        """Corrector with these settings, not yet fitted.

        Parameters
        ----------
        progress
            Called after every epoch of a method that is trained; a plain function, since
            correctors are cloned.

        Raises
        ------
        InputError
            There is no such method, or it has no reference.
        """
        known = corrector_class(self.method)._get_param_names()
        if self.reference is not None and "reference" not in known:
            raise InputError(f"{self.method} has no reference batch; leave --reference out")
        # an absent feature is told of in a notice, and is no reason to stop
        offered = {
            "reference": self.reference,
            "random_state": self.random_state,
            "no_positive": "pass",
            "progress": progress,
        }
        given = {name: value for name, value in offered.items() if name in known}
        return OnLogScale(make_corrector(self.method, **given), log=self.log)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values that ``json.dumps`` accepts."""
        return asdict(self)


@dataclass(frozen=True)
class Correction:
    """A corrected table.

    Parameters
    ----------
    corrector
        The fitted corrector; it knows the names of its features.
    table
        The samples as measured.
    corrected
        Corrected features, shape (n, p), index and columns of ``table.features``.
    before, after
        Distances between batches in ``table`` and ``corrected``, each in units of its own standard
        deviations within batches, with the same kernels.
    notices
        Sentences about what was decided or is to be known.
    """

    corrector: OnLogScale
    table: SampleTable
    corrected: pd.DataFrame
    before: BatchEffect
    after: BatchEffect
    notices: tuple[str, ...]


def correct_table(
    table: SampleTable,
    settings: CorrectionSettings,
    *,
    covariates: pd.DataFrame | None = None,
    progress: Callable[[EpochLosses], None] | None = None,
) -> Correction:
    """Fit a corrector to a table and correct it.

    Labels reach a method only if it is one that learns from them (``READ_LABELS``).

    Parameters
    ----------
    table
        The samples. Labels of samples to be predicted must not be in it.
    settings
        How to correct.
    covariates
        Known properties of the samples whose effects are kept, for ComBat; one row a sample.
    progress
        Called after every epoch of a method that is trained.

    Raises
    ------
    InputError
        What the method cannot correct, or is not told.
    """
    corrector = settings.corrector(progress)
    batch = table.batch.to_numpy(dtype=str)
    labels = _labels_for(table, settings.method)
    if covariates is not None and settings.method != "combat":
        raise InputError(f"{settings.method} takes no covariates; leave --covariates out")
    _check_missing(table, settings.method, corrector)
    if settings.log == "always":
        _check_not_negative(table, "leave them empty, or choose --log never")
    _check_way_back(table, settings, batch)
    its = {"batch": batch} if covariates is None else {"batch": batch, "covariates": covariates}
    corrector.fit(table.features, labels, **its)
    corrected = _framed(table, corrector.transform(table.features, **its))
    before, after = correction_effect(table, corrected, corrector, settings.log)
    return Correction(
        corrector=corrector,
        table=table,
        corrected=corrected,
        before=before,
        after=after,
        notices=(*table.notices, *notices_of_fit(table, corrector)),
    )


def apply_correction(
    corrector: OnLogScale, table: SampleTable, *, covariates: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Correct new samples.

    Parameters
    ----------
    corrector
        Fitted by :func:`correct_table`.
    table
        The new samples. Features are matched by name.
    covariates
        As in the fit, needed if given there.

    Returns
    -------
    corrected
        The features that are in the table and were in the fit, in the order of the fit.
    notices
        Sentences about features left out and batches that are new.

    Raises
    ------
    InputError
        No common feature, one that is missing although the method needs all, or a batch that the
        method cannot correct.
    """
    known = list(corrector.feature_names_in_)
    present = [name for name in known if name in table.features.columns]
    if not present:
        raise InputError(
            f"none of the {len(known)} features of the fit (such as '{known[0]}') is in the table "
            f"(which has '{table.features.columns[0]}'); features are matched by exact names"
        )
    notices = _feature_notices(corrector, table, known, present)
    table = replace(table, features=table.features.reindex(columns=known))
    inside = corrector.corrector_
    if not inside.takes_missing:
        _refuse_missing(table, type(inside).__name__, "fill them")
    if corrector.log_unit_ is not None:
        _check_not_negative(table, "leave them empty; logs were taken in the fit")
    its: dict[str, Any] = {"batch": table.batch.to_numpy(dtype=str)}
    if covariates is not None:
        its["covariates"] = covariates
    corrected = _framed(table, corrector.transform(table.features, **its))[present]
    return corrected, (*table.notices, *notices, *new_batches(corrector, table))


def covariates_of(table: SampleTable, names: Sequence[str]) -> pd.DataFrame | None:
    """Columns of a table's metadata as covariates; None without names.

    Parameters
    ----------
    table
        The samples.
    names
        Columns that were read as metadata.

    Raises
    ------
    InputError
        A column that is not there, or that serves as batch, label, subject or sample id too.
    """
    for name in names:
        if name not in table.metadata.columns:
            raise InputError(
                f"covariate '{name}' is no column of its own beside batch, label, subject, sample "
                "id and features; name it for one purpose only"
            )
    return table.metadata[list(names)] if names else None


def _labels_for(table: SampleTable, method: str) -> npt.NDArray[np.object_] | None:
    if method not in READ_LABELS:
        return None
    if not table.labelled.any():
        raise InputError(f"{method} learns from labels; name their column with --label")
    missing = int((~table.labelled).sum())
    if missing and method in NEED_ALL_LABELS:
        raise InputError(
            f"{method} needs the label of every sample and {missing} of {table.n_samples} have "
            "none; leave those samples out, or choose fsva, which learns from the others"
        )
    return table.labels_of(table.labelled)


def _check_missing(table: SampleTable, method: str, corrector: OnLogScale) -> None:
    if not corrector.corrector.takes_missing:
        takers = [name for name in CORRECTORS if corrector_class(name).takes_missing]
        _refuse_missing(table, method, f"fill them, or choose one of {', '.join(takers)}")


def _refuse_missing(table: SampleTable, method: str, remedy: str) -> None:
    missing = np.argwhere(table.features.isna().to_numpy())
    if len(missing):
        row, column = missing[0]
        raise InputError(
            f"{method} takes no missing values, and there are {len(missing)} (the first: sample "
            f"'{table.features.index[row]}', feature '{table.features.columns[column]}'); {remedy}"
        )


def _check_not_negative(table: SampleTable, remedy: str) -> None:
    values = table.features.to_numpy()
    negative = np.argwhere(values < 0.0)
    if len(negative):
        row, column = negative[0]
        raise InputError(
            f"sample '{table.features.index[row]}', feature '{table.features.columns[column]}': "
            f"the value {values[row, column]:g} is negative and has no logarithm (such cells: "
            f"{len(negative)}); {remedy}"
        )


def _check_way_back(table: SampleTable, settings: CorrectionSettings, batch: Names) -> None:
    """DWD without a reference moves the level of the whole table, below the log of 0."""
    if settings.method != "dwd" or settings.reference is not None or len(table.batches) < 2:
        return
    if log_unit(settings.log, table.features.to_numpy(), batch) is not None:
        raise InputError(
            "dwd without a reference moves all batches to a level of their own, from where there "
            "is no way back from logs to intensities; name a batch with --reference"
        )


def _framed(table: SampleTable, values: FloatArray) -> pd.DataFrame:
    return pd.DataFrame(values, index=table.features.index, columns=table.features.columns)


def _feature_notices(
    corrector: OnLogScale, table: SampleTable, known: list[str], present: list[str]
) -> tuple[str, ...]:
    notices = []
    missing = len(known) - len(present)
    if missing:
        first = next(name for name in known if name not in table.features.columns)
        text = f"{missing} of the {len(known)} features of the fit are not in the table"
        if not corrector.corrector_.takes_missing:
            raise InputError(
                f"{text}, such as '{first}', and {type(corrector.corrector_).__name__} needs all "
                "of them; measure them, or fit a corrector on the features that there are"
            )
        notices.append(f"{text}, such as '{first}'")
    extra = [name for name in table.features.columns if name not in set(known)]
    if extra:
        notices.append(
            f"{len(extra)} features that were not in the fit were left out, such as '{extra[0]}'"
        )
    return tuple(notices)
