"""MMDResNet as a corrector: what it does to batches, what it keeps, what it refuses."""

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from crossplate.correct.mmd_resnet import MMDResNet
from crossplate.errors import InputError
from crossplate.kernels import ladder, mmd2_biased


@parametrize_with_checks([MMDResNet(epochs=2)])
def test_scikit_learn_check(estimator, check):
    check(estimator)


def two_populations(n, seed, p=5):
    """Rows of two populations, as cells of two types."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, p))
    rows[: n // 3] += 3.0
    return rng.permutation(rows)


def plates(seed, sizes=(300, 240)):
    """Two batches; the second is stretched, bent and shifted."""
    first, second = (two_populations(n, seed + 10 * k) for k, n in enumerate(sizes))
    x = np.vstack([first, 1.5 * second + 0.1 * second**2 + 1.0])
    return x, np.repeat(["a", "b"], sizes)


def mmd(x, y):
    return np.sqrt(mmd2_biased(x, y, ladder(8.0)))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("reference", "other"), [("a", "b"), ("b", "a")])
def test_mmd_falls_towards_the_in_batch_value_on_new_rows_too(seed, reference, other):
    x, batch = plates(seed)
    model = MMDResNet(reference=reference, random_state=seed, epochs=250, learning_rate=5e-3)
    corrected = model.fit(x, batch=batch).transform(x, batch=batch)
    np.testing.assert_array_equal(corrected[batch == reference], x[batch == reference])
    before = mmd(x[batch == "a"], x[batch == "b"])
    after = mmd(corrected[batch == "a"], corrected[batch == "b"])
    rows = corrected[batch == reference]
    assert after < 0.35 * before
    assert after < 1.5 * mmd(rows[: len(rows) // 2], rows[len(rows) // 2 :])
    new, new_batch = plates(seed + 100)
    again = model.transform(new, batch=new_batch)
    assert mmd(again[batch == "a"], again[batch == "b"]) < 0.45 * before


def test_same_seed_same_result_and_the_global_generator_is_left_alone():
    import torch

    x, batch = plates(0, (40, 30))
    state = torch.random.get_rng_state()
    found = [
        MMDResNet(epochs=5, random_state=seed).fit_transform(x, batch=batch) for seed in (3, 3, 4)
    ]
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])
    assert torch.equal(torch.random.get_rng_state(), state)


def test_rows_are_mapped_one_by_one():
    x, batch = plates(0, (40, 30))
    model = MMDResNet(epochs=5, random_state=0).fit(x, batch=batch)
    together = model.transform(x, batch=batch)
    alone = np.vstack([model.transform(x[[i]], batch=batch[[i]]) for i in range(len(x))])
    np.testing.assert_allclose(alone, together, rtol=1e-12)


def test_three_batches_largest_is_the_reference():
    x, batch = plates(0, (40, 30))
    x, batch = np.vstack([x, x[:20] + 5.0]), np.concatenate([batch, np.repeat("c", 20)])
    seen = []
    model = MMDResNet(epochs=3, random_state=0, progress=seen.append).fit(x, batch=batch)
    assert model.reference_ == "a"
    assert sorted(model.networks_) == ["b", "c"]
    assert [step.epoch for step in seen] == [1, 2, 3, 4, 5, 6]
    assert {step.epochs for step in seen} == {6}
    assert all(set(step.losses) == {"mmd", "held_out"} for step in seen)


def is_plain(value):
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_plain(part) for key, part in value.items())
    return value is None or isinstance(value, np.ndarray | int | float | str)


def test_fitted_state_is_plain():
    x, batch = plates(0, (40, 30))
    model = MMDResNet(epochs=2).fit(x, batch=batch)
    fitted = {name: value for name, value in vars(model).items() if name.endswith("_")}
    assert {"networks_", "means_", "scales_", "widths_", "reference_"} <= set(fitted)
    assert all(is_plain(value) for value in fitted.values())
    assert set(vars(model)) - set(fitted) == set(model.get_params())


def test_one_batch_is_left_as_it_is():
    x, _ = plates(0, (40, 30))
    corrected = MMDResNet().fit_transform(x)
    np.testing.assert_array_equal(corrected, x)
    assert corrected is not x


def test_new_batch_and_unknown_reference_are_refused():
    x, batch = plates(0, (40, 30))
    with pytest.raises(InputError, match="reference batch 'z' is not among the batches"):
        MMDResNet(reference="z").fit(x, batch=batch)
    model = MMDResNet(epochs=1).fit(x, batch=batch)
    with pytest.raises(InputError, match="cannot correct a new batch"):
        model.transform(x, batch=np.repeat("new", len(x)))


@pytest.mark.parametrize("single", ["a", "b"])
def test_batch_of_one_row_is_refused(single):
    x, batch = plates(0, (40, 30))
    rows = (batch != single) | (np.cumsum(batch == single) == 1)
    with pytest.raises(InputError, match=f"batch '{single}' has one row"):
        MMDResNet(reference="a").fit(x[rows], batch=batch[rows])


def degenerate(name):
    x, batch = plates(0, (40, 30))
    if name == "constant feature":
        x[:, 2] = 4.0
    elif name == "constant in the mapped batch":
        x[batch == "b", 2] = 4.0
    elif name == "constant in the reference":
        x[batch == "a", 2] = 4.0
    elif name == "zero rows":
        x[::3] = 0.0
    elif name == "all zeros":
        x[:] = 0.0
    elif name == "one zero batch":
        x[batch == "b"] = 0.0
    elif name == "two rows a batch":
        x, batch = x[[0, 1, -2, -1]], batch[[0, 1, -2, -1]]
    elif name == "far apart":
        x[batch == "b"] += 1e6
    elif name == "many features":
        rng = np.random.default_rng(0)
        x, batch = rng.normal(size=(20, 5000)), np.repeat(["a", "b"], 10)
    return x, batch


@pytest.mark.parametrize(
    "name",
    [
        "constant feature",
        "constant in the mapped batch",
        "constant in the reference",
        "zero rows",
        "all zeros",
        "one zero batch",
        "two rows a batch",
        "far apart",
        "many features",
    ],
)
def test_degenerate_data_give_finite_results(name):
    x, batch = degenerate(name)
    corrected = MMDResNet(epochs=5, random_state=0).fit_transform(x, batch=batch)
    assert corrected.shape == x.shape
    assert np.isfinite(corrected).all()


def test_missing_values_are_refused():
    x, batch = plates(0, (40, 30))
    x[3, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        MMDResNet().fit(x, batch=batch)


def test_diverging_training_is_told():
    x, batch = plates(0, (40, 30))
    with pytest.raises(InputError, match="the training diverged in epoch"):
        MMDResNet(epochs=20, learning_rate=1e30, random_state=0).fit(x, batch=batch)


def test_batch_is_routed_through_a_pipeline():
    x, batch = plates(0, (40, 30))
    model = MMDResNet(epochs=2, random_state=0)
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(StandardScaler(), clone(model))
        found = pipeline.fit_transform(x, batch=batch)
        np.testing.assert_array_equal(pipeline.transform(x, batch=batch), found)
    scaled = StandardScaler().fit_transform(x)
    np.testing.assert_array_equal(found, model.fit_transform(scaled, batch=batch))
