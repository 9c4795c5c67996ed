"""Ratio_G against bapred, against scipy's geometric mean, and without positive values."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import gmean

from crossplate import InputError
from crossplate.correct.ratio_g import RatioG

from .plates import make_plates, stored, stored_batches


@pytest.mark.parametrize(
    ("case", "name"),
    [("ratio_60x40", "bapred_ratio_g_without_f6"), ("cytof_p1_300x2_raw", "bapred_ratio_g")],
)
def test_against_bapred(gold, case, name):
    expected = stored(gold / case, name)
    x = stored(gold / case, "X_features_by_samples")[expected.columns]
    found = RatioG().fit_transform(x, batch=stored_batches(gold / case))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_new_batch_against_bapred(gold):
    expected = stored(gold / "ratio_60x40", "bapred_ratio_g_addon_b3_without_f6")
    x = stored(gold / "ratio_60x40", "X_features_by_samples")[expected.columns]
    batch = stored_batches(gold / "ratio_60x40")
    new = batch == "b3"
    corrector = RatioG().fit(x[~new], batch=batch[~new])
    found = corrector.transform(x[new], batch=batch[new])
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def intensities(seed, missing=0.0):
    x, batch = make_plates(seed, missing=missing)
    x = np.exp(x)
    x[np.random.default_rng(seed).random(x.shape) < 0.1] = 0.0
    return x, batch


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("reference", [None, "p2"])
def test_against_scipy(seed, missing, reference):
    x, batch = intensities(seed, missing)
    x[0, 0] = -3.0
    raised, expected = x.copy(), np.empty_like(x)
    for name in np.unique(batch):
        frame = pd.DataFrame(x[batch == name])
        raised[batch == name] = frame.mask(frame <= 0.0, frame[frame > 0.0].min(), axis=1)
        its = raised[batch == name]
        expected[batch == name] = its / gmean(its, axis=0, nan_policy="omit")
    if reference is not None:
        expected *= gmean(raised[batch == reference], axis=0, nan_policy="omit")
    found = RatioG(reference=reference).fit_transform(x, batch=batch)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_reference_keeps_its_positive_values():
    x, batch = intensities(1)
    found = RatioG(reference="p1").fit_transform(x, batch=batch)
    its = batch == "p1"
    positive = x[its] > 0.0
    np.testing.assert_array_equal(found[its][positive], x[its][positive])
    assert not positive.all()
    smallest = np.broadcast_to(np.where(positive, x[its], np.inf).min(axis=0), positive.shape)
    np.testing.assert_array_equal(found[its][~positive], smallest[~positive])


def test_a_fitted_batch_keeps_its_means_and_a_new_one_has_its_own():
    x, batch = intensities(1)
    corrector = RatioG(reference="p1").fit(x, batch=batch)
    whole = corrector.transform(x, batch=batch)
    zero = np.flatnonzero((batch == "p2") & (x == 0.0).any(axis=1))[:1]
    np.testing.assert_array_equal(corrector.transform(x[zero], batch=batch[zero]), whole[zero])
    renamed = np.where(batch == "p2", "new", batch)
    np.testing.assert_array_equal(corrector.transform(x, batch=renamed), whole)


@pytest.mark.parametrize("value", [0.0, -2.0, np.nan])
def test_a_feature_without_positive_values(value):
    x, batch = intensities(2)
    plain = RatioG().fit_transform(x, batch=batch)
    x[batch == "p2", 3] = value
    with pytest.raises(InputError, match=r"no positive value in batch 'p2' \(first: number 4\)"):
        RatioG().fit(x, batch=batch)
    names = [f"mz {i}" for i in range(6)]
    with pytest.raises(InputError, match=r"1 features .* \(first: 'mz 3'\)"):
        RatioG().fit(pd.DataFrame(x, columns=names), batch=batch)
    passed = RatioG(no_positive="pass").fit_transform(x, batch=batch)
    np.testing.assert_array_equal(passed[batch == "p2", 3], x[batch == "p2", 3])
    others = np.delete(passed, 3, axis=1)
    np.testing.assert_array_equal(others, np.delete(plain, 3, axis=1))
    np.testing.assert_array_equal(passed[batch == "p1", 3], plain[batch == "p1", 3])
    # without a mean in the reference there is nothing to bring the others to
    onto = RatioG(reference="p2", no_positive="pass").fit_transform(x, batch=batch)
    np.testing.assert_array_equal(onto[:, 3], x[:, 3])


def test_after_one_batch_a_new_one_is_brought_to_its_means():
    x, batch = intensities(4)
    one, other = x[batch == "p1"], np.exp(make_plates(4)[0][batch == "p2"])
    corrector = RatioG().fit(one, batch=["p1"] * len(one))
    np.testing.assert_array_equal(corrector.transform(one), one)
    found = corrector.transform(other, batch=["p2"] * len(other))
    np.testing.assert_allclose(gmean(found, axis=0), corrector.mean_["p1"])
    one[:, 0] = 0.0
    corrector = RatioG().fit(one, batch=["p1"] * len(one))
    with pytest.raises(InputError, match="no positive value in batch 'p1'"):
        corrector.transform(other, batch=["p2"] * len(other))


def test_what_cannot_be_done_is_refused():
    x, batch = make_plates(5, (4, 1))
    with pytest.raises(InputError, match="'p2' has one row"):
        RatioG().fit(x, batch=batch)
    with pytest.raises(InputError, match="no_positive is 'skip'; give 'error' or 'pass'"):
        RatioG(no_positive="skip").fit(x, batch=batch)
