"""Spectra meet metadata: what is joined, and what is listed as excluded instead of a crash."""

from pathlib import Path

import pytest

from crossplate.errors import InputError
from crossplate.spectra.annotation import annotate, one_batch
from crossplate.spectra.metadata import read_metadata
from crossplate.spectra.reading import find_spectra

SCAN = '<scan num="{}" msLevel="1" peaksCount="0"><peaks precision="32"></peaks></scan>'


def study(root: Path, *files: str):
    """Text spectra, mzXML files of two scans, and flex folders."""
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        scans = SCAN.format(1) + SCAN.format(2)
        path.write_text(
            f"<mzXML><msRun>{scans}</msRun></mzXML>" if name.endswith("mzXML") else "1,1\n2,2\n"
        )
    return find_spectra(root)


def join(root: Path, text: str, *files: str):
    found = study(root / "spectra", *files)
    (root / "meta.csv").write_text(text)
    return annotate(found, read_metadata(root / "meta.csv"), "only")


def batches(joined) -> dict[str, str]:
    assert [file.name for file in joined.files] == list(joined.samples.index)
    return joined.samples["batch"].to_dict()


def test_rows_find_their_files_in_any_order_and_with_any_ending(tmp_path):
    joined = join(
        tmp_path, "file,batch\nc.txt,3\nsub/b,2\na.csv,1\n", "a.csv", "sub/b.csv", "sub/c.txt"
    )
    assert batches(joined) == {"a": "1", "b": "2", "c": "3"}
    assert joined.excluded == ()


def test_sample_ids_of_the_table_name_the_spectra(tmp_path):
    joined = join(tmp_path, "file,batch,sample_id\na,1,x\nb,1,y\n", "a.csv", "b.csv")
    assert batches(joined) == {"x": "1", "y": "1"}
    assert [file.read().name for file in joined.files] == ["x", "y"]


def test_rows_without_file_and_files_without_row_are_listed(tmp_path):
    joined = join(tmp_path, "file,batch\na,1\nlost,1\n", "a.csv", "more.csv")
    assert batches(joined) == {"a": "1"}
    assert [(one.name, one.reason) for one in joined.excluded] == [
        ("lost", "meta.csv, line 3: there is no spectrum 'lost'"),
        ("more", "more.csv: no row of meta.csv names it"),
    ]


def test_rows_without_batch_or_subject_are_listed(tmp_path):
    text = "file,batch,subject\na,1,s\nb,,s\nc,1,\n"
    joined = join(tmp_path, text, "a.csv", "b.csv", "c.csv")
    assert batches(joined) == {"a": "1"}
    assert [one.reason for one in joined.excluded] == [
        "meta.csv, line 3: the batch is missing",
        "meta.csv, line 4: the subject is missing",
    ]


def test_a_row_stands_for_all_spectra_of_a_file_or_folder_unless_one_is_named(tmp_path):
    joined = join(
        tmp_path,
        "file,batch,id\np1,1,i\np1/special,2,j\nscans.mzXML,3,k\nscans_2,4,l\n",
        "p1/a.csv",
        "p1/special.csv",
        "scans.mzXML",
    )
    assert batches(joined) == {"i": "1", "j": "2", "k": "3", "l": "4"}
    joined = join(tmp_path / "2", "file,batch,id\np1,1,i\n", "p1/a.csv", "p1/b.csv")
    assert batches(joined) == {"a": "1", "b": "1"}


def test_flex_folders_are_named_by_sample_or_spot(tmp_path):
    files = [f"S{n}/0_A{m}/1/1SLin/fid" for n in (1, 2) for m in (1, 2)]
    joined = join(tmp_path, "folder,batch\nS1,1\nS2/0_A1,2\n", *files)
    assert batches(joined) == {
        "S1/0_A1/1/1SLin": "1",
        "S1/0_A2/1/1SLin": "1",
        "S2/0_A1/1/1SLin": "2",
    }
    assert [one.name for one in joined.excluded] == ["S2/0_A2/1/1SLin"]


def test_a_name_that_stands_for_several_places_is_listed(tmp_path):
    joined = join(tmp_path, "file,batch\nA1,1\np1/A2,1\n", "p1/A1.csv", "p2/A1.csv", "p1/A2.csv")
    assert batches(joined) == {"A2": "1"}
    assert joined.excluded[0].reason == (
        "meta.csv, line 2: 'A1' stands for p1/A1 and p2/A1; write the whole path"
    )


def test_a_second_row_for_the_same_file_is_listed(tmp_path):
    joined = join(tmp_path, "file,batch\np1/A1,1\nA1,2\n", "p1/A1.csv")
    assert batches(joined) == {"A1": "1"}
    assert joined.excluded[0].reason == "meta.csv, line 3: 'A1' was named before (meta.csv, line 2)"


def test_without_a_column_of_batches_all_are_one(tmp_path):
    joined = join(tmp_path, "file,age\na,40\nb,50\n", "a.csv", "b.csv")
    assert batches(joined) == {"a": "only", "b": "only"}
    assert joined.samples["age"].tolist() == [40, 50]


def test_without_metadata_all_are_one_batch(tmp_path):
    joined = one_batch(study(tmp_path, "a.csv", "b.csv"), "only")
    assert batches(joined) == {"a": "only", "b": "only"}


def test_files_that_cannot_be_opened_stay_listed(tmp_path):
    (tmp_path / "spectra").mkdir()
    (tmp_path / "spectra" / "bad.mzXML").write_text("")
    joined = join(tmp_path, "file,batch\na,1\nbad,1\n", "a.csv")
    assert [one.name for one in joined.excluded] == ["bad", "bad"]
    assert joined.excluded[0].reason.startswith("bad.mzXML cannot be read")


def test_nothing_fits(tmp_path):
    with pytest.raises(
        InputError, match=r"the first row names 'x' and the first spectrum is a\.csv"
    ):
        join(tmp_path, "file,batch\nx,1\n", "a.csv")


def test_sample_ids_that_are_repeated(tmp_path):
    with pytest.raises(InputError, match=r"meta\.csv: the sample id 'x' stands for more than one"):
        join(tmp_path, "file,batch,sample_id\na,1,x\nb,1,x\n", "a.csv", "b.csv")
