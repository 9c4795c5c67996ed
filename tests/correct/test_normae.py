"""NormAE as a corrector: what it does to batches, what it keeps, what it refuses."""

import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from crossplate.correct.normae import NormAE
from crossplate.errors import InputError

BRIEF = {"hidden": (8,), "code": 4, "pretrain_epochs": 2, "discriminator_epochs": 1, "epochs": 2}


def brief(**settings):
    return NormAE(**{**BRIEF, "random_state": 0, **settings})


@parametrize_with_checks([brief()])
def test_scikit_learn_check(estimator, check):
    check(estimator)


def plates(seed, sizes=(40, 30), p=12, distance=1.5):
    """Rows of few hidden variables in batches that are shifted and stretched, and two classes."""
    rng = np.random.default_rng(seed)
    n = sum(sizes)
    loads = np.random.default_rng(9).normal(size=(3, p))
    label = np.arange(n) % 2
    hidden = rng.normal(size=(n, 3))
    hidden[:, 0] += 2.5 * label
    batch = np.repeat([f"p{k + 1}" for k in range(len(sizes))], sizes)
    x = hidden @ loads + 0.3 * rng.normal(size=(n, p)) + 10.0
    effects = np.random.default_rng(5)
    for name in np.unique(batch):
        x[batch == name] *= np.exp(effects.normal(scale=0.1, size=p))
        x[batch == name] += distance * effects.normal(size=p)
    return x, batch, label


def told(x, of):
    """Cross-validated accuracy of telling which class each row is of."""
    return cross_val_score(make_pipeline(StandardScaler(), LogisticRegression()), x, of).mean()


@pytest.mark.parametrize(("seed", "reference"), [(0, None), (1, "p2")])
def test_batches_become_alike_and_labels_stay(seed, reference):
    x, batch, _ = plates(seed, (250, 250))
    new, new_batch, new_label = plates(seed + 100, (250, 250))
    settings = {"hidden": (64,), "code": 6, "pretrain_epochs": 40, "epochs": 100}
    model = NormAE(reference=reference, random_state=seed, **settings)
    found = model.fit(x, batch=batch).transform(new, batch=new_batch)
    assert told(new, new_batch) > 0.95
    assert told(found, new_batch) < 0.66
    assert told(found, new_label) > 0.8
    assert told(new, new_label) > 0.85


def test_reference_gives_its_units():
    x, batch, _ = plates(0, (150, 150), distance=3.0)
    settings = {"hidden": (64,), "code": 6, "pretrain_epochs": 80, "epochs": 20, "random_state": 0}
    means = {name: x[batch == name].mean(axis=0) for name in ("p1", "p2")}
    for name, other in (("p1", "p2"), ("p2", "p1")):
        found = NormAE(reference=name, **settings).fit_transform(x, batch=batch).mean(axis=0)
        assert np.abs(found - means[name]).mean() < 0.5 * np.abs(found - means[other]).mean()


def test_same_seed_same_result_and_the_global_generator_is_left_alone():
    import torch

    x, batch, _ = plates(0)
    state = torch.random.get_rng_state()
    found = [brief(random_state=seed).fit_transform(x, batch=batch) for seed in (3, 3, 4)]
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("reference", [None, "p1"])
def test_rows_are_restored_one_by_one(reference):
    x, batch, _ = plates(0)
    model = brief(reference=reference).fit(x, batch=batch, order=np.arange(len(x)))
    together = model.transform(x, batch=batch)
    alone = np.vstack([model.transform(x[[i]], batch=batch[[i]]) for i in range(len(x))])
    np.testing.assert_allclose(alone, together, rtol=1e-12)


def test_without_a_reference_the_batch_plays_no_part_in_the_correction():
    x, batch, _ = plates(0)
    model = brief().fit(x, batch=batch)
    np.testing.assert_array_equal(
        model.transform(x, batch=batch), model.transform(x, batch=np.roll(batch, 7))
    )


def test_with_an_order_there_are_its_losses_and_its_input():
    x, batch, _ = plates(0)
    seen = []
    model = brief(reference="p2", progress=seen.append).fit(x, batch=batch, order=np.arange(70))
    assert [step.epoch for step in seen] == [1, 2, 3, 4, 5]
    assert {step.epochs for step in seen} == {5}
    assert set(seen[-1].losses) == {"reconstruction", "batch", "order"}
    assert model.origin_.tolist() == [0.0, 1.0, 0.5]
    assert model.networks_["map.0.weight"].shape == (500, 3)
    seen.clear()
    model.fit(x, batch=batch)
    assert set(seen[-1].losses) == {"reconstruction", "batch"}
    assert model.origin_.tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("n", "settings", "expected"),
    [
        (2048, {}, 20 + 10 + 50),
        (4096, {}, 20 + 10 + 50),
        (512, {}, 80 + 10 + 200),
        (30, {}, 160 + 10 + 400),
        (30, {"pretrain_epochs": 5, "epochs": 7}, 5 + 10 + 7),
    ],
)
def test_passes_make_up_for_few_mini_batches(n, settings, expected):
    seen = []

    class EnoughError(Exception):
        pass

    def stop(step):
        seen.append(step.epochs)
        raise EnoughError

    x, batch, _ = plates(0, (n // 2, n // 2), p=2)
    with pytest.raises(EnoughError):
        NormAE(progress=stop, hidden=(4,), code=2, **settings).fit(x, batch=batch)
    assert seen == [expected]


def test_only_the_order_within_a_batch_counts():
    x, batch, _ = plates(0)
    order = np.random.default_rng(0).permutation(70)
    one = brief().fit_transform(x, batch=batch, order=order)
    same = brief().fit_transform(x, batch=batch, order=order**2 + 1000.0 * (batch == "p2"))
    other = brief().fit_transform(x, batch=batch, order=order[::-1])
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (np.arange(3), "order has shape"),
        (["first"] * 70, "give one number a row"),
        (np.r_[np.nan, np.arange(69.0)], r"1 rows have no injection order \(first: row 1\)"),
        (np.r_[np.arange(68.0), np.inf, 1.0], r"1 rows .* \(first: row 69\)"),
    ],
)
def test_orders_that_are_none(order, message):
    x, batch, _ = plates(0)
    with pytest.raises(InputError, match=message):
        brief().fit(x, batch=batch, order=order)


def is_plain(value):
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_plain(part) for key, part in value.items())
    return value is None or isinstance(value, np.ndarray | int | float | str)


def test_fitted_state_is_plain_and_without_discriminators():
    x, batch, _ = plates(0)
    model = brief().fit(x, batch=batch)
    fitted = {name: value for name, value in vars(model).items() if name.endswith("_")}
    assert all(is_plain(value) for value in fitted.values())
    assert {name.split(".")[0] for name in model.networks_} == {"encoder", "decoder", "map"}
    assert set(vars(model)) - set(fitted) == set(model.get_params())


def test_constant_features_are_left_as_they_are():
    x, batch, _ = plates(0)
    x[:, 2], x[:, 5] = 1.0 / 3.0, 0.0
    found = brief().fit(x, batch=batch).transform(x, batch=batch)
    np.testing.assert_array_equal(found[:, [2, 5]], x[:, [2, 5]])
    x[:] = 4.0
    np.testing.assert_array_equal(brief().fit_transform(x, batch=batch), x)


@pytest.mark.parametrize(
    ("rows", "batch_size"), [([0, -1], 64), ([0, 1, -1], 2), ([0, 1, 2, -2, -1], 2)]
)
def test_few_rows(rows, batch_size):
    x, batch, _ = plates(0)
    found = brief(batch_size=batch_size).fit_transform(x[rows], batch=batch[rows])
    assert found.shape == (len(rows), x.shape[1])
    assert np.isfinite(found).all()


def test_diverging_training_is_told():
    x, batch, _ = plates(0)
    with pytest.raises(InputError, match="the training diverged in epoch"):
        brief(learning_rate=1e30, pretrain_epochs=20).fit(x, batch=batch)


def test_new_batch_is_refused():
    x, batch, _ = plates(0)
    with pytest.raises(InputError, match="cannot correct a new batch"):
        brief().fit(x, batch=batch).transform(x, batch=np.repeat("new", len(x)))


def test_settings_out_of_range_are_refused():
    x, batch, _ = plates(0)
    with pytest.raises(InputError, match="give widths of at least 1"):
        brief(code=0).fit(x, batch=batch)
    with pytest.raises(InputError, match="batch_size is 1"):
        brief(batch_size=1).fit(x, batch=batch)
    with pytest.raises(InputError, match=r"learning_rate -1\.0"):
        brief(learning_rate=-1.0).fit(x, batch=batch)


def test_order_is_routed_through_a_pipeline():
    x, batch, _ = plates(0)
    order = np.arange(len(x))
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(StandardScaler(), brief())
        found = pipeline.fit_transform(x, batch=batch, order=order)
        np.testing.assert_array_equal(pipeline.transform(x, batch=batch), found)
    scaled = StandardScaler().fit_transform(x)
    np.testing.assert_array_equal(found, brief().fit_transform(scaled, batch=batch, order=order))
