import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.spectra.binning import BinningSettings, bin_peaks
from crossplate.spectra.peaks import PeakList


def peak_list(mz, intensity=None):
    mz = np.array(mz, dtype=float)
    height = np.ones(len(mz)) if intensity is None else np.array(intensity, dtype=float)
    return PeakList(mz, height, height)


def by_definition(peaks, settings):
    """Bins found by looking for the widest gap anew in each part, from the sorted peaks."""
    mz = np.concatenate([each.mz for each in peaks])
    spectrum = np.repeat(np.arange(len(peaks)), [len(each) for each in peaks])
    intensity = np.concatenate([each.intensity for each in peaks])
    order = np.argsort(mz, kind="stable")
    mz, spectrum, intensity = mz[order], spectrum[order], intensity[order]
    centre = mz.copy()
    todo = [np.arange(len(mz))]
    while todo:
        part = todo.pop()
        mean = mz[part].mean()
        near = (np.abs(mz[part] - mean) / mean <= settings.tolerance_ppm * 1e-6).all()
        twice = len(set(spectrum[part])) < len(part)
        if near and not (twice and settings.method == "strict"):
            best = {}
            for i in part[np.argsort(intensity[part])]:
                best[spectrum[i]] = i
            chosen = sorted(best.values())
            centre[chosen] = mz[chosen].mean()
        else:
            cut = 1 + int(np.argmax(np.diff(mz[part])))
            todo += [part[:cut], part[cut:]]
    return centre, spectrum, intensity


@pytest.mark.parametrize("method", ["strict", "relaxed"])
@pytest.mark.parametrize("tolerance_ppm", [200.0, 2000.0, 20000.0])
@pytest.mark.parametrize("seed", range(8))
def test_bins_are_cut_at_the_widest_gaps(method, tolerance_ppm, seed):
    rng = np.random.default_rng(seed)
    common = rng.uniform(1000.0, 3000.0, 25)
    peaks = []
    for _ in range(int(rng.integers(1, 9))):
        jittered = common[rng.random(25) < 0.7] * (1.0 + rng.normal(0.0, 1e-3, 25)[:1])
        mz = np.sort(np.r_[jittered, rng.uniform(1000.0, 3000.0, 5)])
        peaks.append(peak_list(mz, rng.random(len(mz))))
    settings = BinningSettings(method, tolerance_ppm)
    bins = bin_peaks(peaks, settings)
    centre, spectrum, intensity = by_definition(peaks, settings)
    np.testing.assert_allclose(bins.centre[bins.bin_of], centre, rtol=1e-13)
    np.testing.assert_array_equal(bins.spectrum_of, spectrum)
    np.testing.assert_array_equal(bins.intensity, intensity)


def test_strict_and_relaxed_treat_two_peaks_of_a_spectrum_differently():
    peaks = [peak_list([1000.0, 1000.5], [1, 7]), peak_list([1000.4]), peak_list([2000.0])]
    strict = bin_peaks(peaks, BinningSettings("strict"))
    np.testing.assert_allclose(strict.centre, [1000.0, 1000.45, 2000.0])
    np.testing.assert_array_equal(
        strict.matrix(), [[1, 7, np.nan], [np.nan, 1, np.nan], [np.nan, np.nan, 1]]
    )
    np.testing.assert_allclose(strict.frequency(), [1 / 3, 2 / 3, 1 / 3])
    relaxed = bin_peaks(peaks, BinningSettings("relaxed"))
    np.testing.assert_allclose(relaxed.centre, [1000.0, 1000.45, 2000.0])


def test_one_peak_common_to_all_is_one_bin():
    bins = bin_peaks([peak_list([1000.0]), peak_list([1000.1]), peak_list([])], BinningSettings())
    np.testing.assert_allclose(bins.centre, [1000.05])
    np.testing.assert_allclose(bins.frequency(), [2 / 3])


def test_peaks_that_are_cut_off_one_by_one():
    # gaps that grow: each cut takes one peak off, 5,000 deep
    mz = 1000.0 * np.exp(np.cumsum(np.linspace(1e-6, 8e-5, 5_000)))
    bins = bin_peaks([peak_list(mz)], BinningSettings("strict", 50.0))
    np.testing.assert_array_equal(bins.centre, mz)


def test_nothing_to_bin():
    for peaks in ([], [peak_list([]), peak_list([])]):
        bins = bin_peaks(peaks, BinningSettings())
        assert bins.matrix().shape == (len(peaks), 0)
        assert bins.frequency().shape == (0,)


@pytest.mark.parametrize("tolerance_ppm", [0.0, -5.0, 1e6])
def test_tolerance_out_of_range_is_refused(tolerance_ppm):
    with pytest.raises(InputError, match="parts per million"):
        BinningSettings(tolerance_ppm=tolerance_ppm)
