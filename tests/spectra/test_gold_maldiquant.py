"""The steps and the whole chain against the outputs of MALDIquant 1.22 on its own spectra."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crossplate.spectra.alignment import AlignmentSettings, match_nearest
from crossplate.spectra.baseline import snip, top_hat
from crossplate.spectra.binning import BinningSettings
from crossplate.spectra.mass_range import trim
from crossplate.spectra.noise import mad_noise
from crossplate.spectra.peaks import PeakSettings, detect_peaks
from crossplate.spectra.pipeline import SpectraPipeline
from crossplate.spectra.pipeline_settings import preset_settings
from crossplate.spectra.smoothing import savitzky_golay
from crossplate.spectra.spectrum import Spectrum
from crossplate.spectra.transform import transformed


@pytest.fixture(scope="module")
def reference(gold):
    def read(name):
        return pd.read_csv(gold / "maldiquant" / name).to_numpy(dtype=float)

    return read


@pytest.fixture(scope="module")
def smooth(reference):
    return reference("s01_sqrt_sg10.csv.gz")


@pytest.fixture(scope="module")
def fiedler(real_spectra):
    files = sorted((real_spectra / "fiedler2009subset/spectra").glob("*.csv.gz"))
    assert len(files) == 16
    tables = {file.name.removesuffix(".csv.gz"): pd.read_csv(file) for file in files}
    return [Spectrum.of(table["mz"], table["intensity"], name) for name, table in tables.items()]


def test_trim_root_and_savitzky_golay(fiedler, reference, smooth):
    mz, raw = trim(fiedler[0].mz, fiedler[0].intensity, 1000.0, 3000.0)
    trimmed = reference("s01_trim_1000_3000.csv.gz")
    np.testing.assert_allclose(mz, trimmed[:, 0], rtol=1e-8)
    np.testing.assert_array_equal(raw, trimmed[:, 1])
    ours = savitzky_golay(transformed(raw, "sqrt"), 10, 3)
    np.testing.assert_allclose(ours, smooth[:, 1], rtol=1e-10)


def test_snip_and_top_hat(reference, smooth):
    np.testing.assert_allclose(
        snip(smooth[:, 1], 100), reference("s01_snip100.csv.gz")[:, 1], rtol=1e-10
    )
    np.testing.assert_allclose(
        top_hat(smooth[:, 1], 75), reference("s01_tophat75.csv.gz")[:, 1], rtol=1e-10
    )


def test_noise_and_peaks_of_the_first_spectrum(gold, reference, smooth):
    corrected = smooth[:, 1] - snip(smooth[:, 1], 100)
    noise = mad_noise(corrected)
    assert noise == pytest.approx(float((gold / "maldiquant/s01_noise_mad.txt").read_text()), 1e-10)
    peaks = detect_peaks(smooth[:, 0], corrected, noise, PeakSettings(20, 3.0))
    expected = reference("s01_peaks_mad_hw20_snr3.csv.gz")
    np.testing.assert_array_equal(peaks.mz, expected[:, 0])
    np.testing.assert_allclose(peaks.intensity, expected[:, 1], rtol=1e-9)
    np.testing.assert_allclose(peaks.snr, expected[:, 2], rtol=1e-9)


@pytest.fixture(scope="module")
def features(fiedler):
    settings = replace(
        preset_settings("maldi-proteins"),
        mz_range=(1000.0, 10000.0),
        peaks=PeakSettings(half_window=20, min_snr=2.0),
        alignment=AlignmentSettings("lowess", tolerance_ppm=2000.0, min_frequency=0.9, min_snr=2.0),
        binning=BinningSettings("strict", tolerance_ppm=2000.0),
    )
    return SpectraPipeline(settings).fit_transform(fiedler)


def test_whole_chain_on_16_spectra(gold, features):
    table = pd.read_csv(gold / "maldiquant/all16_feature_matrix.csv.gz", index_col="sample_id")
    assert features.names == list(table.index)
    assert features.exclusions == ()
    ours, theirs = match_nearest(features.feature_mz, table.columns.to_numpy(float), 10.0)
    assert len(theirs) == table.shape[1] == 252
    assert len(features.feature_mz) == 252
    one, other = features.intensity[:, ours], table.to_numpy()[:, theirs]
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.9999
    # the few others have two peaks within the tolerance, of which MALDIquant's binning may take
    # the farther one
    assert np.mean(np.isclose(one, other, rtol=1e-3)) > 0.98


def test_features_with_a_peak_are_those_of_maldiquant(gold, features):
    counts = pd.read_csv(gold / "maldiquant/all16_peak_counts.csv.gz")["n_peaks"].to_numpy()
    assert np.abs(features.found.sum(axis=1) - counts).max() <= 4
