"""Figures of batches and spectra against numbers reckoned by hand, and the choice of examples."""

import numpy as np
import pytest

from crossplate.spectra.features import SpectraFeatures, SpectrumQuality
from crossplate.spectra.quality import batch_figures, example_spectra, spectrum_figures
from crossplate.spectra.spectrum_file import Exclusion


def features(n: int = 4) -> SpectraFeatures:
    """Spectra s0, s1, … with figures that grow from one to the next."""
    mz = np.array([100.0, 200.0])
    measured = mz + 0.002 * np.arange(n)[:, np.newaxis] * [1.0, 2.0]
    return SpectraFeatures(
        intensity=np.array([[1.0, 2.0], [2.0, 4.0], [5.0, 1.0], [5.0, 1.0]])[:n],
        feature_mz=mz,
        measured_mz=measured,
        aligned_mz=(measured + mz) / 2,
        quality=tuple(
            SpectrumQuality(f"s{i}", 10 + i, 2, 3.0 + i, 100.0 * (i + 1), 5, 40.0 + i, 4.0 + i)
            for i in range(n)
        ),
        exclusions=(Exclusion("x", "gone"),),
    )


def test_figures_of_spectra():
    frame = spectrum_figures(features(), np.array(["a", "a", "b", "b"]), np.array(list("uuvw")))
    assert frame["batch"].tolist() == ["a", "a", "b", "b"]
    assert frame["n_peaks"].tolist() == [10, 11, 12, 13]
    assert frame["replicate_correlation"].tolist()[:2] == pytest.approx([1.0, 1.0])
    assert frame["replicate_correlation"].isna().tolist() == [False, False, True, True]


def test_figures_of_batches():
    groups = np.array(["u", "u", "v", "w"])
    batch = np.array(["a", "a", "b", "b"])
    frame = spectrum_figures(features(), batch, groups)
    kept = np.array([True, True, False, True])
    found = ["b", "a", "a", "b", "b", "c"]
    b, a, c = batch_figures(features(), frame, groups, kept, found)
    assert (a.batch, a.n_found, a.n_kept) == ("a", 2, 2)
    assert (a.peaks, a.features, a.snr, a.tic) == (10.5, 2.0, 3.5, 150.0)
    assert a.tic_rsd == pytest.approx(np.std([100, 200], ddof=1) / 150)
    assert (a.error_before_ppm, a.error_after_ppm) == (40.5, 4.5)
    assert a.replicate_error_before_ppm == pytest.approx(20.0, rel=1e-4)
    assert a.replicate_error_after_ppm == pytest.approx(10.0, rel=1e-4)
    assert (b.n_found, b.n_kept, b.peaks) == (3, 1, 13.0)
    assert np.isnan(b.tic_rsd)
    assert np.isnan(b.replicate_correlation)
    assert (c.n_found, c.n_kept) == (1, 0)
    assert np.isnan([c.peaks, c.tic, c.error_before_ppm, c.replicate_error_after_ppm]).all()


class TestExamples:
    """Of a pipeline fitted on simulated spectra."""

    @pytest.fixture
    def fitted(self, simulate):
        from crossplate.spectra.pipeline import SpectraPipeline
        from crossplate.spectra.pipeline_settings import preset_settings

        spectra = [simulate(f"s{i}", i, shift_ppm=100.0 * i) for i in range(6)]
        return spectra, SpectraPipeline(preset_settings("maldi-proteins")).fit(spectra)

    @pytest.mark.parametrize(
        ("batch", "expected"),
        [
            ("aaaaaa", ["s0", "s1", "s2", "s3"]),
            ("aaabbb", ["s0", "s1", "s3", "s4"]),
            ("abcdef", ["s0", "s1", "s2", "s3"]),
            ("abaaaa", ["s0", "s3", "s1"]),
        ],
    )
    def test_equally_many_of_each_batch(self, fitted, tmp_path, batch, expected):
        examples = example_spectra(self.files(tmp_path, fitted[0]), batch, fitted[1])
        assert [one.name for one in examples] == expected
        assert [one.batch for one in examples] == [batch[int(name[1])] for name in expected]

    def test_profiles_before_and_after(self, fitted, tmp_path, true_mz):
        spectra, pipeline = fitted
        *_, one = example_spectra(self.files(tmp_path, spectra), "a" * 6, pipeline)
        assert np.array_equal(one.raw_intensity, spectra[3].intensity)
        for mz in true_mz:
            near = np.abs(one.mz / mz - 1) < 2000e-6
            top = one.mz[near][one.intensity[near].argmax()]
            # The six spectra read 0 to 500 ppm too high, so their mean reads 250.
            assert abs(top / mz - 1 - 250e-6) < 200e-6
            assert np.abs(one.peak_mz / mz - 1 - 250e-6).min() < 100e-6
        assert len(one.peak_mz) == len(one.peak_intensity)

    def test_a_file_that_vanished_is_no_example(self, fitted, tmp_path):
        files = self.files(tmp_path, fitted[0])
        files[0].path.unlink()
        examples = example_spectra(files, "a" * 6, fitted[1])
        assert [one.name for one in examples] == ["s1", "s2", "s3"]

    @staticmethod
    def files(folder, spectra):
        from crossplate.spectra.reading import find_spectra

        for spectrum in spectra:
            pairs = zip(spectrum.mz.tolist(), spectrum.intensity.tolist(), strict=True)
            text = "".join(f"{x!r},{y!r}\n" for x, y in pairs)
            (folder / f"{spectrum.name}.csv").write_text(text)
        return list(find_spectra(folder).files)


def test_no_examples_without_files():
    assert example_spectra([], [], None) == ()
