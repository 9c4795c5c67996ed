"""mzML files written by psims, read back; and files that are damaged in various ways."""

import base64
import pickle
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.spectra.mzml import list_mzml

MZ = np.array([100.000000001, 250.25, 1 / 3 * 1e4])
INTENSITY = np.array([0.1, 5.0, 1e6])


def write_mzml(path: Path, spectra, *, width=np.float64, compression="none") -> None:
    """Write (mz, intensity, MS level, centroided) as an mzML file."""
    with warnings.catch_warnings():
        # psims warns when it is imported, and leaves the files of its vocabularies open.
        warnings.simplefilter("ignore")
        from psims.controlled_vocabulary.controlled_vocabulary import obo_cache
        from psims.mzml import MzMLWriter

        obo_cache.use_remote = False
        with MzMLWriter(str(path), close=True) as out:
            _write(out, spectra, {"m/z array": width, "intensity array": width}, compression)


def _write(out, spectra, encoding, compression) -> None:
    out.controlled_vocabularies()
    out.file_description(["MS1 spectrum"])
    software = {"id": "own", "version": "1", "params": ["custom unreleased software tool"]}
    out.software_list([software])
    parts = [out.Source(1, ["matrix-assisted laser desorption ionization"])]
    out.instrument_configuration_list([out.InstrumentConfiguration("tof", parts)])
    step = out.ProcessingMethod(order=1, software_reference="own", params=["Conversion to mzML"])
    out.data_processing_list([out.DataProcessing([step], id="none")])
    with out.run(id="run", instrument_configuration="tof"), out.spectrum_list(len(spectra)):
        for number, (mz, intensity, level, centroided) in enumerate(spectra, start=1):
            out.write_spectrum(
                mz,
                intensity,
                id=f"scan={number}",
                centroided=centroided,
                params=[{"ms level": level}],
                encoding=encoding,
                compression=compression,
            )


def read_all(path: Path):
    return [file.read() for file in list_mzml(path, path.stem, path.name)]


@pytest.mark.parametrize("compression", ["none", "zlib"])
def test_doubles_come_back_exactly(tmp_path, compression):
    path = tmp_path / "a.mzML"
    write_mzml(path, [(MZ, INTENSITY, 1, False)], compression=compression)
    (spectrum,) = read_all(path)
    assert np.array_equal(spectrum.mz, MZ)
    assert np.array_equal(spectrum.intensity, INTENSITY)
    assert (spectrum.name, spectrum.source, spectrum.centroided) == ("a", "a.mzML", False)


def test_single_precision_comes_back_as_written(tmp_path):
    path = tmp_path / "a.mzML"
    write_mzml(path, [(MZ, INTENSITY, 1, True)], width=np.float32)
    (spectrum,) = read_all(path)
    assert np.array_equal(spectrum.mz, MZ.astype(np.float32).astype(np.float64))
    assert np.array_equal(spectrum.intensity, INTENSITY.astype(np.float32).astype(np.float64))
    assert spectrum.centroided


def test_several_spectra_in_any_order_and_in_other_processes(tmp_path):
    path = tmp_path / "plate.mzML"
    write_mzml(path, [(MZ + n, INTENSITY * n, 1, False) for n in range(1, 6)])
    other = tmp_path / "other.mzML"
    write_mzml(other, [(MZ, INTENSITY, 1, False)])
    files = list_mzml(path, "plate", "plate.mzML")
    assert [file.name for file in files] == [f"plate_{n}" for n in range(1, 6)]
    for n in (5, 1, 3):
        file = pickle.loads(pickle.dumps(files[n - 1]))
        assert np.array_equal(file.read().mz, MZ + n)
        assert np.array_equal(list_mzml(other, "o", "o")[0].read().mz, MZ)
    with ThreadPoolExecutor(4) as pool:
        read = list(pool.map(lambda file: file.read().intensity, files * 4))
    for n, intensity in enumerate(read):
        assert np.array_equal(intensity, INTENSITY * (n % 5 + 1))


def test_a_file_that_is_written_anew_is_read_anew(tmp_path):
    path = tmp_path / "a.mzML"
    write_mzml(path, [(MZ, INTENSITY, 1, False)])
    assert len(read_all(path)) == 1
    write_mzml(path, [(MZ + 1, INTENSITY, 1, False), (MZ + 2, INTENSITY, 1, False)])
    assert [spectrum.mz[0] for spectrum in read_all(path)] == [MZ[0] + 1, MZ[0] + 2]


def test_no_index_is_needed(tmp_path):
    path = tmp_path / "a.mzML"
    write_mzml(path, [(MZ, INTENSITY, 1, False), (MZ + 1, INTENSITY, 1, False)])
    text = path.read_text()
    inner = text[text.index("<mzML ") : text.index("</mzML>") + len("</mzML>")]
    path.write_text(f"<?xml version='1.0' encoding='utf-8'?>\n{inner}\n")
    assert [spectrum.mz[0] for spectrum in read_all(path)] == [MZ[0], MZ[0] + 1]


@pytest.mark.parametrize(
    ("spectrum", "said"),
    [
        (([], [], 1, False), "the spectrum is empty"),
        ((MZ, INTENSITY, 2, False), r"is of fragments \(MS level 2\)"),
        ((MZ, [1.0, np.nan, 1.0], 1, False), r"intensity of point 2 is missing \(NaN\)"),
        ((MZ[[0, 2, 1]], INTENSITY, 1, False), "m/z is not in order"),
        ((MZ[[0, 0, 1]], INTENSITY, 1, False), "m/z 100 stands twice"),
    ],
)
def test_bad_spectra_are_refused_and_the_others_read(tmp_path, spectrum, said):
    path = tmp_path / "a.mzML"
    write_mzml(path, [spectrum, (MZ, INTENSITY, 1, False)])
    bad, good = list_mzml(path, "a", "sub/a.mzML")
    with pytest.raises(InputError, match=rf"^sub/a\.mzML, spectrum a_1.*{said}"):
        bad.read()
    assert np.array_equal(good.read().mz, MZ)


def test_file_without_spectra(tmp_path):
    path = tmp_path / "a.mzML"
    write_mzml(path, [])
    with pytest.raises(InputError, match=r"^a\.mzML holds no spectra"):
        list_mzml(path, "a", "a.mzML")


def test_file_that_is_cut_short(tmp_path):
    path = tmp_path / "a.mzML"
    write_mzml(path, [(MZ, INTENSITY, 1, False), (MZ, INTENSITY, 1, False)])
    text = path.read_text()
    path.write_text(text[: text.index("</spectrum>") + 600])
    first, second = list_mzml(path, "a", "a.mzML")
    assert np.array_equal(first.read().mz, MZ)
    with pytest.raises(InputError, match=r"^a\.mzML, spectrum a_2 cannot be read as mzML \(.*cut"):
        second.read()


@pytest.mark.parametrize("content", ["", "hello", "<html></html>"])
def test_file_of_another_kind(tmp_path, content):
    path = tmp_path / "a.mzML"
    path.write_text(content)
    with pytest.raises(InputError, match=r"^a\.mzML (cannot be read as mzML|holds no spectra)"):
        list_mzml(path, "a", "a.mzML")


def test_damaged_numbers(tmp_path):
    path = tmp_path / "a.mzML"
    write_mzml(path, [(MZ, INTENSITY, 1, False)])
    numbers = base64.b64encode(MZ.tobytes()).decode()
    path.write_text(path.read_text().replace(numbers, numbers[:-3]))
    with pytest.raises(InputError, match=r"^a\.mzML cannot be read as mzML"):
        read_all(path)


def test_pyteomics_is_named_where_it_is_not_installed(tmp_path, monkeypatch):
    path = tmp_path / "a.mzML"
    write_mzml(path, [(MZ, INTENSITY, 1, False)])
    monkeypatch.setitem(sys.modules, "pyteomics.mzml", None)
    with pytest.raises(InputError, match=r'needs the package pyteomics.*"crossplate\[spectra\]"'):
        list_mzml(path, "a", "a.mzML")
