"""Metadata tables: which column is what, and what makes a table unusable."""

import pandas as pd
import pytest

from crossplate.errors import InputError
from crossplate.io import write_frame
from crossplate.spectra.metadata import read_metadata

FRAME = pd.DataFrame(
    {
        "File": ["a.mzML", "b.mzML"],
        "Plate": [1.0, 2.0],
        "Patient": ["P1", "P2"],
        "Diagnosis": ["SLE", None],
        "rep": [1, 2],
        "age": [40, 50],
        "sample_id": ["one", "two"],
    }
)


@pytest.mark.parametrize("ending", [".csv", ".tsv.gz", ".xlsx", ".parquet"])
def test_columns_with_usual_names_are_found_in_every_format(tmp_path, ending):
    path = tmp_path / f"meta{ending}"
    write_frame(FRAME, path)
    table = read_metadata(path)
    assert table.keys == ("a.mzML", "b.mzML")
    assert table.ids == ("one", "two")
    assert list(table.columns) == ["batch", "label", "subject", "replicate", "age"]
    assert table.columns["batch"].tolist() == ["1", "2"]
    assert table.columns["label"].tolist() == ["SLE", None]
    assert table.columns["replicate"].tolist() == ["1", "2"]
    assert table.columns["age"].tolist() == [40, 50]


def test_named_columns_go_before_usual_names(tmp_path):
    path = tmp_path / "meta.csv"
    frame = FRAME.assign(site=["x", "y"], outcome=["0", "1"], donor=["d1", "d2"])
    write_frame(frame, path)
    table = read_metadata(path, batch="site", label="outcome", subject="donor")
    assert table.columns["batch"].tolist() == ["x", "y"]
    assert table.columns["label"].tolist() == ["0", "1"]
    assert table.columns["subject"].tolist() == ["d1", "d2"]


def test_ids_name_the_spectra_where_no_column_of_files_does(tmp_path):
    path = tmp_path / "meta.csv"
    path.write_text("id,batch\n007,1\n008,1\n")
    table = read_metadata(path)
    assert table.keys == ("007", "008")
    assert table.ids is None


def test_rows_are_named_by_their_lines_and_empty_ones_passed_over(tmp_path):
    path = tmp_path / "meta.csv"
    path.write_text('file,batch\n"a\nb",1\n,\nc,2\n')
    table = read_metadata(path)
    assert len(table.keys) == 2
    assert table.row_name(1) == "meta.csv, line 5"


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("", {}, "meta.csv is empty"),
        ("name,batch\na,1\n", {}, "no column names the spectra; call it 'file'"),
        ("file,batch\na,1\n,2\n", {}, "line 3: the column 'file' is empty"),
        ("file,batch\na,1\na.csv,2\n", {}, r"line 3: 'a.csv' was named before .*line 2"),
        ("file,batch\na,1\n", {"label": "sle"}, "no column 'sle' .asked for as --label"),
        ("file,batch,batch\na,1,1\n", {}, "the column name 'batch' stands 2 times"),
    ],
)
def test_unusable_tables(tmp_path, text, options, said):
    path = tmp_path / "meta.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        read_metadata(path, **options)


def test_absent_and_foreign_files(tmp_path):
    with pytest.raises(InputError, match=r"metadata table .*absent\.csv does not exist"):
        read_metadata(tmp_path / "absent.csv")
    (tmp_path / "meta.doc").write_text("x")
    with pytest.raises(InputError, match=r"meta\.doc has an ending that is not known"):
        read_metadata(tmp_path / "meta.doc")
