"""The one table everything works on: features beside what is known of each sample."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from crossplate.cells import counted, first_few
from crossplate.errors import InputError
from crossplate.framing import frame_parts

FeatureRule = Literal["common", "source", "error"]


@dataclass(frozen=True)
class SampleTable:
    """Samples in rows: their features, batch, label and subject.

    Attributes
    ----------
    features
        float64, shape (n, p). The index holds the sample ids (unique text, named ``sample_id``),
        the columns the feature names (unique text). NaN marks a missing value.
    batch
        Batch of each sample as text, shape (n,), none missing.
    label
        Class of each sample as text, shape (n,), None where unlabelled; None as a whole if the
        table has no label column.
    subject
        Subject of each sample as text, shape (n,), none missing; None without subjects.
    metadata
        Other sample columns, shape (n, any). Kept, never used as features.
    notices
        Sentences about what was decided without being asked for, to be shown to the user.

    Raises
    ------
    InputError
        If the parts do not describe the same samples or names are not unique.
    """

    features: pd.DataFrame
    batch: pd.Series
    label: pd.Series | None = None
    subject: pd.Series | None = None
    metadata: pd.DataFrame = field(default_factory=pd.DataFrame)
    notices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.metadata.empty and not len(self.metadata.index):
            object.__setattr__(self, "metadata", pd.DataFrame(index=self.features.index))
        for name in ("batch", "label", "subject", "metadata"):
            part = getattr(self, name)
            if part is not None and not part.index.equals(self.features.index):
                raise InputError(f"{name} and features must have the same index of sample ids")
        names = {"sample ids": self.features.index, "feature names": self.features.columns}
        for kind, labels in names.items():
            if not labels.is_unique:
                repeated = labels[labels.duplicated()]
                raise InputError(
                    f"{kind} must be unique, but '{repeated[0]}' is repeated "
                    f"({counted(len(repeated.unique()), 'such name')})"
                )
        for name in ("batch", "subject"):
            part = getattr(self, name)
            if part is not None and part.isna().any():
                raise InputError(
                    f"the {name} of sample '{part.index[part.isna()][0]}' is missing "
                    f"({int(part.isna().sum())} such samples); every sample needs one"
                )

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        source_name: str = "the table",
        batch: str | None = None,
        label: str | None = None,
        subject: str | None = None,
        sample_id: str | None = None,
        metadata: Sequence[str] = (),
        batch_name: str | None = None,
        label_required: bool = True,
        row_name: Callable[[int], str] | None = None,
        id_prefix: str | None = None,
        sample_columns: Collection[str] | None = None,
    ) -> SampleTable:
        """Sort the columns of a data frame into features and sample columns, and check them.

        Parameters
        ----------
        frame
            Samples in rows. An index of text is taken for the sample ids unless `sample_id` names
            a column.
        source_name
            How error messages call the table; usually the file name.
        batch, label, subject, sample_id
            Names of the columns with these meanings. Without `sample_id` a column called
            ``sample_id``, ``sample``, ``sample name`` or ``id`` is taken, else ids are made.
        metadata
            Names of further columns that are no features.
        batch_name
            Batch of all samples; exactly one of `batch` and `batch_name` is given.
        label_required
            Whether a missing label column is an error. False for new plates: all samples are then
            unlabelled and a notice says so.
        row_name
            Turns the 0-based number of a row into its name in error messages; by default
            ``row 1`` and so on.
        id_prefix
            What made-up ids begin with; by default `batch_name`, else `source_name`.
        sample_columns
            All columns that describe samples, where the file format tells (h5ad). Every other
            column is then a feature, whatever its name. By default columns are judged by name and
            content: numbers are features unless they bear a conventional name of a sample column
            (`crossplate.columns.CONVENTIONAL_NAMES`); text is metadata.

        Raises
        ------
        InputError
            If a named column is missing, ids or column names are repeated, a batch, subject or
            id is missing, a feature holds text or infinite values, or nothing is left.
        """
        return cls(
            **frame_parts(
                frame,
                source_name=source_name,
                batch=batch,
                label=label,
                subject=subject,
                sample_id=sample_id,
                metadata=metadata,
                batch_name=batch_name,
                label_required=label_required,
                row_name=row_name,
                id_prefix=id_prefix,
                sample_columns=sample_columns,
            )
        )

    @property
    def n_samples(self) -> int:
        """Number of samples (rows)."""
        return self.features.shape[0]

    @property
    def n_features(self) -> int:
        """Number of features (columns)."""
        return self.features.shape[1]

    @property
    def batches(self) -> list[str]:
        """Batches in order of first appearance."""
        return [str(name) for name in self.batch.unique()]

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Mask of the samples that have a label, shape (n,)."""
        if self.label is None:
            return np.zeros(self.n_samples, dtype=bool)
        return self.label.notna().to_numpy(dtype=bool)

    def labels_of(self, mask: NDArray[np.bool_]) -> NDArray[np.object_]:
        """Labels where `mask` (bool, shape (n,)) is true and None elsewhere, shape (n,).

        What training may see: target labels are hidden here and nowhere else.
        """
        labels = np.full(self.n_samples, None, dtype=object)
        seen = mask & self.labelled
        if self.label is not None:
            labels[seen] = self.label.to_numpy(dtype=object)[seen]
        return labels

    def select(self, mask: ArrayLike) -> SampleTable:
        """Keep the samples where `mask` (bool, shape (n,)) is true, in their order."""
        chosen = np.asarray(mask)
        if chosen.dtype != bool or chosen.shape != (self.n_samples,):
            raise ValueError(
                f"mask must be boolean with shape ({self.n_samples},), "
                f"but has type {chosen.dtype} and shape {chosen.shape}"
            )
        return replace(
            self,
            features=self.features.loc[chosen],
            batch=self.batch.loc[chosen],
            label=None if self.label is None else self.label.loc[chosen],
            subject=None if self.subject is None else self.subject.loc[chosen],
            metadata=self.metadata.loc[chosen],
        )

    def with_notices(self, *notices: str) -> SampleTable:
        """Add notices; one that is already there is not repeated."""
        return replace(self, notices=tuple(dict.fromkeys((*self.notices, *notices))))

    def check_batches(self) -> None:
        """Check that each batch has the two samples its statistics need.

        Raises
        ------
        InputError
            Names the first batch with fewer than 2 samples.
        """
        counts = self.batch.value_counts(sort=False)
        small = [str(name) for name, count in counts.items() if count < 2]
        if small:
            raise InputError(
                f"batch '{small[0]}' has only 1 sample (batches that small: {len(small)} of "
                f"{len(counts)}), and at least 2 are needed to estimate its location and spread; "
                "leave these samples out or join the batch with another"
            )

    def drop_uninformative(self) -> SampleTable:
        """Drop features that carry nothing: all missing, or constant within every batch.

        A feature which only differs between batches tells the batch and nothing else. To be called
        once all tables are combined, since a feature may be constant in one batch only.

        Raises
        ------
        InputError
            If no feature is left.
        """
        values = self.features.to_numpy()
        all_missing = np.isnan(values).all(axis=0)
        varies = np.zeros(self.n_features, dtype=bool)
        for name in self.batches:
            rows = values[(self.batch == name).to_numpy()]
            # fmax and fmin skip NaN; an all-missing column compares as NaN > NaN, which is false.
            varies |= np.fmax.reduce(rows, axis=0) > np.fmin.reduce(rows, axis=0)
        if not varies.any():
            raise InputError(
                f"none of the {self.n_features} features differs between two samples of a batch; "
                "check that the table holds measurements"
            )
        names = self.features.columns
        notices = [
            f"{dropped.sum()} of {self.n_features} features {reason} and "
            f"{'was' if dropped.sum() == 1 else 'were'} dropped: {first_few(names[dropped])}"
            for dropped, reason in (
                (all_missing, "had no value at all"),
                (~varies & ~all_missing, "did not vary within any batch"),
            )
            if dropped.any()
        ]
        if not notices:
            return self
        return replace(self, features=self.features.loc[:, varies]).with_notices(*notices)


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
            f"{len(repeated)}); make the ids unique, or name another column with "
            "--sample-id"
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
