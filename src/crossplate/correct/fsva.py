"""Frozen surrogate variable analysis: new samples cleaned by what a labelled study has taught."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from crossplate.correct.base import FloatArray, Names
from crossplate.correct.fitted_rows import UNKNOWN, positions_of
from crossplate.correct.frozen_surrogates import FrozenStudy, freeze_study
from crossplate.correct.surrogate import NumberRule
from crossplate.correct.sva import SVA
from crossplate.errors import InputError
from crossplate.rows import UNLABELLED

__all__ = ["FSVA"]


class FSVA(SVA):
    """Frozen surrogate variable analysis [Parker2014]_: SVA for prediction.

    ``fit`` learns from the labelled rows only, as :class:`~crossplate.correct.sva.SVA` does, and
    ignores rows without a label. ``transform`` returns the labelled rows of ``fit``, known again
    by their values, as the cleaned study, and takes all others for new samples: their surrogate
    variables are found without a label, and the study's effects are taken out of them.

    The batches are not read, so that a new batch is corrected as any other. A corrector that was
    fitted for ``exact=True`` holds as much data as its labelled rows.

    Parameters
    ----------
    n_surrogates, number, random_state
        As in :class:`~crossplate.correct.sva.SVA`.
    exact
        True appends each new sample to the study in turn, so that its result depends on itself
        only. False projects the new samples and standardises over those given together, which
        depends on their mix and needs at least two.

    Attributes
    ----------
    batches_
        Sorted names of the batches in ``fit``.
    n_surrogates_, surrogates_, effects_, weights_, fitted_rows_
        As in :class:`~crossplate.correct.sva.SVA`, of the labelled rows.
    centre_
        Mean of each feature over the labelled rows, shape (p,).
    axes_, strengths_
        Principal axes of the weighted study, shape (r, p), and singular values, shape (r,);
        r = k for ``exact=False``.
    alignment_
        Product of each surrogate variable with the study's coordinates on these axes, shape
        (k, r).

    Raises
    ------
    InputError
        Fewer than two classes among the labelled rows, labels confounded with the hidden
        variation, more surrogate variables asked for than the rows bear, or a single new sample
        with ``exact=False``.

    References
    ----------
    .. [Parker2014] Parker H. S., Corrada Bravo H., Leek J. T. Removing batch effects for
       prediction problems with frozen surrogate variable analysis. PeerJ 2, e561 (2014).
       doi:10.7717/peerj.561
    """

    takes_new_batches: ClassVar[bool] = True

    centre_: FloatArray
    axes_: FloatArray
    strengths_: FloatArray
    alignment_: FloatArray

    def __init__(
        self,
        *,
        n_surrogates: int | None = None,
        number: NumberRule = "be",
        exact: bool = True,
        random_state: int | None = None,
    ) -> None:
        super().__init__(n_surrogates=n_surrogates, number=number, random_state=random_state)
        self.exact = exact

    def _fit(self, x: FloatArray, batch: Names, y: Any) -> None:
        codes = self._codes(y, len(x))
        labelled = codes != UNLABELLED
        self._learn(x[labelled], codes[labelled])
        study = freeze_study(x[labelled], self.weights_, self.surrogates_)
        used = len(study.strengths) if self.exact else self.n_surrogates_
        self.centre_ = study.centre
        self.axes_ = study.axes[:used]
        self.strengths_ = study.strengths[:used]
        self.alignment_ = study.alignment[:, :used]

    def _correct(self, x: FloatArray, batch: Names) -> FloatArray:
        positions = positions_of(x, self.fitted_rows_)
        new = positions == UNKNOWN
        surrogates = np.empty((len(x), self.n_surrogates_))
        surrogates[~new] = self.surrogates_[positions[~new]]
        if new.any():
            surrogates[new] = self._new_surrogates(x[new])
        return x - surrogates @ self.effects_

    def _new_surrogates(self, x: FloatArray) -> FloatArray:
        study = FrozenStudy(
            self.centre_,
            self.weights_,
            self.axes_,
            self.strengths_,
            self.alignment_,
            len(self.fitted_rows_),
        )
        if self.exact:
            return study.exact(x)
        if len(x) < 2:
            raise InputError(
                "exact=False standardises over the new samples and cannot correct a single one: "
                "give several together, or use exact=True"
            )
        return study.fast(x)
