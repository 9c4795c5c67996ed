from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.spectra import pipeline as pipeline_module
from crossplate.spectra.alignment import AlignmentSettings, match_nearest
from crossplate.spectra.pipeline import SpectraPipeline
from crossplate.spectra.pipeline_settings import preset_settings
from crossplate.spectra.reading import find_spectra
from crossplate.spectra.smoothing import SmoothingSettings
from crossplate.spectra.spectrum import Spectrum
from crossplate.spectra.spectrum_file import SpectrumFile

# well above the highest points of noise, so that the features are the peaks put in
PRESET = preset_settings("maldi-proteins")
SETTINGS = replace(
    PRESET,
    peaks=replace(PRESET.peaks, min_snr=10.0),
    alignment=replace(PRESET.alignment, min_snr=10.0),
)
NAN = float("nan")


@pytest.fixture
def plate(simulate):
    return [simulate(f"s{i}", i, shift_ppm=120.0 * (i - 4)) for i in range(8)]


@dataclass(frozen=True)
class MadeFile(SpectrumFile):
    """A spectrum that is read when asked for, or cannot be."""

    held: Spectrum | None = None

    def read(self) -> Spectrum:
        if self.held is None:
            raise InputError(f"{self.source} cannot be read")
        return self.held


def test_known_peaks_become_the_features(plate, true_mz):
    pipeline = SpectraPipeline(SETTINGS).fit(plate)
    found = pipeline.features_
    np.testing.assert_allclose(found.feature_mz, true_mz, rtol=1e-4)
    np.testing.assert_array_equal(found.frequency, 1.0)
    assert pipeline.exclusions_ == ()
    assert pipeline.notices_ == ()


def test_mass_error_is_taken_away(plate):
    features = SpectraPipeline(SETTINGS).fit_transform(plate)
    quality = features.quality_frame()
    assert quality["error_before_ppm"].median() > 150.0
    assert quality["error_after_ppm"].max() < 20.0
    assert (quality["n_matched"] == 16).all()
    assert (quality["n_features_found"] == 16).all()
    np.testing.assert_array_equal(features.found, True)
    spread = [np.ptp(mz, axis=0).max() for mz in (features.measured_mz, features.aligned_mz)]
    assert spread[1] < 0.1 * spread[0]


def test_a_spectrum_has_the_same_values_whatever_it_is_measured_with(plate, simulate):
    pipeline = SpectraPipeline(SETTINGS).fit(plate)
    new = [simulate(f"n{i}", 50 + i, shift_ppm=-300.0) for i in range(3)]
    together = pipeline.transform(new)
    for i, spectrum in enumerate(new):
        alone = pipeline.transform([spectrum])
        np.testing.assert_array_equal(alone.intensity[0], together.intensity[i])
    np.testing.assert_array_equal(together.feature_mz, pipeline.features_.feature_mz)


def test_intensity_does_not_depend_on_the_instruments_gain(plate, simulate):
    pipeline = SpectraPipeline(SETTINGS).fit(plate)
    both = pipeline.transform([simulate("once", 5), simulate("thrice", 5, scale=3.0)])
    np.testing.assert_allclose(both.intensity[0], both.intensity[1], rtol=1e-10)


def test_missed_peaks_are_read_from_the_profile(plate, simulate):
    heights = np.full(16, 3000.0)
    heights[5] = 0.0
    features = SpectraPipeline(SETTINGS).fit(plate).transform([simulate("x", 3, heights=heights)])
    assert np.flatnonzero(~features.found[0]).tolist() == [5]
    assert np.isnan(features.measured_mz[0, 5])
    assert 0.0 <= features.intensity[0, 5] < 0.1 * features.intensity[0, 4]


@pytest.mark.parametrize("method", ["none", "linear", "quadratic", "cubic", "lowess"])
def test_every_alignment_runs(plate, method):
    settings = replace(SETTINGS, alignment=replace(SETTINGS.alignment, method=method))
    features = SpectraPipeline(settings).fit_transform(plate)
    assert features.intensity.shape == (8, 16)
    error = features.quality_frame()["error_after_ppm"]
    assert error.isna().all() if method == "none" else error.max() < 30.0


@pytest.mark.parametrize("transform", ["none", "log"])
@pytest.mark.parametrize("normalisation", ["none", "tic", "median", "pqn"])
def test_every_normalisation_runs(plate, transform, normalisation):
    settings = replace(SETTINGS, transform=transform, normalisation=normalisation)
    features = SpectraPipeline(settings).fit_transform(plate)
    assert features.intensity.shape[0] == 8
    assert np.isfinite(features.intensity).all()


def test_quotients_undo_dilution_that_one_large_feature_hides(plate, simulate, true_mz):
    heights = np.full(16, 3000.0)
    heights[2] = 200_000.0
    settings = replace(SETTINGS, transform="none", normalisation="pqn")
    fitted = SpectraPipeline(settings).fit(plate)
    plain = SpectraPipeline(replace(settings, normalisation="tic")).fit(plate)
    sample = [simulate("large", 3, heights=heights)]
    others, _ = match_nearest(fitted.features_.feature_mz, np.delete(true_mz, 2), 200.0)
    assert len(others) == 15
    usual = np.median(fitted.transform(plate).intensity[:, others])
    assert np.median(fitted.transform(sample).intensity[0, others]) == pytest.approx(usual, 0.05)
    assert np.median(plain.transform(sample).intensity[0, others]) < 0.5 * usual


def test_metabolite_preset_finds_small_molecules():
    rng = np.random.default_rng(0)
    true = np.sort(rng.choice(np.arange(110, 990, 7), 60, replace=False)) + 0.12
    mz = np.linspace(np.sqrt(100.0), np.sqrt(1000.0), 60_000) ** 2
    spectra = []
    for i, shift_ppm in enumerate([-70.0, -50.0, -30.0, 30.0, 50.0, 70.0]):
        centre = true * (1.0 + 1e-6 * (shift_ppm + rng.normal(0.0, 3.0, 60)))
        profile = np.full(mz.size, 50.0)
        for at in centre:
            near = slice(*np.searchsorted(mz, [at - 1.0, at + 1.0]))
            profile[near] += 4000.0 * np.exp(-0.5 * ((mz[near] - at) / (at / 24_000.0)) ** 2)
        spectra.append(Spectrum.of(mz, rng.poisson(profile).astype(float), f"m{i}"))
    features = SpectraPipeline(preset_settings("maldi-metabolites")).fit_transform(spectra)
    nearest = np.abs(features.feature_mz[:, np.newaxis] / true - 1.0).min(axis=0)
    assert (nearest < 10e-6).all()
    assert len(nearest) == 60
    quality = features.quality_frame()
    assert quality["error_before_ppm"].min() > 25.0
    assert quality["error_after_ppm"].max() < 4.0


@pytest.mark.parametrize("n_bytes", [0, 250_000, 2**30])
def test_fit_transform_is_fit_and_transform(plate, monkeypatch, n_bytes):
    monkeypatch.setattr(pipeline_module, "KEPT_BYTES", n_bytes)
    spectra = [*plate, replace(plate[0], name="flat", intensity=np.ones(6000)), plate[1]]
    at_once, in_turn = SpectraPipeline(SETTINGS), SpectraPipeline(SETTINGS)
    one, other = at_once.fit_transform(spectra), in_turn.fit(spectra).transform(spectra)
    np.testing.assert_array_equal(one.intensity, other.intensity)
    assert one.quality == other.quality
    assert one.exclusions == other.exclusions
    assert [each.name for each in one.exclusions] == ["flat", "s1"]


def test_files_side_by_side_give_the_same(plate, tmp_path):
    for spectrum in plate:
        table = np.column_stack([spectrum.mz, spectrum.intensity])
        np.savetxt(tmp_path / f"{spectrum.name}.csv", table, fmt="%.17g", delimiter=",")
    (tmp_path / "s9.csv").write_text("2000,1\n1999,1\n2001,1\n", encoding="utf-8")
    files = find_spectra(tmp_path).files
    one = SpectraPipeline(SETTINGS).fit_transform(plate)
    two = SpectraPipeline(SETTINGS, n_jobs=2).fit_transform(files)
    np.testing.assert_array_equal(one.intensity, two.intensity)
    assert one.names == two.names
    (excluded,) = two.exclusions
    assert excluded.name == "s9"
    assert "not in order" in excluded.reason


def test_spectra_are_taken_one_at_a_time(plate):
    taken = []

    def stream():
        for spectrum in plate:
            taken.append(spectrum.name)
            yield spectrum

    assert SpectraPipeline(SETTINGS).fit(stream()).exclusions_ == ()
    assert len(taken) == 8
    with pytest.raises(InputError, match="only once"):
        SpectraPipeline(SETTINGS).fit_transform(stream())


def bad_spectra(good):
    """Spectra that cannot be used, and what should be said of each."""
    mz, raw = good.mz, good.intensity
    swapped, twice, gap = mz.copy(), mz.copy(), raw.copy()
    swapped[[10, 11]] = swapped[[11, 10]]
    twice[11] = twice[10]
    gap[7] = NAN
    points = slice(0, 50)
    return [
        (Spectrum(swapped, raw, "unsorted"), "sort the points"),
        (Spectrum(twice, raw, "twice"), "stands twice"),
        (Spectrum(mz[:0], raw[:0], "empty"), "the spectrum is empty"),
        (Spectrum(mz, gap, "missing"), "1 of 6000 intensity values are missing"),
        (Spectrum(mz, np.minimum(raw, 500.0), "saturated"), "saturated"),
        (Spectrum(mz, np.zeros(6000), "blank"), "no signal"),
        (Spectrum(mz / 100.0, raw, "elsewhere"), "no point of the spectrum lies between"),
        (Spectrum(mz[points], raw[points], "short"), "needs 201 points"),
        (
            Spectrum(mz * 1.02, raw, "uncalibrated"),
            "of 16 reference peaks are found within 2000 ppm",
        ),
        (Spectrum(mz, raw, "peaks", centroided=True), "holds peaks and no profile"),
        (Spectrum(mz, raw, "s3"), "same name"),
        (MadeFile(Path("x"), "gone", "x/gone.csv"), "x/gone.csv cannot be read"),
    ]


def test_bad_spectra_are_listed_and_the_others_go_on(plate, simulate):
    # enough good ones that the uncalibrated one leaves peaks common to 90%
    plate = [*plate, *(simulate(f"t{i}", 20 + i) for i in range(4))]
    bad = bad_spectra(plate[4])
    spectra = [*plate[:2], *(source for source, _ in bad[:-2]), *plate[2:]]
    spectra += [source for source, _ in bad[-2:]]
    pipeline = SpectraPipeline(SETTINGS)
    features = pipeline.fit(spectra).transform(spectra)
    assert features.names == [spectrum.name for spectrum in plate]
    reasons = {each.name: each.reason for each in features.exclusions}
    assert reasons.keys() == {source.name for source, _ in bad}
    for source, message in bad:
        assert message in reasons[source.name]
        assert "\n" not in reasons[source.name]
    assert {each.name for each in pipeline.exclusions_} == reasons.keys()
    clean = SpectraPipeline(SETTINGS).fit(plate).transform(plate)
    np.testing.assert_array_equal(features.intensity, clean.intensity)


def test_a_spectrum_without_noise_is_refused(plate):
    settings = replace(SETTINGS, smoothing=SmoothingSettings("none"))
    raw = np.where(plate[0].intensity > 2500.0, plate[0].intensity, 0.0)
    suppressed = replace(plate[0], name="suppressed", intensity=raw)
    (excluded,) = SpectraPipeline(settings).fit([*plate, suppressed]).exclusions_
    assert excluded.name == "suppressed"
    assert "zero suppression" in excluded.reason


@pytest.mark.parametrize("seed", range(30))
def test_random_points_are_used_or_refused_in_one_sentence(plate, seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 3000))
    mz = np.sort(rng.uniform(1000.0, 21000.0, n))
    raw = rng.choice([rng.normal(0.0, 10.0, n), rng.poisson(0.6, n), rng.gamma(0.1, 1e9, n)])
    pipeline = SpectraPipeline(SETTINGS).fit(plate)
    features = pipeline.transform([Spectrum(mz, raw.astype(float), "random")])
    assert len(features.names) + len(features.exclusions) == 1
    assert np.isfinite(features.intensity).all()


def test_nothing_usable_is_an_error_that_says_why(plate):
    blank = [replace(spectrum, intensity=np.zeros(6000)) for spectrum in plate]
    with pytest.raises(InputError, match="none of 8 spectra can be used; the first, s0: all"):
        SpectraPipeline(SETTINGS).fit(blank)
    with pytest.raises(InputError, match="none of 0 spectra"):
        SpectraPipeline(SETTINGS).fit([])
    features = SpectraPipeline(SETTINGS).fit(plate).transform(blank)
    assert features.intensity.shape == (0, 16)
    assert features.to_frame().shape == (0, 16)
    assert features.quality_frame().empty
    assert len(features.exclusions) == 8


def test_spectra_without_common_peaks_are_an_error(simulate):
    rng = np.random.default_rng(0)
    heights = [3000.0 * (rng.permutation(16) < 4) for _ in range(10)]
    spectra = [simulate(f"s{i}", i, heights=each) for i, each in enumerate(heights)]
    with pytest.raises(InputError, match="common to 90% of the 10 spectra"):
        SpectraPipeline(SETTINGS).fit(spectra)
    loose = replace(SETTINGS, alignment=AlignmentSettings("none"), min_frequency=1.0)
    with pytest.raises(InputError, match="no peak is found in 100% of the 10 spectra"):
        SpectraPipeline(loose).fit(spectra)


def test_few_common_peaks_are_told(simulate):
    heights = np.where(np.arange(16) < 5, 3000.0, 0.0)
    spectra = [simulate(f"s{i}", i, heights=heights) for i in range(6)]
    (notice,) = SpectraPipeline(SETTINGS).fit(spectra).notices_ or ("",)
    assert notice.startswith("Only 5 peaks are common to 90% of the 6 spectra")


def test_one_spectrum_is_enough(plate, true_mz):
    features = SpectraPipeline(SETTINGS).fit_transform(plate[4:5])
    near = np.abs(features.feature_mz[:, np.newaxis] / true_mz - 1.0).min(axis=0)
    assert (near < 3e-4).all()


def test_frame_is_named_by_spectrum_and_mz(plate):
    features = SpectraPipeline(SETTINGS).fit_transform(plate)
    frame = features.to_frame()
    assert list(frame.index) == [f"s{i}" for i in range(8)]
    assert frame.index.name == "sample_id"
    assert frame.columns.is_unique
    np.testing.assert_allclose(frame.columns.to_numpy(float), features.feature_mz, atol=5e-5)


def test_features_can_be_left_out(plate):
    pipeline = SpectraPipeline(SETTINGS).fit(plate)
    kept = np.arange(16) % 2 == 0
    smaller = pipeline.keep_features(kept)
    np.testing.assert_array_equal(
        smaller.transform(plate).intensity, pipeline.transform(plate).intensity[:, kept]
    )
    assert len(pipeline.features_.feature_mz) == 16
    for wrong in (kept[:5], np.zeros(16, dtype=bool)):
        with pytest.raises(InputError, match="keep at least one"):
            pipeline.keep_features(wrong)


def test_unfitted_pipeline_says_so(plate, tmp_path):
    pipeline = SpectraPipeline(SETTINGS)
    for call in (
        lambda: pipeline.transform(plate),
        lambda: pipeline.save(tmp_path / "x.json"),
        lambda: pipeline.keep_features(np.ones(3, dtype=bool)),
    ):
        with pytest.raises(InputError, match="call fit or load first"):
            call()
