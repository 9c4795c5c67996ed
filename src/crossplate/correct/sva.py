"""Surrogate variable analysis: hidden variation removed from a labelled study."""

from __future__ import annotations

from typing import Any

import numpy as np

from crossplate.correct.base import ONLY_BATCH, Corrector, FloatArray, Names
from crossplate.correct.fitted_rows import UNKNOWN, IntArray, fingerprints, positions_of
from crossplate.correct.surrogate import (
    NumberRule,
    Surrogates,
    effects_of,
    label_design,
    learn_surrogates,
)
from crossplate.errors import InputError
from crossplate.rows import UNLABELLED, batch_names, encode_labels

__all__ = ["SVA"]


class SVA(Corrector):
    """Surrogate variable analysis [Leek2007]_, [Leek2008]_ of a study with every label known.

    Finds variation that many features share and the labels do not explain, and takes it out of
    the samples it was found in. There is no correction for other samples: ``transform`` takes
    rows of ``fit`` (any of them, in any order) and refuses others. It serves the analysis of a
    study, not prediction; :class:`~crossplate.correct.fsva.FSVA` is its form for that.

    The batches are not read: the method finds what they did from the measurements.

    Parameters
    ----------
    n_surrogates
        Number of surrogate variables; 0 corrects nothing. None estimates it, which may find
        none.
    number
        How: ``"be"`` compares with 20 permutations of the residuals, ``"leek"`` uses the
        asymptotics of many features. The first is the published default.
    random_state
        Seed of the permutations.

    Attributes
    ----------
    batches_
        Sorted names of the batches in ``fit``.
    n_surrogates_
        Number of surrogate variables.
    surrogates_
        Surrogate variables of the fitted samples, shape (n, k).
    effects_
        Effect of each on each feature, shape (k, p); 0 for constant features.
    weights_
        Weight of each feature in the surrogate variables, shape (p,).
    fitted_rows_
        Fingerprints by which rows of ``fit`` are known again, shape (n,).

    Raises
    ------
    InputError
        A sample without a label, fewer than two classes, labels confounded with the hidden
        variation, more surrogate variables asked for than the samples bear, or rows in
        ``transform`` that were not in ``fit``.

    References
    ----------
    .. [Leek2007] Leek J. T., Storey J. D. Capturing heterogeneity in gene expression studies by
       surrogate variable analysis. PLoS Genetics 3, e161 (2007).
       doi:10.1371/journal.pgen.0030161
    .. [Leek2008] Leek J. T., Storey J. D. A general framework for multiple testing dependence.
       PNAS 105, 18718-18723 (2008). doi:10.1073/pnas.0808709105
    """

    n_surrogates_: int
    surrogates_: FloatArray
    effects_: FloatArray
    weights_: FloatArray
    fitted_rows_: IntArray

    def __init__(
        self,
        *,
        n_surrogates: int | None = None,
        number: NumberRule = "be",
        random_state: int | None = None,
    ) -> None:
        self.n_surrogates = n_surrogates
        self.number = number
        self.random_state = random_state

    def _fit(self, x: FloatArray, batch: Names, y: Any) -> None:
        codes = self._codes(y, len(x))
        missing = np.flatnonzero(codes == UNLABELLED)
        if len(missing):
            raise InputError(
                f"SVA needs the label of every sample, and {len(missing)} have none (first: row "
                f"{missing[0] + 1}); leave them out or use FSVA, which learns from the others"
            )
        self._learn(x, codes)

    def _codes(self, y: Any, n_rows: int) -> IntArray:
        if y is None:
            raise InputError(
                f"{type(self).__name__} requires y to be passed, but the target y is None: give "
                "the labels, which are what it keeps"
            )
        _, codes = encode_labels(y)
        if len(codes) != n_rows:
            raise InputError(f"y has {len(codes)} entries for {n_rows} rows; give one a row")
        return codes

    def _learn(self, x: FloatArray, codes: IntArray) -> None:
        """Fill in what is learned from labelled rows."""
        found = self._found_surrogates(x, codes)
        self.surrogates_ = found.variables
        self.n_surrogates_ = found.variables.shape[1]
        self.weights_ = found.weights
        self.effects_ = effects_of(found.variables, x, label_design(codes))
        self.fitted_rows_ = fingerprints(x)

    def _found_surrogates(self, x: FloatArray, codes: IntArray) -> Surrogates:
        asked = self.n_surrogates
        if asked is not None and (asked != int(asked) or asked < 0):
            raise InputError(f"n_surrogates is {asked}; give a whole number of 0 or more, or None")
        if self.number not in {"be", "leek"}:
            raise InputError(f'number is {self.number!r}; give "be" or "leek"')
        return learn_surrogates(
            x,
            codes,
            n_surrogates=None if asked is None else int(asked),
            number=self.number,
            rng=np.random.default_rng(self.random_state),
        )

    def _correct(self, x: FloatArray, batch: Names) -> FloatArray:
        positions = positions_of(x, self.fitted_rows_)
        new = np.flatnonzero(positions == UNKNOWN)
        if len(new):
            raise InputError(
                f"{len(new)} rows (first: row {new[0] + 1}) were not in fit, and SVA cannot "
                "correct new samples: use FSVA"
            )
        return x - self.surrogates_[positions] @ self.effects_

    def _batches_of(self, batch: Any, n_rows: int) -> Names:
        # Batches are not used, so that there is none that would be needed or new.
        return np.full(n_rows, ONLY_BATCH) if batch is None else batch_names(batch, n_rows)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
