"""SVA of whole studies: against R's sva, against known truth, and what it refuses."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from crossplate import InputError
from crossplate.correct.fitted_rows import UNKNOWN, fingerprints, positions_of
from crossplate.correct.saved import load_corrector, save_corrector
from crossplate.correct.sva import SVA

from .studies import EVERY, make_study, share_explained, stored_study

NEW_ROWS = {"check_fit_idempotent": "fits one part of the rows and transforms the other"}


@parametrize_with_checks(
    [SVA(), SVA(number="leek")], expected_failed_checks=lambda estimator: NEW_ROWS
)
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize(("case", "k"), EVERY)
def test_clean_study_against_r(gold, case, k):
    study = stored_study(gold, case)
    found = SVA(n_surrogates=k).fit_transform(study.x, study.codes)
    expected = study.output(f"fsva_n{k}_db_train").T
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-2)


@pytest.mark.parametrize("seed", range(4))
def test_hidden_variation_goes_and_the_label_stays(seed):
    x, label, hidden = make_study(seed)
    found = SVA(random_state=seed).fit_transform(x, label)
    step = x[label == "ill"].mean(axis=0) - x[label == "healthy"].mean(axis=0)
    new_step = found[label == "ill"].mean(axis=0) - found[label == "healthy"].mean(axis=0)
    # the label moves the first 20 features by 1.5 and the others not at all
    truth = np.repeat([1.5, 0.0], [20, 60])
    assert np.abs(new_step - truth).mean() < 0.75 * np.abs(step - truth).mean()
    inside = found - np.where((label == "ill")[:, None], new_step, 0.0)
    leading = np.linalg.svd(inside - inside.mean(axis=0))[0][:, :2]
    assert share_explained(leading, hidden) < 0.3


def test_the_seed_fixes_the_number_and_a_given_number_needs_none():
    x, label, _ = make_study(0, n=20, p=30, n_hidden=1)
    one, same = (SVA(random_state=3).fit_transform(x, label) for _ in range(2))
    np.testing.assert_array_equal(one, same)
    fitted = SVA(n_surrogates=2).fit(x, label)
    assert fitted.n_surrogates_ == 2
    assert fitted.surrogates_.shape == (20, 2)
    assert fitted.effects_.shape == (2, 30)
    np.testing.assert_array_equal(SVA(n_surrogates=0).fit_transform(x, label), x)


def test_fitted_rows_in_any_order_and_nothing_else(tmp_path):
    x, label, _ = make_study(1)
    corrector = SVA(n_surrogates=2).fit(x, label)
    whole = corrector.transform(x)
    some = [7, 3, 3, 50]
    np.testing.assert_array_equal(corrector.transform(x[some], batch=list("abac")), whole[some])
    mixed = np.vstack([x[:2], x[2:4] + 1e-9])
    with pytest.raises(InputError, match=r"2 rows \(first: row 3\) were not in fit.*: use FSVA"):
        corrector.transform(mixed)
    save_corrector(corrector, tmp_path / "sva.safetensors")
    np.testing.assert_array_equal(
        load_corrector(tmp_path / "sva.safetensors").transform(x[some]), whole[some]
    )


def test_batches_are_not_read():
    x, label, _ = make_study(2)
    plain = SVA(random_state=0).fit_transform(x, label)
    with_batch = SVA(random_state=0).fit(x, label, batch=np.arange(60) % 3)
    np.testing.assert_array_equal(with_batch.transform(x), plain)
    with pytest.raises(InputError, match="batch has 2 entries for 60 rows"):
        with_batch.transform(x, batch=["a", "b"])


def test_labels_that_do_not_do():
    x, label, _ = make_study(3)
    with pytest.raises(InputError, match="SVA requires y to be passed, but the target y is None"):
        SVA().fit(x)
    missing = label.astype(object)
    missing[[4, 9]] = None
    with pytest.raises(InputError, match=r"2 have none \(first: row 5\); .* or use FSVA"):
        SVA().fit(x, missing)
    with pytest.raises(InputError, match="only one class, 'ill'"):
        SVA().fit(x, ["ill"] * 60)
    with pytest.raises(InputError, match="y has 59 entries for 60 rows"):
        SVA().fit(x, label[1:])


def test_settings_that_do_not_do():
    x, label, _ = make_study(4)
    for number in (-1, 1.5):
        with pytest.raises(InputError, match=r"n_surrogates is .*; give a whole number"):
            SVA(n_surrogates=number).fit(x, label)
    with pytest.raises(InputError, match='number is \'bee\'; give "be" or "leek"'):
        SVA(number="bee").fit(x, label)
    with pytest.raises(InputError, match=r"58 surrogate variables asked for, .* at most 57"):
        SVA(n_surrogates=58).fit(x, label)


def constant_feature(x, label):
    x[:, 5] = 3.3


def constant_in_one_class(x, label):
    x[label == "ill", 5] = 3.3


def zero_rows(x, label):
    x[:4] = 0.0


def negative(x, label):
    x -= 20.0


@pytest.mark.parametrize("spoil", [constant_feature, constant_in_one_class, zero_rows, negative])
def test_unfit_tables(spoil):
    x, label, _ = make_study(5)
    spoil(x, label)
    found = SVA(n_surrogates=2).fit_transform(x, label)
    assert np.isfinite(found).all()
    still = np.ptp(x, axis=0) == 0.0
    np.testing.assert_allclose(found[:, still], x[:, still], atol=1e-12)
    x[0, 0] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        SVA().fit(x, label)


@pytest.mark.parametrize(("n", "p"), [(20, 5000), (100_000, 25)])
def test_long_and_wide_tables(n, p):
    x, label, hidden = make_study(6, n=n, p=p)
    corrector = SVA(n_surrogates=2).fit(x, label)
    assert share_explained(corrector.surrogates_, hidden) > 0.9
    assert np.isfinite(corrector.transform(x[:50])).all()


def test_fingerprints():
    x = np.array([[0.0, 1.0], [-0.0, 1.0], [1.0, 0.0], [0.0, 1.0 + 1e-15]])
    marks = fingerprints(x)
    assert marks[0] == marks[1]
    assert len(set(marks.tolist())) == 3
    np.testing.assert_array_equal(fingerprints(np.asfortranarray(x)), marks)
    assert positions_of(x[[2, 3]], marks[:3]).tolist() == [2, UNKNOWN]
    # the same on every machine and in every later version: saved correctors depend on it
    assert marks[2] == -1639890646083384757
