"""The registry file holds what its readers rely on."""

import re

import pytest

from crossplate.datasets import available
from crossplate.datasets.catalogue import DataFile, Dataset, find_dataset
from crossplate.datasets.convert import CONVERTERS
from crossplate.errors import InputError

DATASETS = pytest.mark.parametrize("dataset", available(), ids=lambda dataset: dataset.name)
FILES = [(dataset, file) for dataset in available() for file in dataset.files]
EACH_FILE = pytest.mark.parametrize(
    ("dataset", "file"), FILES, ids=[f"{dataset.name}-{file.name}" for dataset, file in FILES]
)


def test_the_data_of_the_paper_is_there() -> None:
    assert {"cytof_person1", "cytof_person2", "maldi_sle"} <= {
        dataset.name for dataset in available() if dataset.downloadable
    }


@DATASETS
def test_entry_is_complete(dataset: Dataset) -> None:
    for text in (dataset.title, dataset.licence, dataset.citation, dataset.description):
        assert text
        assert "\n" not in text
    assert bool(dataset.how_to_get) != dataset.downloadable
    assert dataset.columns.label


@EACH_FILE
def test_every_file_can_be_verified(dataset: Dataset, file: DataFile) -> None:
    assert file.sha256 or file.git_blob
    assert file.sha256 is None or re.fullmatch("[0-9a-f]{64}", file.sha256)
    assert file.git_blob is None or re.fullmatch("[0-9a-f]{40}", file.git_blob)
    assert file.role in {"table", "counts"}
    assert file.converter is None or file.converter in CONVERTERS
    assert file.replicates is None or file.replicates in [other.name for other in dataset.files]


@EACH_FILE
def test_batch_is_in_a_column_or_is_the_file(dataset: Dataset, file: DataFile) -> None:
    if file.role == "table":
        assert (dataset.columns.batch is None) != (file.batch is None)


@EACH_FILE
def test_addresses_are_pinned_to_a_full_commit(dataset: Dataset, file: DataFile) -> None:
    if file.url:
        assert re.fullmatch(
            r"https://raw\.githubusercontent\.com/[^/]+/[^/]+/[0-9a-f]{40}/data/[\w-]+\.csv",
            file.url,
        )


def test_unknown_name() -> None:
    with pytest.raises(InputError, match=r"no data set 'mtbls97'; did you mean 'mtbls79'"):
        find_dataset("mtbls97")
    with pytest.raises(InputError, match=r"no data set '§'; name one of cytof_person1"):
        find_dataset("§")
