import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.spectra.alignment import (
    AlignmentSettings,
    fitted_warp,
    match_nearest,
    match_to_reference,
    reference_peaks,
)
from crossplate.spectra.peaks import PeakList

REFERENCE = np.array([1000.0, 1500, 2200, 3000, 4100, 5200, 6300, 7000])
MEASURED = np.array([1000.9, 1500.4, 2201.1, 3002.8, 4104.2, 5204.9, 6309.3, 7011.7])
# m/z 800, 2500, 6800 and 9000 after determineWarpingFunctions() of MALDIquant 1.22
WARPED = {
    "linear": [800.882657434, 2497.87395727, 6790.26371567, 8986.37010369],
    "quadratic": [799.242154195, 2498.4977054, 6789.27343747, 8980.48505696],
    "cubic": [799.749648931, 2498.19208801, 6789.16687412, 8976.20385871],
    "lowess": [799.560681137, 2498.09370398, 6789.109847, 8988.54495739],
}


@pytest.mark.parametrize("method", WARPED)
def test_warp_as_maldiquant_fits_it(method):
    warp = fitted_warp(MEASURED, REFERENCE, method)
    aligned = warp.apply(np.array([800.0, 2500, 6800, 9000]))
    np.testing.assert_allclose(aligned, WARPED[method], rtol=1e-11)


@pytest.mark.parametrize(("method", "degree"), [("linear", 1), ("quadratic", 2), ("cubic", 3)])
def test_a_shift_of_the_methods_shape_is_undone(method, degree):
    mz = np.linspace(1000.0, 9000.0, 300)
    moved = mz + np.polynomial.Polynomial([0.5, 2e-4, -3e-8, 2e-12][: degree + 1])(mz)
    warp = fitted_warp(mz[::30], moved[::30], method)
    np.testing.assert_allclose(warp.apply(mz), moved, rtol=1e-12)


def test_no_alignment_changes_nothing():
    warp = fitted_warp(MEASURED[:0], REFERENCE[:0], "none")
    np.testing.assert_array_equal(warp.apply(MEASURED), MEASURED)


@pytest.mark.parametrize(
    ("method", "n"), [("linear", 1), ("quadratic", 2), ("cubic", 3), ("lowess", 1)]
)
def test_too_few_matches_are_refused(method, n):
    with pytest.raises(InputError, match=f"{n} peaks match the reference peaks"):
        fitted_warp(MEASURED[:n], REFERENCE[:n], method)


def test_a_shift_that_reorders_points_is_refused():
    warp = fitted_warp(np.array([1000.0, 1001.0]), np.array([1010.0, 1000.0]), "linear")
    with pytest.raises(InputError, match="change the order"):
        warp.apply(np.array([1000.0, 1001.0]))


def test_reference_peaks_are_those_that_nearly_all_have():
    rng = np.random.default_rng(0)
    lists = []
    for i in range(10):
        mz = np.array([1000.0, 2000.0, 3000.0, 4000.0])[[True, i < 9, i < 8, True]]
        lists.append(
            PeakList(mz * (1.0 + rng.normal(0.0, 1e-4)), np.ones(len(mz)), np.ones(len(mz)))
        )
    found = reference_peaks(lists, AlignmentSettings())
    np.testing.assert_allclose(found, [1000.0, 2000.0, 4000.0], rtol=2e-4)
    assert reference_peaks(lists[:0], AlignmentSettings()).shape == (0,)


def test_of_several_peaks_near_a_reference_the_highest_or_the_nearest_is_taken():
    mz = np.array([999.5, 1000.2, 1498.0, 1700.0, 2000.4])
    height = np.array([9.0, 1.0, 1.0, 1.0, 1.0])
    reference = np.array([1000.0, 1500.0, 2000.0])
    peaks, matched = match_to_reference(mz, height, reference, 1000.0)
    np.testing.assert_array_equal(peaks, [0, 4])
    np.testing.assert_array_equal(matched, [0, 2])
    peaks, matched = match_nearest(mz, reference, 1000.0)
    np.testing.assert_array_equal(peaks, [1, 4])
    np.testing.assert_array_equal(matched, [0, 2])


@pytest.mark.parametrize("seed", range(5))
def test_each_reference_takes_the_nearest_of_its_own_peaks(seed):
    rng = np.random.default_rng(seed)
    mz, reference = np.sort(rng.uniform(1e3, 2e3, 80)), np.sort(rng.uniform(1e3, 2e3, 50))
    expected = {}
    for i, peak in enumerate(mz):
        j = int(np.abs(reference - peak).argmin())
        distance = abs(reference[j] - peak)
        if distance <= 2e-3 * reference[j] and distance < expected.get(j, (0, np.inf))[1]:
            expected[j] = (i, distance)
    peaks, matched = match_nearest(mz, reference, 2000.0)
    assert dict(zip(matched.tolist(), peaks.tolist(), strict=True)) == {
        j: i for j, (i, _) in expected.items()
    }
    assert (np.diff(peaks) > 0).all()
    assert (np.diff(matched) > 0).all()


def test_without_reference_nothing_matches():
    for match in (match_nearest(MEASURED, REFERENCE[:0], 100.0),
                  match_to_reference(MEASURED, MEASURED, REFERENCE[:0], 100.0)):  # fmt: skip
        assert [len(each) for each in match] == [0, 0]


def test_settings_out_of_range_are_refused():
    with pytest.raises(InputError, match="parts per million"):
        AlignmentSettings(tolerance_ppm=0.0)
    with pytest.raises(InputError, match="between 0 and 1"):
        AlignmentSettings(min_frequency=90)
    for wrong in ({"min_snr": 0.0}, {"min_matched": 1.5}):
        with pytest.raises(InputError, match="min_matched between 0 and 1"):
            AlignmentSettings(**wrong)
