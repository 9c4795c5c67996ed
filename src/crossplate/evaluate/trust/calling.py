"""Leaving uncertain samples uncalled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from crossplate.errors import InputError
from crossplate.evaluate.scores import Labels
from crossplate.evaluate.trust.units import codes_of_columns

__all__ = ["NOT_CALLED", "Calling", "call", "calling_threshold"]

NOT_CALLED = "not called"


@dataclass(frozen=True)
class Calling:
    """From which confidence on a sample is called.

    Attributes
    ----------
    threshold
        Least probability of the predicted class; None where no threshold reaches the wanted
        accuracy, and then nothing is called.
    wanted_accuracy
        Accuracy among called samples that was asked for.
    source_accuracy, source_coverage
        Accuracy among called source samples, and their share; None and 0 without a threshold.
    n_source
        Source samples the threshold was chosen on.
    """

    threshold: float | None
    wanted_accuracy: float
    source_accuracy: float | None
    source_coverage: float
    n_source: int

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values that ``json.dumps`` accepts."""
        return {
            "threshold": self.threshold,
            "wanted_accuracy": self.wanted_accuracy,
            "source_accuracy": self.source_accuracy,
            "source_coverage": self.source_coverage,
            "n_source": self.n_source,
        }


def calling_threshold(
    proba: pd.DataFrame, label: Labels, *, wanted_accuracy: float = 0.95
) -> Calling:
    """Choose the lowest confidence from which on calls are as accurate as wanted.

    Source samples are taken in order of confidence, and as many are called as keep
    (errors + 1) / (called + 1) at or below 1 - ``wanted_accuracy``. The one error added, as in
    conformal risk control [Angelopoulos2024]_, makes up for choosing the threshold on the samples
    it is judged on; it takes 19 samples without an error to reach 0.95.

    Parameters
    ----------
    proba
        Class probabilities of source samples from cross-validation, one row a sample (or subject:
        then for subjects alone), columns named by class. Rows with NaN are left out.
    label
        Label of each row; rows without one are left out.
    wanted_accuracy
        Between 0 and 1. 0.95 as for other diagnostic claims; the coverage says what it costs.

    Raises
    ------
    InputError
        If the accuracy is out of range, no row has label and probabilities, or a label is none of
        the columns.

    References
    ----------
    .. [Angelopoulos2024] A. N. Angelopoulos et al., Conformal risk control, ICLR 2024.
    """
    if not 0 < wanted_accuracy < 1:
        raise InputError(f"wanted_accuracy is {wanted_accuracy!r}; give a number between 0 and 1.")
    codes = codes_of_columns(proba, label, np.ones(len(proba), dtype=bool))
    p = proba.to_numpy(np.float64)
    rows = np.isfinite(p).all(axis=1) & (codes >= 0)
    if not rows.any():
        raise InputError("No row has a label and probabilities to choose a threshold on.")
    confidence = p[rows].max(axis=1)
    wrong = p[rows].argmax(axis=1) != codes[rows]
    order = np.argsort(-confidence, kind="stable")
    confidence, wrong = confidence[order], wrong[order]
    errors, called = np.cumsum(wrong), np.arange(1, len(wrong) + 1)
    # Samples of equal confidence are called together or not at all.
    last_of_equal = np.append(confidence[1:] < confidence[:-1], True)
    good = last_of_equal & ((errors + 1) / (called + 1) <= 1 - wanted_accuracy + 1e-12)
    n = len(wrong)
    if not good.any():
        return Calling(None, wanted_accuracy, None, 0.0, n)
    k = int(np.flatnonzero(good)[-1])
    return Calling(
        threshold=float(confidence[k]),
        wanted_accuracy=wanted_accuracy,
        source_accuracy=float(1 - errors[k] / called[k]),
        source_coverage=float(called[k] / n),
        n_source=n,
    )


def call(proba: pd.DataFrame, calling: Calling) -> tuple[pd.Series[Any], float]:
    """Call the samples that are confident enough.

    Parameters
    ----------
    proba
        Class probabilities of target samples, columns named by class.
    calling
        From `calling_threshold`, on samples of the same kind (spectra or subjects).

    Returns
    -------
    Predicted class of each row, `NOT_CALLED` where the confidence is below the threshold, and the
    coverage: the share that is called.
    """
    p = proba.to_numpy(np.float64)
    names = np.array(proba.columns, dtype=object)
    least = np.inf if calling.threshold is None else calling.threshold
    sure = p.max(axis=1) >= least
    calls = np.where(sure, names[p.argmax(axis=1)], NOT_CALLED)
    coverage = float(sure.mean()) if len(sure) else 0.0
    return pd.Series(calls, index=proba.index, dtype=object, name="called"), coverage
