"""The estimator as a user calls it: batches, gaps in the labels, classes, restored measurements."""

from copy import copy

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from crossplate import InputError, JointClassifier
from crossplate.joint.labels import hold_out
from crossplate.rows import encode_labels

from .conftest import make_rows

QUICK = {"epochs": 60, "n_members": 2, "random_state": 0}


@pytest.fixture(scope="module")
def fitted():
    rows = make_rows()
    return JointClassifier(**QUICK).fit(rows.X, rows.y, batch=rows.batch)


def on_target(rows, proba_or_calls):
    return (proba_or_calls == rows.truth[rows.batch == "plate B"]).mean()


@pytest.mark.parametrize("seed", range(3))
def test_what_one_plate_taught_holds_on_the_shifted_one(seed):
    rows = make_rows(seed, distance=4.0)
    target = rows.batch == "plate B"
    uncorrected = LogisticRegression().fit(rows.X[~target], rows.truth[~target].astype(str))
    model = JointClassifier(**QUICK).fit(rows.X, rows.y, batch=rows.batch)
    calls = model.predict(rows.X[target], batch=rows.batch[target])
    assert on_target(rows, calls) >= 0.9
    assert on_target(rows, uncorrected.predict(rows.X[target])) < 0.7


def test_without_batches_labelled_rows_are_the_source(rows, fitted):
    implicit = JointClassifier(**QUICK).fit(rows.X, rows.y)
    assert implicit.batches_.tolist() == ["source", "target"]
    assert implicit.default_batch_ == "target"
    target = rows.batch == "plate B"
    np.testing.assert_array_equal(
        implicit.predict_proba(rows.X[target]),
        fitted.predict_proba(rows.X[target], batch=rows.batch[target]),
    )


def test_probabilities_are_the_tempered_mean_of_the_members(rows, fitted):
    proba = fitted.predict_proba(rows.X, batch=rows.batch)
    as_they_are = copy(fitted)
    as_they_are.temperature_ = 1.0
    members = as_they_are.member_proba(rows.X, batch=rows.batch)
    assert members.shape == (2, 120, 2)
    assert np.ptp(members, axis=0).max() > 0
    mean = as_they_are.predict_proba(rows.X, batch=rows.batch)
    np.testing.assert_allclose(mean, members.mean(axis=0))
    assert fitted.temperature_ != 1.0
    for own, raw in ((proba, mean), (fitted.member_proba(rows.X, batch=rows.batch), members)):
        odds = np.log(raw[..., 1] / raw[..., 0]) / fitted.temperature_
        np.testing.assert_allclose(np.log(own[..., 1] / own[..., 0]), odds)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)
    calls = fitted.classes_[proba.argmax(axis=1)]
    np.testing.assert_array_equal(fitted.predict(rows.X, batch=rows.batch), calls)


def test_same_seed_same_model_and_other_seed_another(rows, fitted):
    again = JointClassifier(**QUICK).fit(rows.X, rows.y, batch=rows.batch)
    other = JointClassifier(**{**QUICK, "random_state": 1}).fit(rows.X, rows.y, batch=rows.batch)
    for name, value in fitted.weights_.items():
        np.testing.assert_array_equal(again.weights_[name], value)
    assert any((other.weights_[name] != value).any() for name, value in fitted.weights_.items())


def test_target_labels_cannot_change_the_model(rows, fitted):
    # whatever stands for "no label", and in whatever type
    for missing in (np.nan, pd.NA):
        y = np.where(pd.isna(rows.y), missing, rows.y)
        again = JointClassifier(**QUICK).fit(rows.X, y, batch=rows.batch)
        np.testing.assert_array_equal(
            again.weights_["discriminator.0.weight"], fitted.weights_["discriminator.0.weight"]
        )


@pytest.mark.parametrize("classes", [(0, 1), (2.0, 5.0, 9.0), ("a", "b", "c", "d"), (True, False)])
def test_labels_of_any_kind(classes):
    rows = make_rows(classes=classes, distance=6.0)
    model = JointClassifier(**QUICK).fit(rows.X, rows.y, batch=rows.batch)
    assert model.classes_.tolist() == sorted(classes)
    assert model.predict_proba(rows.X, batch=rows.batch).shape == (120, len(classes))
    assert on_target(rows, model.predict(rows.X[60:], batch=rows.batch[60:])) > 0.8


def test_several_sources_and_targets_and_some_target_labels():
    rows = make_rows(n=80, distance=4.0)
    batch = np.repeat(["a", "b", "c", "d"], 40)
    y = rows.truth.copy()
    y[80:] = None
    y[80:90] = rows.truth[80:90]
    model = JointClassifier(**QUICK).fit(rows.X, y, batch=batch)
    assert model.batches_.tolist() == ["a", "b", "c", "d"]
    assert model.default_batch_ == "d"
    assert (model.predict(rows.X, batch=batch) == rows.truth).mean() > 0.9


def test_all_labelled_is_a_plain_classifier_with_reconstruction():
    rows = make_rows(distance=4.0)
    X, truth = rows.X[:60], rows.truth[:60]
    model = JointClassifier(**QUICK).fit(X, truth)
    assert (model.predict(X) == truth).mean() > 0.9
    assert (model.history_["calibration"] == 0.0).all()
    assert np.corrcoef(model.reconstruct(X).ravel(), X.ravel())[0, 1] > 0.95


def test_codes_of_the_batches_have_one_location_and_scale(rows, fitted):
    codes = fitted.transform(rows.X, batch=rows.batch)
    assert codes.shape == rows.X.shape
    gap = codes[:60].mean(axis=0) - codes[60:].mean(axis=0)
    assert np.abs(gap).max() < 0.35
    before = (rows.X[:60].mean(axis=0) - rows.X[60:].mean(axis=0)) / rows.X[:60].std(axis=0)
    assert np.abs(before).max() > 3.0


def test_reconstruct_keeps_what_was_measured_and_moves_it_to_another_batch(rows, fitted):
    target = rows.batch == "plate B"
    own = fitted.reconstruct(rows.X[target], batch=rows.batch[target])
    for feature in range(rows.X.shape[1]):
        assert np.corrcoef(own[:, feature], rows.X[target][:, feature])[0, 1] > 0.9
    moved = fitted.reconstruct(rows.X[target], batch=rows.batch[target], as_batch="plate A")
    source = rows.X[~target]
    np.testing.assert_allclose(
        moved.mean(axis=0), source.mean(axis=0), atol=0.4 * source.std(axis=0).max()
    )
    np.testing.assert_allclose(moved.std(axis=0), source.std(axis=0), rtol=0.35)


def test_a_batch_never_seen_is_scaled_by_itself(rows, fitted):
    X, truth = rows.X[60:], rows.truth[60:]
    moved = 3.0 * X - 8.0
    seen = fitted.predict_proba(X, batch=rows.batch[60:])
    unseen = fitted.predict_proba(moved, batch=np.full(60, "plate C"))
    # where the plate lay tells a little of its class shares
    np.testing.assert_allclose(unseen, seen, atol=5e-3)
    assert (fitted.predict(moved, batch=np.full(60, "plate C")) == truth).mean() > 0.7


def test_missing_cells_are_filled_and_counted(rows, fitted):
    X = rows.X.copy()
    X[np.random.default_rng(0).random(X.shape) < 0.05] = np.nan
    model = JointClassifier(**QUICK).fit(X, rows.y, batch=rows.batch)
    assert model.n_imputed_ == np.isnan(X).sum()
    proba = model.predict_proba(X, batch=rows.batch)
    assert np.isfinite(proba).all()
    usual = fitted.predict(rows.X, batch=rows.batch)
    assert (model.predict(X, batch=rows.batch) == usual).mean() > 0.85


def test_history_and_progress():
    rows, seen = make_rows(), []
    model = JointClassifier(n_members=10, epochs=5, random_state=0, progress=seen.append)
    model.fit(rows.X, rows.y, batch=rows.batch)
    assert [step.epoch for step in seen] == [1, 2, 3, 4, 5]
    assert {step.epochs for step in seen} == {5}
    assert [step.members for step in seen] == [2] * 5
    assert model.history_["member"].tolist() == [8, 9] * 5  # the others are linear
    last = model.history_.query("epoch == 4")["total"].mean()
    assert seen[-1].losses["total"] == pytest.approx(last, rel=1e-6)


def test_pandas_in_and_out(rows):
    names = [f"mz_{i}" for i in range(rows.X.shape[1])]
    frame = pd.DataFrame(rows.X, columns=names)
    model = JointClassifier(**QUICK).set_output(transform="pandas")
    model.fit(frame, rows.y, batch=rows.batch)
    codes = model.transform(frame, batch=rows.batch)
    assert list(codes.columns) == [f"jointclassifier{i}" for i in range(len(names))]
    assert list(model.feature_names_in_) == names


def test_batch_reaches_the_model_through_a_pipeline(rows, fitted):
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(FunctionTransformer(), JointClassifier(**QUICK))
        pipeline.fit(rows.X, rows.y, batch=rows.batch)
        calls = pipeline.predict(rows.X, batch=rows.batch)
    np.testing.assert_array_equal(calls, fitted.predict(rows.X, batch=rows.batch))


def test_paper_preset_builds_the_paper_and_normalises_alike_for_all_batches(rows):
    model = JointClassifier(preset="paper", epochs=3, random_state=0)
    model.fit(rows.X, rows.y, batch=rows.batch)
    settings = model.settings_
    assert (settings.alpha, settings.beta, settings.gamma) == (0.01, 1.0, 0.01)
    assert settings.head == (128, 64, 32, 16)
    assert (settings.learning_rate, settings.weight_decay) == (1e-4, 5e-5)
    assert model.weights_["norm.running_mean"].shape == (1, 12)
    as_a, as_b = (model.predict_proba(rows.X, batch=np.full(120, b)) for b in ("plate A", "new"))
    np.testing.assert_array_equal(as_a, as_b)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": np.full(120, None)}, "no labelled row"),
        ({"y": np.full(120, "one")}, "only one class, 'one', among 120 labelled rows"),
        ({"batch": np.array(["a"] * 119 + ["b"])}, "batch 'b' has one row"),
        ({"batch": np.array(["a"] * 119 + [None], dtype=object)}, "row 120"),
        ({"batch": ["a", "b"]}, "2 entries for 120 rows"),
        ({"subject": ["s"]}, "1 entries for 120 rows"),
    ],
)
def test_bad_input_is_said_in_one_sentence(rows, change, message):
    given = {"y": rows.y, "batch": rows.batch} | change
    with pytest.raises(InputError, match=message):
        JointClassifier(**QUICK).fit(rows.X, **given)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"preset": "best"}, "preset must be one of default, paper"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"n_members": 0}, "n_members must be above 0"),
        ({"alpha": -1.0}, "alpha must not be negative"),
        ({"log": "perhaps"}, "log must be auto, always or never"),
    ],
)
def test_parameters_out_of_range(rows, parameters, message):
    with pytest.raises(ValueError, match=message):
        JointClassifier(**parameters).fit(rows.X, rows.y, batch=rows.batch)


def test_what_predict_refuses(rows, fitted):
    both = JointClassifier(**QUICK).fit(rows.X, rows.truth, batch=rows.batch)
    with pytest.raises(InputError, match=r"batch is needed.*plate A, plate B"):
        both.predict(rows.X)
    with pytest.raises(InputError, match="'plate C' is new and has one row"):
        fitted.predict(rows.X[:1], batch=["plate C"])
    with pytest.raises(InputError, match="'plate C' was not in fit"):
        fitted.reconstruct(rows.X, batch=rows.batch, as_batch="plate C")
    bare = JointClassifier(alpha=0.0, **QUICK).fit(rows.X, rows.y, batch=rows.batch)
    with pytest.raises(InputError, match="no reconstructors"):
        bare.reconstruct(rows.X, batch=rows.batch)


def test_infinite_measurements_are_refused(rows):
    X = rows.X.copy()
    X[4, 2] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        JointClassifier(**QUICK).fit(X, rows.y, batch=rows.batch)


def test_missing_labels_in_every_guise():
    for missing in (None, np.nan, pd.NA):
        classes, codes = encode_labels(np.array(["b", missing, "a", "b"], dtype=object))
        assert classes.tolist() == ["a", "b"]
        assert codes.tolist() == [1, -1, 0, 1]


@pytest.mark.parametrize("seed", range(3))
def test_held_out_rows_are_whole_subjects_of_every_class(seed):
    codes = np.repeat([0, 1, -1], [300, 200, 50])
    subject = np.arange(550) // 2
    chosen = hold_out(codes, subject, 0.1, 5, np.random.default_rng(seed))
    assert np.bincount(codes[chosen]).tolist() == [30, 20]
    assert np.isin(subject, subject[chosen]).sum() == len(chosen)
    assert len(hold_out(codes[:310], None, 0.1, 5, np.random.default_rng(seed))) == 0
