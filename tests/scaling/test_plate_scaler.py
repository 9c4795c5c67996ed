"""Per-batch scaling: what it removes, what it keeps, and what it does with gaps."""

import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.scaling import SCALE_FLOOR, PlateScaler
from crossplate.scaling.plate_scaler import FARTHEST


def plates(seed, n=60, p=8):
    """Log-normal intensities of two batches, the second scaled feature by feature."""
    rng = np.random.default_rng(seed)
    x = np.exp(rng.normal(3.0, 1.0, size=(2 * n, p)))
    batch = np.repeat(["a", "b"], n)
    x[n:] *= np.exp(rng.normal(0.0, 1.0, size=p))
    return x, batch, np.repeat([True, False], n)


@pytest.mark.parametrize("seed", range(3))
def test_each_batch_has_mean_zero_and_sd_one(seed):
    x, batch, labelled = plates(seed)
    z = PlateScaler().fit(x, batch, labelled).scale(x, batch)
    for name in ("a", "b"):
        np.testing.assert_allclose(z[batch == name].mean(axis=0), 0.0, atol=1e-12)
        np.testing.assert_allclose(z[batch == name].std(axis=0), 1.0, rtol=1e-12)


@pytest.mark.parametrize("log", ["auto", "always", "never"])
def test_restore_undoes_scale(log):
    x, batch, labelled = plates(0)
    scaler = PlateScaler(log).fit(x, batch, labelled)
    for name in ("a", "b"):
        rows = batch == name
        back = scaler.restore(scaler.scale(x[rows], batch[rows]), scaler.statistics_[name])
        np.testing.assert_allclose(back, x[rows], rtol=1e-9)


def test_a_new_batch_is_scaled_with_its_own_statistics():
    x, batch, labelled = plates(1)
    scaler = PlateScaler("never").fit(x, batch, labelled)
    new, rows = 7.0 * x[:40] + 3.0, np.full(40, "c")
    z = scaler.scale(new, rows)
    np.testing.assert_allclose(z.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(scaler.scale(x[:40], rows), z, rtol=1e-9)
    assert np.abs(scaler.scale(new, np.full(40, "a")).mean()) > 1.0
    assert set(scaler.statistics_) == {"a", "b"}


def test_gaps_get_the_labelled_median_on_the_scaled_axis():
    x, batch, labelled = plates(2)
    scaler = PlateScaler().fit(x, batch, labelled)
    median = np.median(scaler.scale(x, batch)[labelled], axis=0)
    gappy = x.copy()
    gappy[70, 3] = np.nan
    filled = PlateScaler().fit(gappy, batch, labelled).scale(gappy, batch)
    assert filled[70, 3] == pytest.approx(median[3], abs=1e-9)
    assert np.isfinite(filled).all()
    others = np.ones(x.shape[1], dtype=bool)
    others[3] = False
    np.testing.assert_allclose(filled[:, others], scaler.scale(x, batch)[:, others], rtol=1e-12)


def test_feature_missing_in_a_whole_batch_is_filled_there():
    x, batch, labelled = plates(3)
    x[batch == "b", 2] = np.nan
    scaler = PlateScaler().fit(x, batch, labelled)
    z = scaler.scale(x, batch)
    assert not scaler.informative_[2]
    assert not z[:, 2].any()
    filled = scaler.standardise(x, batch, every_feature=True)
    assert np.unique(filled[batch == "b", 2]).tolist() == [scaler.fill_[2]]
    assert filled[batch == "a", 2].std() > 0.5
    assert np.isfinite(scaler.restore(z, scaler.statistics_["b"])).all()


def test_feature_that_varies_in_most_batches_is_kept():
    x, batch, labelled = plates(3)
    x = np.concatenate([x, x[batch == "b"], x[batch == "b"]])
    batch = np.concatenate([batch, ["c"] * 2 * (batch == "b").sum()])
    batch[-(batch == "b").sum() :] = "d"
    labelled = np.concatenate([labelled, np.zeros(len(batch) - len(labelled), dtype=bool)])
    x[batch == "c", 2] = 7.0
    x[np.isin(batch, ["b", "c"]), 1] = np.nan
    scaler = PlateScaler().fit(x, batch, labelled)
    assert scaler.informative_[2]
    assert not scaler.informative_[1]


def test_batches_without_common_features_keep_those_of_the_labelled():
    x, batch, labelled = plates(3)
    x[batch == "b"] = np.nan
    assert PlateScaler().fit(x, batch, labelled).informative_.all()


def test_almost_constant_feature_is_not_blown_up():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(100, 2))
    x[50:, 0] = 1e-6 * rng.normal(size=50)
    batch, labelled = np.repeat(["a", "b"], 50), np.repeat([True, False], 50)
    z = PlateScaler("never").fit(x, batch, labelled).scale(x, batch)
    usual = np.sqrt((x[:50, 0].var() + x[50:, 0].var()) / 2)
    np.testing.assert_allclose(z[50:, 0], (x[50:, 0] - x[50:, 0].mean()) / (SCALE_FLOOR * usual))
    assert np.abs(z[50:, 0]).max() < 1e-3


def test_feature_constant_in_the_source_is_held_at_zero_everywhere():
    x, batch, labelled = plates(5)
    x[labelled, 1] = 5.0
    z = PlateScaler().fit(x, batch, labelled).scale(x, batch)
    assert (z[:, 1] == 0.0).all()
    assert (z[:, 0] != 0.0).all()


def test_negative_values_are_refused_where_logs_are_asked_for():
    x, batch, labelled = plates(8)
    x[3, 2] = -4.0
    with pytest.raises(InputError, match=r"1 negative values \(first: row 4, feature 3, -4\)"):
        PlateScaler("always").fit(x, batch, labelled)


def test_a_row_is_scaled_alike_whoever_stands_beside_it():
    x, batch, labelled = plates(9)
    scaler = PlateScaler().fit(x, batch, labelled)
    z = scaler.scale(x, batch)
    np.testing.assert_array_equal(scaler.scale(x[batch == "a"], batch[batch == "a"]), z[:60])


def test_the_origin_of_a_batch_is_where_its_mean_lay():
    rng = np.random.default_rng(10)
    x = rng.normal(size=(90, 5))
    batch, labelled = np.repeat(["a", "b", "c"], 30), np.repeat([True, False, False], 30)
    x[batch == "b", 0] += 2.0
    x[batch == "c", 1] += 50.0
    x[:, 4] = 1.0
    scaler = PlateScaler("never").fit(x, batch, labelled)
    found = np.array([scaler.origin(scaler.statistics_[name]) for name in "abc"])
    away = found[1:] - found[0]
    np.testing.assert_allclose(away[0, :2], [2.0, 0.0], atol=0.6)
    assert FARTHEST / 2 < away[1, 1] <= 2 * FARTHEST
    assert not found[:, 4].any()
    np.testing.assert_array_equal(found[1], scaler.origin(scaler.statistics_of(x[batch == "b"])))
