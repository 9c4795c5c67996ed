"""mzXML files made here by the letter of the format, read back."""

import base64
import re
import zlib
from pathlib import Path

import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.spectra.mzxml import list_mzxml

MZ = np.array([100.000000001, 250.25, 1 / 3 * 1e4])
INTENSITY = np.array([0.1, 5.0, 1e6])


def scan(number, mz, intensity, *, precision=64, compressed=False, level=1, centroided=0) -> str:
    """One scan: pairs of m/z and intensity, big-endian, in base 64."""
    pairs = np.column_stack([mz, intensity]).astype(f">f{precision // 8}").tobytes()
    data = zlib.compress(pairs) if compressed else pairs
    return (
        f'<scan num="{number}" msLevel="{level}" peaksCount="{len(mz)}" centroided="{centroided}">'
        f'<peaks precision="{precision}" byteOrder="network" contentType="m/z-int" '
        f'compressionType="{"zlib" if compressed else "none"}" compressedLen="{len(data)}">'
        f"{base64.b64encode(data).decode()}</peaks></scan>"
    )


def write_mzxml(path: Path, *scans: str) -> Path:
    lines = "\n".join(scans)
    path.write_text(
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
        '<mzXML xmlns="http://sashimi.sourceforge.net/schema_revision/mzXML_3.2">\n'
        f'<msRun scanCount="{len(scans)}">\n{lines}\n</msRun>\n</mzXML>\n'
    )
    return path


def read_all(path: Path):
    return [file.read() for file in list_mzxml(path, path.stem, path.name)]


@pytest.mark.parametrize("compressed", [False, True])
def test_doubles_come_back_exactly(tmp_path, compressed):
    path = write_mzxml(tmp_path / "a.mzXML", scan(1, MZ, INTENSITY, compressed=compressed))
    (spectrum,) = read_all(path)
    assert np.array_equal(spectrum.mz, MZ)
    assert np.array_equal(spectrum.intensity, INTENSITY)
    assert (spectrum.name, spectrum.source, spectrum.centroided) == ("a", "a.mzXML", False)
    assert spectrum.mz.dtype.isnative


def test_single_precision_and_peaks(tmp_path):
    path = write_mzxml(tmp_path / "a.mzXML", scan(1, MZ, INTENSITY, precision=32, centroided=1))
    (spectrum,) = read_all(path)
    assert np.array_equal(spectrum.mz, MZ.astype(np.float32).astype(np.float64))
    assert spectrum.centroided


def test_several_scans_are_numbered_by_place(tmp_path):
    path = write_mzxml(tmp_path / "a.mzXML", scan(7, MZ, INTENSITY), scan(9, MZ + 1, INTENSITY))
    spectra = read_all(path)
    assert [spectrum.name for spectrum in spectra] == ["a_1", "a_2"]
    assert np.array_equal(spectra[1].mz, MZ + 1)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (scan(1, [], []), "the spectrum is empty"),
        (scan(1, MZ, INTENSITY, level=2), r"is of fragments \(MS level 2\)"),
        (scan(1, MZ, [1, np.nan, 1]), r"intensity of point 2 is missing \(NaN\)"),
        (scan(1, MZ[[0, 2, 1]], INTENSITY), "m/z is not in order"),
        (re.sub(".{5}</peaks>", "</peaks>", scan(1, MZ, INTENSITY)), "cannot be read as mzXML"),
    ],
)
def test_bad_scans_are_refused_and_the_others_read(tmp_path, bad, said):
    path = write_mzxml(tmp_path / "a.mzXML", bad, scan(2, MZ, INTENSITY))
    first, second = list_mzxml(path, "a", "sub/a.mzXML")
    with pytest.raises(InputError, match=rf"^sub/a\.mzXML, spectrum a_1.*{said}"):
        first.read()
    assert np.array_equal(second.read().mz, MZ)


def test_file_without_scans(tmp_path):
    with pytest.raises(InputError, match=r"^a\.mzXML holds no spectra"):
        list_mzxml(write_mzxml(tmp_path / "a.mzXML"), "a", "a.mzXML")


def test_file_that_is_cut_short(tmp_path):
    path = write_mzxml(tmp_path / "a.mzXML", scan(1, MZ, INTENSITY))
    path.write_text(path.read_text()[:300])
    with pytest.raises(InputError, match=r"^a\.mzXML cannot be read as mzXML"):
        read_all(path)
