"""Two-column text in the dialects that instruments and spreadsheets write."""

import gzip
import math
from pathlib import Path

import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.spectra.text import TextSpectrum, list_text

MZ, INTENSITY = [1000.01505, 1000.11702, 1001.5], [3149.0, 3134.25, -0.5]


def read(path: Path):
    (file,) = list_text(path, "a", path.name)
    assert isinstance(file, TextSpectrum)
    return file.read()


@pytest.mark.parametrize("header", ["", "mz{}intensity\n", "# made by hand\n", "#c\n\nm/z{}int.\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", " ", " , ", "   "])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_dialects(tmp_path, header, delimiter, newline):
    rows = [f"{x!r}{delimiter}{y!r}" for x, y in zip(MZ, INTENSITY, strict=True)]
    text = header.format(delimiter) + "\n".join(rows) + "\n"
    path = tmp_path / "a.txt"
    path.write_bytes(text.replace("\n", newline).encode())
    spectrum = read(path)
    assert spectrum.mz.tolist() == MZ
    assert spectrum.intensity.tolist() == INTENSITY


@pytest.mark.parametrize("delimiter", [";", "\t", " ", "; "])
@pytest.mark.parametrize("header", ["", "Masse{}Intensität\n"])
def test_decimal_comma(tmp_path, delimiter, header):
    rows = [f"{x!r}{delimiter}{y!r}" for x, y in zip(MZ, INTENSITY, strict=True)]
    text = header.format(delimiter) + "\n".join(rows).replace(".", ",")
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode("latin-1"))
    assert read(path).mz.tolist() == MZ
    assert read(path).intensity.tolist() == INTENSITY


def test_quoted_header_byte_order_mark_and_gzip(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b'\xef\xbb\xbf"mz","intensity"\n1.5,2\n2.5,1e3\n'))
    assert read(path).mz.tolist() == [1.5, 2.5]
    assert read(path).intensity.tolist() == [2.0, 1000.0]


def test_whole_numbers_with_a_comma_between_are_two_columns(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("1000,5\n1001,6\n")
    assert read(path).mz.tolist() == [1000.0, 1001.0]


@pytest.mark.parametrize("seed", range(3))
def test_every_double_is_read_back_exactly(tmp_path, seed):
    rng = np.random.default_rng(seed)
    mz = np.sort(rng.uniform(1, 1e4, 500)) * (1 + 1e-15)
    intensity = rng.normal(size=500) * 10.0 ** rng.integers(-200, 200, 500)
    path = tmp_path / "a.tsv"
    pairs = zip(mz.tolist(), intensity.tolist(), strict=True)
    path.write_text("".join(f"{x!r}\t{y!r}\n" for x, y in pairs))
    assert np.array_equal(read(path).mz, mz)
    assert np.array_equal(read(path).intensity, intensity)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the spectrum is empty"),
        ("# nothing\n\n", "the spectrum is empty"),
        ("mz,intensity\n", "the spectrum is empty, there is only a header"),
        ("mz,intensity\n1,2\n2,three\n", "line 3: '2,three' is not two numbers"),
        ("1,2\n2,3\n3,4,5\n", "line 3: '3,4,5' is not two numbers"),
        ("1,NaN2\n2,3\n3,4\n", "line 1: '1,NaN2' is not two numbers"),
        ("m/z,int\n# comment\n1,2,3\n2,3,4\n", "line 3: '1,2,3' is not two numbers"),
        ("1,2\n2\n3,4\n", "line 2: '2' is not two numbers"),
        ("1,2\n2,3\n3\n4,5\n", r"intensity of point 3 is missing \(NaN\)"),
        ("1,2\n2,NaN\n3,4\n", r"intensity of point 2 is missing \(NaN\)"),
        ("1,2\n2,3\n2,4\n", "m/z 2 stands twice"),
        ("1,2\n3,3\n2,4\n4,5\n", "m/z is not in order"),
        ("1,2\n2,inf\n", "intensity of point 2 is infinite"),
        ("1000,5,3149,2\n", "is not two numbers"),
        ("<xml>\n</xml>\n", "line 2: '</xml>' is not two numbers"),
    ],
)
def test_bad_files_are_refused_in_one_sentence(tmp_path, text, said):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=rf"^a\.csv.*{said}"):
        read(path)


def test_damaged_and_foreign_files(tmp_path):
    whole = gzip.compress(b"1,2\n" * 1000)
    cases = {
        "cut.csv.gz": (whole[:30], "cut short or damaged"),
        "picture.csv": (b"\x89PNG\0\0", "is not a text file"),
    }
    for name, (data, said) in cases.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=f"^{name}.*{said}"):
            TextSpectrum(tmp_path / name, name, name).read()
    with pytest.raises(InputError, match=r"^absent\.csv cannot be read \(No such file"):
        read(tmp_path / "absent.csv")


@pytest.mark.parametrize("study", ["seldi_imac", "fiedler2009subset"])
def test_real_spectra_agree_with_their_metadata(real_spectra, study):
    import csv

    with (real_spectra / study / "metadata.csv").open() as stream:
        row = next(csv.DictReader(stream))
    path = real_spectra / study / "spectra" / f"{row['sample_id']}.csv.gz"
    spectrum = TextSpectrum(path, row["sample_id"], path.name).read()
    assert spectrum.n_points == int(row["n_points"])
    assert math.isclose(spectrum.mz[0], float(row["mz_min"]), rel_tol=1e-8)
    assert math.isclose(spectrum.mz[-1], float(row["mz_max"]), rel_tol=1e-8)
    assert math.isclose(spectrum.intensity.max(), float(row["int_max"]), rel_tol=1e-7)
