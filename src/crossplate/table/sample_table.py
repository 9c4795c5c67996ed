"""The one table everything works on: features beside what is known of each sample."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from crossplate.errors import InputError
from crossplate.table.cells import counted, first_few
from crossplate.table.framing import frame_parts


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
            (`crossplate.table.columns.CONVENTIONAL_NAMES`); text is metadata.

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
