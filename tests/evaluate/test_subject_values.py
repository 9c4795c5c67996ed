"""Medians of subjects, batch by batch."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crossplate.errors import InputError
from crossplate.evaluate.subject_values import subject_values
from crossplate.table import SampleTable


def table_of(**columns: list[object] | None) -> SampleTable:
    index = pd.Index([f"r{row}" for row in range(6)], name="sample_id")
    x = pd.DataFrame({"f": [1.0, 2.0, 9.0, 4.0, np.nan, 6.0], "g": np.arange(6.0)}, index=index)
    given = {
        "batch": ["p", "p", "p", "q", "q", "q"],
        "label": ["a", "a", "a", "a", None, "b"],
        "subject": ["s", "s", "s", "s", "t", "u"],
    } | columns
    parts = {
        name: None if column is None else pd.Series(column, index=index, dtype=object)
        for name, column in given.items()
    }
    return SampleTable(features=x, **parts)


def test_medians_by_subject_and_batch() -> None:
    found = subject_values(table_of())
    assert found.batch.tolist() == ["p", "q", "q"]
    assert found.label.tolist() == ["a", "a", "b"]
    assert found.medians.tolist() == [[2.0, 1.0], [4.0, 3.0], [6.0, 5.0]]
    assert found.features == ("f", "g")


def test_a_sample_is_a_subject_where_none_is_named() -> None:
    found = subject_values(table_of(subject=None))
    assert found.medians[:, 1].tolist() == [0.0, 1.0, 2.0, 3.0, 5.0]


def test_gaps_are_left_out_of_medians_and_other_values_can_be_taken() -> None:
    table = table_of(label=list("aaabbb"), subject=list("sssttt"))
    assert subject_values(table).medians[:, 0].tolist() == [2.0, 5.0]
    doubled = subject_values(table, 2 * table.features.to_numpy())
    assert doubled.medians[:, 0].tolist() == [4.0, 10.0]


def test_bad_input() -> None:
    with pytest.raises(InputError, match="subject 's' has samples with different labels in batch"):
        subject_values(table_of(label=list("aabbbb")))
    with pytest.raises(InputError, match="no sample has a label"):
        subject_values(table_of(label=None))
