"""A table file read once, to be written back with other numbers in place of its features."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crossplate.io.delimited import delimiter_of
from crossplate.io.excel import write_excel
from crossplate.io.h5ad import write_h5ad
from crossplate.io.parquet import write_parquet
from crossplate.io.raw import RawTable
from crossplate.io.reading import file_ending, read_raw, table_of
from crossplate.io.writing import whole_file, write_delimited
from crossplate.table import SampleTable
from crossplate.table.cells import is_missing
from crossplate.table.columns import ColumnRoles, column_name

__all__ = ["TableFile", "open_table"]


@dataclass(frozen=True)
class TableFile:
    """A file's cells as they stand.

    Attributes
    ----------
    path
        The file.
    raw
        What was read from it.
    """

    path: Path
    raw: RawTable

    @property
    def columns(self) -> list[str]:
        """Names of all columns."""
        return [column_name(name) for name in self.raw.frame.columns]

    @property
    def ending(self) -> str:
        """Ending that tells the format, such as ``.csv.gz``."""
        return str(file_ending(self.path.name))

    def table(
        self,
        *,
        batch: str | None = None,
        label: str | None = None,
        subject: str | None = None,
        sample_id: str | None = None,
        metadata: Sequence[str] = (),
        batch_name: str | None = None,
    ) -> SampleTable:
        """Sort the columns into features and sample columns; parameters as in `read_table`.

        Raises
        ------
        InputError
            If the content cannot be used.
        """
        roles = ColumnRoles(batch, label, subject, sample_id, tuple(metadata))
        return table_of(self.raw, self.path, roles, batch_name=batch_name)

    def write(
        self, features: pd.DataFrame, path: str | os.PathLike[str], *, without: Collection[str] = ()
    ) -> None:
        """Write the table again in its own format, complete or not at all.

        All other columns keep their names, places and cells; missing cells are empty. Rows without
        any value are left out. Of a workbook the worksheet that was read is written; of an AnnData
        file everything.

        Parameters
        ----------
        features
            Numbers that take the place of those in the file, one row a sample in the order of the
            file, columns named by feature.
        path
            Where to; the folder must exist.
        without
            Columns to leave out.

        Raises
        ------
        InputError
            If the place is not writable or a package is not installed.
        """
        rows = self._rows(len(features))
        with whole_file(Path(path)) as place:
            if self.ending == ".h5ad":
                write_h5ad(self.path, rows, features, place, without=without)
                return
            frame = self._replaced(rows, features, without)
            if self.ending == ".xlsx":
                write_excel(frame, place)
            elif self.ending == ".parquet":
                write_parquet(frame, place)
            else:
                gzipped = self.ending.endswith(".gz")
                write_delimited(frame, place, delimiter=delimiter_of(self.path), gzipped=gzipped)

    def _rows(self, n_samples: int) -> NDArray[np.intp]:
        """Numbers of the rows that are samples, which are those with any value."""
        if n_samples == len(self.raw.frame):
            return np.arange(n_samples)
        empty = np.ones(len(self.raw.frame), dtype=bool)
        for at in range(self.raw.frame.shape[1]):
            empty &= is_missing(self.raw.frame.iloc[:, at])
        return np.flatnonzero(~empty)

    def _replaced(
        self, rows: NDArray[np.intp], features: pd.DataFrame, without: Collection[str]
    ) -> pd.DataFrame:
        names, gone = self.columns, set(without)
        left = [at for at, name in enumerate(names) if name not in gone]
        new = [at for at in left if names[at] in features.columns]
        others = sorted(set(left) - set(new))
        frame = self.raw.frame.iloc[rows, others].reset_index(drop=True).set_axis(others, axis=1)
        nameless = [at for at in others if not names[at] and frame[at].isna().all()]
        numbers = features[[names[at] for at in new]].to_numpy()
        frame = pd.concat([frame, pd.DataFrame(numbers, columns=new)], axis=1)
        kept = sorted({*new, *others} - set(nameless))
        return frame[kept].set_axis([names[at] for at in kept], axis=1)


def open_table(path: str | os.PathLike[str], *, text_columns: Collection[str] = ()) -> TableFile:
    """Read a table file that is to be written again.

    Parameters
    ----------
    path
        A file that `read_table` reads.
    text_columns
        Columns that are no features, whose cells are kept as they are written (``007``).

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    path = Path(path)
    roles = ColumnRoles(metadata=tuple(text_columns))
    return TableFile(path, read_raw(path, roles.describes_sample))
