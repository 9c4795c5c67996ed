"""Surrogate variables step by step: against R's sva, against loops and against known truth."""

import numpy as np
import pytest
from scipy.stats import f, f_oneway

from crossplate import InputError
from crossplate.correct.surrogate import (
    effects_of,
    f_p_values,
    label_design,
    learn_surrogates,
    reweighted_surrogates,
    varying_features,
)
from crossplate.correct.surrogate_number import (
    number_by_asymptotics,
    number_by_permutation,
    residual_shares,
)

from .studies import EVERY, STORED, make_study, share_explained, stored_study


def basis_of(design):
    return np.linalg.qr(design)[0]


def learn(x, codes, n_surrogates=None, number="be", seed=0):
    rng = np.random.default_rng(seed)
    return learn_surrogates(x, codes, n_surrogates=n_surrogates, number=number, rng=rng)


@pytest.mark.parametrize("case", STORED)
def test_residual_shares_against_r(gold, case):
    study = stored_study(gold, case)
    expected = study.output("numsv_be_observed_dstat")["dstat"].to_numpy()
    found = residual_shares(study.x, basis_of(label_design(study.codes)))
    # where rounding takes the degrees of freedom above a whole number, R drops one share
    assert 0 <= len(found) - len(expected) <= 1
    found = found[: len(expected)] / found[: len(expected)].sum()
    np.testing.assert_allclose(found, expected, atol=1e-10)


@pytest.mark.parametrize("case", STORED)
def test_numbers_against_r(gold, case):
    study = stored_study(gold, case)
    basis = basis_of(label_design(study.codes))
    *permuted, asymptotic = study.output("numsv_be_seeds1to5_then_leek")["value"]
    rngs = map(np.random.default_rng, range(5))
    assert [number_by_permutation(study.x, basis, rng) for rng in rngs] == permuted
    assert number_by_asymptotics(study.x, basis) == asymptotic


@pytest.mark.parametrize("case", STORED)
def test_p_values_against_r(gold, case):
    study = stored_study(gold, case)
    design = label_design(study.codes)
    expected = study.output("fpvalue_lfdr_of_label")["p"]
    np.testing.assert_allclose(f_p_values(study.x, design, design[:, :1]), expected, atol=1e-10)


@pytest.mark.parametrize(("case", "k"), EVERY)
def test_surrogate_variables_against_r(gold, case, k):
    study = stored_study(gold, case)
    found = reweighted_surrogates(study.x, label_design(study.codes), k)
    expected = study.output(f"sva_irw_n{k}_sv").to_numpy()
    same_sign = found.variables * np.sign((found.variables * expected).sum(axis=0))
    np.testing.assert_allclose(same_sign, expected, atol=1e-3)
    probabilities = study.output(f"sva_irw_n{k}_pprob")
    np.testing.assert_allclose(found.linked_to_hidden, probabilities["pprob_gam"], atol=1e-2)
    np.testing.assert_allclose(found.linked_to_label, probabilities["pprob_b"], atol=1e-2)


@pytest.mark.parametrize(("case", "k"), EVERY)
def test_clean_study_given_rs_surrogate_variables(gold, case, k):
    study = stored_study(gold, case)
    given = study.output(f"sva_irw_n{k}_sv").to_numpy()
    clean = study.x - given @ effects_of(given, study.x, label_design(study.codes))
    expected = study.output(f"fsva_n{k}_db_train").T
    np.testing.assert_allclose(clean, expected, rtol=0.0, atol=1e-10)


def test_label_design():
    design = label_design(np.array([2, 0, 1, 2]))
    assert design.tolist() == [[1, 0, 1], [1, 0, 0], [1, 1, 0], [1, 0, 1]]


@pytest.mark.parametrize("seed", range(3))
def test_p_values_against_one_way_anova(seed):
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.arange(30) % 3)
    x = rng.normal(size=(30, 5)) + codes[:, None] * [0.0, 0.3, 0.6, 1.0, 3.0]
    design = label_design(codes)
    expected = f_oneway(*(x[codes == c] for c in range(3))).pvalue
    np.testing.assert_allclose(f_p_values(x, design, design[:, :1]), expected, rtol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_p_values_against_least_squares_feature_by_feature(seed):
    rng = np.random.default_rng(seed)
    full = np.column_stack([np.ones(25), rng.normal(size=(25, 3))])
    x = rng.normal(size=(25, 4)) + full @ rng.normal(size=(4, 4))
    expected = []
    for feature in x.T:
        left = [np.linalg.lstsq(full[:, :q], feature)[1].item() for q in (4, 2)]
        expected.append(f.sf((left[1] - left[0]) / 2 / (left[0] / 21), 2, 21))
    np.testing.assert_allclose(f_p_values(x, full, full[:, :2]), expected, rtol=1e-8)
    doubled = np.column_stack([full, full[:, 3]])
    np.testing.assert_allclose(f_p_values(x, doubled, full[:, :2]), expected, rtol=1e-8)


def test_p_values_where_nothing_is_left_to_test():
    x = np.random.default_rng(0).normal(size=(4, 3))
    design = np.column_stack([np.ones(4), np.arange(4.0)])
    assert (f_p_values(x, design, design) == 1.0).all()
    assert (f_p_values(x, np.eye(4), np.ones((4, 1))) == 1.0).all()
    assert f_p_values(np.zeros((4, 1)), design, design[:, :1]).tolist() == [1.0]


@pytest.mark.parametrize("seed", range(5))
def test_hidden_variables_are_counted_and_found(seed):
    x, label, hidden = make_study(seed)
    codes = (label == "ill").astype(np.int64)
    found = learn(x, codes, seed=seed)
    assert found.variables.shape == (60, 2)
    assert share_explained(found.variables, hidden) > 0.9
    np.testing.assert_allclose(found.variables.T @ found.variables, np.eye(2), atol=1e-9)
    np.testing.assert_allclose(found.variables.mean(axis=0), 0.0, atol=1e-9)
    # the label's own features, free of hidden variation, must not count
    assert found.weights[:20].mean() < found.weights[20:].mean() / 3


@pytest.mark.parametrize("seed", range(3))
def test_the_asymptotic_number_with_many_features(seed):
    x, label, _ = make_study(seed, n=30, p=2000)
    basis = basis_of(label_design((label == "ill").astype(np.int64)))
    assert number_by_asymptotics(x, basis) == 2


def test_noise_alone_has_no_surrogate_variables():
    counts = []
    for seed in range(10):
        x = np.random.default_rng(seed).normal(size=(40, 100))
        counts.append(learn(x, np.arange(40) % 2, seed=seed).variables.shape[1])
    assert np.median(counts) == 0.0


def test_constant_features_have_no_part():
    x, label, _ = make_study(4)
    codes = (label == "ill").astype(np.int64)
    plain = learn(x, codes, n_surrogates=2)
    constant = np.column_stack([np.full(60, 3.3), x, np.zeros(60)])
    assert varying_features(constant).tolist() == [False] + [True] * 80 + [False]
    found = learn(constant, codes, n_surrogates=2)
    np.testing.assert_allclose(found.weights, [0.0, *plain.weights, 0.0])
    np.testing.assert_allclose(found.variables, plain.variables)
    effects = effects_of(found.variables, constant, label_design(codes))
    np.testing.assert_allclose(effects[:, [0, -1]], 0.0, atol=1e-12)


@pytest.mark.parametrize("shape", [(2, 50), (3, 1), (10, 2), (6, 9)])
@pytest.mark.parametrize("number", ["be", "leek"])
def test_tiny_studies_bear_none_or_few(shape, number):
    x = np.random.default_rng(0).normal(size=shape)
    found = learn(x, np.arange(shape[0]) % 2, number=number)
    assert found.variables.shape[1] <= max(0, min(shape[0] - 3, shape[1]))
    assert np.isfinite(found.variables).all()


def test_more_than_the_samples_bear():
    x = np.random.default_rng(0).normal(size=(6, 9))
    with pytest.raises(InputError, match=r"6 labelled samples of 2 classes .* bear at most 3"):
        learn(x, np.arange(6) % 2, n_surrogates=4)
    alike = np.outer(np.arange(6.0), np.ones(9))
    # features that are all the same: rounding decides whether one variable is found or none
    with pytest.raises(InputError, match=r"only [01] of 2 surrogate variables are to be found"):
        learn(alike, np.array([0, 1, 1, 0, 0, 1]), n_surrogates=2)


def test_surrogate_variables_that_are_the_label():
    codes = np.arange(8) % 2
    x = np.random.default_rng(0).normal(size=(8, 4))
    with pytest.raises(InputError, match="cannot be told from the labels"):
        effects_of(codes[:, None] - 0.5, x, label_design(codes))
