"""The level of a sample drops out of centred rows, and comes back in restored ones."""

import numpy as np
import pytest

from crossplate.scaling import PlateScaler
from crossplate.scaling.row_level import RowLevel


def plates(seed=0, n=40, p=60):
    """Log-normal intensities of two batches, each sample diluted by a factor of its own."""
    rng = np.random.default_rng(seed)
    logs = rng.normal(6.0, 1.0, size=p) + rng.normal(0.0, 0.5, size=(2 * n, p))
    logs[n:] += rng.normal(0.0, 1.0, size=p)
    dilution = rng.normal(0.0, 1.0, size=2 * n)
    return logs, dilution, np.repeat(["a", "b"], n), np.arange(2 * n) < n


def test_level_is_the_mean_over_counted_features_that_were_measured():
    level = RowLevel(np.array([1.0, 2.0, 3.0]), np.array([True, True, False]), np.ones(3))
    logs = np.array([[2.0, 5.0, 99.0], [np.nan, 1.0, 99.0], [np.nan, np.nan, 99.0]])
    np.testing.assert_allclose(level.of(logs), [2.0, -1.0, 0.0])


@pytest.mark.parametrize("seed", range(3))
def test_dilution_drops_out(seed):
    logs, dilution, batch, labelled = plates(seed)
    scalers = [PlateScaler("always", centre_rows=centre) for centre in (True, False)]
    found = []
    for scaler in scalers:
        plain, diluted = np.exp(logs), np.exp(logs + dilution[:, None])
        z = [scaler.fit(x, batch, labelled).scale(x, batch) for x in (plain, diluted)]
        found.append(np.abs(z[0] - z[1]).mean())
    assert found[0] < 0.02 * found[1]


@pytest.mark.parametrize("log", ["always", "never"])
def test_own_batch_is_restored_as_measured(log):
    logs, dilution, batch, labelled = plates()
    x = logs + dilution[:, None]
    x = np.exp(x) if log == "always" else x
    scaler = PlateScaler(log, centre_rows=True).fit(x, batch, labelled)
    z, levels = scaler.scale(x, batch), scaler.levels_in_batch(x, batch)
    for name in "ab":
        rows = batch == name
        restored = scaler.restore(z[rows], scaler.statistics_[name], levels[rows])
        np.testing.assert_allclose(restored, x[rows], rtol=1e-6)
        assert abs(levels[rows].mean()) < 1e-9


def test_another_batch_is_restored_at_its_level():
    logs, dilution, batch, labelled = plates()
    logs[batch == "b"] += 2.0
    x = np.exp(logs + dilution[:, None])
    scaler = PlateScaler("always", centre_rows=True).fit(x, batch, labelled)
    rows = batch == "b"
    levels = scaler.levels_in_batch(x, batch)[rows]
    as_a = np.log(scaler.restore(scaler.scale(x, batch)[rows], scaler.statistics_["a"], levels))
    measured = np.log(x[batch == "a"])
    np.testing.assert_allclose(as_a.mean(axis=0), measured.mean(axis=0), atol=0.1)


def test_a_unit_is_the_spread_of_a_feature_where_no_log_is_taken():
    level = RowLevel(np.zeros(2), np.array([True, True]), np.array([2.0, 4.0]))
    x = np.array([[2.0, 4.0], [4.0, 0.0]])
    np.testing.assert_allclose(level.of(x), [1.0, 1.0])
    np.testing.assert_allclose(level.added(level.of(x)), [[2.0, 4.0], [2.0, 4.0]])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("scaled", [False, True], ids=["logs", "scaled logs"])
def test_dilution_drops_out_of_values_that_were_logged_before(seed, scaled):
    logs, dilution, batch, labelled = plates(seed)
    found = []
    for centre in (True, False):
        z = []
        for amount in (0.0 * dilution, dilution):
            x = (logs + amount[:, None]) / np.log(2.0)
            if scaled:
                x = (x - x.mean(axis=0)) / x.std(axis=0)
            scaler = PlateScaler("never", centre_rows=centre).fit(x, batch, labelled)
            z.append(scaler.scale(x, batch))
        found.append(np.abs(z[0] - z[1]).mean())
    assert found[0] < 0.4 * found[1]
