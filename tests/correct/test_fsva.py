"""FSVA end to end: against R's fsva, for prediction, and what it refuses."""

import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from crossplate import InputError
from crossplate.correct.fsva import FSVA
from crossplate.correct.saved import load_corrector, save_corrector
from crossplate.correct.sva import SVA

from .studies import EVERY, make_study, stored_study


@parametrize_with_checks([FSVA(), FSVA(exact=False), FSVA(number="leek")])
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize(("case", "k"), EVERY)
@pytest.mark.parametrize("method", ["exact", "fast"])
def test_end_to_end_against_r(gold, case, k, method):
    study = stored_study(gold, case)
    rows = np.concatenate([study.x, study.new])
    labels = np.concatenate([study.codes, np.full(len(study.new), np.nan)])
    found = FSVA(n_surrogates=k, exact=method == "exact").fit_transform(rows, labels)
    clean = study.output(f"fsva_n{k}_db_train").T
    new = study.output(f"fsva_n{k}_{method}_new").T
    np.testing.assert_allclose(found[: len(study.x)], clean, rtol=0.0, atol=1e-2)
    np.testing.assert_allclose(found[len(study.x) :], new, rtol=0.0, atol=1e-2)


def source_and_target(seed):
    """A study's rows and labels, half of them with the labels taken away."""
    x, label, hidden = make_study(seed, n=120)
    known = label.astype(object)
    known[60:] = None
    return x, label, known, hidden


@pytest.mark.parametrize("exact", [True, False])
def test_rows_without_a_label_teach_nothing(exact):
    x, _, known, _ = source_and_target(0)
    together = FSVA(n_surrogates=2, exact=exact).fit(x, known)
    apart = FSVA(n_surrogates=2, exact=exact).fit(x[:60], known[:60])
    np.testing.assert_array_equal(together.transform(x), apart.transform(x))


@pytest.mark.parametrize("exact", [True, False])
def test_labelled_rows_come_back_as_the_clean_study(exact):
    x, label, known, _ = source_and_target(1)
    found = FSVA(n_surrogates=2, exact=exact).fit_transform(x, known)
    clean = SVA(n_surrogates=2).fit_transform(x[:60], label[:60])
    np.testing.assert_allclose(found[:60], clean, atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("exact", [True, False])
def test_hidden_variation_goes_from_new_samples(seed, exact):
    x, _, known, hidden = source_and_target(seed)
    found = FSVA(random_state=seed, exact=exact).fit_transform(x, known)

    def follows_hidden(rows):
        centred = hidden[60:] - hidden[60:].mean(axis=0)
        slopes = np.linalg.lstsq(centred, rows[60:] - rows[60:].mean(axis=0))[0]
        return np.abs(slopes).mean()

    assert follows_hidden(found) < follows_hidden(x) / 3


def test_exact_takes_each_sample_by_itself_and_fast_all_together():
    x, _, known, _ = source_and_target(2)
    exact = FSVA(n_surrogates=2).fit(x, known)
    whole = exact.transform(x[60:])
    np.testing.assert_allclose(exact.transform(x[70:71])[0], whole[10], atol=1e-10)
    fast = FSVA(n_surrogates=2, exact=False).fit(x, known)
    assert np.abs(fast.transform(x[60:90])[10] - fast.transform(x[60:])[10]).max() > 1e-3
    with pytest.raises(InputError, match=r"cannot correct a single one: .* use exact=True"):
        fast.transform(x[70:71])
    np.testing.assert_allclose(fast.transform(x[:1]), fast.transform(x)[:1], atol=1e-12)


def test_a_new_sample_near_a_fitted_one_is_corrected_nearly_the_same():
    x, _, known, _ = source_and_target(3)
    corrector = FSVA(n_surrogates=2).fit(x, known)
    clean, as_new = corrector.transform(x[:60]), corrector.transform(x[:60] + 1e-9)
    change = np.abs(clean - x[:60]).mean()
    assert 1e-6 < np.abs(clean - as_new).mean() < change / 10


def test_new_batches_and_batches_at_all_change_nothing():
    x, _, known, _ = source_and_target(4)
    batch = np.repeat(["source", "target"], 60)
    corrector = FSVA(n_surrogates=1).fit(x, known, batch=batch)
    assert corrector.batches_.tolist() == ["source", "target"]
    plain = FSVA(n_surrogates=1).fit_transform(x, known)
    np.testing.assert_array_equal(corrector.transform(x), plain)
    np.testing.assert_array_equal(corrector.transform(x, batch=["new"] * 120), plain)


@pytest.mark.parametrize("exact", [True, False])
def test_saved_and_loaded(exact, tmp_path):
    x, _, known, _ = source_and_target(5)
    corrector = FSVA(n_surrogates=2, exact=exact).fit(x, known)
    save_corrector(corrector, tmp_path / "fsva.safetensors")
    loaded = load_corrector(tmp_path / "fsva.safetensors")
    np.testing.assert_array_equal(loaded.transform(x), corrector.transform(x))


def test_in_a_pipeline():
    x, label, _, _ = source_and_target(6)
    with sklearn.config_context(enable_metadata_routing=True):
        model = make_pipeline(FSVA(random_state=0), LogisticRegression(C=0.1))
        model.fit(x[:60], label[:60], batch=["a"] * 60)
        assert model.score(x[60:], label[60:], batch=["b"] * 60) > 0.9


def test_what_cannot_be_learned_from():
    x, label, known, _ = source_and_target(7)
    with pytest.raises(InputError, match="FSVA requires y to be passed, but the target y is None"):
        FSVA().fit(x)
    with pytest.raises(InputError, match="no labelled row to learn from"):
        FSVA().fit(x, [None] * 120)
    known[label == "ill"] = None
    with pytest.raises(InputError, match="only one class, 'healthy'"):
        FSVA().fit(x, known)


@pytest.mark.parametrize("exact", [True, False])
def test_unfit_new_samples(exact):
    x, _, known, _ = source_and_target(8)
    x[0] = 0.0
    x[:, 5] = 3.3
    corrector = FSVA(n_surrogates=2, exact=exact).fit(x, known)
    new = np.vstack([np.zeros(80), x[60], -x[61], 1e6 * x[62], corrector.centre_])
    found = corrector.transform(new)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[:, 5], new[:, 5], atol=1e-9)


def test_a_study_without_hidden_variation_changes_nothing():
    x, _, known, _ = source_and_target(9)
    corrector = FSVA(n_surrogates=0).fit(x, known)
    np.testing.assert_array_equal(corrector.transform(x), x)
    tiny = FSVA().fit(x[[0, 1, 2]], ["a", "b", "a"])
    assert tiny.n_surrogates_ == 0
    np.testing.assert_array_equal(tiny.transform(x), x)


@pytest.mark.parametrize(("n", "p"), [(20, 5000), (20_000, 25)])
def test_long_and_wide_tables(n, p):
    x, label, _ = make_study(10, n=n, p=p)
    corrector = FSVA(n_surrogates=2).fit(x, label)
    clean, as_new = corrector.transform(x[:20]), corrector.transform(x[:20] + 1e-9)
    assert 0.0 < np.abs(as_new - clean).mean() < np.abs(x[:20] - clean).mean() / 5
