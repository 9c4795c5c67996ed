"""Standardised rows as networks see them: outlying values pulled in, rows of one spread."""

import numpy as np
import pytest

from crossplate.scaling import PlateScaler
from crossplate.scaling.compression import SPREAD, Compression

EVERY = [Compression(values, rows) for values in (False, True) for rows in (False, True)]


def standardised(seed=0, n=30, p=60):
    """Standardised rows, one of them with a value far out and one three times as wide."""
    z = np.random.default_rng(seed).normal(size=(n, p))
    z[0, 0], z[1] = 50.0, 3.0 * z[1]
    return z


@pytest.mark.parametrize("compression", EVERY)
def test_undone_gives_back_what_was_compressed(compression):
    z, counted = standardised(), np.arange(60) < 40
    np.testing.assert_allclose(compression.undone(*compression.of(z, counted)), z, rtol=1e-9)


def test_a_value_far_out_is_pulled_in_and_small_ones_stay():
    z = standardised()
    seen, spread = Compression(values=True).of(z, np.ones(60, dtype=bool))
    assert spread is None
    assert seen[0, 0] < 5.0
    small = np.abs(z) < 0.1
    np.testing.assert_allclose(seen[small], z[small], rtol=2e-3)
    np.testing.assert_array_equal(np.argsort(seen, axis=None), np.argsort(z, axis=None))


def test_rows_get_one_spread_over_the_features_that_count():
    counted = np.arange(60) < 40
    seen, spread = Compression(rows=True).of(standardised(), counted)
    np.testing.assert_allclose(np.sqrt((seen[:, counted] ** 2).mean(axis=1)), SPREAD)
    assert spread[1] > 2.0 * np.median(spread)


def test_a_row_of_zeros_and_no_feature_that_counts_are_left_alone():
    zeros = np.zeros((2, 5))
    seen, _ = Compression(values=True, rows=True).of(zeros, np.ones(5, dtype=bool))
    np.testing.assert_array_equal(seen, zeros)
    z = standardised()
    seen, spread = Compression(rows=True).of(z, np.zeros(60, dtype=bool))
    assert spread is None
    np.testing.assert_array_equal(seen, z)


@pytest.mark.parametrize("seed", range(3))
def test_a_scaler_compresses_what_it_standardised(seed):
    rng = np.random.default_rng(seed)
    x = np.exp(rng.normal(3.0, 1.0, size=(40, 60)))
    batch, labelled = np.repeat(["a", "b"], 20), np.arange(40) < 20
    scaler = PlateScaler(compression=Compression(True, True)).fit(x, batch, labelled)
    z = scaler.standardise(x, batch)
    seen, spread = scaler.compressed(z)
    np.testing.assert_array_equal(scaler.scale(x, batch), seen)
    rows = batch == "b"
    back = scaler.restore(
        scaler.compression.undone(seen[rows], spread[rows]), scaler.statistics_["b"]
    )
    np.testing.assert_allclose(back, x[rows], rtol=1e-9)
