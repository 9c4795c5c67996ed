"""From the samples of a subject to one answer for the subject."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crossplate.errors import InputError
from crossplate.evaluate.scores import Scores, checked_proba, score


def by_subject(proba: pd.DataFrame, subject: pd.Series[str]) -> pd.DataFrame:
    """Combine the class probabilities of each subject's samples [Niu2022].

    A subject's probability of a class is the median over its samples, the medians of all classes
    then divided by their sum. Where all medians are 0 (samples that contradict one another with
    certainty) the means take their place.

    Parameters
    ----------
    proba
        Class probabilities, one row a sample (index = sample ids), one column a class.
    subject
        Subject of each sample, matched by sample id; more samples than in ``proba`` are allowed.
        Samples without a subject are left out.

    Returns
    -------
    pandas.DataFrame
        One row a subject (index ``subject``) in order of first appearance in ``proba``, columns

        - ``n_samples``: samples of the subject;
        - ``predicted``: class of highest probability, of equal ones the first column;
        - ``p_<class>``: one a class, adding to 1;
        - ``spread``: standard deviation (divisor n − 1) over the subject's samples of the
          probability of the predicted class; NaN for a single sample.

    Raises
    ------
    InputError
        If sample ids are repeated, a sample of ``proba`` is not in ``subject``, or a row of
        ``proba`` does not add to 1.
    """
    checked_proba(proba, proba.shape[1])
    groups = _matched(subject, proba.index, "subject")
    proba = proba.loc[groups.notna().to_numpy()]
    groups = groups.dropna()
    by = proba.groupby(groups.to_numpy(), sort=False)
    means = by.mean().to_numpy(dtype=np.float64)
    medians = by.median().to_numpy(dtype=np.float64)
    combined = np.where(medians.sum(axis=1, keepdims=True) > 0, medians, means)
    combined = combined / combined.sum(axis=1, keepdims=True)
    winner = np.argmax(combined, axis=1)
    spreads = by.std(ddof=1).to_numpy(dtype=np.float64)

    result = pd.DataFrame(index=pd.Index(groups.unique(), name="subject", dtype=object))
    result["n_samples"] = by.size().to_numpy()
    result["predicted"] = proba.columns.to_numpy()[winner]
    for column, name in enumerate(proba.columns):
        result[f"p_{name}"] = combined[:, column]
    result["spread"] = spreads[np.arange(len(winner)), winner]
    return result


def subject_labels(label: pd.Series[str], subject: pd.Series[str]) -> pd.Series[str]:
    """Return the one label of each subject.

    Parameters
    ----------
    label
        Label of each sample, index = sample ids; None or NaN where there is none.
    subject
        Subject of each sample, matched by sample id. Samples without a subject are left out.

    Returns
    -------
    pandas.Series
        Label of each subject (index ``subject``) in order of first appearance in ``label``; None
        for a subject none of whose samples has a label. Samples without a label take no part.

    Raises
    ------
    InputError
        If the samples of a subject have different labels; the message names the subject.
    """
    groups = _matched(subject, label.index, "subject")
    pairs = pd.DataFrame({"subject": groups.to_numpy(), "label": label.to_numpy(dtype=object)})
    pairs = pairs[pairs["subject"].notna()]
    order = pairs["subject"].unique()
    known = pairs[pairs["label"].notna()].drop_duplicates()
    repeated = known["subject"].duplicated()
    if repeated.any():
        name = known.loc[repeated, "subject"].iloc[0]
        found = sorted(str(text) for text in known.loc[known["subject"] == name, "label"])
        raise InputError(
            f"Subject {name!r} has samples with different labels ({', '.join(found)}); mend the "
            "labels, or leave the subject column out if the label is one of the sample."
        )
    labels = known.set_index("subject")["label"].reindex(order).astype(object)
    labels = labels.where(labels.notna(), None)
    labels.index.name = "subject"
    return labels


def score_subjects(proba: pd.DataFrame, subject: pd.Series[str], label: pd.Series[str]) -> Scores:
    """Score predictions at subject level: `by_subject` against `subject_labels`.

    Parameters
    ----------
    proba
        Class probabilities, one row a sample (index = sample ids), one column a class.
    subject, label
        Subject and true label of each sample, matched by sample id.

    Raises
    ------
    InputError
        If a subject has contradicting labels or no subject has a label.
    """
    table = by_subject(proba, subject)
    truth = subject_labels(_matched(label, proba.index, "label"), subject)
    probabilities: NDArray[np.float64] = table[[f"p_{name}" for name in proba.columns]].to_numpy()
    return score(truth.loc[table.index].to_numpy(), probabilities, list(proba.columns))


def _matched(values: pd.Series[str], sample_ids: pd.Index[str], what: str) -> pd.Series[str]:
    """Values of the given samples, found by sample id."""
    for index in (values.index, sample_ids):
        if not index.is_unique:
            repeated = index[index.duplicated()][0]
            raise InputError(f"Sample id {repeated!r} occurs more than once; make ids unique.")
    absent = ~sample_ids.isin(values.index)
    if absent.any():
        raise InputError(
            f"{absent.sum()} samples have no entry in the {what} column (the first is "
            f"{sample_ids[absent][0]!r}); give one entry a sample."
        )
    return values.loc[sample_ids]
