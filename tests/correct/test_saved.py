"""Fitted correctors written to one file and read again, and files that are not to be trusted."""

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from sklearn.exceptions import NotFittedError

from crossplate import InputError
from crossplate.correct import saved
from crossplate.correct.base import Corrector
from crossplate.correct.centring import MeanCentring
from crossplate.correct.dwd import DWD
from crossplate.correct.log_scale import OnLogScale
from crossplate.correct.mmd_resnet import MMDResNet
from crossplate.correct.saved import load_corrector, save_corrector

from .methods import NAMES, quick
from .plates import make_plates

FORMAT_1 = Path(__file__).parent / "files" / "centring_format_1.safetensors"


def table(seed=0, missing=0.0):
    x, batch = make_plates(seed, missing=missing)
    frame = pd.DataFrame(np.exp(x), columns=[f"m/z {i} µ" for i in range(x.shape[1])])
    # a label that the rows show
    return frame, batch, np.where(x[:, 0] > np.nanmedian(x[:, 0]), "case", "control")


def same(one, other):
    """Whether two fitted values are equal in kind, type and every bit."""
    if isinstance(one, Corrector):
        kept = {k: v for k, v in vars(one).items() if k.endswith("_") and not k.startswith("_")}
        return type(one) is type(other) and same(kept, {k: getattr(other, k) for k in kept})
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(v, other[k]) for k, v in one.items())
    if isinstance(one, np.ndarray):
        alike = isinstance(other, np.ndarray) and (one.dtype, one.shape) == (
            other.dtype,
            other.shape,
        )
        return alike and (one.tolist() == other.tolist() or one.tobytes() == other.tobytes())
    return type(one) is type(other) and one == other


@pytest.mark.parametrize("on_log_scale", [False, True], ids=["", "log"])
@pytest.mark.parametrize("name", NAMES)
def test_every_corrector_comes_back_bit_for_bit(tmp_path, name, on_log_scale):
    corrector = OnLogScale(quick(name)) if on_log_scale else quick(name)
    X, batch, y = table()
    corrector.fit(X, y, batch=batch)
    save_corrector(corrector, tmp_path / "fitted.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["fitted.safetensors"]
    back = load_corrector(tmp_path / "fitted.safetensors")
    assert same(corrector, back)
    assert repr(back) == repr(corrector)
    np.testing.assert_array_equal(
        back.transform(X, batch=batch), corrector.transform(X, batch=batch)
    )
    assert back.get_feature_names_out().tolist() == X.columns.tolist()
    with pytest.raises(ValueError, match="feature names should match"):
        back.transform(X.rename(columns=str.upper), batch=batch)


def test_missing_values_and_odd_batch_names_come_back(tmp_path):
    X, batch, _ = table(missing=0.1)
    batch = np.char.add("Platte/ä.\n", batch)
    X.iloc[:, 0] = np.nan
    corrector = MeanCentring(reference="Platte/ä.\np2").fit(X, batch=batch)
    save_corrector(corrector, tmp_path / "f")
    back = load_corrector(str(tmp_path / "f"))
    assert np.isnan(back.target_[0])
    assert same(corrector, back)


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path):
    X, batch, _ = table()
    for reference in ("p1", "p2"):
        save_corrector(MeanCentring(reference=reference).fit(X, batch=batch), tmp_path / "f")
    assert load_corrector(tmp_path / "f").reference == "p2"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


@pytest.mark.skipif(os.name != "posix", reason="permissions of this kind are POSIX's")
def test_others_may_read_the_file_where_the_folder_s_owner_lets_them(tmp_path):
    X, batch, _ = table()
    before = os.umask(0o022)
    try:
        save_corrector(MeanCentring().fit(X, batch=batch), tmp_path / "f")
    finally:
        os.umask(before)
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o644


def test_a_generator_and_a_callback_are_not_kept(tmp_path):
    X, batch, _ = table()
    corrector = MMDResNet(epochs=1, random_state=np.random.RandomState(0), progress=print)
    save_corrector(corrector.fit(X, batch=batch), tmp_path / "f")
    back = load_corrector(tmp_path / "f")
    assert back.get_params() == MMDResNet(epochs=1).get_params()


def test_a_corrector_inside_another_is_saved_once(tmp_path):
    X, batch, _ = table()
    inside = MeanCentring().fit(X, batch=batch)
    save_corrector(OnLogScale(inside).fit(X, batch=batch), tmp_path / "f")
    assert not hasattr(load_corrector(tmp_path / "f").corrector, "shift_")


def test_nothing_is_pickled(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("pickle was called")

    for name in ("dump", "dumps", "Pickler", "load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    X, batch, _ = table()
    save_corrector(MeanCentring().fit(X, batch=batch), tmp_path / "f")
    assert load_corrector(tmp_path / "f").batches_.tolist() == ["p1", "p2", "p3"]


def test_a_file_of_the_first_format_is_read():
    corrector = load_corrector(FORMAT_1)
    assert (
        repr(corrector) == "OnLogScale(corrector=MeanCentring(reference='plate 1'), log='always')"
    )
    X = pd.DataFrame({"mz 500.2": [1.0, 8.0], "mz 612.9": [7.0, np.nan]})
    found = corrector.transform(X, batch=["plate 1", "plate 2"])
    # mean of log(1 + x): log(8) / 2 on plate 1, log(9) / 2 on plate 2
    np.testing.assert_allclose(found, [[1.0, 7.0], [9.0 * np.sqrt(8.0 / 9.0) - 1.0, np.nan]])


@pytest.fixture
def path(tmp_path):
    X, batch, _ = table()
    save_corrector(DWD(reference="p1").fit(X, batch=batch), tmp_path / "fitted.safetensors")
    return tmp_path / "fitted.safetensors"


def rewrite(path, change):
    """Change the description (and keep the digest right), as another program might have."""
    with safe_open(path, framework="numpy") as file:
        described = json.loads(file.metadata()[saved.DESCRIPTION])
    change(described)
    text, arrays = json.dumps(described), load_file(path)
    metadata = {saved.DESCRIPTION: text, saved.DIGEST: saved._digest(text, arrays)}
    save_file(arrays, path, metadata=metadata)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(format=2), "format 2, and this crossplate reads up to 1; update"),
        (lambda d: d.update(format="x"), "format 'x'"),
        (lambda d: d.pop("format"), "does not describe a corrector"),
        (lambda d: d["corrector"].update({"class": "Popen"}), "no corrector is named 'Popen'"),
        (lambda d: d["corrector"].pop("fitted"), "does not describe a corrector"),
        (lambda d: d["corrector"]["settings"].update(shell=True), "unexpected keyword"),
        (lambda d: d["corrector"]["fitted"].update(transform=1), "transform is no fitted"),
        (lambda d: d["corrector"]["fitted"].update(__class_=1), "__class_ is no fitted"),
        (lambda d: d["corrector"]["fitted"].update(a_={"array": "99"}), "not describe.*'99'"),
        (lambda d: d["corrector"]["fitted"].update(a_={"object": 1}), "object is no kind"),
        (lambda d: d.update(corrector=["DWD"]), "does not describe a corrector"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(path, change, message):
    rewrite(path, change)
    with pytest.raises(InputError, match=message):
        load_corrector(path)


@pytest.mark.parametrize("seed", range(3))
def test_a_damaged_file_is_refused_wherever_it_is_damaged(path, seed):
    rng = np.random.default_rng(seed)
    whole = path.read_bytes()
    for place in rng.choice(len(whole), 100, replace=False):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"fitted\.safetensors"):
            load_corrector(path)
        path.write_bytes(whole[:place])
        with pytest.raises(InputError, match="missing or damaged"):
            load_corrector(path)
    path.write_bytes(whole)
    assert load_corrector(path).reference == "p1"


def test_files_that_are_no_corrector(tmp_path):
    with pytest.raises(InputError, match="is missing or damaged"):
        load_corrector(tmp_path / "none")
    with pytest.raises(InputError, match="is missing or damaged"):
        load_corrector(tmp_path)
    save_file({"x": np.zeros(2)}, tmp_path / "weights")
    with pytest.raises(InputError, match="weights holds no corrector"):
        load_corrector(tmp_path / "weights")


def test_places_that_cannot_be_written(path, tmp_path):
    corrector = load_corrector(path)
    for place in (tmp_path / "no folder" / "f", path / "f"):
        with pytest.raises(InputError, match="cannot write the corrector"):
            save_corrector(corrector, place)


def test_what_cannot_be_saved(tmp_path):
    X, batch, _ = table()
    with pytest.raises(NotFittedError):
        save_corrector(MeanCentring(), tmp_path / "f")

    class Mine(MeanCentring):
        pass

    with pytest.raises(InputError, match="no corrector is named 'Mine'"):
        save_corrector(Mine().fit(X, batch=batch), tmp_path / "f")
    same_name = type("DWD", (MeanCentring,), {})
    with pytest.raises(InputError, match="only crossplate's own correctors can be saved"):
        save_corrector(same_name().fit(X, batch=batch), tmp_path / "f")
    corrector = MeanCentring().fit(X, batch=batch)
    for value in ({1: "x"}, {"x"}, np.array([1j]), np.array([["a"]]), [object()]):
        corrector.extra_ = value
        with pytest.raises(InputError, match=r"^MeanCentring.extra_\S* cannot be saved"):
            save_corrector(corrector, tmp_path / "f")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "value",
    [
        (1, (2.5, None)),
        [True, float("inf")],
        {"a": {"b": np.array(3.0)}},
        np.zeros((0, 4), dtype=np.float32),
        np.array([], dtype="U3"),
        np.array(["a", "bc"], dtype=object),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.array([1, 2], dtype=">i4"),
    ],
    ids=str,
)
def test_plain_state_of_every_kind(tmp_path, value):
    X, batch, _ = table()
    corrector = MeanCentring().fit(X, batch=batch)
    corrector.extra_ = value
    save_corrector(corrector, tmp_path / "f")
    back = load_corrector(tmp_path / "f").extra_
    if isinstance(value, np.ndarray) and not value.dtype.isnative:
        value = value.astype(value.dtype.newbyteorder("="))
    assert same(value, back)
