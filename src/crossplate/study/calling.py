"""Which calls are sure enough to be made, by what was seen on the source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from crossplate.evaluate.subjects import by_subject, subject_labels
from crossplate.evaluate.trust import NOT_CALLED, Calling, call, calling_threshold

__all__ = ["Called", "call_again", "call_samples", "call_subjects"]


@dataclass(frozen=True)
class Called:
    """Which of the target's samples, or subjects, are called.

    Parameters
    ----------
    calling
        The least confidence, and how it was chosen.
    called
        True for each row that is called, in the order of the predictions.
    accuracy
        Of the called rows whose label is known; None without one.
    """

    calling: Calling
    called: pd.Series
    accuracy: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            **self.calling.to_dict(),
            "coverage": float(self.called.mean()),
            "n_called": int(self.called.sum()),
            "n_not_called": int((~self.called).sum()),
            "accuracy_of_called": self.accuracy,
        }


def call_samples(
    held_out: pd.DataFrame, held_out_label: pd.Series, proba: pd.DataFrame, truth: pd.Series
) -> Called:
    """Call the target samples whose confidence is that of right calls on the source.

    Parameters
    ----------
    held_out
        Class probabilities of source samples that the model had not learned from, one row a
        sample, columns named by class.
    held_out_label
        Their labels.
    proba
        Class probabilities of the target samples, same columns.
    truth
        Labels of the target samples, missing where unknown; read for the accuracy alone.
    """
    calling = calling_threshold(held_out, held_out_label.to_numpy(dtype=object))
    return _called(calling, proba, truth)


def call_subjects(
    held_out: pd.DataFrame,
    held_out_label: pd.Series,
    subject: pd.Series,
    proba: pd.DataFrame,
    truth: pd.Series,
) -> Called:
    """Call the target subjects likewise.

    Parameters
    ----------
    held_out, held_out_label
        As in :func:`call_samples`.
    subject
        Subject of each source sample.
    proba
        Class probabilities of the target subjects.
    truth
        Their labels, missing where unknown.
    """
    people = by_subject(held_out, subject)
    label = subject_labels(held_out_label, subject).loc[people.index]
    named = people[[f"p_{name}" for name in held_out.columns]].set_axis(held_out.columns, axis=1)
    return _called(calling_threshold(named, label.to_numpy(dtype=object)), proba, truth)


def call_again(calling: Mapping[str, Any], proba: pd.DataFrame, truth: pd.Series) -> Called:
    """Call samples or subjects of a plate that came later, as those of the run were.

    Parameters
    ----------
    calling
        What :meth:`Called.to_dict` gave for samples, or for subjects, of the run.
    proba, truth
        As in :func:`call_samples`.
    """
    known = {one.name: calling[one.name] for one in fields(Calling)}
    return _called(Calling(**known), proba, truth)


def _called(calling: Calling, proba: pd.DataFrame, truth: pd.Series) -> Called:
    calls, _ = call(proba, calling)
    called = calls != NOT_CALLED
    right = calls.to_numpy(dtype=object) == truth.to_numpy(dtype=object)
    scored = called.to_numpy() & truth.notna().to_numpy()
    accuracy = float(np.mean(right[scored])) if scored.any() else None
    return Called(calling, called.rename("called"), accuracy)
