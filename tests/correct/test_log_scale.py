"""Correction on the log scale against the same steps done by hand."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from crossplate import InputError
from crossplate.correct.base import Corrector
from crossplate.correct.batch_zscore import BatchZScore
from crossplate.correct.centring import MeanCentring
from crossplate.correct.combat import ComBat
from crossplate.correct.coral import CORAL
from crossplate.correct.log_scale import OnLogScale
from crossplate.correct.no_correction import NoCorrection
from crossplate.correct.normae import NormAE
from crossplate.correct.ratio_g import RatioG

from .plates import make_plates


def intensities(seed, missing=0.0):
    x, batch = make_plates(seed, (40, 30, 50), missing=missing)
    return np.exp(2.0 * x), batch


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("log", ["auto", "always"])
def test_intensities_against_the_steps_by_hand(seed, log):
    x, batch = intensities(seed)
    found = OnLogScale(MeanCentring(reference="p1"), log=log).fit(x, batch=batch)
    assert found.log_unit_ == 1.0
    logged = MeanCentring(reference="p1").fit_transform(np.log1p(x), batch=batch)
    expected = np.maximum(np.expm1(logged), 0.0)
    np.testing.assert_allclose(found.transform(x, batch=batch), expected, rtol=1e-12)


def test_small_intensities_have_their_own_unit():
    x, batch = intensities(0)
    x *= 1e-9
    corrector = OnLogScale(MeanCentring(reference="p1")).fit(x, batch=batch)
    unit = np.quantile(x, 0.05)
    assert corrector.log_unit_ == pytest.approx(unit)
    logged = MeanCentring(reference="p1").fit_transform(np.log1p(x / unit), batch=batch)
    expected = np.maximum(np.expm1(logged), 0.0) * unit
    np.testing.assert_allclose(corrector.transform(x, batch=batch), expected, rtol=1e-12)


@pytest.mark.parametrize("log", ["never", "auto"])
def test_logs_are_not_taken_where_they_do_not_help(log):
    x, batch = make_plates(0)
    x -= 5.0
    found = OnLogScale(MeanCentring(), log=log).fit(x, batch=batch)
    assert found.log_unit_ is None
    expected = MeanCentring().fit_transform(x, batch=batch)
    np.testing.assert_array_equal(found.transform(x, batch=batch), expected)


def test_ratios_get_the_intensities():
    x, batch = intensities(0)
    found = OnLogScale(RatioG(), log="always").fit(x, batch=batch)
    assert found.log_unit_ is None
    expected = RatioG().fit_transform(x, batch=batch)
    np.testing.assert_array_equal(found.transform(x, batch=batch), expected)


def test_what_is_not_corrected_comes_back_bit_for_bit():
    x, batch = intensities(1, missing=0.1)
    np.testing.assert_array_equal(OnLogScale(NoCorrection()).fit_transform(x, batch=batch), x)
    found = OnLogScale(MeanCentring(reference="p2")).fit_transform(x, batch=batch)
    np.testing.assert_array_equal(found[batch == "p2"], x[batch == "p2"])
    np.testing.assert_array_equal(np.isnan(found), np.isnan(x))


def test_nothing_falls_below_zero():
    x, batch = intensities(2)
    x[batch == "p1"] /= 1000.0
    x[batch == "p2", 0] = 0.0
    found = OnLogScale(MeanCentring(reference="p1"), log="always").fit_transform(x, batch=batch)
    assert found.min() == 0.0
    assert (found[batch == "p1"] > 0.0).all()


def test_z_scores_stay_z_scores():
    x, batch = intensities(0)
    found = OnLogScale(BatchZScore()).fit_transform(x, batch=batch)
    np.testing.assert_array_equal(found, BatchZScore().fit_transform(np.log1p(x), batch=batch))


def test_the_corrector_given_is_not_fitted():
    x, batch = intensities(0)
    inside = MeanCentring()
    OnLogScale(inside).fit(x, batch=batch)
    assert not hasattr(inside, "shift_")


def test_the_labels_reach_the_corrector():
    class Reads(Corrector):
        def _fit(self, x, batch, y):
            self.y_ = np.array(y)

    x, batch = intensities(0)
    labels = np.arange(len(x)) % 2
    assert OnLogScale(Reads()).fit(x, labels, batch=batch).corrector_.y_.tolist() == labels.tolist()


@pytest.mark.parametrize("seed", range(3))
def test_covariates_reach_the_corrector_at_fit_and_at_transform(seed):
    x, batch = intensities(seed)
    age = np.random.default_rng(seed).normal(50.0, 10.0, len(x))
    x[:, :3] *= np.exp(0.1 * (age[:, None] - 50.0))
    covariates = pd.DataFrame({"age": age})
    on_logs = OnLogScale(ComBat(reference="p1")).fit(x, batch=batch, covariates=covariates)
    by_hand = ComBat(reference="p1").fit(np.log1p(x), batch=batch, covariates=covariates)
    new = slice(0, None, 3)
    its = {"batch": batch[new], "covariates": covariates[new]}
    expected = np.maximum(np.expm1(by_hand.transform(np.log1p(x[new]), **its)), 0.0)
    np.testing.assert_allclose(on_logs.transform(x[new], **its), expected, rtol=1e-10)
    without = OnLogScale(ComBat(reference="p1")).fit_transform(x, batch=batch)
    both = on_logs.fit_transform(x, batch=batch, covariates=covariates)
    assert not np.allclose(both, without)
    with pytest.raises(InputError, match="the covariates are missing, but in fit they were age"):
        on_logs.transform(x, batch=batch)


def test_covariates_are_refused_by_a_corrector_without_any():
    x, batch = intensities(0)
    with pytest.raises(InputError, match="MeanCentring takes no covariates; leave it out"):
        OnLogScale(MeanCentring()).fit(x, batch=batch, covariates=x[:, :1])


def test_a_pipeline_routes_batch_and_covariates():
    x, batch = intensities(0)
    y = np.arange(len(x)) % 2
    covariates = pd.DataFrame({"age": np.linspace(30.0, 60.0, len(x))[::-1]})
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(OnLogScale(ComBat()), LogisticRegression())
        pipeline.fit(np.log1p(x), y, batch=batch, covariates=covariates)
        found = pipeline[0].transform(np.log1p(x), batch=batch, covariates=covariates)
    by_hand = OnLogScale(ComBat()).fit_transform(np.log1p(x), batch=batch, covariates=covariates)
    np.testing.assert_array_equal(found, by_hand)


def test_what_the_corrector_refuses_is_refused():
    x, batch = intensities(0, missing=0.1)
    with pytest.raises(ValueError, match="CORAL does not accept missing values"):
        OnLogScale(CORAL()).fit(x, batch=batch)
    assert OnLogScale(MeanCentring()).__sklearn_tags__().input_tags.allow_nan
    assert not OnLogScale(CORAL()).__sklearn_tags__().input_tags.allow_nan

    class OnlyFitted(CORAL):
        takes_new_batches = False

    x, batch = intensities(0)
    corrector = OnLogScale(OnlyFitted()).fit(x, batch=batch)
    with pytest.raises(InputError, match="'new' was not in fit, and OnlyFitted cannot correct"):
        corrector.transform(x[:2], batch=["new", "new"])


def test_negative_values_have_no_logarithm():
    x, batch = intensities(0)
    corrector = OnLogScale(MeanCentring()).fit(x, batch=batch)
    x[4, 2] = -1.0
    message = r"1 negative values \(first: row 5, feature 3, -1\) have no logarithm"
    with pytest.raises(InputError, match=message):
        corrector.transform(x, batch=batch)
    with pytest.raises(InputError, match=message):
        OnLogScale(MeanCentring(), log="always").fit(x, batch=batch)
    with pytest.raises(InputError, match="log is 'yes'; give 'auto', 'always' or 'never'"):
        OnLogScale(MeanCentring(), log="yes").fit(x, batch=batch)


@pytest.mark.parametrize("seed", range(2))
def test_the_injection_order_reaches_a_corrector_that_takes_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, batch = np.exp(rng.normal(3.0, 1.0, (40, 6))), np.repeat(["a", "b"], 20)
    order = np.tile(np.arange(20), 2)
    settings = dict.fromkeys(("pretrain_epochs", "discriminator_epochs", "averaged_epochs"), 1)
    settings |= {"epochs": 2, "random_state": seed}
    by_hand = NormAE(**settings).fit(np.log1p(x), batch=batch, order=order)
    model = OnLogScale(NormAE(**settings), log="always").fit(x, batch=batch, order=order)
    expected = by_hand.transform(np.log1p(x), batch=batch)
    found = np.log1p(model.transform(x, batch=batch))
    np.testing.assert_allclose(found, np.maximum(expected, 0.0), atol=1e-8)


def test_a_corrector_without_injection_order_refuses_it() -> None:
    x, batch = np.ones((4, 2)), np.repeat(["a", "b"], 2)
    with pytest.raises(InputError, match="MeanCentring takes no order; leave it out"):
        OnLogScale(MeanCentring()).fit(x, batch=batch, order=np.arange(4))
