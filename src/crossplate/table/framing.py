"""From a raw data frame to the checked parts of a `SampleTable`."""

from collections.abc import Callable, Collection, Sequence
from typing import TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crossplate.errors import InputError
from crossplate.table.cells import (
    Place,
    as_metadata,
    as_text,
    counted,
    first_few,
    is_missing,
    require_numbers,
    require_text,
)
from crossplate.table.columns import (
    CONVENTIONAL_NAMES,
    ColumnRoles,
    column_name,
    require_column,
    require_unique_names,
    squash,
)


class TableParts(TypedDict):
    """The fields of a `SampleTable`."""

    features: pd.DataFrame
    batch: pd.Series
    label: pd.Series | None
    subject: pd.Series | None
    metadata: pd.DataFrame
    notices: tuple[str, ...]


def frame_parts(
    frame: pd.DataFrame,
    *,
    source_name: str,
    batch: str | None,
    label: str | None,
    subject: str | None,
    sample_id: str | None,
    metadata: Sequence[str],
    batch_name: str | None,
    label_required: bool,
    row_name: Callable[[int], str] | None,
    id_prefix: str | None,
    sample_columns: Collection[str] | None,
) -> TableParts:
    """Do the work of `SampleTable.from_frame`, where the parameters are explained.

    Raises
    ------
    InputError
        See `SampleTable.from_frame`.
    """
    if (batch is None) == (batch_name is None):
        raise InputError(
            f"{source_name}: either name the batch column or give one batch name for the whole "
            "table, not both or neither"
        )
    roles = ColumnRoles(batch, label, subject, sample_id, tuple(metadata))
    notices: list[str] = []
    frame, place = _tidy(frame, source_name, row_name or _numbered_row, notices)
    columns = list(frame.columns)
    for name, option in (
        (batch, "--batch"),
        (label if label_required else None, "--label"),
        (subject, "--subject"),
        (sample_id, "--sample-id"),
        *((name, "--metadata") for name in metadata),
    ):
        if name is not None:
            require_column(name, columns, source_name, option)

    id_column = _id_column(frame, roles)
    prefix = id_prefix or batch_name or source_name
    index = _sample_ids(frame, id_column, place, prefix, notices)
    describing = _describing_columns(frame, roles, id_column, sample_columns, source_name, notices)
    features, text_columns = _features(frame, describing, place, index)
    if text_columns:
        notices.append(
            f"{source_name}: kept as metadata because they hold text, not used as features: "
            f"{first_few(text_columns, 20)}"
        )
    if not features.shape[1]:
        raise InputError(
            f"{source_name}: no column is left to serve as a feature out of {len(columns)}; "
            "features are columns of numbers, one a feature"
        )
    empty = int(features.isna().to_numpy().all(axis=1).sum())
    if empty:
        notices.append(f"{source_name}: {counted(empty, 'sample')} without a value in any feature")
    kept = [
        name
        for name in columns
        if (name in describing or name in text_columns)
        and name not in (batch, label, subject, id_column, "")
    ]
    return TableParts(
        features=features,
        batch=_batches(frame, roles.batch, batch_name, place, index),
        label=_labels(frame, label, source_name, index, notices),
        subject=_subjects(frame, subject, place, index),
        metadata=pd.DataFrame(
            {name: as_metadata(frame[name]).to_numpy() for name in kept}, index=index
        ),
        notices=tuple(notices),
    )


def _numbered_row(row: int) -> str:
    return f"row {row + 1}"


def _tidy(
    frame: pd.DataFrame, source: str, row_name: Callable[[int], str], notices: list[str]
) -> tuple[pd.DataFrame, Place]:
    """Write the column names as text, leave out what is wholly empty, and refuse odd headers."""
    names = [column_name(name) for name in frame.columns]
    require_unique_names(names, source)
    if not names:
        raise InputError(f"{source} has no columns; the first line must hold the column names")
    missing = np.column_stack([is_missing(frame.iloc[:, at]) for at in range(len(names))])
    for at, name in enumerate(names):
        # A first column without a name is where R and pandas write the row names.
        if not name and at and not missing[:, at].all():
            raise InputError(
                f"{source}: column {at + 1} has values but no name; the first line must hold a "
                "name for each column"
            )
    columns = [at for at, name in enumerate(names) if name or not missing[:, at].all()]
    rows = np.flatnonzero(~missing.all(axis=1))
    if not rows.size:
        raise InputError(f"{source} has column names but no rows; add one row a sample")
    if rows.size < len(frame):
        empty = counted(len(frame) - rows.size, "wholly empty row")
        notices.append(f"{source}: {empty} left out")
    tidy = frame.iloc[rows, columns].set_axis([names[at] for at in columns], axis=1)
    return tidy, Place(source, lambda row: row_name(int(rows[row])))


def _has_row_names(frame: pd.DataFrame) -> bool:
    return all(isinstance(name, str) for name in frame.index)


def _id_column(frame: pd.DataFrame, roles: ColumnRoles) -> str | None:
    """Choose the id column; '' is a first column without a name, None is the index or no ids."""
    if _has_row_names(frame) and roles.sample_id is None:
        return None
    columns = list(frame.columns)
    found = roles.find_sample_id(columns)
    return "" if found is None and "" in columns else found


def _sample_ids(
    frame: pd.DataFrame, column: str | None, place: Place, prefix: str, notices: list[str]
) -> pd.Index:
    if column is not None:
        ids = require_text(
            frame[column],
            place,
            meaning="sample id",
            remedy="give each sample an id, or name another column with --sample-id",
            fold_whole_numbers=False,
        )
        origin = f"column '{column}'" if column else "the first column"
    elif _has_row_names(frame):
        ids = pd.Series(frame.index.to_numpy(dtype=object), dtype=object)
        origin = "the row names"
    else:
        notices.append(
            f"{place.source}: no column of sample ids was found, so samples are called "
            f"{prefix}_row1 to {prefix}_row{len(frame)}; name a column with --sample-id to choose"
        )
        ids = pd.Series([f"{prefix}_row{row + 1}" for row in range(len(frame))], dtype=object)
        origin = "made-up ids"
    repeated = ids[ids.duplicated()]
    if len(repeated):
        raise InputError(
            f"{place.source}: the sample id '{repeated.iloc[0]}' in {origin} stands more than once "
            f"(ids repeated: {repeated.nunique()}); make the ids unique, name another column "
            f"with --sample-id, or name this one as --subject or --metadata"
        )
    index: pd.Index = pd.Index(ids.tolist(), name="sample_id", dtype=object)
    return index


def _describing_columns(
    frame: pd.DataFrame,
    roles: ColumnRoles,
    id_column: str | None,
    sample_columns: Collection[str] | None,
    source: str,
    notices: list[str],
) -> set[str]:
    """Find the columns that are no features by their name or by what the format says."""
    if sample_columns is not None:
        return {*sample_columns, *roles.named, *([] if id_column is None else [id_column])}
    known = {name for name in frame.columns if roles.describes_sample(name)}
    guessed = [
        name
        for name in frame.columns
        if name not in roles.named and name != id_column and squash(name) in CONVENTIONAL_NAMES
    ]
    if guessed:
        notices.append(
            f"{source}: kept as metadata because of their names, not used as features: "
            f"{', '.join(guessed)}; rename a column to use it as a feature"
        )
    return known


def _features(
    frame: pd.DataFrame, describing: Collection[str], place: Place, index: pd.Index
) -> tuple[pd.DataFrame, list[str]]:
    """Read all other columns as numbers; also returns the names of those that are plain text."""
    columns: dict[str, NDArray[np.float64]] = {}
    text_columns = []
    for name in frame.columns:
        if name in describing:
            continue
        numbers = require_numbers(frame[name], place)
        if numbers is None:
            text_columns.append(name)
        else:
            columns[name] = numbers
    values = np.column_stack(list(columns.values())) if columns else np.empty((len(index), 0))
    infinite = np.argwhere(np.isinf(values))
    if len(infinite):
        row, at = (int(number) for number in infinite[0])
        raise InputError(
            f"{place.at(row, list(columns)[at])}: the value is infinite "
            f"({counted(len(infinite), 'such cell')} in the table); "
            "leave the cell empty if the value is missing"
        )
    names = pd.Index(list(columns), dtype=object)
    return pd.DataFrame(values, index=index, columns=names), text_columns


def _batches(
    frame: pd.DataFrame,
    column: str | None,
    batch_name: str | None,
    place: Place,
    index: pd.Index,
) -> pd.Series:
    if column is None:
        return pd.Series(str(batch_name), index=index, name="batch", dtype=object)
    batches = require_text(
        frame[column],
        place,
        meaning="batch",
        remedy="every sample needs one",
        fold_whole_numbers=True,
    )
    return pd.Series(batches.to_numpy(), index=index, name="batch", dtype=object)


def _subjects(
    frame: pd.DataFrame, column: str | None, place: Place, index: pd.Index
) -> pd.Series | None:
    if column is None:
        return None
    subjects = require_text(
        frame[column],
        place,
        meaning="subject",
        remedy="every sample needs one, if need be a made-up one for each sample",
        fold_whole_numbers=True,
    )
    return pd.Series(subjects.to_numpy(), index=index, name="subject", dtype=object)


def _labels(
    frame: pd.DataFrame,
    column: str | None,
    source: str,
    index: pd.Index,
    notices: list[str],
) -> pd.Series | None:
    if column is None:
        return None
    if column not in frame.columns:
        notices.append(f"{source}: there is no column '{column}', so all samples are unlabelled")
        return pd.Series([None] * len(index), index=index, name="label", dtype=object)
    labels = as_text(frame[column], fold_whole_numbers=True)
    return pd.Series(labels.to_numpy(), index=index, name="label", dtype=object)
