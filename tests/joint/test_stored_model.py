"""A joint model on matrices larger than memory, made small by moving the limits."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from crossplate import InputError, JointClassifier
from crossplate.joint.minibatches import plan
from crossplate.joint.settings import PRESETS
from crossplate.joint.stored_rows import BatchRows, StoredStudy, subject_keys
from crossplate.joint.streaming import StreamedRows, streamed_plan
from crossplate.scaling import PlateScaler
from crossplate.scaling.blocks import Sample, fit_in_blocks
from crossplate.stored import stored_matrix

from .conftest import make_rows

QUICK = {"n_members": 2, "random_state": 0}


@pytest.fixture(autouse=True)
def _small_limits(monkeypatch):
    monkeypatch.setattr("crossplate.stored.IN_MEMORY", 1000)
    monkeypatch.setattr("crossplate.stored.READ_AT_ONCE", 8 * 12 * 70)
    monkeypatch.setattr("crossplate.stored.PIECE_ROWS", 16)
    monkeypatch.setattr("crossplate.joint.stored_rows.AT_ONCE", 90)


def on_disk(folder, x):
    np.save(folder / "x.npy", x)
    return np.load(folder / "x.npy", mmap_mode="r")


def mixed(seed=0, n=400, **options):
    """Rows of both batches in random order, so that every piece holds both."""
    rows = make_rows(seed, n=n, **options)
    order = np.random.default_rng(seed).permutation(len(rows.X))
    return type(rows)(*(part[order] for part in rows))


@pytest.mark.parametrize("sort", [False, True])
def test_streamed_fit_is_as_good_as_one_in_memory(sort, tmp_path):
    rows = make_rows(n=400) if sort else mixed()
    stored = on_disk(tmp_path, rows.X)
    streamed = JointClassifier(**QUICK).fit(stored, rows.y, batch=rows.batch)
    resident = JointClassifier(**QUICK).fit(rows.X, rows.y, batch=rows.batch)
    target = pd.isna(rows.y)
    for model in (streamed, resident):
        called = model.predict(rows.X[target], batch=rows.batch[target])
        assert (called == rows.truth[target]).mean() > 0.8
    for name, its in resident.scaler_.statistics_.items():
        np.testing.assert_allclose(streamed.scaler_.statistics_[name].mean, its.mean)
        np.testing.assert_allclose(streamed.scaler_.statistics_[name].scale, its.scale)
    same = ("default_batch_", "reference_batch_", "n_imputed_", "architecture_")
    for name in same:
        assert getattr(streamed, name) == getattr(resident, name), name
    assert streamed.history_["held_out"].notna().all()
    assert streamed.history_["epoch"].nunique() >= 4


def test_results_of_a_stored_matrix_are_those_of_the_array(tmp_path):
    rows = mixed()
    rows.X[3, 4] = np.nan
    stored = on_disk(tmp_path, rows.X)
    model = JointClassifier(**QUICK).fit(stored, rows.y, batch=rows.batch)
    for method in ("predict", "predict_proba", "member_proba", "transform", "reconstruct"):
        found = getattr(model, method)(stored, batch=rows.batch)
        wanted = getattr(model, method)(rows.X, batch=rows.batch)
        if method == "predict":
            np.testing.assert_array_equal(found, wanted)
        else:
            np.testing.assert_allclose(found, wanted, atol=1e-12)
    renamed = np.where(rows.batch == "plate B", "plate C", rows.batch)
    np.testing.assert_allclose(
        model.predict_proba(stored, batch=renamed), model.predict_proba(rows.X, batch=renamed)
    )


def test_same_seed_same_model(tmp_path):
    rows = mixed()
    stored = on_disk(tmp_path, rows.X)
    models = [JointClassifier(**QUICK).fit(stored, rows.y, batch=rows.batch) for _ in range(2)]
    for name, value in models[0].weights_.items():
        np.testing.assert_array_equal(models[1].weights_[name], value)


def test_stacks_of_streamed_members_see_the_same_rows(tmp_path, monkeypatch):
    rows = mixed()
    stored = on_disk(tmp_path, rows.X)
    together = JointClassifier(**QUICK).fit(stored, rows.y, batch=rows.batch)
    from crossplate.joint import stored_model

    train = stored_model.train
    monkeypatch.setattr(stored_model, "train", lambda *given: train(*given, memory=1.0))
    apart = JointClassifier(**QUICK).fit(stored, rows.y, batch=rows.batch)
    for name, value in together.weights_.items():
        np.testing.assert_allclose(apart.weights_[name], value, atol=1e-3)


def test_small_stored_matrices_give_the_model_of_the_array(tmp_path, monkeypatch, rows):
    monkeypatch.setattr("crossplate.stored.IN_MEMORY", 1e9)
    stored = on_disk(tmp_path, rows.X)
    models = [JointClassifier(**QUICK).fit(x, rows.y, batch=rows.batch) for x in (stored, rows.X)]
    for name, value in models[1].weights_.items():
        np.testing.assert_array_equal(models[0].weights_[name], value)


@pytest.mark.parametrize("log", ["auto", "always", "never"])
def test_scaler_in_blocks_is_the_scaler_of_all_rows(log):
    rows = mixed(n=150)
    x = np.exp(rows.X)
    x[5, 2] = np.nan
    x[rows.batch == "plate A", 3] = np.nan
    labelled = ~pd.isna(rows.y)
    names, codes = np.unique(rows.batch, return_inverse=True)
    whole = PlateScaler(log).fit(x, rows.batch, labelled)
    pieces = PlateScaler(log)
    parts = np.array_split(np.arange(len(x)), 7)
    moments = fit_in_blocks(
        pieces, lambda: ((x[p], codes[p]) for p in parts), names, Sample(x, rows.batch, labelled)
    )
    assert moments.count.sum() == np.isfinite(x).sum()
    np.testing.assert_allclose(pieces.scale(x, rows.batch), whole.scale(x, rows.batch), atol=1e-9)


def test_negative_values_beyond_the_sample_forbid_logs(tmp_path):
    rows = mixed()
    x = np.exp(rows.X)
    x[700, 3] = -1.0
    stored = on_disk(tmp_path, x)
    assert JointClassifier(**QUICK).fit(stored, rows.y).scaler_.log_unit_ is None
    with pytest.raises(InputError, match="negative values"):
        JointClassifier(log="always", **QUICK).fit(stored, rows.y)


def test_a_batch_is_drawn_completely_before_any_row_comes_twice(tmp_path):
    x = np.arange(200.0)[:, None] * np.ones(12)
    batch = np.random.default_rng(1).integers(0, 2, 200).astype(np.int16)
    stream = BatchRows(stored_matrix(on_disk(tmp_path, x)), batch, 1, seed=3)
    size = int(batch.sum())
    rows = np.concatenate([stream.take(10)[0] for _ in range(size // 10)])
    assert len(np.unique(rows)) == len(rows)
    assert (batch[rows] == 1).all()
    more, values = stream.take(2 * size)
    assert set(more) == set(np.flatnonzero(batch == 1))
    np.testing.assert_array_equal(values[:, 0], more)


@pytest.mark.parametrize("with_subjects", [False, True])
def test_members_hold_out_rows_of_their_own_and_never_train_on_them(with_subjects, tmp_path):
    rows = mixed()
    matrix = stored_matrix(on_disk(tmp_path, rows.X))
    study = StoredStudy.of(rows.y, rows.batch, len(matrix), ("source", "target"))
    names = np.array([f"person {row // 2}" for row in range(len(matrix))])
    keys = subject_keys(names, len(matrix)) if with_subjects else None
    scaler = PlateScaler().fit(rows.X, rows.batch, study.classes >= 0)
    settings = replace(PRESETS["default"].sized(400, 12), validation_share=0.1)
    cpu = torch.device("cpu")
    feed = StreamedRows(matrix, study, scaler, keys, settings, (1, 2), cpu)
    pools = feed.pools(slice(None))
    first = next(pools)
    held = [set(map(bytes, first.x[m.validation].numpy())) for m in first.members]
    assert held[0]
    assert held[0] != held[1]
    for _ in range(5):
        pool = next(pools)
        for member, outside in zip(pool.members, held, strict=True):
            training = set(map(bytes, pool.x[member.training].numpy()))
            assert not training & outside
            assert (member.classes[member.validation] >= 0).all()
            assert set(map(bytes, pool.x[member.validation].numpy())) == outside


def test_streamed_schedule_has_the_steps_of_one_in_memory():
    settings = PRESETS["default"]
    for sizes in ([5_000_000, 5_000_000], [300, 20_000]):
        streamed, resident = streamed_plan(settings, sizes, 40), plan(settings, sizes)
        steps = resident.steps * resident.epochs
        assert streamed.rows == resident.rows
        assert steps <= streamed.steps * streamed.epochs < 1.2 * steps
        assert streamed.epochs >= 9


def test_bad_columns_are_told(tmp_path):
    rows = mixed()
    stored = on_disk(tmp_path, rows.X)
    with pytest.raises(InputError, match="y has 5 entries for 800 rows"):
        JointClassifier(**QUICK).fit(stored, rows.y[:5])
    missing = rows.batch.astype(object)
    missing[100] = None
    with pytest.raises(InputError, match=r"1 rows have no batch \(first: row 101\)"):
        JointClassifier(**QUICK).fit(stored, rows.y, batch=missing)
    with pytest.raises(InputError, match="only one class"):
        JointClassifier(**QUICK).fit(stored, np.where(rows.y == "disease", None, rows.y))
    with pytest.raises(InputError, match="no labelled row"):
        JointClassifier(**QUICK).fit(stored, np.full(800, None))
    alone = rows.batch.astype(object)
    alone[0] = "plate Z"
    with pytest.raises(InputError, match="'plate Z' has one row"):
        JointClassifier(**QUICK).fit(stored, rows.y, batch=alone)
    model = JointClassifier(**QUICK).fit(stored, rows.y, batch=rows.batch)
    with pytest.raises(InputError, match="'plate Z' is new and has one row"):
        model.predict(stored, batch=alone)
    with pytest.raises(ValueError, match="expecting 12 features"):
        model.predict(on_disk(tmp_path, rows.X[:, :5]))
