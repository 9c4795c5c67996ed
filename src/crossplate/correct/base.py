"""What all correctors share: their signature, their checks and the routing of ``batch``."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from crossplate.errors import InputError
from crossplate.rows import batch_names

FloatArray = npt.NDArray[np.float64]
Names = npt.NDArray[np.str_]

ONLY_BATCH = "all"
"""Name of the one batch that rows given without batches belong to."""

__all__ = ["ONLY_BATCH", "Corrector", "FloatArray", "Names"]


class Corrector(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Base of the correctors: ``fit(X, y, batch=...)``, then ``transform(X, batch=...)``.

    A corrector fills in :meth:`_fit` and :meth:`_correct`, which get checked arrays. Its fitted
    attributes are arrays, numbers, texts and dictionaries of these with text keys, so that every
    corrector is saved the same way.

    Attributes
    ----------
    batches_
        Sorted names of the batches in ``fit``.
    """

    # With metadata routing on, pipelines and searches pass batch on without further requests.
    __metadata_request__fit: ClassVar = {"batch": True}
    __metadata_request__transform: ClassVar = {"batch": True}

    takes_missing: ClassVar[bool] = False
    """Whether NaN is allowed and left in place; otherwise it is an error."""
    takes_new_batches: ClassVar[bool] = False
    """Whether ``transform`` corrects batches that were not in ``fit``."""
    wants_intensities: ClassVar[bool] = False
    """Whether the method works on raw intensities; all others are meant for log or similar data."""

    batches_: Names

    def fit(self, X: Any, y: Any = None, *, batch: Any = None) -> Corrector:
        """Learn the correction.

        Parameters
        ----------
        X
            Measurements, samples in rows, shape (n, p).
        y
            Labels, shape (n,), None or NaN where unknown. Only methods that say so read them.
        batch
            Batch of each row, shape (n,); None takes all rows for one batch.

        Raises
        ------
        InputError
            What this method cannot correct, said in one sentence.
        ValueError
            An X that scikit-learn's checks refuse.
        """
        x, names = self._begin(X, batch)
        self._fit(x, names, y)
        return self

    def transform(self, X: Any, *, batch: Any = None) -> FloatArray:
        """Corrected measurements.

        Parameters
        ----------
        X
            Measurements, shape (n, p).
        batch
            Batch of each row, shape (n,); None where ``fit`` saw one batch only.

        Returns
        -------
        Shape (n, p).

        Raises
        ------
        InputError
            No batch given although there were several, or a batch that this method cannot
            correct because it was not in ``fit``.
        """
        check_is_fitted(self)
        x = self._validated(X, reset=False)
        return self._correct(x, self._batches_of(batch, len(x)))

    def fit_transform(self, X: Any, y: Any = None, *, batch: Any = None) -> FloatArray:
        """Fit, then correct the same rows; parameters as in :meth:`fit`."""
        return self.fit(X, y, batch=batch).transform(X, batch=batch)

    def _begin(self, X: Any, batch: Any) -> tuple[FloatArray, Names]:
        """What ``fit`` got, checked: rows and the batch of each."""
        x = self._validated(X, reset=True)
        names = np.full(len(x), ONLY_BATCH) if batch is None else batch_names(batch, len(x))
        self.batches_ = np.unique(names)
        return x, names

    def _fit(self, x: FloatArray, batch: Names, y: Any) -> None:
        raise NotImplementedError

    def _correct(self, x: FloatArray, batch: Names) -> FloatArray:
        """Corrected rows as a new array; ``x`` is left as it is."""
        raise NotImplementedError

    def _validated(self, X: Any, *, reset: bool) -> FloatArray:
        finite = "allow-nan" if self.takes_missing else True
        checked = validate_data(self, X, reset=reset, dtype=np.float64, ensure_all_finite=finite)
        return np.asarray(checked)

    def _batches_of(self, batch: Any, n_rows: int) -> Names:
        if batch is None:
            if len(self.batches_) > 1:
                raise InputError(
                    "batch is needed to tell the rows' batches apart; fitted batches are "
                    f"{', '.join(self.batches_)}"
                )
            return np.full(n_rows, self.batches_[0])
        names = batch_names(batch, n_rows)
        new = np.setdiff1d(names, self.batches_)
        if len(new) and not self.takes_new_batches:
            raise InputError(
                f"batch {str(new[0])!r} was not in fit, and {type(self).__name__} cannot correct a "
                "new batch: fit it again with that batch among the rows"
            )
        return names

    def _reference(self, reference: str | None) -> str | None:
        """The reference batch asked for, if it is among the fitted ones."""
        if reference is not None and str(reference) not in self.batches_:
            raise InputError(
                f"reference batch {str(reference)!r} is not among the batches: "
                f"{', '.join(self.batches_)}"
            )
        return None if reference is None else str(reference)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.takes_missing
        return tags
