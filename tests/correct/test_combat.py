"""ComBat against R's sva and bapred, against a plain loop over features, and where data is odd."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from crossplate.correct import combat_design, combat_moments, combat_priors
from crossplate.correct.combat import ComBat
from crossplate.errors import InputError

ATTAINABLE = 1e-10

SMALL_CASES: dict[str, dict[str, Any]] = {
    "parametric": {},
    "nonparametric": {"parametric": False},
    "mean_only": {"mean_only": True},
    "nonparametric_mean_only": {"parametric": False, "mean_only": True},
    "ref_b1": {"reference": "b1"},
    "ref_b1_nonparametric": {"reference": "b1", "parametric": False},
    "ref_b2_mean_only": {"reference": "b2", "mean_only": True},
}
COVARIATE_CASES: dict[str, dict[str, Any]] = {
    "covariate": {},
    "covariate_nonparametric": {"parametric": False},
    "covariate_ref_b1": {"reference": "b1"},
}
CYTOF_CASES: dict[str, dict[str, Any]] = {
    "parametric": {},
    "nonparametric": {"parametric": False},
    "ref_day1": {"reference": "day1"},
    "ref_day2": {"reference": "day2"},
}
SETTINGS = [
    {},
    {"reference": "p2"},
    {"mean_only": True},
    {"parametric": False},
    {"parametric": False, "reference": "p2", "mean_only": True},
]


def stored(folder: Path, name: str) -> np.ndarray:
    """A stored table with samples in rows."""
    return pd.read_csv(folder / f"{name}.csv", index_col=0).to_numpy().T


def samples(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "samples.csv", index_col=0)


def plates(
    seed: int, sizes: tuple[int, ...] = (14, 11, 17), p: int = 12, missing: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of batches p1, p2, … in mixed order, each with its own location and scale."""
    rng = np.random.default_rng(seed)
    x = np.concatenate(
        [
            rng.normal(5.0 + rng.normal(size=p), np.exp(rng.normal(scale=0.4, size=p)), (size, p))
            for size in sizes
        ]
    )
    x[rng.random(x.shape) < missing] = np.nan
    batch = np.repeat([f"p{i + 1}" for i in range(len(sizes))], sizes)
    order = rng.permutation(len(x))
    return x[order], batch[order]


class Loop:
    """ComBat as the paper and sva have it, feature by feature on the values that are present."""

    def __init__(self, x: np.ndarray, batch: np.ndarray, design: np.ndarray, **settings: Any):
        self.settings = {"reference": None, "parametric": True, "mean_only": False} | settings
        names, reference = np.unique(batch), self.settings["reference"]
        lead = np.ones(len(x), dtype=bool) if reference is None else batch == reference
        gaps = int(np.isnan(x).any())
        self.alpha, self.sigma, self.effects = [], [], []
        for column in x.T:
            there = ~np.isnan(column)
            whole = np.column_stack([batch[:, None] == names, design]).astype(float)
            found = np.linalg.lstsq(whole[there], column[there], rcond=None)[0]
            centres, effects = found[: len(names)], found[len(names) :]
            share = [np.mean(batch[lead] == name) for name in names]
            residual = (column - whole @ found)[there & lead]
            self.alpha.append(share @ centres)
            self.sigma.append(np.sqrt((residual**2).sum() / (len(residual) - gaps)))
            self.effects.append(effects)

    def corrected(self, x: np.ndarray, batch: np.ndarray, design: np.ndarray) -> np.ndarray:
        """Each batch corrected from the rows given here."""
        protected = np.array(self.alpha) + design @ np.array(self.effects).T
        out = x.copy()
        for name in np.unique(batch):
            if name != self.settings["reference"]:
                rows = batch == name
                z = (x[rows] - protected[rows]) / self.sigma
                gamma, delta = self.estimates(z)
                out[rows] = (z - gamma) / np.sqrt(delta) * self.sigma + protected[rows]
        return out

    def estimates(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values = [column[~np.isnan(column)] for column in z.T]
        means = np.array([v.mean() for v in values])
        ones = np.ones(len(means))
        if self.settings["mean_only"] or len(z) == 1:
            if not self.settings["parametric"]:
                return self.by_likelihood(values, means, ones)
            t2, bar = means.var(ddof=1), means.mean()
            return (t2 * means + bar) / (t2 + 1), ones
        variances = np.array([v.var(ddof=1) for v in values])
        if not self.settings["parametric"]:
            return self.by_likelihood(values, means, variances)
        return self.by_iteration(values, means, variances)

    @staticmethod
    def by_likelihood(values: list[np.ndarray], means: np.ndarray, variances: np.ndarray) -> Any:
        gamma, delta = [], []
        for i, own in enumerate(values):
            others = [j for j in range(len(values)) if j != i]
            likelihood = np.array(
                [norm.pdf(own, means[j], np.sqrt(variances[j])).prod() for j in others]
            )
            gamma.append(np.average(means[others], weights=likelihood))
            delta.append(np.average(variances[others], weights=likelihood))
        return np.array(gamma), np.array(delta)

    @staticmethod
    def by_iteration(values: list[np.ndarray], means: np.ndarray, variances: np.ndarray) -> Any:
        n = np.array([len(v) for v in values])
        bar, t2 = means.mean(), means.var(ddof=1)
        m, v = variances.mean(), variances.var(ddof=1)
        a, b = (2 * v + m**2) / v, (m * v + m**3) / v
        gamma, delta, change = means, variances, 1.0
        while change > 1e-4:
            new_gamma = (n * t2 * means + delta * bar) / (n * t2 + delta)
            sums = [((one - g) ** 2).sum() for one, g in zip(values, new_gamma, strict=True)]
            new_delta = (0.5 * np.array(sums) + b) / (n / 2 + a - 1)
            change = max(
                (abs(new_gamma - gamma) / gamma).max(), (abs(new_delta - delta) / delta).max()
            )
            gamma, delta = new_gamma, new_delta
        return gamma, delta


@pytest.mark.parametrize("case", SMALL_CASES)
def test_sva_on_three_batches(gold: Path, case: str) -> None:
    folder = gold / "small_60x40"
    x, batch = stored(folder, "X_features_by_samples"), samples(folder)["batch"]
    got = ComBat(**SMALL_CASES[case]).fit_transform(x, batch=batch)
    assert np.abs(got - stored(folder, f"combat_{case}")).max() <= ATTAINABLE


@pytest.mark.parametrize("case", COVARIATE_CASES)
@pytest.mark.parametrize("as_text", [False, True])
def test_sva_with_a_covariate(gold: Path, case: str, as_text: bool) -> None:
    folder = gold / "small_60x40"
    x, about = stored(folder, "X_features_by_samples"), samples(folder)
    covariates = about[["label"]].astype(str) if as_text else about[["label"]].to_numpy()
    got = ComBat(**COVARIATE_CASES[case]).fit_transform(
        x, batch=about["batch"], covariates=covariates
    )
    assert np.abs(got - stored(folder, f"combat_{case}")).max() <= ATTAINABLE


@pytest.mark.parametrize(
    ("name", "reference"),
    [("combat_b1b2_parametric", None), ("combat_b1b2_ref_b1", "b1"), ("bapred_combat_b1b2", None)],
)
def test_sva_and_bapred_on_two_batches(gold: Path, name: str, reference: str | None) -> None:
    folder = gold / "small_60x40"
    batch = samples(folder)["batch"].to_numpy()
    these = batch != "b3"
    x = stored(folder, "X_features_by_samples")[these]
    got = ComBat(reference=reference).fit_transform(x, batch=batch[these])
    assert np.abs(got - stored(folder, name)).max() <= ATTAINABLE


@pytest.mark.parametrize(
    ("name", "fitted", "new"),
    [
        ("bapred_combat_addon_b3", ["b1", "b2"], "b3"),
        ("bapred_combat_train_b1_addon_b2", ["b1"], "b2"),
    ],
)
def test_bapred_on_a_new_batch(gold: Path, name: str, fitted: list[str], new: str) -> None:
    folder = gold / "small_60x40"
    x, batch = stored(folder, "X_features_by_samples"), samples(folder)["batch"].to_numpy()
    known, later = np.isin(batch, fitted), batch == new
    model = ComBat().fit(x[known], batch=batch[known])
    got = model.transform(x[later], batch=batch[later])
    assert np.abs(got - stored(folder, name)).max() <= ATTAINABLE


def test_sva_with_a_batch_of_one_sample(gold: Path) -> None:
    folder = gold / "small_60x40"
    batch = samples(folder)["batch"].to_numpy()
    these = np.r_[np.flatnonzero(batch != "b3"), np.flatnonzero(batch == "b3")[0]]
    x = stored(folder, "X_features_by_samples")[these]
    model = ComBat().fit(x, batch=batch[these])
    assert model.mean_only_
    got = model.transform(x, batch=batch[these])
    assert np.abs(got - stored(folder, "combat_singleton_b3")).max() <= ATTAINABLE


def test_sva_with_a_feature_constant_in_one_batch(gold: Path) -> None:
    folder = gold / "ratio_60x40"
    x, batch = stored(folder, "log2p1_input"), samples(folder)["batch"]
    model = ComBat().fit(x, batch=batch)
    got = model.transform(x, batch=batch)
    assert np.abs(got - stored(folder, "combat_on_log2p1")).max() <= ATTAINABLE
    assert list(np.flatnonzero(~model.corrected_)) == [5]
    assert np.array_equal(got[:, 5], x[:, 5])


@pytest.mark.parametrize("case", CYTOF_CASES)
def test_sva_on_cytof(gold: Path, case: str) -> None:
    folder = gold / "cytof_p1_300x2"
    x, batch = stored(folder, "X_features_by_samples"), samples(folder)["batch"]
    got = ComBat(**CYTOF_CASES[case]).fit_transform(x, batch=batch)
    assert np.abs(got - stored(folder, f"combat_{case}")).max() <= ATTAINABLE


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("missing", [0.0, 0.15])
@pytest.mark.parametrize("seed", range(2))
def test_against_the_loop(seed: int, missing: float, settings: dict[str, Any]) -> None:
    x, batch = plates(seed, missing=missing)
    rng = np.random.default_rng(seed + 100)
    age, arm = rng.normal(2000, 5, len(x)), rng.choice(["a", "b", "c"], len(x))
    given = pd.DataFrame({"age": age, "arm": arm})
    design = np.column_stack([age - 2000, arm == "b", arm == "c"]).astype(float)
    known = batch != "p3"
    model = ComBat(**settings).fit(x[known], batch=batch[known], covariates=given[known])
    loop = Loop(x[known], batch[known], design[known], **settings)
    # p3 is new: estimated from its own rows with the standard of the others.
    got = model.transform(x, batch=batch, covariates=given)
    np.testing.assert_allclose(got, loop.corrected(x, batch, design), rtol=0, atol=1e-9)
    assert np.array_equal(np.isnan(got), np.isnan(x))


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_new_batch_of_one_row_is_moved_only(settings: dict[str, Any]) -> None:
    x, batch = plates(0, (12, 15, 1))
    known, none = batch != "p3", np.empty((len(x), 0))
    model = ComBat(**settings).fit(x[known], batch=batch[known])
    loop = Loop(x[known], batch[known], none[known], **settings)
    got = model.transform(x[~known], batch=batch[~known])
    expected = loop.corrected(x[~known], batch[~known], none[~known])
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_fitted_batches_are_corrected_by_what_was_learned(settings: dict[str, Any]) -> None:
    x, batch = plates(1)
    model = ComBat(**settings).fit(x, batch=batch)
    before = {key: np.copy(value) for key, value in vars(model).items() if key.endswith("_")}
    whole = model.transform(x, batch=batch)
    for rows in (batch == "p1", np.arange(len(x)) % 3 == 0, np.arange(len(x)) == 7):
        got = model.transform(x[rows], batch=batch[rows])
        np.testing.assert_allclose(got, whole[rows], rtol=0, atol=1e-13)
    row = np.full((1, 12), 3.0)
    expected = (3.0 - model.alpha_ - model.sigma_ * model.gamma_[0]) / np.sqrt(model.delta_[0])
    got = model.transform(row, batch=["p1"])[0]
    np.testing.assert_allclose(got, expected + model.alpha_, rtol=1e-12)
    for key, value in before.items():
        np.testing.assert_array_equal(value, getattr(model, key))


@pytest.mark.parametrize("seed", range(3))
def test_batches_agree_afterwards(seed: int) -> None:
    x, batch = plates(seed, (400, 300, 500))
    got = ComBat(reference="p2").fit_transform(x, batch=batch)
    assert np.array_equal(got[batch == "p2"], x[batch == "p2"])
    for name in ("p1", "p3"):
        apart = got[batch == name].mean(axis=0) - x[batch == "p2"].mean(axis=0)
        ratio = got[batch == name].std(axis=0) / x[batch == "p2"].std(axis=0)
        assert np.abs(apart / x[batch == "p2"].std(axis=0)).max() < 0.02
        assert np.abs(ratio - 1.0).max() < 0.1


def test_labels_and_the_input_are_left_alone() -> None:
    x, batch = plates(2)
    kept = x.copy()
    expected = ComBat().fit_transform(x, batch=batch)
    labels = np.where(batch == "p1", "case", None)
    assert np.array_equal(ComBat().fit_transform(x, labels, batch=batch), expected)
    assert np.array_equal(x, kept)
    assert not np.shares_memory(expected, x)


def test_a_protected_effect_stays() -> None:
    x, batch = plates(3, (200, 200))
    rng = np.random.default_rng(3)
    dose = np.where(batch == "p1", rng.normal(2.0, 1.0, len(x)), rng.normal(0.0, 1.0, len(x)))
    x += 1.5 * dose[:, None]
    got = ComBat().fit_transform(x, batch=batch, covariates=dose[:, None])
    plain = ComBat().fit_transform(x, batch=batch)

    def slope(values: np.ndarray) -> float:
        return float(np.mean([np.polyfit(dose, column, 1)[0] for column in values.T]))

    assert slope(got) == pytest.approx(1.5, abs=0.1)
    assert slope(plain) < 1.3


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_order_in_memory_does_not_matter(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], missing: float
) -> None:
    x, batch = plates(4, missing=missing)
    age = np.random.default_rng(4).normal(size=(len(x), 1))
    model = ComBat(**settings).fit(x, batch=batch, covariates=age)
    expected = model.transform(x, batch=batch, covariates=age)
    monkeypatch.setattr(combat_moments, "TILE_CELLS", 40)
    monkeypatch.setattr(combat_priors, "BLOCK_CELLS", 30)
    wide = np.repeat(x, 2, axis=1)
    for same in (x, np.asfortranarray(x), wide[:, ::2], pd.DataFrame(x)):
        got = ComBat(**settings).fit_transform(same, batch=batch, covariates=age)
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12)


def test_rows_of_a_pipeline_carry_their_batches() -> None:
    x, batch = plates(5)
    age = np.random.default_rng(5).normal(size=(len(x), 1))
    y = (x[:, 0] > np.median(x[:, 0])).astype(int)
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(ComBat(reference="p1"), LogisticRegression())
        pipeline.fit(x, y, batch=batch, covariates=age)
        got = pipeline.predict_proba(x, batch=batch, covariates=age)
    corrected = ComBat(reference="p1").fit_transform(x, batch=batch, covariates=age)
    expected = LogisticRegression().fit(corrected, y).predict_proba(corrected)
    np.testing.assert_allclose(got, expected)


@parametrize_with_checks([ComBat(), ComBat(parametric=False, mean_only=True)])
def test_scikit_learn_check(estimator: Any, check: Any) -> None:
    check(estimator)


# Data at the edge of what the method can do.


def test_single_batch_is_returned_as_it_is() -> None:
    x, _ = plates(0, missing=0.1)
    for settings in SETTINGS[:1] + SETTINGS[2:4]:
        got = ComBat(**settings).fit_transform(x)
        np.testing.assert_array_equal(got, x)
        assert not np.shares_memory(got, x)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_features_that_cannot_be_corrected_do_not_touch_the_others(
    settings: dict[str, Any],
) -> None:
    x, batch = plates(6)
    expected = ComBat(**settings).fit_transform(x, batch=batch)
    odd = np.column_stack([np.full(len(x), 0.1), x[:, 0], x[:, 1]])
    odd[batch == "p2", 1] = 0.3
    odd[batch == "p3", 2] = -0.7
    both = np.hstack([odd, x])
    model = ComBat(**settings).fit(both, batch=batch)
    got = model.transform(both, batch=batch)
    assert list(model.corrected_) == 3 * [False] + 12 * [True]
    assert np.array_equal(got[:, :3], odd)
    np.testing.assert_allclose(got[:, 3:], expected, rtol=0, atol=1e-12)


def test_feature_missing_or_known_once_in_a_batch_passes_through() -> None:
    x, batch = plates(7)
    x[batch == "p1", 0] = np.nan
    x[np.flatnonzero(batch == "p2")[1:], 1] = np.nan
    x[:, 2] = np.nan
    model = ComBat().fit(x, batch=batch)
    got = model.transform(x, batch=batch)
    assert list(np.flatnonzero(~model.corrected_)) == [0, 1, 2]
    assert np.array_equal(got[:, :3], x[:, :3], equal_nan=True)
    assert np.isfinite(got[:, 3:]).all()
    assert not np.isclose(got[:, 3:], x[:, 3:]).all()


def test_feature_constant_in_a_new_batch_passes_through_there() -> None:
    x, batch = plates(8)
    known = batch != "p3"
    age = np.random.default_rng(8).normal(size=(len(x), 1))
    new = x[~known].copy()
    new[:, 4] = 2.5
    for covariates in (None, age):
        part = [None if covariates is None else covariates[rows] for rows in (known, ~known)]
        model = ComBat().fit(x[known], batch=batch[known], covariates=part[0])
        got = model.transform(new, batch=batch[~known], covariates=part[1])
        assert model.corrected_.all()
        assert np.array_equal(got[:, 4], new[:, 4])
        assert np.isfinite(got).all()


def test_feature_that_is_a_covariate_passes_through() -> None:
    x, batch = plates(9)
    age = np.random.default_rng(9).normal(50, 9, len(x))
    both = np.column_stack([1e6 + 3.0 * age, x])
    model = ComBat().fit(both, batch=batch, covariates=age[:, None])
    got = model.transform(both, batch=batch, covariates=age[:, None])
    assert list(np.flatnonzero(~model.corrected_)) == [0]
    assert np.array_equal(got[:, 0], both[:, 0])
    expected = ComBat().fit_transform(x, batch=batch, covariates=age[:, None])
    np.testing.assert_allclose(got[:, 1:], expected, rtol=0, atol=1e-9)


def test_feature_whose_gaps_confound_it_passes_through() -> None:
    x, batch = plates(10)
    arm = (np.arange(len(x)) % 2).astype(float)
    x[arm == 1, 3] = np.nan
    model = ComBat().fit(x, batch=batch, covariates=arm[:, None])
    got = model.transform(x, batch=batch, covariates=arm[:, None])
    assert list(np.flatnonzero(~model.corrected_)) == [3]
    assert np.array_equal(got[:, 3], x[:, 3], equal_nan=True)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_one_feature_takes_its_own_location_and_scale(settings: dict[str, Any]) -> None:
    x, batch = plates(11, p=1)
    got = ComBat(**settings).fit_transform(x, batch=batch)
    spread = [got[batch == name].std(ddof=1) for name in ("p1", "p2", "p3")]
    means = [got[batch == name].mean() for name in ("p1", "p2", "p3")]
    assert all(a == pytest.approx(b, abs=1e-12) for a, b in pairwise(means))
    if not settings.get("mean_only"):
        others = [
            s for s, n in zip(spread, "123", strict=True) if settings.get("reference") != f"p{n}"
        ]
        assert all(a == pytest.approx(b) for a, b in pairwise(others))


def test_features_that_agree_in_scale() -> None:
    x, batch = plates(12, p=1)
    both = np.hstack([x, x + 3.0, x - 1.0])
    got = ComBat().fit_transform(both, batch=batch)
    one = ComBat().fit_transform(x, batch=batch)
    np.testing.assert_allclose(got, np.hstack([one, one + 3.0, one - 1.0]), atol=1e-10)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_negative_values_and_zero_rows(settings: dict[str, Any]) -> None:
    x, batch = plates(13)
    x -= 5.0
    x[np.flatnonzero(batch == "p1")[:3]] = 0.0
    model = ComBat(**settings)
    got = model.fit_transform(x, batch=batch)
    loop = Loop(x, batch, np.empty((len(x), 0)), **settings)
    expected = loop.corrected(x, batch, np.empty((len(x), 0)))
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("n", "p"), [(20, 5000), (100_000, 25)])
def test_shapes(n: int, p: int) -> None:
    rng = np.random.default_rng(n)
    x, batch = rng.normal(size=(n, p)), np.arange(n) % 2
    x[batch == 1] = 2.0 * x[batch == 1] + 1.0
    none = np.empty((n, 0))
    got = ComBat(reference="0").fit_transform(x, batch=batch)
    loop = Loop(x, batch.astype(str), none, reference="0")
    expected = loop.corrected(x, batch.astype(str), none)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-10)


def test_many_batches() -> None:
    x, batch = plates(14, tuple(range(2, 42)))
    got = ComBat().fit_transform(x, batch=batch)
    expected = Loop(x, batch, np.empty((len(x), 0))).corrected(x, batch, np.empty((len(x), 0)))
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("covariates", "part"),
    [
        (lambda batch: (batch == "p1")[:, None].astype(float), "'0' is confounded with the bat"),
        (lambda batch: pd.DataFrame({"arm": np.where(batch == "p1", "x", "y")}), "'arm' is conf"),
        (lambda batch: pd.DataFrame({"arm": ["x"] * len(batch)}), "'arm' is confounded"),
        (lambda batch: np.full((len(batch), 1), 0.1), "'0' is confounded"),
        (lambda batch: np.arange(len(batch))[:, None] * [1.0, 2.0], "0, 1 are confounded with ea"),
        (lambda batch: np.zeros((3, 1)), "3 rows for 42 samples"),
        (lambda batch: np.where(np.arange(42) == 4, np.nan, 1.0)[:, None], "'0' is missing .* 5;"),
        (lambda batch: pd.DataFrame({"a": [None] + ["x"] * 41}), "'a' is missing .* row 1"),
        (lambda batch: pd.DataFrame(np.ones((42, 2)), columns=["a", "a"]), "two .* named 'a'"),
        (lambda batch: np.random.default_rng(0).normal(size=(42, 39)), "42 sample.* 39 column"),
    ],
)
def test_covariates_that_cannot_be_used(covariates: Any, part: str) -> None:
    x, batch = plates(0)
    with pytest.raises(InputError, match=part):
        ComBat().fit(x, batch=batch, covariates=covariates(batch))


@pytest.mark.parametrize(
    ("later", "part"),
    [
        (None, "covariates are missing, but in fit they were age, arm"),
        ({"age": [1.0] * 42}, "covariates are age, but in fit they were age, arm"),
        ({"age": [1.0] * 42, "arm": ["z"] * 42}, "'arm' has the category 'z'.* a, b"),
        ({"age": ["old"] * 42, "arm": ["a"] * 42}, "'age' was numeric in fit"),
    ],
)
def test_covariates_that_are_not_those_of_fit(later: Any, part: str) -> None:
    x, batch = plates(0)
    age = np.random.default_rng(0).normal(size=len(x))
    given = pd.DataFrame({"age": age, "arm": np.where(np.arange(len(x)) % 2, "a", "b")})
    model = ComBat().fit(x, batch=batch, covariates=given)
    with pytest.raises(InputError, match=part):
        model.transform(x, batch=batch, covariates=None if later is None else pd.DataFrame(later))
    with pytest.raises(InputError, match="covariates are age, arm, but in fit they were none"):
        ComBat().fit(x, batch=batch).transform(x, batch=batch, covariates=given)


@pytest.mark.parametrize(
    ("batch", "settings", "part"),
    [
        (["a", "b", "c", "d"], {}, "4 sample.* in 4 batch"),
        (["a", "b", "b", "b"], {"reference": "a"}, "reference batch 'a' has one sample"),
        (["a", "b", "b", "b"], {"reference": "z"}, "'z' is not among the batches: a, b"),
        (["a", "b", "b"], {}, "3 entries for 4 rows"),
    ],
)
def test_batches_that_cannot_be_used(batch: list[str], settings: Any, part: str) -> None:
    x = np.random.default_rng(0).normal(size=(4, 3))
    with pytest.raises(InputError, match=part):
        ComBat(**settings).fit(x, batch=batch)


def test_values_whose_squares_overflow_are_refused() -> None:
    x, batch = plates(0)
    x[3, 5] = 1e200
    with pytest.raises(InputError, match="feature 6 are too far apart"):
        ComBat().fit(x, batch=batch)


# The parts.


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("offset", [0.0, 1e8])
@pytest.mark.parametrize("order", ["C", "F"])
def test_moments_of_tiles(
    monkeypatch: pytest.MonkeyPatch, missing: float, offset: float, order: Any
) -> None:
    monkeypatch.setattr(combat_moments, "TILE_CELLS", 50)
    x, _ = plates(0, (60,), missing=missing)
    x = np.asarray(np.round(x, 3) + offset, order=order)
    rows = np.arange(0, 60, 2)
    got = combat_moments.batch_moments(x, rows)
    np.testing.assert_array_equal(got.count, (~np.isnan(x[rows])).sum(axis=0))
    mean = offset + np.nanmean(x[rows] - offset, axis=0)
    np.testing.assert_allclose(got.mean, mean, rtol=1e-15, atol=1e-14)
    squares = np.nanvar(x[rows] - offset, axis=0) * got.count
    np.testing.assert_allclose(got.squares, squares, rtol=1e-12)


@pytest.mark.parametrize("value", [0.1, 1e300, -1 / 3])
def test_equal_values_have_no_spread(monkeypatch: pytest.MonkeyPatch, value: float) -> None:
    monkeypatch.setattr(combat_moments, "TILE_CELLS", 7)
    x = np.full((50, 2), value)
    x[::3, 1] = np.nan
    got = combat_moments.batch_moments(x, np.arange(50))
    assert np.array_equal(got.squares, [0.0, 0.0])
    assert np.array_equal(got.mean, [value, value])


def test_weights_of_a_large_batch_do_not_vanish() -> None:
    # Products of 40,000 densities are zero in floating point; the nearest feature takes all.
    count = np.full(3, 40_000.0)
    mean, squares = np.array([0.0, 0.1, 3.0]), np.array([1.0, 1.1, 9.0]) * 40_000.0
    gamma, delta = combat_priors.nonparametric_estimates(count, mean, squares, mean_only=False)
    np.testing.assert_allclose(gamma, [0.1, 0.0, 0.1])
    np.testing.assert_allclose(delta, np.array([1.1, 1.0, 1.1]) * 40_000 / 39_999)


@pytest.mark.parametrize("seed", range(3))
def test_parametric_estimates_solve_their_equations(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count, mean = rng.integers(5, 30, 50).astype(float), rng.normal(0.5, 1.0, 50)
    squares = rng.gamma(4.0, 0.25, 50) * (count - 1)
    gamma, delta = combat_priors.parametric_estimates(count, mean, squares)
    t2, m, v = mean.var(ddof=1), (squares / (count - 1)).mean(), (squares / (count - 1)).var(ddof=1)
    a, b = 2 + m**2 / v, m + m**3 / v
    np.testing.assert_allclose(
        gamma, (count * t2 * mean + delta * mean.mean()) / (count * t2 + delta), rtol=2e-3
    )
    about = squares + count * (mean - gamma) ** 2
    np.testing.assert_allclose(delta, (about / 2 + b) / (count / 2 + a - 1), rtol=1e-10)


def test_regression_with_gaps_is_that_of_each_feature() -> None:
    x, batch = plates(0, missing=0.2)
    c = np.random.default_rng(0).normal(size=(len(x), 3))
    rows = [np.flatnonzero(batch == name) for name in np.unique(batch)]
    moments = [combat_moments.batch_moments(x, its) for its in rows]
    got = combat_design.regression_within(x, rows, moments, c)
    assert got.solvable.all()
    whole = np.column_stack([batch[:, None] == np.unique(batch), c]).astype(float)
    for j, column in enumerate(x.T):
        there = ~np.isnan(column)
        expected = np.linalg.lstsq(whole[there], column[there], rcond=None)[0][3:]
        np.testing.assert_allclose(got.coefficients[:, j], expected, rtol=1e-10)
