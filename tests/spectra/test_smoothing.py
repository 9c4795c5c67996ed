import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.spectra.smoothing import (
    SmoothingSettings,
    moving_average,
    savitzky_golay,
    smoothed,
)

RAW = np.array([5.0, 3, 4, 8, 2, 6, 9, 3, 4, 1])


def test_small_spectrum_as_maldiquant_smooths_it():
    # smoothIntensity() of MALDIquant 1.22 with halfWindowSize 3 and 2
    savitzky = [4.2619047619, 4.64285714286, 4.5, 4.33333333333, 5.95238095238, 5.95238095238,
                5.57142857143, 5.64285714286, 4.28571428571, 0.5]  # fmt: skip
    moving = [4.4, 4.4, 4.4, 4.6, 5.8, 5.6, 4.8, 4.6, 4.6, 4.6]
    np.testing.assert_allclose(savitzky_golay(RAW, 3, 3), savitzky, rtol=1e-10)
    np.testing.assert_allclose(moving_average(RAW, 2), moving, rtol=1e-12)


@pytest.mark.parametrize("order", [0, 1, 2, 3, 5])
def test_a_polynomial_of_the_filters_order_is_left_as_it_is(order):
    x = np.linspace(-1.0, 1.0, 60)
    curve = np.polynomial.Polynomial(np.arange(1.0, order + 2))(x)
    np.testing.assert_allclose(savitzky_golay(curve, 6, order), curve, atol=1e-10)


def test_settings_choose_the_filter():
    np.testing.assert_array_equal(smoothed(RAW, SmoothingSettings("none")), RAW)
    np.testing.assert_array_equal(
        smoothed(RAW, SmoothingSettings("savitzky-golay", 3, 2)), savitzky_golay(RAW, 3, 2)
    )
    np.testing.assert_array_equal(
        smoothed(RAW, SmoothingSettings("moving-average", 4)), moving_average(RAW, 4)
    )


def test_what_cannot_be_smoothed_is_refused():
    with pytest.raises(InputError, match="needs 11 points, the spectrum has 10"):
        savitzky_golay(RAW, 5)
    with pytest.raises(InputError, match="needs 21 points"):
        moving_average(RAW, 10)
    with pytest.raises(InputError, match="order <= 2"):
        SmoothingSettings(half_window=1, order=3)
