import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.spectra.replicates import (
    ReplicateSettings,
    failed_spectra,
    relative_standard_deviation,
    replicate_correlation,
    replicate_mass_error,
    stable_features,
)

SUBJECT = np.array(["b", "a", "b", "c", "a", "b"])


@pytest.fixture
def values():
    rng = np.random.default_rng(0)
    profile = {name: rng.gamma(2.0, 10.0, 40) for name in "abc"}
    return np.array([profile[name] * rng.normal(1.0, 0.05, 40) for name in SUBJECT])


def test_correlation_is_with_the_median_of_the_others(values):
    found = replicate_correlation(values, SUBJECT)
    np.testing.assert_allclose(found[0], np.corrcoef(values[0], np.median(values[[2, 5]], 0))[0, 1])
    np.testing.assert_allclose(found[[1, 4]], np.corrcoef(values[1], values[4])[0, 1])
    assert np.isnan(found[3])


def test_failed_spectra_are_weak_or_unlike_their_replicates(values):
    snr = np.array([9.0, 9.0, 9.0, 2.0, np.nan, 9.0])
    values[2] = np.random.default_rng(1).gamma(2.0, 10.0, 40)
    failed = failed_spectra(values, snr, SUBJECT, ReplicateSettings())
    np.testing.assert_array_equal(failed, [False, False, True, True, True, False])


def test_a_spectrum_without_variation_has_correlation_0(values):
    values[0] = 3.0
    assert replicate_correlation(values, SUBJECT)[0] == 0.0


def test_relative_standard_deviation_by_subject(values):
    found = relative_standard_deviation(values, SUBJECT)
    expected = [values[name == SUBJECT].std(0, ddof=1) / values[name == SUBJECT].mean(0)
                for name in "ab"]  # fmt: skip
    np.testing.assert_allclose(found, expected)
    assert 0.03 < np.median(found) < 0.07


def test_features_that_vary_between_replicates_are_not_stable(values):
    values[[0, 2, 5], 7] = [1.0, 10.0, 100.0]
    values[[1, 4], 7] = [1.0, 10.0]
    values[:, 9] = 0.0
    stable = stable_features(values, SUBJECT, ReplicateSettings())
    assert np.flatnonzero(~stable).tolist() == [7, 9]
    assert stable_features(values[:3], np.array(["a", "b", "c"]), ReplicateSettings()).all()


def test_mass_error_between_replicates():
    mz = np.array([[1000.0, 2000.0], [1000.1, np.nan], [5.0, 5.0], [1000.3, 2000.0]])
    subject = np.array(["a", "a", "b", "a"])
    # distances 0.1, 0.3, 0.2 at m/z 1000 and 0 at m/z 2000
    assert replicate_mass_error(mz, subject) == pytest.approx(150.0, rel=1e-3)
    assert np.isnan(replicate_mass_error(mz, np.array(["a", "b", "c", "d"])))


def test_other_numbers_of_subjects_are_refused(values):
    with pytest.raises(InputError, match="6 spectra and 5 subjects"):
        replicate_correlation(values, SUBJECT[:5])
    with pytest.raises(InputError, match="max_rsd > 0"):
        ReplicateSettings(max_rsd=0.0)
