"""Local false discovery rates against R's sva and against a known mixture."""

import numpy as np
import pytest
from scipy.stats import norm

from crossplate.correct.local_fdr import local_fdr

from .studies import STORED, stored_study


@pytest.mark.parametrize("case", STORED)
def test_against_r(gold, case):
    stored = stored_study(gold, case).output("fpvalue_lfdr_of_label")
    found = local_fdr(stored["p"].to_numpy())
    assert np.abs(found - stored["lfdr"]).max() <= 4e-5


@pytest.mark.parametrize("seed", range(4))
def test_against_the_truth_of_a_mixture(seed):
    rng = np.random.default_rng(seed)
    from_null = rng.random(20_000) < 0.8
    z = np.where(from_null, rng.normal(size=20_000), rng.normal(-3.0, 1.0, 20_000))
    truth = 0.8 * norm.pdf(z) / (0.8 * norm.pdf(z) + 0.2 * norm.pdf(z, -3.0))
    found = local_fdr(norm.cdf(z))
    assert np.abs(found - truth).mean() < 0.05
    assert np.corrcoef(found, truth)[0, 1] > 0.99


@pytest.mark.parametrize("seed", range(4))
def test_p_values_of_nulls_alone_get_a_rate_near_one(seed):
    p_values = np.random.default_rng(seed).random(2000)
    assert local_fdr(p_values).mean() > 0.8


@pytest.mark.parametrize("n", [2, 7, 100])
def test_rates_rise_with_p_and_stay_in_the_unit_interval(n):
    p_values = np.random.default_rng(n).random(n) ** 4
    found = local_fdr(p_values)[np.argsort(p_values)]
    assert (np.diff(found) >= 0.0).all()
    assert found.min() >= 0.0
    assert found.max() <= 1.0


@pytest.mark.parametrize(
    "p_values", [[0.3], [0.0], [1.0], [0.5, 0.5], [0.0] * 9, [1.0] * 9, [0.0] * 8 + [1.0]]
)
def test_few_equal_or_extreme_p_values(p_values):
    found = local_fdr(np.array(p_values))
    assert np.isfinite(found).all()
    assert ((found >= 0.0) & (found <= 1.0)).all()


def test_p_values_that_differ_by_rounding_only():
    p_values = 0.9 + np.array([0.0, 1.0, 2.0]) * np.finfo(float).eps
    found = local_fdr(p_values)
    assert found == pytest.approx(found[0])
