"""DWD against two cone solvers, against a general optimiser, and on unfit tables."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.spatial.distance import cdist
from sklearn.utils.estimator_checks import parametrize_with_checks

from crossplate import InputError
from crossplate.correct.dwd import DWD, MAX_ROWS, dwd_direction

from .plates import make_plates, stored, stored_batches

CASES = [("small_60x40", "b1"), ("cytof_p1_300x2", "day1")]


@parametrize_with_checks([DWD(), DWD(C=1.0)])
def test_scikit_learn_check(estimator, check):
    check(estimator)


def two_batches(gold, case):
    """The rows and batches that the reference solution is of."""
    rows = pd.read_csv(gold / case / "dwd_samples.csv", index_col=0).index
    x = stored(gold / case, "X_features_by_samples")
    return x.loc[rows].to_numpy(), stored_batches(gold / case)[rows].to_numpy()


@pytest.mark.parametrize(("case", "source"), CASES)
def test_direction_against_the_reference_solution(gold, case, source):
    x, batch = two_batches(gold, case)
    expected = pd.read_csv(gold / case / "dwd_direction.csv", index_col=0)["w"].to_numpy()
    found = dwd_direction(x[batch == source], x[batch != source])
    assert np.linalg.norm(found) == pytest.approx(1.0)
    assert 1.0 - found @ expected / np.linalg.norm(expected) <= 1e-8


@pytest.mark.parametrize(("case", "source"), CASES)
@pytest.mark.parametrize("with_reference", [True, False])
def test_corrected_rows_against_the_reference_solution(gold, case, source, with_reference):
    x, batch = two_batches(gold, case)
    found = DWD(reference=source if with_reference else None).fit_transform(x, batch=batch)
    name = "target_to_source" if with_reference else "both_to_zero"
    expected = stored(gold / case, f"dwd_adjusted_{name}")
    # a direction right to 1 - cos = 1e-8 errs by an angle of 1e-4, here times shifts up to 40
    np.testing.assert_allclose(found, expected, atol=1e-3)


def optimum(x: np.ndarray, sides: np.ndarray, penalty: float) -> np.ndarray:
    """The same programme with its slacks solved for, by a general optimiser."""
    knee = 1.0 / np.sqrt(penalty)

    def loss(v):
        margin = sides * (x @ v[:-1] + v[-1])
        near = np.maximum(margin, knee)
        return np.where(margin > knee, 1.0 / near, 2.0 / knee - penalty * margin).sum()

    def slope(v):
        margin = sides * (x @ v[:-1] + v[-1])
        by_margin = np.where(margin > knee, -1.0 / np.maximum(margin, knee) ** 2, -penalty) * sides
        return np.append(by_margin @ x, by_margin.sum())

    inside = {
        "type": "ineq",
        "fun": lambda v: 1.0 - v[:-1] @ v[:-1],
        "jac": lambda v: np.append(-2.0 * v[:-1], 0.0),
    }
    start = np.append(x[sides > 0].mean(axis=0) - x[sides < 0].mean(axis=0), 0.0)
    found = minimize(
        loss,
        start / np.linalg.norm(start),
        jac=slope,
        constraints=[inside],
        method="SLSQP",
        options={"maxiter": 1000, "ftol": 1e-14},
    )
    return found.x[:-1] / np.linalg.norm(found.x[:-1])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("C", [None, 2.0])
def test_direction_against_a_general_optimiser(seed, C):
    rng = np.random.default_rng(seed)
    one, other = rng.normal([1.5, 0.0, 0.0], size=(12, 3)), rng.normal(size=(9, 3))
    penalty = 100.0 / np.median(cdist(one, other)) ** 2 if C is None else C
    rows = np.concatenate([one, other])
    expected = optimum(rows - rows.mean(axis=0), np.repeat([1.0, -1.0], [12, 9]), penalty)
    assert dwd_direction(one, other, C=C) @ expected == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_direction_turns_and_scales_with_the_data(seed):
    rng = np.random.default_rng(seed)
    one, other = rng.normal(size=(8, 4)) + 1.0, rng.normal(size=(6, 4))
    turn = np.linalg.qr(rng.normal(size=(400, 4)))[0].T  # into a space of p >> n
    plain = dwd_direction(one, other)
    turned = dwd_direction(50.0 * one @ turn - 7.0, 50.0 * other @ turn - 7.0)
    assert turned @ (plain @ turn) == pytest.approx(1.0, abs=1e-7)


@pytest.mark.parametrize("reference", [None, "p2"])
def test_only_the_direction_changes_and_there_the_means_agree(reference):
    x, batch = make_plates(0, sizes=(14, 11))
    corrector = DWD(reference=reference).fit(x, batch=batch)
    found = corrector.transform(x, batch=batch)
    (w,) = corrector.directions_.values()
    across = np.eye(6) - np.outer(w, w)
    np.testing.assert_allclose(found @ across, x @ across, atol=1e-12)
    goal = 0.0 if reference is None else (x[batch == reference] @ w).mean()
    for name in ("p1", "p2"):
        assert (found[batch == name] @ w).mean() == pytest.approx(goal)
    assert set(corrector.directions_) == {"p2" if reference is None else "p1"}


def test_pairs_of_more_than_two_batches_are_as_if_alone():
    x, batch = make_plates(1)
    corrector = DWD(reference="p2").fit(x, batch=batch)
    assert not corrector.shift_["p2"].any()
    pair = batch != "p3"
    alone = DWD(reference="p2").fit(x[pair], batch=batch[pair])
    np.testing.assert_allclose(corrector.shift_["p1"], alone.shift_["p1"], atol=1e-9)


def test_without_reference_the_smaller_batches_join_the_larger_one_by_one():
    x, batch = make_plates(2)  # of 14, 11 and 17 rows
    corrector = DWD().fit(x, batch=batch)
    assert list(corrector.directions_) == ["p1", "p2"]
    first = batch != "p2"
    merged = DWD().fit_transform(x[first], batch=batch[first])
    w = dwd_direction(merged, x[~first])
    np.testing.assert_allclose(np.abs(corrector.directions_["p2"] @ w), 1.0, atol=1e-7)
    found = corrector.transform(x, batch=batch) @ corrector.directions_["p2"]
    assert found[first].mean() == pytest.approx(0.0, abs=1e-9)
    assert found[~first].mean() == pytest.approx(0.0, abs=1e-9)


def test_a_new_row_gets_the_shift_of_its_batch_and_a_new_batch_is_refused():
    x, batch = make_plates(3)
    corrector = DWD(reference="p1").fit(x, batch=batch)
    row = np.arange(6.0)[None]
    found = corrector.transform(row, batch=["p3"])
    np.testing.assert_allclose(found - row, corrector.shift_["p3"][None], atol=1e-15)
    with pytest.raises(InputError, match="DWD cannot correct a new batch"):
        corrector.transform(row, batch=["p4"])


@pytest.mark.parametrize("seed", range(2))
def test_many_rows_are_drawn_by_the_seed_and_all_count_for_the_means(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(100_000, 25))
    batch = np.repeat(["a", "b"], [40_000, 60_000])
    step = rng.normal(size=25)
    x[batch == "b"] += step
    corrector = DWD(reference="a", random_state=seed).fit(x, batch=batch)
    w = corrector.directions_["b"]
    assert -w @ step / np.linalg.norm(step) > 0.97
    found = corrector.transform(x, batch=batch)
    apart = found[batch == "b"].mean(axis=0) - found[batch == "a"].mean(axis=0)
    assert apart @ w == pytest.approx(0.0, abs=1e-10)
    few = np.concatenate([np.arange(MAX_ROWS), 40_000 + np.arange(MAX_ROWS + 1)])
    again = DWD(reference="a", random_state=seed).fit(x[few], batch=batch[few])
    other = DWD(reference="a", random_state=seed + 1).fit(x[few], batch=batch[few])
    repeat = DWD(reference="a", random_state=seed).fit(x[few], batch=batch[few])
    assert (again.directions_["b"] == repeat.directions_["b"]).all()
    assert (again.directions_["b"] != other.directions_["b"]).any()


def test_more_features_than_rows():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(20, 5000))
    batch = np.repeat(["a", "b"], 10)
    x[batch == "b"] += 2.0
    found = DWD(reference="a").fit_transform(x, batch=batch)
    apart = found[batch == "b"].mean() - found[batch == "a"].mean()
    assert abs(apart) < 0.2


def constant_in_one(x, batch):
    x[batch == "p1", 2] = 4.0
    return x, batch


def all_zero_rows(x, batch):
    x[:3] = 0.0
    return x, batch


def one_row_batch(x, batch):
    rows = np.concatenate([np.flatnonzero(batch == "p1"), np.flatnonzero(batch == "p2")[:1]])
    return x[rows], batch[rows]


@pytest.mark.parametrize(
    "spoil",
    [constant_in_one, all_zero_rows, one_row_batch, lambda x, batch: (x - 20.0, batch)],
    ids=["constant in one batch", "zero rows", "batch of one row", "negative values"],
)
@pytest.mark.parametrize("reference", [None, "p1"])
def test_unfit_tables_still_get_agreeing_means(spoil, reference):
    x, batch = spoil(*make_plates(4, sizes=(9, 8)))
    corrector = DWD(reference=reference).fit(x, batch=batch)
    found = corrector.transform(x, batch=batch)
    w = corrector.directions_["p2"]
    assert np.isfinite(found).all()
    assert np.linalg.norm(w) == pytest.approx(1.0)
    means = [(found[batch == name] @ w).mean() for name in ("p1", "p2")]
    assert means[0] == pytest.approx(means[1], abs=1e-10)


def test_a_constant_feature_is_left_alone():
    x, batch = make_plates(5)
    x[:, 3] = 2.5
    found = DWD(reference="p1").fit_transform(x, batch=batch)
    np.testing.assert_allclose(found[:, 3], 2.5, atol=1e-12)


@pytest.mark.parametrize("n_features", [1, 5])
def test_batches_that_cannot_be_told_apart_stay(n_features):
    rows = np.random.default_rng(6).normal(size=(7, n_features))
    x, batch = np.tile(rows, (2, 1)), np.repeat(["a", "b"], 7)
    for corrector in (DWD(), DWD(reference="a")):
        corrector.fit(x, batch=batch)
        shifts = corrector.shift_["b"] - corrector.shift_["a"]
        np.testing.assert_allclose(shifts, 0.0, atol=1e-12)
    same = np.ones((6, n_features))
    found = DWD().fit_transform(same, batch=["a"] * 3 + ["b"] * 3)
    np.testing.assert_array_equal(found, same)


def test_half_of_the_distances_zero():
    x = np.array([[0.0]] * 6 + [[0.0]] * 5 + [[3.0]])
    found = DWD(reference="a").fit_transform(x, batch=["a"] * 6 + ["b"] * 6)
    assert found[6:].mean() == pytest.approx(0.0, abs=1e-12)


def test_one_batch_stays_as_it_is():
    x, _ = make_plates(7)
    corrector = DWD().fit(x, batch=["only"] * len(x))
    np.testing.assert_array_equal(corrector.transform(x), x)
    assert corrector.directions_ == {}


def test_bad_settings_and_missing_values():
    x, batch = make_plates(8)
    with pytest.raises(InputError, match="C is -1; give a positive number or None"):
        DWD(C=-1.0).fit(x, batch=batch)
    with pytest.raises(InputError, match="reference batch 'p9' is not among the batches"):
        DWD(reference="p9").fit(x, batch=batch)
    x[0, 0] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        DWD().fit(x, batch=batch)


def test_an_unsolved_programme_is_an_error(monkeypatch):
    import clarabel

    class Stopped:
        def __init__(self, *_):
            self.status, self.x = "MaxIterations", []

        def solve(self):
            return self

    monkeypatch.setattr(clarabel, "DefaultSolver", Stopped)
    x, batch = make_plates(9, sizes=(5, 5))
    with pytest.raises(InputError, match=r"p1 and p2: .* stopped unsolved \(MaxIterations\)"):
        DWD().fit(x, batch=batch)
