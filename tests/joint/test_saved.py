"""Saved models: they come back as they were, and nothing else comes in."""

import json
import os
import pickle

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file

import crossplate
from crossplate import InputError, JointClassifier
from crossplate.joint.saved import FORMAT
from crossplate.scaling.compression import Compression

from .conftest import make_rows


def fit(**parameters):
    rows = make_rows(**parameters.pop("data", {}))
    frame = pd.DataFrame(rows.X, columns=[f"mz_{i}" for i in range(rows.X.shape[1])])
    parameters = {"epochs": 4, "n_members": 2, "random_state": 0} | parameters
    return JointClassifier(**parameters).fit(frame, rows.y, batch=rows.batch), frame, rows.batch


@pytest.fixture
def folder(tmp_path):
    fit()[0].save(tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"preset": "paper"},
        {"alpha": 0.0},
        {"log": "never"},
        {"log": "never", "data": {"p": 60}},
        {"data": {"classes": (1, 2, 7)}},
        {"data": {"n": 600}},
    ],
    ids=[
        "default",
        "paper",
        "no reconstructors",
        "no log",
        "no log, centred rows",
        "three classes",
        "many rows",
    ],
)
def test_a_model_comes_back_bit_for_bit(tmp_path, parameters):
    model, frame, batch = fit(**parameters)
    model.save(tmp_path / "model")
    back = crossplate.load(tmp_path / "model")
    for X, b in ((frame, batch), (frame * 2.0, np.full(len(frame), "new plate"))):
        np.testing.assert_array_equal(
            back.predict_proba(X, batch=b), model.predict_proba(X, batch=b)
        )
        np.testing.assert_array_equal(back.transform(X, batch=b), model.transform(X, batch=b))
    if model.architecture_.n_batches:
        kwargs = {"batch": batch, "as_batch": "plate A"}
        np.testing.assert_array_equal(
            back.reconstruct(frame, **kwargs), model.reconstruct(frame, **kwargs)
        )
    assert back.predict(frame, batch=batch).dtype == model.predict(frame, batch=batch).dtype
    assert back.get_params() == {**model.get_params(), "random_state": None}
    pd.testing.assert_frame_equal(back.history_, model.history_.astype(float))
    for name in ("default_batch_", "reference_batch_", "n_imputed_", "settings_"):
        assert getattr(back, name) == getattr(model, name)


def test_a_model_is_two_files_and_is_read_without_pickle(folder, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("pickle was called")

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    assert sorted(path.name for path in folder.iterdir()) == ["arrays.safetensors", "model.json"]
    assert crossplate.load(folder).batches_.tolist() == ["plate A", "plate B"]


@pytest.mark.skipif(os.name != "posix", reason="permissions of this kind are POSIX's")
def test_others_may_read_the_files_where_the_folder_s_owner_lets_them(tmp_path):
    before = os.umask(0o022)
    try:
        fit()[0].save(tmp_path / "model")
    finally:
        os.umask(before)
    modes = [path.stat().st_mode & 0o777 for path in (tmp_path / "model").iterdir()]
    assert modes == [0o644, 0o644]


def rewrite(folder, change):
    path = folder / "model.json"
    described = json.loads(path.read_text())
    change(described)
    path.write_text(json.dumps(described))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(format=FORMAT + 1), f"reads up to {FORMAT}; update"),
        (lambda d: d.update(format="x"), "format 'x'"),
        (lambda d: d.update(temperature=-1.0), "temperature must be above 0"),
        (lambda d: d.pop("classes"), "does not describe a model"),
        (lambda d: d.update(classes=["only"]), "outputs differ"),
        (lambda d: d.update(n_features=5), "feature names for 5 features|12 feature names"),
        (lambda d: d["settings"].update(surprise=1), "unknown settings: surprise"),
        (lambda d: d["settings"].update(n_members=3), r"not float32 of \(3, "),
        (lambda d: d["architecture"].update(hidden=3), r"not float32 of \(2, 12, 3\)"),
        (lambda d: d.update(log_unit=-1.0), "log_unit must be above 0"),
        (lambda d: d["batches"].pop(), "sizes differ"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(folder, change, message):
    rewrite(folder, change)
    with pytest.raises(InputError, match=message):
        crossplate.load(folder)


def change_array(folder, name, value):
    path = folder / "arrays.safetensors"
    arrays = load_file(path)
    if value is None:
        del arrays[name]
    else:
        arrays[name] = value(arrays[name])
    save_file(arrays, path)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("scaler.fill", None, "scaler.fill"),
        ("scaler.means", lambda a: a[:, :-1].copy(), r"shape \(2, 11\), not float64 of \(2, 12\)"),
        ("scaler.scales", lambda a: a.astype(np.float32), "scaler.scales is float32"),
        ("weights.calibrator.0.weight", lambda a: a * np.float32(np.nan), "not finite"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(folder, name, value, message):
    change_array(folder, name, value)
    with pytest.raises(InputError, match=message):
        crossplate.load(folder)


@pytest.mark.parametrize("name", ["model.json", "arrays.safetensors"])
def test_truncated_files_are_refused(folder, name):
    path = folder / name
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(InputError, match=f"{name} is (missing or )?damaged"):
        crossplate.load(folder)


def test_a_folder_that_is_no_model(tmp_path):
    with pytest.raises(InputError, match="holds no model"):
        crossplate.load(tmp_path)


def test_saving_into_a_full_folder_or_below_a_file(tmp_path):
    model = fit()[0]
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(InputError, match="is not empty"):
        model.save(tmp_path)
    with pytest.raises(InputError, match="cannot write"):
        model.save(tmp_path / "note.txt" / "model")


def test_the_temperature_comes_back_and_an_older_model_has_none(folder):
    model, frame, batch = fit()
    assert model.temperature_ != 1.0
    assert crossplate.load(folder).temperature_ == model.temperature_

    def as_before(described):
        described["format"] = 2
        del described["temperature"]

    rewrite(folder, as_before)
    old = crossplate.load(folder)
    assert old.temperature_ == 1.0
    members = old.member_proba(frame, batch=batch)
    np.testing.assert_allclose(old.predict_proba(frame, batch=batch), members.mean(axis=0))
    calls = model.predict(frame, batch=batch)
    np.testing.assert_array_equal(old.predict(frame, batch=batch), calls)


def test_a_model_of_an_earlier_format_saw_rows_that_were_not_compressed(folder):
    assert crossplate.load(folder).scaler_.compression == fit()[0].scaler_.compression

    def as_before(described):
        described["format"] = 3
        for name in ("compress_values", "compress_rows"):
            del described["settings"][name]

    rewrite(folder, as_before)
    assert crossplate.load(folder).scaler_.compression == Compression()


def test_a_model_of_format_5_had_one_offset_for_a_batch(folder):
    model, frame, batch = fit()
    (name,) = model.offsets_
    place = model.batches_.tolist().index(name)
    change_array(folder, f"offsets.{place}", lambda a: a.mean(axis=1))
    change_array(folder, f"offsets.likelihood.{place}", None)
    rewrite(folder, lambda described: described.update(format=5))
    old = crossplate.load(folder)
    moves = model.offsets_[name].moves.mean(axis=1)
    np.testing.assert_array_equal(old.offsets_[name].moves, moves[:, None])
    np.testing.assert_array_equal(old.offsets_[name].likelihood, np.ones((2, 1)))
    assert np.isfinite(old.predict_proba(frame, batch=batch)).all()


def test_a_model_of_format_6_had_levels_of_logs(tmp_path):
    rows = make_rows(p=60)
    frame, batch = np.exp(rows.X), rows.batch
    model = JointClassifier(n_members=2, random_state=0).fit(frame, rows.y, batch=batch)
    model.save(tmp_path / "model")
    change_array(tmp_path / "model", "scaler.level_unit", None)
    rewrite(tmp_path / "model", lambda described: described.update(format=6))
    old = crossplate.load(tmp_path / "model")
    np.testing.assert_array_equal(old.scaler_.level_.unit, np.ones(60))
    np.testing.assert_array_equal(
        old.predict_proba(frame, batch=batch), model.predict_proba(frame, batch=batch)
    )


def test_likelihoods_of_another_shape_are_refused(folder):
    change_array(folder, "offsets.likelihood.1", lambda a: a[:, :-1].copy())
    with pytest.raises(InputError, match=r"offsets.1 is float64 of shape"):
        crossplate.load(folder)
