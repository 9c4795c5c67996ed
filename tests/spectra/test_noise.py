import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.spectra.noise import mad_noise


def test_small_spectrum_as_in_r():
    # estimateNoise(method = "MAD") of MALDIquant 1.22
    assert mad_noise(np.array([5.0, 3, 4, 8, 2, 6, 9, 3, 4, 1])) == pytest.approx(2.2239)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 11])
def test_medians_of_odd_and_even_numbers(n):
    raw = np.random.default_rng(n).normal(size=n)
    expected = 1.4826 * np.median(np.abs(raw - np.median(raw)))
    assert mad_noise(raw) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("seed", range(3))
def test_peaks_hardly_move_it(seed):
    rng = np.random.default_rng(seed)
    noisy = rng.normal(0.0, 2.0, 20_000)
    noisy[::50] += 1000.0
    assert mad_noise(noisy) == pytest.approx(2.0, rel=0.06)


def test_zero_suppressed_spectrum_has_none():
    assert mad_noise(np.r_[np.zeros(60), np.ones(40)]) == 0.0


def test_empty_spectrum_is_refused():
    with pytest.raises(InputError, match="empty"):
        mad_noise(np.zeros(0))
