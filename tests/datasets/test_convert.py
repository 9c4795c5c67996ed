"""Published files become tables without a changed value."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crossplate.datasets.catalogue import find_dataset
from crossplate.datasets.convert import jdlber_cytof, with_replicates
from crossplate.datasets.download import mismatch
from crossplate.errors import InputError
from crossplate.table import SampleTable

MARKERS = [f"X{i}" for i in range(1, 26)]
HEADER = ",".join(["labels", "board", *MARKERS])


def as_published(kept: bytes) -> bytes:
    """The form of the JDLBER repository, from the form that is kept: whole numbers without .0."""
    lines = kept.decode().splitlines()[1:]
    rows = []
    for line in lines:
        _, _, day, _, label, *values = line.split(",")
        rows.append(",".join([label, day, *(value.removesuffix(".0") for value in values)]))
    return "\n".join([HEADER, *rows, ""]).encode()


def test_cytof_rows() -> None:
    raw = f"{HEADER}\n0,1,176.38,{','.join(['0'] * 24)}\n1,1,{','.join(['7e-006'] * 25)}\n"
    lines = jdlber_cytof(raw.encode(), "person2_day1_baseline.csv.gz").decode().splitlines()
    assert lines == [
        ",".join(["sample_id", "patient", "day", "condition", "label", *MARKERS]),
        "P2D1_baseline_00000,2,1,baseline,0,176.38," + ",".join(["0.0"] * 24),
        "P2D1_baseline_00001,2,1,baseline,1," + ",".join(["7e-06"] * 25),
    ]


@pytest.mark.parametrize(
    "raw", [b"", b"<html>busy</html>", b"labels,X1\n0,1\n", b"\xff\xfe\x00", b"a,b\n1\n1,2,3\n"]
)
def test_cytof_of_something_else(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (whatever the reader says of it)
        jdlber_cytof(raw, "person1_day1_baseline.csv.gz")


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["cytof_person1", "cytof_person2"])
def test_cytof_conversion_gives_the_registered_bytes(name: str, real_tables: Path) -> None:
    for file in find_dataset(name).files:
        kept = gzip.decompress((real_tables / "cytof_shaham" / file.name).read_bytes())
        converted = jdlber_cytof(as_published(kept), file.name)
        assert converted == kept
        assert mismatch(file, converted) is None


def spectra(n: int) -> SampleTable:
    index = pd.Index([f"row{i}" for i in range(n)], name="sample_id")
    return SampleTable(
        features=pd.DataFrame({"a": np.arange(n, dtype=float)}, index=index),
        batch=pd.Series("plate1", index=index, dtype=object),
        label=pd.Series("1", index=index, dtype=object),
        metadata=pd.DataFrame({"board": np.arange(n)}, index=index),
    )


def test_replicates_name_subjects_in_row_order() -> None:
    table = with_replicates(spectra(6), pd.Series([3, 1, 2]), "P1", "counts.csv")
    assert list(table.features.index) == [
        "P1_S001_R1",
        "P1_S001_R2",
        "P1_S001_R3",
        "P1_S002_R1",
        "P1_S003_R1",
        "P1_S003_R2",
    ]
    assert table.subject is not None
    assert list(table.subject) == [name[:7] for name in table.features.index]
    assert list(table.features["a"]) == [0, 1, 2, 3, 4, 5]
    assert list(table.metadata["board"]) == [0, 1, 2, 3, 4, 5]


def test_replicates_that_do_not_add_up() -> None:
    with pytest.raises(InputError, match=r"counts\.csv counts 5 spectra but .* has 6 rows"):
        with_replicates(spectra(6), pd.Series([3, 2]), "P1", "counts.csv")
