"""A batch that arrives after the fit: calibrated without labels, and nothing else moves."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import crossplate
from crossplate import InputError, JointClassifier, make_plates
from crossplate.joint.offsets import CENTRE

from .conftest import make_rows

QUICK = {"epochs": 12, "n_members": 2, "random_state": 0}
KINDS = {
    "small study": {"n": 60},
    "large study": {"n": 600},
    "three classes": {"n": 60, "classes": (1, 2, 7)},
}


class Study:
    """Plates A (labelled) and B that are fitted, and C and D that come later."""

    def __init__(self, seed=0, parameters=None, **options):
        its = make_rows(seed, **options)
        n = len(its.X) // 2
        self.old, self.y, self.batch = its.X, its.y, its.batch
        self.parameters = QUICK | (parameters or {})
        other = make_rows(seed, **options)
        stretch = np.random.default_rng(seed + 9).uniform(0.5, 2.0, size=(2, its.X.shape[1]))
        self.c = other.X[n:] * stretch[0] + 3.0
        self.d = (other.X[:n] * stretch[1] - 5.0)[: n // 2]
        self.truth = other.truth[n:]

    def model(self):
        return JointClassifier(**self.parameters).fit(self.old, self.y, batch=self.batch)

    def results(self, model):
        """All that a user can ask of the batches of the fit."""
        given = {"batch": self.batch}
        found = [
            model.predict_proba(self.old, **given),
            model.member_proba(self.old, **given),
            model.transform(self.old, **given),
            model.predict_proba(self.old[:1], batch=["plate A"]),
        ]
        if model.architecture_.n_batches:
            found += [model.reconstruct(self.old, **given)]
            found += [model.reconstruct(self.old, **given, as_batch=b) for b in model.batches_[:2]]
        return found


def same(found, wanted):
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def study():
    return Study()


@pytest.fixture
def model(study):
    return study.model()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("parameters", [{}, {"alpha": 0.0}, {"n_members": 1}], ids=str)
def test_nothing_of_the_fitted_batches_changes_by_a_single_bit(kind, parameters):
    study = Study(parameters=parameters, **KINDS[kind])
    model = study.model()
    assert model.settings_.residual is (kind != "large study")
    before = study.results(model)
    kept = {name: value.copy() for name, value in model.weights_.items()}
    assert model.adapt(study.c, batch="plate C") is model
    same(study.results(model), before)
    model.adapt(study.d, batch=np.full(len(study.d), "a plate before all others"))
    same(study.results(model), before)
    for name, value in kept.items():
        now = model.weights_[name]
        same([now[:, :2] if "reconstructor" in name else now], [value])


def test_a_batch_alone_in_the_fit_keeps_its_restorations(study):
    first = study.batch == "plate A"
    model = JointClassifier(**QUICK).fit(study.old[first], study.y[first])
    before = model.reconstruct(study.old[first]), model.predict_proba(study.old[first])
    model.adapt(study.c, batch="plate C")
    assert model.default_batch_ == "source"
    same((model.reconstruct(study.old[first]), model.predict_proba(study.old[first])), before)


def test_adapted_rows_are_predicted_as_a_whole_plate_is(study, model):
    whole = model.predict_proba(study.c, batch=np.full(len(study.c), "plate C"))
    codes = model.transform(study.c, batch=np.full(len(study.c), "plate C"))
    model.adapt(study.c, batch="plate C")
    given = np.full(len(study.c), "plate C")
    np.testing.assert_allclose(model.predict_proba(study.c, batch=given), whole, atol=1e-13)
    np.testing.assert_allclose(model.transform(study.c, batch=given), codes, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_does_not_depend_on_the_rows_beside_it(kind):
    study = Study(**KINDS[kind])
    model = study.model()
    half = len(study.c) // 2
    model.adapt(study.c[:half], batch="plate C")
    later = study.c[half:]
    together = model.predict_proba(later, batch=np.full(len(later), "plate C"))
    alone = [model.predict_proba(row[None], batch=["plate C"])[0] for row in later[:20]]
    np.testing.assert_allclose(alone, together[:20], atol=1e-13)
    restored = model.reconstruct(later, batch=["plate C"] * len(later), as_batch="plate A")
    one = model.reconstruct(later[:1], batch=["plate C"], as_batch="plate A")
    np.testing.assert_allclose(one[0], restored[0], rtol=1e-10)


def test_what_a_batch_gets_does_not_depend_on_the_order_of_arrival(study):
    x = np.concatenate([study.d, study.c])
    names = np.repeat(["plate D", "plate C"], [len(study.d), len(study.c)])
    mixed = np.random.default_rng(0).permutation(len(x))
    mixed = mixed[np.argsort(names[mixed] == "plate C", kind="stable")]
    mixed[: len(study.d)].sort()
    mixed[len(study.d) :].sort()
    together = study.model().adapt(x[mixed], batch=names[mixed])
    forth = study.model().adapt(study.c, batch="plate C").adapt(study.d, batch="plate D")
    back = study.model().adapt(study.d, batch="plate D").adapt(study.c, batch="plate C")
    assert together.batches_.tolist() == ["plate A", "plate B", "plate C", "plate D"]
    assert back.batches_.tolist() == ["plate A", "plate B", "plate D", "plate C"]
    assert back.adapted_batches_.tolist() == ["plate D", "plate C"]
    for name in ("plate C", "plate D"):
        results = [
            [
                one.predict_proba(study.old, batch=[name] * len(study.old)),
                one.reconstruct(study.old, batch=study.batch, as_batch=name),
            ]
            for one in (together, forth, back)
        ]
        same(results[1], results[0])
        same(results[2], results[0])


def test_a_batch_is_replaced_when_it_is_given_again(study, model):
    fresh = study.model().adapt(study.c, batch="plate C").adapt(study.d, batch="plate D")
    model.adapt(study.c[:20] * 3.0, batch="plate C").adapt(study.d, batch="plate D")
    before = study.results(model)
    restored = model.reconstruct(study.old, batch=study.batch, as_batch="plate D")
    model.adapt(study.c, batch="plate C")
    assert model.batches_.tolist() == fresh.batches_.tolist()
    same(study.results(model), before)
    same([model.reconstruct(study.old, batch=study.batch, as_batch="plate D")], [restored])
    for name, value in fresh.weights_.items():
        np.testing.assert_array_equal(model.weights_[name], value)
    same([model.offsets_["plate C"].moves], [fresh.offsets_["plate C"].moves])


@pytest.mark.parametrize("seed", range(3))
def test_its_reconstructor_restores_what_was_measured_there(seed):
    study = Study(seed, n=120, parameters={"epochs": 200})
    model = study.model()
    model.adapt(study.c[:60], batch="plate C")
    later = study.c[60:]
    own = model.reconstruct(later, batch=["plate C"] * len(later))
    errors = np.sqrt(np.mean((own - later) ** 2, axis=0)) / later.std(axis=0)
    assert errors.max() < 0.4
    # the same rows as on plate A, where they have that plate's location and spread
    moved = model.reconstruct(later, batch=["plate C"] * len(later), as_batch="plate A")
    a = study.old[study.batch == "plate A"]
    assert np.abs((moved.mean(axis=0) - a.mean(axis=0)) / a.std(axis=0)).max() < 0.6
    there = model.reconstruct(study.old, batch=study.batch, as_batch="plate C")
    gap = (there.mean(axis=0) - study.c[:60].mean(axis=0)) / study.c[:60].std(axis=0)
    assert np.abs(gap).max() < 0.6


@pytest.mark.parametrize("seed", range(3))
def test_half_a_plate_is_enough_to_call_the_other_half_one_by_one(seed):
    table = make_plates(
        n_subjects=(80, 80, 80), n_features=60, n_informative=20, effect_size=1.2,
        max_replicates=1, random_state=seed,
    ).table  # fmt: skip
    later = (table.batch == "plate3").to_numpy()
    known = table.label.where(table.batch == "plate1")
    model = JointClassifier(n_members=2, epochs=100, random_state=seed)
    model.fit(table.features[~later], known[~later], batch=table.batch[~later])
    rows, truth = table.features[later], table.label[later]
    model.adapt(rows.iloc[::2], batch=table.batch[later].iloc[::2])
    calls = [model.predict(rows.iloc[[i]], batch=["plate3"])[0] for i in range(1, len(rows), 2)]
    assert (calls == truth.iloc[1::2].to_numpy()).mean() > 0.75


@pytest.mark.parametrize("kind", KINDS)
def test_saved_with_all_it_was_adapted_to(kind, tmp_path):
    study = Study(**KINDS[kind])
    model = study.model().adapt(study.c, batch="plate C")
    model.save(tmp_path / "model")
    back = crossplate.load(tmp_path / "model")
    same(study.results(back), study.results(model))
    names = ["plate C"] * len(study.c)
    for method in ("predict_proba", "transform", "reconstruct"):
        same(
            [getattr(back, method)(study.c, batch=names)],
            [getattr(model, method)(study.c, batch=names)],
        )
    assert back.adapted_batches_.tolist() == ["plate C"]
    assert back.labelled_batches_.tolist() == ["plate A"]
    # a model that was loaded adapts as the one that was saved, though it has lost its seed
    for one in (back, model):
        one.adapt(study.d, batch="plate D")
    for name, value in model.weights_.items():
        np.testing.assert_array_equal(back.weights_[name], value)


def test_models_saved_before_there_was_adapt_are_read_and_adapted(study, model, tmp_path):
    import json

    model.save(tmp_path / "model")
    path = tmp_path / "model" / "model.json"
    described = json.loads(path.read_text())
    del described["adapted_batches"]
    path.write_text(json.dumps(described))
    back = crossplate.load(tmp_path / "model").adapt(study.c, batch="plate C")
    assert back.adapted_batches_.tolist() == ["plate C"]
    path.write_text(json.dumps({**described, "adapted_batches": ["plate X"]}))
    with pytest.raises(InputError, match="an adapted batch is not among the batches"):
        crossplate.load(tmp_path / "model")


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ("plate A", r"batch 'plate A' was in fit and stays as it was; give new batches names"),
        ("plate B", r"batch 'plate B' was in fit and stays as it was"),
        (["x"] * 29 + ["y"], r"batch 'y' has one row; its own statistics need at least 2 rows"),
        (["x"] * 5, r"batch has 5 entries for 30 rows"),
        (["x"] * 29 + [None], r"1 rows have no batch \(first: row 30\)"),
    ],
)
def test_batches_that_cannot_be_adapted_to_change_nothing(study, model, batch, message):
    before = {**vars(model)}
    with pytest.raises(InputError, match=message):
        model.adapt(study.d, batch=batch)
    assert vars(model).keys() == before.keys()
    assert all(value is before[name] for name, value in vars(model).items())


def test_other_refusals(study, model):
    with pytest.raises(NotFittedError):
        JointClassifier().adapt(study.c, batch="plate C")
    with pytest.raises(ValueError, match="X has 5 features, but JointClassifier is expecting 12"):
        model.adapt(study.c[:, :5], batch="plate C")
    paper = JointClassifier(preset="paper", epochs=2).fit(study.old, study.y, batch=study.batch)
    with pytest.raises(InputError, match=r"normalises all batches alike \(preset='paper'\)"):
        paper.adapt(study.c, batch="plate C")
    positive = JointClassifier(**QUICK, log="always")
    positive.fit(np.exp(study.old), study.y, batch=study.batch)
    with pytest.raises(InputError, match="have no logarithm"):
        positive.adapt(study.c, batch="plate C")


def test_gaps_and_features_that_are_missing_in_the_new_batch(study, model):
    x = study.c.copy()
    x[::7, 3] = np.nan
    x[:, 5] = np.nan
    x[:, 8] = 4.0
    names = ["plate C"] * len(x)
    before = model.predict_proba(x, batch=names)
    model.adapt(x, batch="plate C")
    np.testing.assert_allclose(model.predict_proba(x, batch=names), before, atol=1e-13)
    restored = model.reconstruct(x, batch=names)
    assert np.isfinite(restored).all()


def test_fitting_again_forgets_what_was_adapted_to(study, model):
    model.adapt(study.c, batch="plate C")
    again = clone(model).fit(study.old, study.y, batch=study.batch)
    model.fit(study.old, study.y, batch=study.batch)
    assert model.batches_.tolist() == ["plate A", "plate B"]
    assert model.adapted_batches_.tolist() == []
    same(study.results(model), study.results(again))


def test_the_offset_of_the_batch_is_kept(study):
    model = study.model()
    assert CENTRE in model.weights_
    model.adapt(study.c, batch="plate C")
    assert set(model.offsets_) == {"plate B", "plate C"}
    moves = model.offsets_["plate C"].moves
    assert moves.shape == model.offsets_["plate B"].moves.shape


def test_inside_a_pipeline_with_metadata_routing(study):
    frame = pd.DataFrame(study.old)
    with sklearn.config_context(enable_metadata_routing=True):
        pipe = make_pipeline(FunctionTransformer(), JointClassifier(**QUICK))
        pipe.fit(frame, study.y, batch=study.batch)
        pipe[-1].adapt(pipe[:-1].transform(pd.DataFrame(study.c)), batch="plate C")
        found = pipe.predict(pd.DataFrame(study.c[:1]), batch=["plate C"])
    assert found[0] in ("control", "disease")


@pytest.mark.parametrize("large_fit", [True, False])
def test_stored_matrices_too_large_for_memory(tmp_path, monkeypatch, large_fit):
    study = Study(n=400)
    fits = {True: on_disk(tmp_path / "old.npy", study.old), False: study.old}
    resident = study.model().adapt(study.c, batch="plate C")
    x, names = np.concatenate([study.c, study.d]), np.repeat(["plate C", "plate D"], [400, 200])
    order = np.random.default_rng(1).permutation(len(x))
    later = on_disk(tmp_path / "later.npy", x[order])
    for limit, size in {
        "crossplate.stored.IN_MEMORY": 1000,
        "crossplate.stored.READ_AT_ONCE": 8 * 12 * 70,
        "crossplate.stored.PIECE_ROWS": 16,
    }.items():
        monkeypatch.setattr(limit, size)
    model = JointClassifier(**QUICK).fit(fits[large_fit], study.y, batch=study.batch)
    before = study.results(model)
    whole = model.predict_proba(later, batch=names[order])
    model.adapt(later, batch=names[order])
    same(study.results(model), before)
    np.testing.assert_allclose(
        model.scaler_.statistics_["plate C"].mean, resident.scaler_.statistics_["plate C"].mean
    )
    np.testing.assert_allclose(model.predict_proba(later, batch=names[order]), whole, atol=1e-9)
    restored = model.reconstruct(study.c, batch=["plate C"] * 400)
    errors = (restored - study.c).std(axis=0) / study.c.std(axis=0)
    assert errors.max() < 0.7
    # replaced, as in memory
    half = on_disk(tmp_path / "half.npy", study.c[:200] * 2.0)
    model.adapt(half, batch="plate C")
    np.testing.assert_allclose(
        model.scaler_.statistics_["plate C"].mean, (study.c[:200] * 2.0).mean(axis=0)
    )
    with pytest.raises(InputError, match="'plate B' was in fit"):
        model.adapt(half, batch="plate B")
    with pytest.raises(InputError, match=r"1 rows have no batch \(first: row 200\)"):
        model.adapt(half, batch=np.array(["x"] * 199 + [None], dtype=object))
    with pytest.raises(InputError, match="'y' has one row"):
        model.adapt(half, batch=np.array(["x"] * 199 + ["y"], dtype=object))


def on_disk(path, x):
    np.save(path, x)
    return np.load(path, mmap_mode="r")
