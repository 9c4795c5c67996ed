"""Per-batch z-score against bapred, against pandas, and on features without spread."""

import numpy as np
import pandas as pd
import pytest

from crossplate import InputError
from crossplate.correct.batch_zscore import BatchZScore

from .plates import make_plates, stored, stored_batches


def test_against_bapred(gold):
    x = stored(gold / "small_60x40", "X_features_by_samples")
    batch = stored_batches(gold / "small_60x40")
    found = BatchZScore().fit_transform(x, batch=batch)
    # bapred divides by the standard deviation of divisor n - 1
    n = batch.map(batch.value_counts()).to_numpy()[:, None]
    expected = stored(gold / "small_60x40", "bapred_standardize").to_numpy()
    np.testing.assert_allclose(found * np.sqrt((n - 1) / n), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_against_pandas(seed, missing):
    x, batch = make_plates(seed, missing=missing)
    found = BatchZScore().fit_transform(x, batch=batch)
    expected = pd.DataFrame(x).groupby(batch).transform(lambda v: (v - v.mean()) / v.std(ddof=0))
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


def test_a_fitted_batch_keeps_its_statistics_and_a_new_one_has_its_own():
    x, batch = make_plates(1)
    corrector = BatchZScore().fit(x, batch=batch)
    whole = corrector.transform(x, batch=batch)
    some = np.flatnonzero(batch == "p2")[:1]
    np.testing.assert_array_equal(corrector.transform(x[some], batch=batch[some]), whole[some])
    # the same rows under a new name standardise to the same values
    renamed = np.where(batch == "p2", "new", batch)
    np.testing.assert_array_equal(corrector.transform(x, batch=renamed), whole)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e6 / 3])
def test_a_feature_without_spread_in_a_batch_becomes_zero_there(value):
    x, batch = make_plates(2)
    x[batch == "p1", 3] = value
    corrector = BatchZScore().fit(x, batch=batch)
    found = corrector.transform(x, batch=batch)
    assert (found[batch == "p1", 3] == 0.0).all()
    assert found[batch == "p2", 3].std() == pytest.approx(1.0)
    later = corrector.transform(np.full((1, 6), 7.0), batch=["p1"])
    assert later[0, 3] == 0.0
    assert later[0, 2] != 0.0


def test_a_feature_missing_throughout_a_batch():
    x, batch = make_plates(3)
    x[batch == "p1", 0] = np.nan
    corrector = BatchZScore().fit(x, batch=batch)
    assert np.isnan(corrector.transform(x, batch=batch)[batch == "p1", 0]).all()
    assert corrector.transform(np.ones((1, 6)), batch=["p1"])[0, 0] == 0.0


def test_after_one_batch_a_new_one_is_brought_to_its_scale():
    x, batch = make_plates(4)
    one, other = x[batch == "p1"], x[batch == "p2"]
    corrector = BatchZScore().fit(one, batch=["p1"] * len(one))
    np.testing.assert_array_equal(corrector.transform(one), one)
    found = corrector.transform(other, batch=["p2"] * len(other))
    np.testing.assert_allclose(found.mean(axis=0), one.mean(axis=0))
    np.testing.assert_allclose(found.std(axis=0), one.std(axis=0))


def test_batches_that_have_no_spread_are_refused():
    x, batch = make_plates(5, (4, 1))
    with pytest.raises(InputError, match="'p2' has one row"):
        BatchZScore().fit(x, batch=batch)
    corrector = BatchZScore().fit(x[:4], batch=["p1"] * 4)
    with pytest.raises(InputError, match="'new' has one row"):
        corrector.transform(x[:1], batch=["new"])
    alone = BatchZScore().fit(x[:1])
    with pytest.raises(InputError, match="'all', the only one in fit, are all equal"):
        alone.transform(x, batch=["new"] * 5)
