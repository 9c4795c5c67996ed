"""Mean-centring against bapred, against pandas, and where values are missing."""

import numpy as np
import pandas as pd
import pytest

from crossplate import InputError
from crossplate.correct.centring import MeanCentring

from .plates import make_plates, stored, stored_batches


@pytest.mark.parametrize("case", ["small_60x40", "cytof_p1_300x2_raw"])
def test_against_bapred(gold, case):
    x = stored(gold / case, "X_features_by_samples")
    batch = stored_batches(gold / case)
    corrector = MeanCentring().fit(x, batch=batch)
    # bapred adds nothing back
    found = corrector.transform(x, batch=batch) - corrector.target_
    expected = stored(gold / case, "bapred_meancenter").to_numpy()
    scale = np.abs(x.to_numpy()).max(axis=0)
    assert np.abs((found - expected) / scale).max() <= 1e-12


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("reference", [None, "p3"])
def test_against_pandas(seed, missing, reference):
    x, batch = make_plates(seed, missing=missing)
    found = MeanCentring(reference=reference).fit_transform(x, batch=batch)
    frame = pd.DataFrame(x)
    target = frame.mean() if reference is None else frame[batch == reference].mean()
    expected = frame.groupby(batch).transform(lambda v: v - v.mean()) + target
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_fitted_batch_keeps_its_means_and_a_new_one_has_its_own():
    x, batch = make_plates(1)
    corrector = MeanCentring(reference="p1").fit(x, batch=batch)
    whole = corrector.transform(x, batch=batch)
    some = np.flatnonzero(batch == "p2")[:1]
    np.testing.assert_array_equal(corrector.transform(x[some], batch=batch[some]), whole[some])
    renamed = np.where(batch == "p2", "new", batch)
    np.testing.assert_array_equal(corrector.transform(x, batch=renamed), whole)


def test_a_feature_missing_throughout_a_batch():
    x, batch = make_plates(2)
    x[batch == "p1", 0] = np.nan
    corrector = MeanCentring(reference="p1").fit(x, batch=batch)
    found = corrector.transform(x, batch=batch)
    # the reference has no mean to give: that over all rows stands in
    assert np.isnan(found[batch == "p1", 0]).all()
    for name in ("p2", "p3"):
        assert found[batch == name, 0].mean() == pytest.approx(np.nanmean(x[:, 0]))
    assert corrector.transform(np.full((1, 6), 4.0), batch=["p1"])[0, 0] == 4.0
    x[:, 1] = np.nan
    corrector = MeanCentring().fit(x, batch=batch)
    np.testing.assert_array_equal(np.isnan(corrector.transform(x, batch=batch)), np.isnan(x))
    assert corrector.transform(np.full((1, 6), 4.0), batch=["p2"])[0, 1] == 4.0


def test_after_one_batch_a_new_one_is_brought_to_its_means():
    x, batch = make_plates(4)
    one, other = x[batch == "p1"], x[batch == "p2"]
    corrector = MeanCentring().fit(one, batch=["p1"] * len(one))
    np.testing.assert_array_equal(corrector.transform(one), one)
    found = corrector.transform(other, batch=["p2"] * len(other))
    np.testing.assert_allclose(found.mean(axis=0), one.mean(axis=0))


def test_a_batch_of_one_row_is_refused():
    x, batch = make_plates(5, (4, 1))
    with pytest.raises(InputError, match="'p2' has one row"):
        MeanCentring().fit(x, batch=batch)
    with pytest.raises(InputError, match="'new' has one row"):
        MeanCentring().fit(x).transform(x[:1], batch=["new"])
