import numpy as np

from crossplate.spectra.chain import ProcessedSpectrum
from crossplate.spectra.kept import keep_spectrum
from crossplate.spectra.peaks import PeakList


def made():
    mz = np.linspace(100.0, 200.0, 50)
    return ProcessedSpectrum(mz, np.sqrt(mz), PeakList(mz[:3], mz[:3], mz[:3]), 7.5)


def test_a_kept_spectrum_comes_back_as_it_was(tmp_path):
    kept = keep_spectrum("a/b", made(), tmp_path)
    back = kept.restored()
    np.testing.assert_array_equal(back.mz, made().mz)
    np.testing.assert_array_equal(back.intensity, made().intensity)
    assert back.peaks is kept.peaks
    assert back.total_ion_current == 7.5
    assert kept.n_bytes == 2 * 50 * 8


def test_a_full_disk_keeps_nothing_and_stops_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    kept = keep_spectrum("a", made(), tmp_path)
    assert kept.file is None
    assert kept.n_bytes == 0
    assert list(tmp_path.iterdir()) == []
    assert keep_spectrum("a", made(), tmp_path / "gone").file is None
