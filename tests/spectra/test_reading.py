"""Which files of a folder are spectra, what they are called, and that none is read too early."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.spectra.reading import find_spectra, path_key, read_spectra


def write(path: Path, start: float = 1.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{start},10\n{start + 1},20\n")


def names(root: Path, **options) -> list[str]:
    return [file.name for file in find_spectra(root, **options).files]


def test_files_of_known_formats_in_the_order_of_their_paths(tmp_path):
    for name in ("b.csv", "a.TXT", "sub/c.tsv", ".hidden.csv", ".git/d.csv", "e.png", "f.xlsx"):
        write(tmp_path / name)
    found = find_spectra(tmp_path)
    assert [file.name for file in found.files] == ["a", "b", "c"]
    assert [file.source for file in found.files] == ["a.TXT", "b.csv", "sub/c.tsv"]
    assert found.excluded == ()


def test_folders_and_endings_are_named_where_needed(tmp_path):
    for name in ("p1/A1.csv", "p2/A1.csv", "p2/B1.csv", "p2/B1.txt", "p2/C1.csv"):
        write(tmp_path / name)
    assert names(tmp_path) == ["p1/A1", "p2/A1", "B1.csv", "B1.txt", "C1"]


def test_a_flex_folder_is_named_by_its_path(tmp_path):
    for folder in ("S1/0_A1/1/1SLin", "S2/0_A1/1/1SLin"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "fid").write_bytes(b"")
    assert names(tmp_path) == ["S1/0_A1/1/1SLin", "S2/0_A1/1/1SLin"]
    assert names(tmp_path / "S1/0_A1/1/1SLin") == ["1SLin"]


def test_one_file_and_files_left_out(tmp_path):
    for name in ("a.csv", "metadata.csv"):
        write(tmp_path / name)
    assert names(tmp_path / "a.csv") == ["a"]
    assert names(tmp_path, leave_out=[tmp_path / "sub" / ".." / "metadata.csv"]) == ["a"]


def test_references_are_read_one_at_a_time_and_elsewhere(tmp_path):
    for number in range(3):
        write(tmp_path / f"s{number}.csv", start=number + 1.0)
    files = find_spectra(tmp_path).files
    (tmp_path / "s0.csv").unlink()
    assert pickle.loads(pickle.dumps(files[2])).read().mz.tolist() == [3.0, 4.0]
    with pytest.raises(InputError, match=r"^s0\.csv cannot be read"):
        files[0].read()
    spectra = read_spectra(tmp_path)
    write(tmp_path / "s2.csv", start=7.0)  # changed after the reading began
    assert [spectrum.mz[0] for spectrum in spectra] == [2.0, 7.0]


def test_files_that_cannot_be_opened_are_listed_and_the_others_found(tmp_path):
    write(tmp_path / "a.csv")
    (tmp_path / "b.mzXML").write_text("nothing")
    (tmp_path / "c.imzML").write_text("<x/>")
    found = find_spectra(tmp_path)
    assert [file.name for file in found.files] == ["a"]
    assert [one.name for one in found.excluded] == ["b", "c"]
    assert found.excluded[0].reason.startswith("b.mzXML cannot be read as mzXML")
    with pytest.raises(InputError, match=r"^b\.mzXML cannot be read"):
        next(read_spectra(tmp_path))


@pytest.mark.parametrize(
    ("files", "place", "said"),
    [
        ({}, "", "holds no spectra; they are files that end in .mzML"),
        ({"a.png": ""}, "a.png", "holds no spectra"),
        ({}, "absent", "absent does not exist"),
        ({"a.mzXML": "", "b.mzXML": ""}, "", r"and 1 more files\): a\.mzXML cannot be read"),
    ],
)
def test_places_without_spectra(tmp_path, files, place, said):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=said):
        find_spectra(tmp_path / place)


def test_names_that_numbering_makes_equal(tmp_path):
    scan = '<scan num="{}" msLevel="1" peaksCount="0"><peaks precision="32"></peaks></scan>'
    scans = scan.format(1) + scan.format(2)
    (tmp_path / "a.mzXML").write_text(f"<mzXML><msRun>{scans}</msRun></mzXML>")
    write(tmp_path / "a_1.csv")
    with pytest.raises(
        InputError, match=r"a\.mzXML and a_1\.csv both hold a spectrum called 'a_1'"
    ):
        find_spectra(tmp_path)


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("a.csv.gz", "a"),
        ("sub\\a.mzML", "sub/a"),
        (" ./a.b.txt ", "a.b"),
        ("S1/0_A1/1/1SLin/fid", "S1/0_A1/1/1SLin"),
        ("S1/0_A1/", "S1/0_A1"),
        ("fid", ""),
    ],
)
def test_path_keys(path, key):
    assert path_key(path) == key


@pytest.mark.parametrize(("study", "n"), [("species4", 96), ("seldi_imac", 40)])
def test_real_folders(real_spectra, study, n):
    folder = real_spectra / study
    found = find_spectra(folder, leave_out=[folder / "metadata.csv"])
    assert len(found.files) == n
    first = found.files[0].read()
    assert np.all(np.diff(first.mz) > 0)
