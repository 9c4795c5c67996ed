import numpy as np

from crossplate.spectra.filling import filled_from_profile


def test_missing_features_are_read_from_the_profile():
    mz, profile = np.array([10.0, 20.0, 30.0]), np.array([1.0, 3.0, 2.0])
    features = np.array([5.0, 10.0, 15.0, 20.0, 27.5, 31.0])
    found = np.array([np.nan, np.nan, np.nan, 99.0, np.nan, np.nan])
    filled = filled_from_profile(found, features, mz, profile)
    np.testing.assert_allclose(filled, [0.0, 1.0, 2.0, 99.0, 2.25, 0.0])
    assert np.isnan(found).sum() == 5
