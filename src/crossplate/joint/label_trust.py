"""How far each label is believed: less where the other subjects speak clearly against it.

A sample that was mixed up, a control who has the disease, a failed injection: a regression bends
towards every one of them, the more the further they lie on the wrong side. If a label in ten is
taken to be possibly wrong, the likelihood of a label is 0.9 of what the regression gives it, plus
0.1 shared by all classes; at its maximum a row counts by the share of the first part (a logistic
regression robust to label noise, [Bootkrajang2012]_). The shares are computed once, from scores of
subjects that were held out, so that no label speaks for itself.

References
----------
.. [Bootkrajang2012] Bootkrajang J., Kabán A. Label-noise robust logistic regression and its
   applications. ECML PKDD 2012, 143-158.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

WRONG_LABELS = 0.1
"""Share of labels that may be wrong. 0.05 to 0.3 do much the same (docs/design/joint-model.md)."""

__all__ = ["label_trust"]


def label_trust(losses: FloatArray, subject: npt.NDArray[np.str_], n_classes: int) -> FloatArray:
    """What each labelled row counts.

    Parameters
    ----------
    losses
        Cross entropy of each row when its subject was held out, shape (n,).
    subject
        Of each row, shape (n,). Rows of a subject count alike.
    n_classes
        Classes that a wrong label may be of.

    Returns
    -------
    Between 0 and 1, shape (n,): how likely it is that the label is no mistake.
    """
    _, place, counts = np.unique(subject, return_inverse=True, return_counts=True)
    of_label = np.exp(-np.bincount(place, losses) / counts)[place]
    meant = (1.0 - WRONG_LABELS) * of_label
    return np.asarray(meant / (meant + WRONG_LABELS / n_classes))
