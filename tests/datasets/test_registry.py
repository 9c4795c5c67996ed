"""Public data by name, on the real tables and on small copies of their form."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from crossplate.datasets import available, describe, fetch, load, registry
from crossplate.datasets.catalogue import Dataset, find_dataset
from crossplate.datasets.download import git_blob_id
from crossplate.errors import InputError

if TYPE_CHECKING:
    from conftest import Server

COUNTS = {1: [5, 5, 2], 2: [1, 5], 3: [4, 5]}
LABELS = {1: [1, 0, 1], 2: [0, 1], 3: [1, 0]}


def plate_csv(plate: int, seed: int) -> bytes:
    counts = COUNTS[plate]
    values = np.random.default_rng(seed).lognormal(size=(sum(counts), 3)).round(3)
    frame = pd.DataFrame(values, columns=["103.05", "104", "211.7"])
    frame.insert(0, "labels", np.repeat(LABELS[plate], counts))
    frame.insert(1, "board", plate)
    return frame.to_csv(index=False).encode()


@pytest.fixture
def small_maldi(server: Server, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """The entry of the three plates, with small files behind it."""
    real = find_dataset("maldi_sle")
    files = []
    for file in real.files:
        plate = int(file.name.removesuffix(".csv")[-1])
        data = (
            plate_csv(plate, seed=plate)
            if file.role == "table"
            else "\n".join(["id", *map(str, COUNTS[plate]), ""]).encode()
        )
        url = server.put(file.name, data)
        files.append(replace(file, url=url, git_blob=git_blob_id(data)))
    dataset = replace(real, files=tuple(files))
    monkeypatch.setattr(registry, "find_dataset", lambda name: dataset)
    return dataset


def test_three_plates_are_downloaded_and_read(small_maldi: Dataset, tmp_path: Path) -> None:
    table = load("maldi_sle", folder=tmp_path / "out")
    assert table.batches == ["plate1", "plate2", "plate3"]
    assert table.n_features == 3
    assert table.subject is not None
    assert table.label is not None
    people = pd.DataFrame({"label": table.label, "n": 1}).groupby(table.subject)
    assert people["n"].sum().to_list() == [5, 5, 2, 1, 5, 4, 5]
    assert people["label"].first().to_list() == [
        {0: "control", 1: "SLE"}[label] for plate in LABELS.values() for label in plate
    ]
    assert set(people["label"].nunique()) == {1}
    assert table.features.index[12] == "P2_S001_R1"
    assert list(table.metadata["board"].unique()) == [1, 2, 3]
    published = pd.read_csv(tmp_path / "out" / "2.csv")
    np.testing.assert_array_equal(
        table.features[(table.batch == "plate2").to_numpy()], published.iloc[:, 2:]
    )


def test_fetch_gives_each_file(small_maldi: Dataset, tmp_path: Path) -> None:
    lines: list[str] = []
    paths = fetch("maldi_sle", folder=tmp_path / "out", progress=lines.append)
    assert list(paths) == [file.name for file in small_maldi.files]
    assert all(path.is_file() for path in paths.values())
    assert len(lines) == len(paths)


@pytest.mark.parametrize("text", ["id\n5\nfive\n", "", "id\n5.5\n"])
def test_broken_counts(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sumple-num-1.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=r"sumple-num-1\.csv is no list of whole numbers"):
        registry._read_counts(path)


@pytest.mark.parametrize("dataset", available(), ids=lambda dataset: dataset.name)
def test_describe_says_what_and_how(dataset: Dataset) -> None:
    text = describe(dataset.name)
    for part in (dataset.title, dataset.licence, dataset.citation, dataset.how_to_get):
        assert part in text
    assert ("direct download" in text) == dataset.downloadable


@pytest.mark.parametrize("name", ["fetch", "load", "describe"])
def test_unknown_name(name: str) -> None:
    with pytest.raises(InputError, match="no data set 'nothing'"):
        getattr(registry, name)("nothing")


@pytest.mark.realdata
@pytest.mark.parametrize("inside", ["", "cytof_shaham"])
@pytest.mark.parametrize(
    ("name", "cells", "positive"),
    [("cytof_person1", [1858, 1460], [490, 405]), ("cytof_person2", [4308, 3530], [523, 472])],
)
def test_cytof_from_the_data_folder(
    real_tables: Path,
    monkeypatch: pytest.MonkeyPatch,
    inside: str,
    name: str,
    cells: list[int],
    positive: list[int],
) -> None:
    monkeypatch.setenv("CROSSPLATE_DATA", str(real_tables / inside))
    table = load(name)
    assert table.batches == ["day1", "day2"]
    assert table.n_features == 25
    assert table.subject is None
    assert table.label is not None
    assert table.batch.value_counts(sort=False).to_list() == cells
    assert (table.label == "1").groupby(table.batch).sum().to_list() == positive
    assert list(table.metadata.columns) == ["patient", "day", "condition"]
    assert table.notices == ()


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "shape", "labels", "n_batches", "n_subjects"),
    [
        ("mtbls79", (172, 2488), {"QC", "cow", "sheep"}, 8, 21),
        ("sacurine", (210, 113), {"Female", "Male", "QC_pool"}, 2, None),
        ("ibd_franzosa", (220, 386), {"Control", "IBD"}, 2, None),
        ("quartet_metabolomics", (72, 981), {"D5", "D6", "F7", "M8"}, 6, None),
        ("fiatof_ralps", (593, 375), {"AA", "Bio", "FA", "Full", "PP", "SRM"}, 4, 71),
    ],
)
def test_other_tables_from_the_data_folder(
    real_tables: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    shape: tuple[int, int],
    labels: set[str],
    n_batches: int,
    n_subjects: int | None,
) -> None:
    monkeypatch.setenv("CROSSPLATE_DATA", str(real_tables))
    table = load(name)
    assert table.features.shape == shape
    assert table.label is not None
    assert set(table.label) == labels
    assert len(table.batches) == n_batches
    assert (None if table.subject is None else table.subject.nunique()) == n_subjects
    assert table.notices == ()
