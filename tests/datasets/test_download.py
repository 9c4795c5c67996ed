"""Files are found here, or downloaded and verified, or there is one clear sentence."""

from __future__ import annotations

import gzip
import hashlib
import logging
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossplate.datasets.catalogue import Columns, DataFile, Dataset, find_dataset
from crossplate.datasets.download import fetch_dataset, git_blob_id, mismatch
from crossplate.errors import InputError

if TYPE_CHECKING:
    from conftest import Server

DATA = b"sample_id,label,a\ns1,x,1\ns2,y,2\n"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def dataset_of(*files: DataFile, how_to_get: str = "") -> Dataset:
    return Dataset(
        name="tiny",
        title="Tiny",
        licence="none",
        citation="none",
        description="Two rows.",
        folder="tiny_folder",
        files=files,
        columns=Columns(sample_id="sample_id", label="label"),
        how_to_get=how_to_get,
    )


def silent(line: str) -> None:
    pass


def files_below(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize("name", ["tiny.csv", "tiny.csv.gz"])
def test_good_download(server: Server, tmp_path: Path, name: str) -> None:
    file = DataFile(name, url=server.put("tiny.csv", DATA), sha256=sha256(DATA))
    lines: list[str] = []
    folder = tmp_path / "new" / "folder"
    paths, notices = fetch_dataset(dataset_of(file), folder, lines.append)
    assert paths == {name: folder / name}
    assert notices == ()
    kept = paths[name].read_bytes()
    assert (gzip.decompress(kept) if name.endswith(".gz") else kept) == DATA
    assert files_below(folder) == [name]
    assert lines == [f"{name}: downloading {file.url}"]


def test_second_time_nothing_is_downloaded(server: Server, tmp_path: Path) -> None:
    dataset = dataset_of(DataFile("a.csv", url=server.put("a.csv", DATA), sha256=sha256(DATA)))
    first, _ = fetch_dataset(dataset, None, silent)
    second, _ = fetch_dataset(dataset, None, silent)
    assert first == second == {"a.csv": tmp_path / "cache/crossplate/tiny_folder/a.csv"}
    assert server.asked == ["/a.csv"]


def test_download_is_quiet(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="pooch")
    file = DataFile("a.csv", url=server.put("a.csv", DATA), sha256=sha256(DATA))
    fetch_dataset(dataset_of(file), tmp_path / "out", silent)
    assert not [record for record in caplog.records if record.name.startswith("pooch")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"sha256": sha256(b"other")},
        {"git_blob": git_blob_id(b"other")},
        {"sha256": sha256(DATA), "git_blob": git_blob_id(b"other")},
        {"sha256": sha256(DATA), "converter": "jdlber_cytof"},
    ],
    ids=["sha256", "git blob", "one of two", "not convertible"],
)
def test_wrong_content_leaves_no_file(
    server: Server, tmp_path: Path, wrong: dict[str, str]
) -> None:
    name = "person1_day1_baseline.csv"
    file = replace(DataFile(name, url=server.put("a.csv", DATA)), **wrong)  # type: ignore[arg-type]
    folder = tmp_path / "out"
    with pytest.raises(InputError, match=r"is not the registered file .*CROSSPLATE_DATA") as caught:
        fetch_dataset(dataset_of(file), folder, silent)
    assert str(file.url) in str(caught.value)
    assert files_below(folder) == []


def test_network_down(server: Server, tmp_path: Path) -> None:
    url = server.put("a.csv", DATA)
    server.close()
    file = DataFile("a.csv", url=url, sha256=sha256(DATA))
    with pytest.raises(
        InputError, match=r"a\.csv cannot be downloaded .*put a\.csv into .* CROSSPLATE_DATA"
    ):
        fetch_dataset(dataset_of(file), tmp_path / "out", silent)
    assert files_below(tmp_path / "out") == []


def test_address_gone(server: Server, tmp_path: Path) -> None:
    file = DataFile("a.csv", url=server.url("a.csv"), sha256=sha256(DATA))
    with pytest.raises(InputError, match=r"cannot be downloaded \(HTTPError\)"):
        fetch_dataset(dataset_of(file), tmp_path / "out", silent)


def test_folder_that_cannot_be_written(server: Server, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, no folder")
    file = DataFile("a.csv", url=server.put("a.csv", DATA), sha256=sha256(DATA))
    with pytest.raises(InputError, match=r"a\.csv cannot be kept in .*name a folder"):
        fetch_dataset(dataset_of(file), tmp_path / "taken", silent)


@pytest.mark.parametrize("place", ["data", "data/tiny_folder"])
def test_data_folder_is_looked_into_first(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    file = DataFile("a.csv", url=server.put("a.csv", DATA), sha256=sha256(DATA))
    for folder in (tmp_path / place, tmp_path / "out"):
        folder.mkdir(parents=True)
        (folder / "a.csv").write_bytes(DATA)
    monkeypatch.setenv("CROSSPLATE_DATA", str(tmp_path / "data"))
    lines: list[str] = []
    paths, _ = fetch_dataset(dataset_of(file), tmp_path / "out", lines.append)
    assert paths == {"a.csv": tmp_path / place / "a.csv"}
    assert lines == [f"a.csv: found at {paths['a.csv']}"]
    assert server.asked == []


def test_data_folder_may_be_the_folder_of_the_data_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = DataFile("data.csv.gz", sha256=sha256(DATA))
    dataset = dataset_of(file, how_to_get="ask for it")
    for name in ("tiny_folder", "another"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "data.csv.gz").write_bytes(gzip.compress(DATA))
    monkeypatch.setenv("CROSSPLATE_DATA", str(tmp_path / "tiny_folder"))
    paths, _ = fetch_dataset(dataset, None, silent)
    assert paths["data.csv.gz"] == tmp_path / "tiny_folder/data.csv.gz"
    monkeypatch.setenv("CROSSPLATE_DATA", str(tmp_path / "another"))
    with pytest.raises(InputError, match="no direct download"):
        fetch_dataset(dataset, None, silent)


def test_local_file_with_other_content(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.csv").write_bytes(DATA + b"s3,x,3\n")
    monkeypatch.setenv("CROSSPLATE_DATA", str(tmp_path))
    file = DataFile("a.csv", url=server.put("a.csv", DATA), sha256=sha256(DATA))
    with pytest.raises(InputError, match=r"a\.csv is not the registered file of tiny .*remove it"):
        fetch_dataset(dataset_of(file), None, silent)
    assert server.asked == []


def test_own_copy_of_data_without_download_is_used_with_a_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.csv").write_bytes(DATA)
    monkeypatch.setenv("CROSSPLATE_DATA", str(tmp_path))
    dataset = dataset_of(DataFile("a.csv", sha256=sha256(b"other")), how_to_get="ask for it")
    paths, notices = fetch_dataset(dataset, None, silent)
    assert paths["a.csv"] == tmp_path / "a.csv"
    assert len(notices) == 1
    assert "differs from the copy of tiny" in notices[0]


def test_damaged_local_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(DATA)[:-9])
    monkeypatch.setenv("CROSSPLATE_DATA", str(tmp_path))
    file = DataFile("a.csv.gz", url="http://127.0.0.1:9/a.csv", sha256=sha256(DATA))
    with pytest.raises(InputError, match=r"a\.csv\.gz cannot be read .*remove it"):
        fetch_dataset(dataset_of(file), None, silent)


def test_data_folder_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSPLATE_DATA", str(tmp_path / "nowhere"))
    file = DataFile("a.csv", sha256=sha256(DATA))
    with pytest.raises(InputError, match=r"CROSSPLATE_DATA names .*nowhere, which is no folder"):
        fetch_dataset(dataset_of(file), None, silent)


def test_no_direct_download_says_how_to_get_it() -> None:
    with pytest.raises(InputError) as caught:
        fetch_dataset(find_dataset("mtbls79"), None, silent)
    message = str(caught.value)
    assert find_dataset("mtbls79").how_to_get in message
    assert "mtbls79/data.csv.gz" in message
    assert "CROSSPLATE_DATA" in message


@pytest.mark.parametrize(
    ("data", "blob"),
    [
        (b"", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),  # the empty file in any git repository
        (b"id\n" + b"5\n" * 201, "f44a0190ad84f34dc61de8f9d4db690210b8e4ec"),  # sumple-num-1.csv
        (b"id\n4\n" + b"5\n" * 184, "5f4d40698f449cc507385b4ed2baa0d907a488e9"),  # sumple-num-3.csv
    ],
)
def test_git_blob_id_against_known_ones(data: bytes, blob: str) -> None:
    assert git_blob_id(data) == blob


@pytest.mark.parametrize("data", [b"plain\n", b"\x00\xff\r\n" * 1000])
def test_git_blob_id_against_git(data: bytes) -> None:
    answer = subprocess.run(
        ["git", "hash-object", "--stdin"], input=data, capture_output=True, check=True
    )
    assert git_blob_id(data) == answer.stdout.decode().strip()


def test_a_file_with_no_known_hash_matches_anything() -> None:
    assert mismatch(DataFile("a.csv"), DATA) is None
