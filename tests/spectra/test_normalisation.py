import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.spectra.normalisation import (
    normalised,
    pqn_factors,
    pqn_reference,
    total_ion_current,
)

MZ = np.array([100, 101, 102.5, 103, 104, 106, 107, 108, 110, 111])
RAW = np.array([5.0, 3, 4, 8, 2, 6, 9, 3, 4, 1])


def test_total_ion_current_is_the_area():
    # totalIonCurrent() of MALDIquant 1.22
    assert total_ion_current(MZ, RAW) == pytest.approx(48.25)
    assert total_ion_current(MZ, normalised(MZ, RAW, "tic")) == pytest.approx(1.0)
    assert total_ion_current(MZ[:1], RAW[:1]) == 0.0


def test_median_becomes_one():
    assert np.median(normalised(MZ, RAW, "median")) == 1.0
    np.testing.assert_array_equal(normalised(MZ, RAW, "none"), RAW)


@pytest.mark.parametrize("method", ["tic", "median", "pqn"])
def test_a_spectrum_without_intensity_is_refused(method):
    with pytest.raises(InputError, match="cannot be divided by"):
        normalised(MZ, np.zeros(10), method)


def test_quotients_as_maldiquant_forms_them():
    # calibrateIntensity(method = "PQN") of MALDIquant 1.22
    rows = np.array([[1.0, 4, 2, 6, 1], [2, 7, 5, 12, 3], [1, 5, 9, 5, 1]])
    expected = [
        [0.0754716981132, 0.301886792453, 0.150943396226, 0.452830188679, 0.0754716981132],
        [0.0754716981132, 0.264150943396, 0.188679245283, 0.452830188679, 0.11320754717],
        [0.0754716981132, 0.377358490566, 0.679245283019, 0.377358490566, 0.0754716981132],
    ]
    scaled = np.array([normalised(np.arange(1.0, 6.0), row, "pqn") for row in rows])
    factors = pqn_factors(scaled, pqn_reference(scaled))
    np.testing.assert_allclose(scaled / factors[:, np.newaxis], expected, rtol=1e-11)


def test_one_large_feature_does_not_move_the_quotient():
    rng = np.random.default_rng(0)
    rows = np.tile(rng.gamma(2.0, 1.0, 50), (4, 1)) * np.array([[1.0], [2.0], [0.5], [1.0]])
    rows[3, 7] *= 1000.0
    np.testing.assert_allclose(pqn_factors(rows, pqn_reference(rows)), [1.0, 2.0, 0.5, 1.0])


def test_missing_features_are_passed_over():
    nan = np.nan
    reference = pqn_reference(np.array([[1.0, nan, 4.0, 0.0], [3.0, nan, nan, 0.0]]))
    np.testing.assert_array_equal(reference, [2.0, nan, 4.0, 0.0])
    rows = np.array([[4.0, 9.0, nan, 9.0], [nan, 1.0, nan, 1.0], [0.0, 1.0, 0.0, 1.0]])
    np.testing.assert_array_equal(pqn_factors(rows, reference), [2.0, nan, nan])
