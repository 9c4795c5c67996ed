import numpy as np
import pytest

from crossplate.spectra.transform import transformed


@pytest.mark.parametrize(
    ("method", "expected"),
    [("none", [-4.0, 0.0, 9.0]), ("sqrt", [0.0, 0.0, 3.0]), ("log", [0.0, 0.0, np.log(10.0)])],
)
def test_negative_intensities_count_as_none(method, expected):
    raw = np.array([-4.0, 0.0, 9.0])
    np.testing.assert_allclose(transformed(raw, method), expected)
    np.testing.assert_array_equal(raw, [-4.0, 0.0, 9.0])


def test_root_makes_the_noise_of_counts_equal():
    rng = np.random.default_rng(0)
    spread = [transformed(rng.poisson(mean, 20_000).astype(float), "sqrt").std()
              for mean in (100, 10_000)]  # fmt: skip
    np.testing.assert_allclose(spread, 0.5, rtol=0.03)
