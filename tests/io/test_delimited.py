"""Tests of crossplate.io.delimited: what text files do to one."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.io import read_table


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.txt"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found(tmp_path: Path, name: str, delimiter: str) -> None:
    rows = [["id", '"1,2;3-triol"', "X2"], ["a", "1.5", ""], ["b", "2.5", "4"]]
    path = write(tmp_path / name, "\n".join(delimiter.join(row) for row in rows) + "\n")
    table = read_table(path)
    assert table.features.columns.tolist() == ["1,2;3-triol", "X2"]
    np.testing.assert_array_equal(table.features.to_numpy(), [[1.5, np.nan], [2.5, 4.0]])


@pytest.mark.parametrize(
    "header", ["id;2,3-diol;1,2-diol,4-ol;5,6,7,8-tetra", "id;2,3-diol;X;5,6,7,8-tetra"]
)
def test_commas_inside_names_do_not_hide_semicolons(tmp_path: Path, header: str) -> None:
    path = write(tmp_path / "a.csv", header + "\na;1;2;3\nb;4;5;6\n")
    assert read_table(path).features.columns.tolist() == header.split(";")[1:]


def test_decimal_commas_are_explained(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id;X1;X2\na;1,5;2,5\nb;3,5;4,5\n")
    with pytest.raises(InputError, match=r"a\.csv, line 2, column 'X1'.*'1,5'.*decimal comma"):
        read_table(path)


@pytest.mark.parametrize(
    ("name", "words"),
    [("a.csv", "comma, semicolon or tab"), ("a.tsv", "no tab was found")],
)
def test_one_column_only_is_told(tmp_path: Path, name: str, words: str) -> None:
    path = write(tmp_path / name, "id|X1\na|1\nb|2\n")
    with pytest.raises(InputError, match=f"{name} has just one column.*{words}"):
        read_table(path)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_mark_do_not_matter(
    tmp_path: Path, newline: str, bom: bytes
) -> None:
    text = newline.join(["sample_id,X1,X2", "a,1,2", "b,3,4", ""])
    table = read_table(write(tmp_path / "a.csv", bom + text.encode()))
    assert table.features.index.tolist() == ["a", "b"]
    np.testing.assert_array_equal(table.features.to_numpy(), [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("utf-16", "looks like UTF-16"),
        ("utf-16-le", "looks like UTF-16"),
        ("latin-1", r"line 2: .*Latin-1"),
        ("cp1252", r"line 2: .*Latin-1"),
    ],
)
def test_other_encodings_are_named(tmp_path: Path, encoding: str, words: str) -> None:
    path = write(tmp_path / "a.csv", "id,label,X1\na,gesünd,1\nb,krank,2\n".encode(encoding))
    with pytest.raises(InputError, match=rf"a\.csv.*{words}.*save it as UTF-8"):
        read_table(path)


def test_zero_bytes_are_no_text(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", b"id,X1\na,1\nb,\0\n" + b"c,3\n" * 20)
    with pytest.raises(InputError, match=r"a\.csv is not a text table"):
        read_table(path)


def test_repeated_names_are_seen_although_pandas_would_rename_them(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id,X1,X2, X1\na,1,2,3\nb,4,5,6\n")
    with pytest.raises(InputError, match=r"a\.csv.*'X1' stands 2 times.*names repeated: 1"):
        read_table(path)


def test_names_of_pandas_own_making_are_left_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id,X1,X1.1\na,1,2\nb,4,5\n")
    assert read_table(path).features.columns.tolist() == ["X1", "X1.1"]


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("a,1,2\nb,3\nc,4,5\n", 3),
        ("a,1,2\n\nb,3,4,5\nc,4,5\n", 4),
        ("a,1\nb,3,4\n", 2),
        ('"a\nx",1,2\nb,3,4\nc,5\n', 5),
        ("a,1,2\nb,3,4\nc,5", 4),
    ],
)
def test_rows_of_another_length_are_refused_with_their_line(
    tmp_path: Path, body: str, line: int
) -> None:
    path = write(tmp_path / "a.csv", "id,X1,X2\n" + body)
    with pytest.raises(InputError, match=rf"a\.csv, line {line}: the row has . cells .* has 3"):
        read_table(path)


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    body = 'id,note,X1,X2\na,"two\nlines",1,2\n\nb,x,bad,4\nc,y,5,6\n'
    path = write(tmp_path / "a.csv", body)
    with pytest.raises(InputError, match=r"line 5, column 'X1': the cell 'bad'"):
        read_table(path)


def test_a_quotation_mark_that_never_closes_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'id,X1,X2\na,1,2\nb,"3,4\nc,5,6\n')
    with pytest.raises(InputError, match=r"a\.csv"):
        read_table(path)
    path = write(tmp_path / "b.csv", '"id,X1,X2\n' + "a,1,2\n" * 30_000)
    with pytest.raises(InputError, match=r"b\.csv.*quotation marks"):
        read_table(path)


def test_row_names_as_r_writes_them_are_sample_ids(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", '"X1","X2"\n"s1",1,2\n"s2",3,NA\n')
    table = read_table(path)
    assert table.features.index.tolist() == ["s1", "s2"]
    np.testing.assert_array_equal(table.features.to_numpy(), [[1, 2], [3, np.nan]])


def test_the_index_as_pandas_writes_it_is_sample_ids(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ",X1,X2\n007,1,2\n008,3,4\n")
    assert read_table(path).features.index.tolist() == ["007", "008"]


@pytest.mark.parametrize("header", ["id,X1,X2,", "id,X1,X2"])
def test_a_delimiter_at_the_end_of_each_row_does_no_harm(tmp_path: Path, header: str) -> None:
    path = write(tmp_path / "a.csv", header + "\na,1,2,\nb,3,4,\n,,,\n")
    table = read_table(path)
    assert table.features.shape == (2, 2)
    assert any("1 wholly empty row" in text for text in table.notices)


def test_blank_lines_before_the_header_do_no_harm(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "\n\nid,X1,X2\na,1,2\nb,3,x\n")
    with pytest.raises(InputError, match="line 5"):
        read_table(path)


@pytest.mark.parametrize("content", ["", "\n\n", "  \n"])
@pytest.mark.parametrize("gzipped", [False, True])
def test_blank_files_are_empty(tmp_path: Path, content: str, gzipped: bool) -> None:
    data = content.encode()
    name = "a.csv.gz" if gzipped else "a.csv"
    path = write(tmp_path / name, gzip.compress(data) if gzipped else data)
    with pytest.raises(InputError, match=f"{name} is empty"):
        read_table(path)


def test_gzip_that_is_not_and_a_workbook_in_gzip_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv.gz", "id,X1\na,1\n")
    with pytest.raises(InputError, match=r"a\.csv\.gz is not a gzip file.*not compressed"):
        read_table(path)
    path = write(tmp_path / "b.csv.gz", gzip.compress(b"PK\x03\x04" + b"x" * 30))
    with pytest.raises(InputError, match=r"b\.csv\.gz is not a text table.*kind zip"):
        read_table(path)


def test_damaged_gzip_is_refused(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(b"id,X1\n" + b"a,1\n" * 500))
    data[20] ^= 0xFF
    with pytest.raises(InputError, match=r"a\.csv\.gz is (damaged|cut short)"):
        read_table(write(tmp_path / "a.csv.gz", bytes(data)))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_numbers_are_read_to_the_last_bit(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.ldexp(rng.random(300), rng.integers(-1000, 1000, 300))
    lines = [f"s{k},{value!r},1" for k, value in enumerate(values.tolist())]
    path = write(tmp_path / "a.csv", "id,X1,X2\n" + "\n".join(lines) + "\n")
    np.testing.assert_array_equal(read_table(path).features["X1"].to_numpy(), values)


def test_a_header_longer_than_a_cell_may_be_is_read(tmp_path: Path) -> None:
    names = [f"mz_{at:015d}" for at in range(8000)]
    path = tmp_path / "wide.csv"
    path.write_text(f"id,{','.join(names)}\ns1,{','.join(['1'] * 8000)}\n")
    assert path.read_text().index("\n") > 131_072
    assert list(read_table(path).features.columns) == names
