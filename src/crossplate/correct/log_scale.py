"""Correct on the log scale and give back original units, whichever corrector is used."""

from __future__ import annotations

from inspect import signature
from typing import Any, ClassVar

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from crossplate.correct.base import ONLY_BATCH, Corrector, FloatArray
from crossplate.correct.batch_zscore import BatchZScore
from crossplate.errors import InputError
from crossplate.rows import batch_names
from crossplate.scaling.logs import LogChoice, log_unit, logs_of

__all__ = ["OnLogScale"]


class OnLogScale(Corrector):
    """Take logarithms, correct, and go back to the units of the measurements.

    Most correctors add and scale, which fits logarithms of intensities and not the intensities.
    One that wants raw intensities (``wants_intensities``) gets them: then no log is taken.

    Parameters
    ----------
    corrector
        What corrects; a clone of it is fitted.
    log
        ``"auto"``, the default, takes logs when no value is negative and they make the features
        less skewed within batches (:func:`crossplate.scaling.choose_log_unit`); ``"always"`` or
        ``"never"``.

    Attributes
    ----------
    batches_
        Sorted names of the batches in ``fit``.
    log_unit_
        Unit u of ``log(1 + x/u)``, in units of X; None when no log is taken.
    corrector_
        The fitted corrector.

    Notes
    -----
    A value that the corrector leaves as it is comes back bit for bit. One that it brings below
    log(1) = 0 becomes 0, the least intensity there is; give a corrector that moves the level of
    the whole table (``DWD``) a reference. z-scores (``BatchZScore``) have no units to go back to
    and are returned as they are, those of the logarithms.

    Raises
    ------
    InputError
        Negative values where logs are to be taken, covariates or an order for a corrector that
        takes none, and what the corrector refuses.
    """

    __metadata_request__fit: ClassVar = {"batch": True, "covariates": True, "order": True}
    __metadata_request__transform: ClassVar = {"batch": True, "covariates": True}

    # The corrector inside refuses what it cannot take, in its own name.
    takes_missing: ClassVar[bool] = True
    takes_new_batches: ClassVar[bool] = True
    wants_intensities: ClassVar[bool] = True

    log_unit_: float | None
    corrector_: Corrector

    def __init__(self, corrector: Corrector, *, log: LogChoice = "auto") -> None:
        self.corrector = corrector
        self.log = log

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        batch: Any = None,
        covariates: Any = None,
        order: Any = None,
    ) -> OnLogScale:
        """Learn the log's unit and the correction.

        Parameters
        ----------
        X, y, batch
            As in :meth:`Corrector.fit`.
        covariates
            Known properties of the samples, for a corrector that takes them (``ComBat``).
        order
            Injection order of each row, for a corrector that takes it (``NormAE``).
        """
        if self.log not in ("auto", "always", "never"):
            raise InputError(f"log is {self.log!r}; give 'auto', 'always' or 'never'")
        x = self._validated(X, reset=True)
        names = np.full(len(x), ONLY_BATCH) if batch is None else batch_names(batch, len(x))
        self.batches_ = np.unique(names)
        wants_intensities = self.corrector.wants_intensities
        self.log_unit_ = None if wants_intensities else log_unit(self.log, x, names)
        more = self._passed_on(covariates=covariates, order=order)
        self.corrector_ = clone(self.corrector).fit(
            logs_of(x, self.log_unit_), y, batch=names, **more
        )
        return self

    def transform(self, X: Any, *, batch: Any = None, covariates: Any = None) -> FloatArray:
        """Corrected measurements.

        Parameters
        ----------
        X, batch
            As in :meth:`Corrector.transform`.
        covariates
            As in :meth:`fit`, needed if given there.

        Returns
        -------
        Shape (n, p), in units of X.
        """
        check_is_fitted(self)
        x = self._validated(X, reset=False)
        names = self._batches_of(batch, len(x))
        before = logs_of(x, self.log_unit_)
        more = self._passed_on(covariates=covariates)
        after: FloatArray = self.corrector_.transform(before, batch=names, **more)
        if self.log_unit_ is None or isinstance(self.corrector_, BatchZScore):
            return after
        back = np.maximum(np.expm1(after), 0.0) * self.log_unit_
        return np.where(after == before, x, back)

    def fit_transform(
        self,
        X: Any,
        y: Any = None,
        *,
        batch: Any = None,
        covariates: Any = None,
        order: Any = None,
    ) -> FloatArray:
        """Fit, then correct the same rows; parameters as in :meth:`fit`."""
        fitted = self.fit(X, y, batch=batch, covariates=covariates, order=order)
        return fitted.transform(X, batch=batch, covariates=covariates)

    def _passed_on(self, **more: Any) -> dict[str, Any]:
        """What was given beside the rows, if the corrector takes it."""
        given = {name: value for name, value in more.items() if value is not None}
        taken = signature(self.corrector.fit).parameters
        for name in given:
            if name not in taken:
                raise InputError(f"{type(self.corrector).__name__} takes no {name}; leave it out")
        return given

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.corrector.takes_missing
        return tags
