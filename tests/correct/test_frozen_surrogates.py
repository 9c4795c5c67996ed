"""Surrogate variables of new samples: against R's fsva and against whole decompositions."""

import numpy as np
import pytest

from crossplate import InputError
from crossplate.correct import frozen_surrogates
from crossplate.correct.frozen_surrogates import freeze_study
from crossplate.correct.surrogate import effects_of, label_design

from .studies import EVERY, stored_study


@pytest.mark.parametrize(("case", "k"), EVERY)
@pytest.mark.parametrize("method", ["fast", "exact"])
def test_against_r_given_its_surrogate_variables(gold, case, k, method):
    study = stored_study(gold, case)
    given = study.output(f"sva_irw_n{k}_sv").to_numpy()
    probabilities = study.output(f"sva_irw_n{k}_pprob")
    weights = (probabilities["pprob_gam"] * (1.0 - probabilities["pprob_b"])).to_numpy()
    found = getattr(freeze_study(study.x, weights, given), method)(study.new)
    expected = study.output(f"fsva_n{k}_{method}_newsv")
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-10)
    effects = effects_of(given, study.x, label_design(study.codes))
    expected = study.output(f"fsva_n{k}_{method}_new").T
    np.testing.assert_allclose(study.new - found @ effects, expected, rtol=0.0, atol=1e-10)


def by_whole_decompositions(x, weights, surrogates, new):
    """The definition: append, weight, centre, decompose, match signs, take the last entry."""
    found = np.empty((len(new), surrogates.shape[1]))
    for i, row in enumerate(new):
        appended = np.vstack([x, row]) * weights
        left = np.linalg.svd(appended - appended.mean(axis=0), full_matrices=False)[0]
        for j, surrogate in enumerate(surrogates.T):
            found[i, j] = left[-1, j] * np.sign(np.corrcoef(left[:-1, j], surrogate)[0, 1])
    return found


def study_of(seed, n, p, k):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p)) * np.exp(rng.normal(size=p)) + 10.0
    weights = rng.random(p) * (rng.random(p) < 0.8)
    weighted = (x - x.mean(axis=0)) * weights
    surrogates = np.linalg.svd(weighted, full_matrices=False)[0][:, :k] * rng.choice([-1.0, 1.0], k)
    new = x[: min(n, 6)] + rng.normal(size=(min(n, 6), p)) * np.exp(rng.normal(size=p))
    return x, weights, surrogates, new


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("n", "p", "k"), [(12, 60, 3), (40, 9, 2), (15, 15, 1), (4, 5, 2)])
def test_exact_against_whole_decompositions(seed, n, p, k):
    x, weights, surrogates, new = study_of(seed, n, p, k)
    new[0] = x[0]
    new[1] = x.mean(axis=0) + 1e4 * (new[1] - x.mean(axis=0))
    found = freeze_study(x, weights, surrogates).exact(new)
    expected = by_whole_decompositions(x, weights, surrogates, new)
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_exact_of_the_mean_is_zero_and_of_each_row_its_own(monkeypatch):
    x, weights, surrogates, new = study_of(0, 20, 30, 2)
    study = freeze_study(x, weights, surrogates)
    together = study.exact(new)
    for row, expected in zip(new, together, strict=True):
        np.testing.assert_allclose(study.exact(row[None])[0], expected, atol=1e-12)
    assert study.exact(study.centre[None]).tolist() == [[0.0, 0.0]]
    monkeypatch.setattr(frozen_surrogates, "_CHUNK", 4)
    np.testing.assert_allclose(study.exact(new), together, atol=1e-12)


def test_exact_with_equal_strengths_and_with_a_repeated_study():
    rng = np.random.default_rng(1)
    spread = np.linalg.qr(np.column_stack([np.ones(9), rng.normal(size=(9, 4))]))[0][:, 1:]
    study = freeze_study(spread, np.ones(4), spread[:, :2])
    assert np.abs(study.exact(rng.normal(size=(5, 4)))).max() <= 1.0
    x, weights, surrogates, new = study_of(2, 10, 30, 2)
    twice = np.concatenate([surrogates, surrogates])
    found = freeze_study(np.concatenate([x, x]), weights, twice).exact(new)
    expected = by_whole_decompositions(np.concatenate([x, x]), weights, twice, new)
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_fast_is_standardised_over_the_new_samples():
    x, weights, surrogates, new = study_of(3, 20, 30, 2)
    found = freeze_study(x, weights, surrogates).fast(new)
    np.testing.assert_allclose(found.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(found.std(axis=0, ddof=1), 1.0 / np.sqrt(len(new)))
    assert not freeze_study(x, weights, surrogates).fast(np.tile(new[0], (3, 1))).any()


def test_a_study_without_surrogate_variables():
    x, weights, _, new = study_of(4, 8, 5, 1)
    study = freeze_study(x, np.zeros(5), np.empty((8, 0)))
    assert study.exact(new).shape == study.fast(new).shape == (6, 0)
    assert freeze_study(x, weights, np.empty((8, 0))).exact(new).shape == (6, 0)


def test_a_root_that_is_not_found_is_an_error(monkeypatch):
    x, weights, surrogates, new = study_of(5, 8, 5, 1)
    monkeypatch.setattr(frozen_surrogates, "dlasd4", lambda *_: (None, None, None, 1))
    with pytest.raises(InputError, match="a new sample cannot be placed"):
        freeze_study(x, weights, surrogates).exact(new)
