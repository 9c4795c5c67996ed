"""Tables under one another: features matched by name, samples by id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from crossplate.errors import InputError
from crossplate.table.cells import counted, first_few
from crossplate.table.sample_table import SampleTable

FeatureRule = Literal["common", "source", "error"]


def combine_tables(
    tables: Sequence[SampleTable],
    *,
    features: FeatureRule = "common",
    distinct_batches: bool = False,
) -> SampleTable:
    """Put tables under one another, features matched by name.

    Parameters
    ----------
    tables
        At least one. The first is the source; its order of features is kept.
    features
        ``"common"`` keeps the features that all tables have (the default: no value is made up),
        ``"source"`` keeps those of the first table and leaves them missing where another table
        does not have them, ``"error"`` refuses tables whose features differ.
    distinct_batches
        Whether two tables with a batch of the same name are refused; wanted where each file is
        a batch of its own.

    Raises
    ------
    InputError
        If sample ids are repeated, no feature is common, batch names collide although they must
        not, or only some of the tables have subjects.
    """
    if not tables:
        raise ValueError("combine_tables needs at least one table")
    _check_ids(tables)
    if distinct_batches:
        _check_distinct_batches(tables)
    names, notices = _match_features(tables, features)
    index = pd.Index(
        [sample for table in tables for sample in table.features.index],
        name="sample_id",
        dtype=object,
    )
    values = np.vstack([table.features.reindex(columns=names).to_numpy() for table in tables])
    combined = SampleTable(
        features=pd.DataFrame(values, index=index, columns=names),
        batch=_stack([table.batch for table in tables], index),
        label=_stack_labels(tables, index),
        subject=_stack_subjects(tables, index),
        metadata=_stack_metadata(tables, index),
    )
    return combined.with_notices(*(text for table in tables for text in table.notices), *notices)


def _describe(table: SampleTable) -> str:
    names = table.batches
    return f"batch {names[0]}" if len(names) == 1 else f"batches {first_few(names)}"


def _check_ids(tables: Sequence[SampleTable]) -> None:
    ids = pd.Index([sample for table in tables for sample in table.features.index])
    repeated = ids[ids.duplicated()].unique()
    if len(repeated):
        holders = [_describe(table) for table in tables if repeated[0] in table.features.index]
        raise InputError(
            f"sample id '{repeated[0]}' stands in {' and in '.join(holders)} (ids repeated: "
            f"{len(repeated)}); make the ids unique, or name another column with --sample-id (ids "
            "made from names of spectrum files repeat where those names do: the names must differ "
            "between plates, or the metadata give each file an id)"
        )


def _check_distinct_batches(tables: Sequence[SampleTable]) -> None:
    seen: set[str] = set()
    for table in tables:
        for name in table.batches:
            if name in seen:
                raise InputError(
                    f"two files have the same batch name '{name}'; rename one of the files, since "
                    "each is taken for a batch named after it"
                )
        seen.update(table.batches)


def _match_features(tables: Sequence[SampleTable], rule: FeatureRule) -> tuple[pd.Index, list[str]]:
    """Choose the features to keep, and say what each further table lacks or has in excess."""
    first = tables[0]
    source = first.features.columns
    common = np.ones(len(source), dtype=bool)
    notices = []
    for table in tables[1:]:
        other = table.features.columns
        shared = source.isin(other)
        common &= shared
        missing, extra = source[~shared], other[~other.isin(source)]
        if not shared.any():
            raise InputError(
                f"{_describe(table)} has no feature in common with {_describe(first)} (such as "
                f"'{other[0]}' against '{source[0]}'); features are matched by their exact names, "
                "so name them alike in both tables"
            )
        counts = []
        if len(missing):
            counts.append(
                f"lacks {len(missing)} of the {len(source)} features of {_describe(first)} "
                f"({first_few(missing)})"
            )
        if len(extra):
            counts.append(f"has {counted(len(extra), 'extra feature')} ({first_few(extra)})")
        if counts and rule == "error":
            raise InputError(
                f"{_describe(table)} {' and '.join(counts)}; give the tables the same features, or "
                "choose --features common or --features source"
            )
        if counts:
            notices.append(f"{_describe(table)} {' and '.join(counts)}")
    if rule == "source":
        return source, [
            f"{text}; extra ones were left out, absent ones missing" for text in notices
        ]
    if not common.any():
        raise InputError(
            f"no feature is common to all {len(tables)} tables, though each shares some with "
            f"{_describe(first)}; choose --features source, or leave a table out"
        )
    kept = f"; the {common.sum()} features common to all tables were kept"
    return source[common], [text + kept for text in notices]


def _stack(parts: Sequence[pd.Series], index: pd.Index) -> pd.Series:
    cells = [cell for part in parts for cell in part]
    return pd.Series(cells, index=index, name=parts[0].name, dtype=object)


def _stack_labels(tables: Sequence[SampleTable], index: pd.Index) -> pd.Series | None:
    if all(table.label is None for table in tables):
        return None
    cells = [
        label
        for table in tables
        for label in ([None] * table.n_samples if table.label is None else table.label)
    ]
    return pd.Series(cells, index=index, name="label", dtype=object)


def _stack_subjects(tables: Sequence[SampleTable], index: pd.Index) -> pd.Series | None:
    parts = [table.subject for table in tables if table.subject is not None]
    if not parts:
        return None
    if len(parts) < len(tables):
        lacking = next(table for table in tables if table.subject is None)
        raise InputError(
            f"{_describe(lacking)} has no subjects although another table has; name the subject "
            "column in all tables or in none"
        )
    return _stack(parts, index)


def _stack_metadata(tables: Sequence[SampleTable], index: pd.Index) -> pd.DataFrame:
    names = dict.fromkeys(name for table in tables for name in table.metadata.columns)
    columns = {}
    for name in names:
        parts = [
            table.metadata[name].astype(object)
            for table in tables
            if name in table.metadata.columns
        ]
        columns[name] = pd.concat(parts).reindex(index).infer_objects()
    return pd.DataFrame(columns, index=index)
