"""Labels of a target that came after the run."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from crossplate.errors import InputError
from crossplate.study.roles import Mask
from crossplate.table import SampleTable
from crossplate.table.columns import ID_NAMES, squash

__all__ = ["with_later_labels"]


def with_later_labels(
    table: SampleTable,
    target: Mask,
    labels: pd.DataFrame,
    *,
    label: str,
    subject: str | None = None,
    sample_id: str | None = None,
    name: str = "the table of labels",
) -> SampleTable:
    """Label target samples by a table of their ids, or of their subjects.

    Labels of the source are left as they were learned; rows of the table that are of no target
    sample are left out.

    Parameters
    ----------
    table
        All samples.
    target
        True for the target's, shape (n,).
    labels
        Columns of text: the labels, and sample ids or subjects. Of both, the ids count.
    label, subject, sample_id
        Names of these columns. Without ``sample_id`` one called ``sample_id``, ``sample``,
        ``sample name`` or ``id``.
    name
        How errors call the table.

    Raises
    ------
    InputError
        No such columns, an id with two labels, or none of the ids is in the target.
    """
    if label not in labels:
        raise InputError(
            f"{name} has no column '{label}' of labels, as the run's label column is called; it "
            f"has {', '.join(map(str, labels.columns))}"
        )
    key = _key(labels, subject, sample_id, name)
    known = labels[[key, label]].dropna().drop_duplicates()
    twice = known[key].duplicated()
    if twice.any():
        raise InputError(
            f"{name} gives '{known.loc[twice, key].iloc[0]}' two labels; keep one a sample or "
            "subject"
        )
    wanted = known.set_index(key)[label]
    of_samples = key != subject or table.subject is None
    own = pd.Series(table.features.index, table.features.index) if of_samples else table.subject
    assert own is not None
    found = own.map(wanted).where(target)
    if not found.notna().any():
        what = "sample ids" if of_samples else "subjects"
        raise InputError(
            f"none of the {len(wanted)} {what} of {name} (such as '{wanted.index[0]}') is one of "
            f"the target's (such as '{own[target].iloc[0]}')"
            if len(wanted)
            else f"{name} has no row with both '{key}' and '{label}'"
        )
    before = pd.Series(None, table.features.index, dtype=object)
    if table.label is not None:
        before = table.label.astype(object).where(table.label.notna(), None)
    both = before.where(found.isna(), found)
    return replace(table, label=both.where(both.notna(), None).rename(label)).with_notices(
        f"{int(found.notna().sum())} of {int(target.sum())} target samples were labelled by {name}"
    )


def _key(labels: pd.DataFrame, subject: str | None, sample_id: str | None, name: str) -> str:
    """Column that says whose label a row has."""
    if sample_id is not None and sample_id in labels:
        return sample_id
    ids = {squash(str(column)): str(column) for column in labels.columns}
    for wanted in ID_NAMES:
        if wanted in ids and sample_id is None:
            return ids[wanted]
    if subject is not None and subject in labels:
        return subject
    columns = " or ".join(f"'{one}'" for one in (sample_id or "sample_id", subject) if one)
    raise InputError(
        f"{name} has no column {columns} that says whose label a row has; it has "
        f"{', '.join(map(str, labels.columns))}"
    )
