import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.spectra.baseline import (
    BaselineSettings,
    baseline_removed,
    convex_hull,
    least_squares,
    snip,
    top_hat,
)

MZ = np.array([100, 101, 102.5, 103, 104, 106, 107, 108, 110, 111])
RAW = np.array([5.0, 3, 4, 8, 2, 6, 9, 3, 4, 1])


def random_spectrum(seed, n=400):
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.uniform(0.1, 1.0, n)), rng.gamma(1.0, 5.0, n) + 50.0


def test_small_spectrum_as_maldiquant_estimates_it():
    # estimateBaseline() of MALDIquant 1.22, iterations 3 and halfWindowSize 2
    np.testing.assert_allclose(
        convex_hull(MZ, RAW),
        [5, 3, 2.5, 7 / 3, 2, 12 / 7, 11 / 7, 10 / 7, 8 / 7, 1], rtol=1e-12
    )  # fmt: skip
    np.testing.assert_allclose(snip(RAW, 3), [5, 3, 3.25, 2.75, 2, 2.5, 3, 2.5, 1.75, 1])
    np.testing.assert_allclose(top_hat(RAW, 2), [3, 3, 3, 3, 2, 2, 2, 2, 2, 1])


@pytest.mark.parametrize("seed", range(3))
def test_snip_as_it_is_written(seed):
    _, raw = random_spectrum(seed, 120)
    expected = raw.copy()
    for i in range(20, 0, -1):
        before = expected.copy()
        for j in range(i, len(raw) - i):
            expected[j] = min(before[j], (before[j - i] + before[j + i]) / 2.0)
    np.testing.assert_allclose(snip(raw, 20), expected, rtol=1e-14)


@pytest.mark.parametrize("seed", range(3))
def test_top_hat_as_it_is_written(seed):
    _, raw = random_spectrum(seed, 120)
    around = [slice(max(0, j - 7), j + 8) for j in range(len(raw))]
    eroded = np.array([raw[window].min() for window in around])
    np.testing.assert_array_equal(top_hat(raw, 7), [eroded[window].max() for window in around])


@pytest.mark.parametrize("seed", range(5))
def test_convex_hull_is_the_greatest_convex_function_below(seed):
    mz, raw = random_spectrum(seed)
    hull = convex_hull(mz, raw)
    slopes = np.diff(hull) / np.diff(mz)
    assert (hull <= raw).all()
    assert (np.diff(slopes) > -1e-9).all()
    touches = np.flatnonzero(hull == raw)
    np.testing.assert_allclose(hull, np.interp(mz, mz[touches], raw[touches]), rtol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_convex_hull_of_few_points(n):
    np.testing.assert_array_equal(convex_hull(MZ[:n], RAW[:n][::-1]), RAW[:n][::-1])


def test_least_squares_fulfils_its_equations():
    _, raw = random_spectrum(7, 150)
    baseline = least_squares(raw, stiffness=1e4, asymmetry=0.01)
    differences = np.diff(np.eye(150), 2, axis=0)
    weight = np.diag(np.where(raw > baseline, 0.01, 0.99))
    solved = np.linalg.solve(weight + 1e4 * differences.T @ differences, weight @ raw)
    np.testing.assert_allclose(baseline, solved, rtol=1e-9)


@pytest.mark.parametrize("method", ["snip", "top-hat", "convex-hull", "least-squares"])
def test_peaks_on_a_sloping_baseline_stand_alone_afterwards(method):
    mz = np.linspace(1000.0, 2000.0, 2000)
    peaks = sum(200.0 * np.exp(-0.5 * ((mz - at) / 2.0) ** 2) for at in (1200.0, 1500.0, 1800.0))
    line = 500.0 - 0.2 * (mz - 1000.0)
    raw = peaks + line
    settings = BaselineSettings(method, iterations=50, half_window=50, stiffness=1e6)
    left = baseline_removed(mz, raw, settings)
    # the top-hat is flat in a window, so a slope leaves up to a window's drop
    allowed = 0.2 * 50.0 if method == "top-hat" else 2.0
    assert np.abs(left - peaks).max() < allowed
    np.testing.assert_array_equal(baseline_removed(mz, raw, BaselineSettings("none")), raw)


def test_input_is_left_as_it_is():
    raw = RAW.copy()
    raw.setflags(write=False)
    for method in ("snip", "top-hat", "convex-hull", "least-squares"):
        baseline_removed(MZ, raw, BaselineSettings(method, iterations=3, half_window=3))
    np.testing.assert_array_equal(raw, RAW)


def test_what_has_no_baseline_is_refused():
    with pytest.raises(InputError, match="needs 201 points"):
        snip(RAW)
    with pytest.raises(InputError, match="top-hat"):
        top_hat(RAW, 5)
    with pytest.raises(InputError, match="needs 3"):
        least_squares(RAW[:2])
    with pytest.raises(InputError, match="at least 1"):
        BaselineSettings(iterations=0)
    with pytest.raises(InputError, match=r"between 0 and 0\.5"):
        BaselineSettings(asymmetry=0.5)
