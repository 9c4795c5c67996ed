"""imzML images written by pyimzml's writer, read back pixel by pixel."""

import sys
from pathlib import Path

import numpy as np
import pytest
from pyimzml.ImzMLWriter import ImzMLWriter

from crossplate.errors import InputError
from crossplate.spectra.imzml import list_imzml

PIXELS = [(1, 1, 1), (2, 1, 1), (1, 2, 1)]
MZ = np.array([100.000000001, 250.25, 1 / 3 * 1e4])


def intensity(number: int) -> np.ndarray:
    return np.array([0.1, 5.0, 1e6]) * (number + 1)


def write_imzml(path: Path, mode="continuous", kind="profile", **options) -> Path:
    """Write three pixels, with the same m/z in continuous mode and each its own in processed."""
    with ImzMLWriter(str(path), mode=mode, spec_type=kind, **options) as writer:
        for number, pixel in enumerate(PIXELS):
            mz = MZ if mode == "continuous" else MZ + number
            writer.addSpectrum(mz, intensity(number), pixel)
    return path


@pytest.mark.parametrize("mode", ["continuous", "processed"])
def test_doubles_come_back_exactly(tmp_path, mode):
    path = write_imzml(tmp_path / "a.imzML", mode, mz_dtype=np.float64, intensity_dtype=np.float64)
    spectra = [file.read() for file in list_imzml(path, "a", "a.imzML")]
    assert [spectrum.name for spectrum in spectra] == ["a_x1_y1", "a_x2_y1", "a_x1_y2"]
    for number, spectrum in enumerate(spectra):
        assert np.array_equal(spectrum.mz, MZ + number * (mode == "processed"))
        assert np.array_equal(spectrum.intensity, intensity(number))
        assert not spectrum.centroided


@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.int64])
def test_other_types_come_back_as_written(tmp_path, dtype):
    path = write_imzml(tmp_path / "a.imzML", mz_dtype=np.float32, intensity_dtype=dtype)
    spectrum = list_imzml(path, "a", "a.imzML")[2].read()
    assert np.array_equal(spectrum.mz, MZ.astype(np.float32).astype(np.float64))
    assert np.array_equal(spectrum.intensity, intensity(2).astype(dtype).astype(np.float64))


def test_peaks_and_the_third_coordinate(tmp_path):
    path = tmp_path / "a.imzML"
    with ImzMLWriter(str(path), spec_type="centroid") as writer:
        writer.addSpectrum(MZ, intensity(0), (1, 1, 2))
    (file,) = list_imzml(path, "a", "a.imzML")
    assert file.name == "a_x1_y1_z2"
    assert file.read().centroided


def test_binary_file_that_is_cut_short(tmp_path):
    path = write_imzml(tmp_path / "a.imzML", "processed")
    binary = tmp_path / "a.ibd"
    binary.write_bytes(binary.read_bytes()[:-5])
    files = list_imzml(path, "a", "a.imzML")
    assert np.array_equal(files[0].read().intensity, intensity(0).astype(np.float32))
    with pytest.raises(InputError, match=r"a_x1_y2: the binary file a\.ibd is cut short"):
        files[2].read()


def test_binary_file_that_is_absent(tmp_path):
    path = write_imzml(tmp_path / "a.imzML")
    (tmp_path / "a.ibd").unlink()
    with pytest.raises(InputError, match=r"^a\.imzML: there is no binary file a\.ibd beside it"):
        list_imzml(path, "a", "a.imzML")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: "", "holds no spectra"),
        (lambda text: text[: text.index("<spectrum ")], "holds no spectra"),
        (lambda text: text[: text.index("</spectrum>")], "cannot be read as imzML"),
        (lambda text: text.replace("MS:1000514", "MS:1000786"), "cannot be read as imzML"),
        (
            lambda text: text.replace("MS:1000576", "MS:1000574"),
            "holds compressed numbers",
        ),
    ],
)
def test_damaged_layouts(tmp_path, change, said):
    path = write_imzml(tmp_path / "a.imzML")
    path.write_text(change(path.read_text(encoding="latin-1")), encoding="latin-1")
    with pytest.raises(InputError, match=rf"^a\.imzML {said}"):
        list_imzml(path, "a", "a.imzML")


def test_pyimzml_is_named_where_it_is_not_installed(tmp_path, monkeypatch):
    path = write_imzml(tmp_path / "a.imzML")
    monkeypatch.setitem(sys.modules, "pyimzml.ImzMLParser", None)
    with pytest.raises(InputError, match=r'needs the package pyimzML.*"crossplate\[spectra\]"'):
        list_imzml(path, "a", "a.imzML")
