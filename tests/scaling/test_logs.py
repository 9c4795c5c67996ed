"""When logs are taken of measurements, and from which unit."""

import numpy as np
import pytest
from scipy.stats import skew

from crossplate.scaling import choose_log_unit
from crossplate.scaling.logs import _skewness


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_skewness_is_that_of_scipy(seed):
    rng = np.random.default_rng(seed)
    x = np.exp(rng.normal(size=(30, 8)))
    x[:, 0], x[:, 1] = 3.0, np.nan
    x[rng.random(x.shape) < 0.1] = np.nan
    expected = skew(x[:, 2:], axis=0, nan_policy="omit")
    assert _skewness(x) == pytest.approx(float(np.median(np.abs(expected))), rel=1e-12)


def test_log_is_taken_of_skewed_intensities_only():
    rng = np.random.default_rng(6)
    batch = np.repeat(["a", "b"], 100)
    skewed = np.exp(rng.normal(5.0, 1.5, size=(200, 6)))
    assert choose_log_unit(skewed, batch) == 1.0
    assert choose_log_unit(np.log2(skewed) + 10.0, batch) is None
    assert choose_log_unit(rng.normal(size=(200, 6)), batch) is None


def test_log_unit_follows_tables_scaled_to_small_numbers():
    rng = np.random.default_rng(7)
    batch = np.repeat("a", 200)
    skewed = np.exp(rng.normal(5.0, 1.5, size=(200, 6)))
    small = skewed / skewed.sum(axis=1, keepdims=True) * 1e-3
    unit = choose_log_unit(small, batch)
    assert unit == pytest.approx(np.quantile(small, 0.05))
