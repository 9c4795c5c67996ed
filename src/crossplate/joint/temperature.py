"""How sure a committee may be: one temperature for its mean probabilities.

Members of small studies are penalised heavily, so that where classes are easily told their
probabilities stay near even although all calls are right; where classes are hard to tell they are
too sure. Rows of the source that a logistic regression of the same ridge has not learned from say
by how much: the factor of its scores that makes their log loss least. On another plate calls are
wrong more often than on held-out rows of the same one, so that factor is lowered
(docs/design/joint-model.md has the figures). No row of a target takes part.

A temperature changes no call: the likeliest class stays the likeliest.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.model_selection import RepeatedStratifiedKFold

from crossplate.joint.settings import JointSettings

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

NONE = 1.0
"""The temperature that changes nothing."""
N_SPLITS, ROUNDS = 10, 3
"""Folds, and how often they are drawn anew: at 100 rows a single round's factor depends much on
which rows share a fold."""
ENOUGH_ROWS = 500
"""Held-out rows that say enough; in large studies not all folds are needed for them."""
CAUTION = 2 / 3
"""What the source's factor is multiplied by on another plate."""
SPREAD = 2.0
"""Standard deviation of the factor's logarithm before rows are seen: a few rows, all right, would
otherwise ask for probabilities of 0 and 1."""
LEAST, MOST = 0.05, 20.0
MOST_ITERATIONS = 1000

__all__ = ["NONE", "fit_temperature", "tempered", "tempered_mean"]


def tempered(proba: FloatArray, temperature: float) -> FloatArray:
    """Class probabilities to the power of 1 / temperature, made to add to 1 again.

    Parameters
    ----------
    proba
        Shape (…, C).
    temperature
        Above 1 less sure, below 1 surer, 1 as they are.
    """
    if temperature == NONE:
        return proba
    # relative to the likeliest, so that the sum cannot vanish
    powers = (proba / proba.max(axis=-1, keepdims=True)) ** (1.0 / temperature)
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def tempered_mean(members: FloatArray, temperature: float) -> FloatArray:
    """Class probabilities of a committee.

    Parameters
    ----------
    members
        Those of each member, shape (members, n, C).
    temperature
        As in :func:`tempered`.
    """
    return tempered(np.asarray(members.mean(axis=0)), temperature)


def fit_temperature(
    z: FloatArray,
    codes: IntArray,
    subject: npt.NDArray[np.str_] | None,
    n_outputs: int,
    ridge: float,
    settings: JointSettings,
) -> float:
    """Temperature of a committee with linear heads.

    Parameters
    ----------
    z
        Scaled rows, shape (n, p).
    codes
        Class code of each row, negative for none, shape (n,).
    subject
        Subject of each row; None takes each row for one.
    n_outputs
        Outputs of the discriminator: 1 for two classes, else one a class.
    ridge
        Of the members.
    settings
        Class weights of the members' loss.

    Returns
    -------
    1 where nothing can be held out (a class of one subject), where the discriminators have hidden
    layers, and where they have no ridge.
    """
    if not (settings.residual and ridge and settings.gamma) or settings.head:
        return NONE
    rows = np.flatnonzero(codes >= 0)
    who = rows.astype(str) if subject is None else subject[rows]
    tested, scores = _held_out_scores(
        _rotated(z[rows]), codes[rows], who, n_outputs, ridge, settings
    )
    if not len(tested):
        return NONE
    truth = codes[rows][tested]
    weights = np.bincount(truth)[truth] ** -settings.class_balance
    n_subjects = len(np.unique(who[tested]))

    def loss(log_factor: float) -> float:
        of_truth = log_softmax(np.exp(log_factor) * scores, axis=1)[np.arange(len(truth)), truth]
        entropy = -np.average(of_truth, weights=weights)
        return float(n_subjects * entropy + 0.5 * (log_factor / SPREAD) ** 2)

    found = minimize_scalar(loss, bounds=(np.log(LEAST), np.log(MOST)), method="bounded")
    return float(1.0 / (CAUTION * np.exp(found.x)))


def _rotated(z: FloatArray) -> FloatArray:
    """Rows in as many coordinates as they span, in which a ridge costs the same."""
    if z.shape[1] <= len(z):
        return z
    u, sizes, _ = np.linalg.svd(z, full_matrices=False)
    return np.asarray(u * sizes)


def _held_out_scores(
    z: FloatArray,
    codes: IntArray,
    who: npt.NDArray[np.str_],
    n_outputs: int,
    ridge: float,
    settings: JointSettings,
) -> tuple[IntArray, FloatArray]:
    """Class scores by regressions that did not learn from a row's subject.

    Returns
    -------
    Row numbers, each as often as it was held out, and their scores, shape (held out, C); none where
    a class has one subject.
    """
    from sklearn.linear_model import LogisticRegression

    n_classes = max(n_outputs, 2)
    people, first, person = np.unique(who, return_index=True, return_inverse=True)
    fewest = int(np.bincount(codes[first], minlength=n_classes).min())
    rows: list[IntArray] = [np.empty(0, dtype=np.int64)]
    scores: list[FloatArray] = [np.empty((0, n_classes))]
    if fewest < 2:
        return rows[0], scores[0]
    folds = RepeatedStratifiedKFold(
        n_splits=min(N_SPLITS, fewest), n_repeats=ROUNDS, random_state=0
    )
    for _, chosen in folds.split(people, codes[first]):
        tested = np.isin(person, chosen)
        taught = codes[~tested]
        counts = np.bincount(taught, minlength=n_classes)
        if not counts.all():
            continue
        shares = counts ** (1.0 - settings.class_balance)
        weights = dict(enumerate(counts**-settings.class_balance * len(taught) / shares.sum()))
        model = LogisticRegression(C=1.0 / ridge, class_weight=weights, max_iter=MOST_ITERATIONS)
        its = model.fit(z[~tested], taught).decision_function(z[tested]).reshape(-1, n_outputs)
        rows.append(np.flatnonzero(tested))
        scores.append(np.hstack([np.zeros_like(its), its]) if n_outputs == 1 else its)
        if sum(map(len, rows)) >= ENOUGH_ROWS:
            break
    return np.concatenate(rows), np.concatenate(scores)
