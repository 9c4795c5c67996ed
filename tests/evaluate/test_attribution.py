"""Permutation importance: what a model uses, and how rows are shuffled."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from crossplate.errors import InputError
from crossplate.evaluate.attribution import _donors, permutation_importance


class Known:
    """A model that looks at feature ``b`` alone, and keeps what it was given."""

    classes_ = np.array(["no", "yes"])

    def __init__(self) -> None:
        self.given: list[tuple[object, dict[str, np.ndarray]]] = []

    def predict_proba(self, X: pd.DataFrame, **row_arguments: np.ndarray) -> np.ndarray:
        self.given.append((X, row_arguments))
        yes = np.where(X["b"] > 0, 0.9, 0.1)
        return np.column_stack([1 - yes, yes])


def rows(n: int = 60) -> tuple[pd.DataFrame, np.ndarray]:
    x = pd.DataFrame(np.random.default_rng(0).normal(size=(n, 3)), columns=list("abc"))
    return x, np.where(x["b"] > 0, "yes", "no").astype(object)


def test_only_what_the_model_looks_at_matters() -> None:
    x, y = rows()
    found = permutation_importance(Known(), x, y)
    assert (found.log_loss, found.accuracy) == (pytest.approx(-np.log(0.9)), 1.0)
    frame = found.features.set_index("feature")
    assert frame.loc["b", "importance"] == pytest.approx(np.log(9) / 2, rel=0.25)
    assert frame.loc["b", "accuracy_drop"] == pytest.approx(0.5, abs=0.15)
    assert frame.loc[["a", "c"], ["importance", "accuracy_drop"]].abs().max(axis=None) < 1e-12
    assert found.to_frame()["feature"].iloc[0] == "b"
    assert json.loads(json.dumps(found.to_dict()))["features"][0]["feature"] == "b"


def test_against_shuffling_one_feature_at_a_time() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, 4))
    y = (x @ [2.0, 1.0, 0.0, 0.0] + rng.normal(size=300) > 0).astype(int)
    model = LogisticRegression().fit(x, y)
    found = permutation_importance(model, x, y, n_repeats=20).features["importance"].to_numpy()

    def log_loss(values: np.ndarray) -> float:
        return float(-np.log(model.predict_proba(values)[np.arange(300), y]).mean())

    by_hand = []
    for feature in range(4):
        shuffled = x.copy()
        losses = []
        for _ in range(20):
            shuffled[:, feature] = rng.permutation(x[:, feature])
            losses.append(log_loss(shuffled))
        by_hand.append(np.mean(losses) - log_loss(x))
    np.testing.assert_allclose(found, by_hand, rtol=0.1, atol=0.02)


def test_what_the_model_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossplate.evaluate.attribution._AT_ONCE", 100)
    x, y = rows(50)
    y[:10] = None
    batch = np.repeat(["p", "q"], 25)
    model = Known()
    told: list[tuple[int, int]] = []
    permutation_importance(
        model,
        x,
        y,
        batch=batch,
        row_arguments={"batch": batch},
        n_repeats=2,
        progress=lambda done, total: told.append((done, total)),
    )
    sizes = [len(given) for given, _ in model.given]
    assert sizes == [40, 80, 40, 80, 40]
    assert all(list(given.columns) == ["a", "b", "c"] for given, _ in model.given)
    assert (model.given[1][1]["batch"] == np.tile(batch[10:], 2)).all()
    shuffled = model.given[1][0].to_numpy().reshape(2, 40, 3)
    original = x.to_numpy()[10:]
    np.testing.assert_array_equal(shuffled[0][:, 1:], original[:, 1:])
    for plate in "pq":
        own = batch[10:] == plate
        np.testing.assert_array_equal(np.sort(shuffled[0][own, 0]), np.sort(original[own, 0]))
    assert told == [(2, 6), (3, 6), (5, 6), (6, 6)]


@pytest.mark.parametrize("seed", range(3))
def test_rows_come_from_another_subject_of_the_batch(seed: int) -> None:
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(12), rng.integers(1, 5, 12))
    batch = np.where(who < 5, "p", "q")
    donors = _donors(batch, who, rng)
    assert (batch[donors] == batch).all()
    giver = pd.Series(who[donors]).groupby(who).nunique()
    assert (giver == 1).all()
    assert len(set(pd.Series(who[donors]).groupby(who).first())) == 12
    for subject in range(12):
        taken = donors[who == subject]
        held = min(len(taken), int((who == who[taken[0]]).sum()))
        assert len(set(taken)) == held


def test_some_features_only_and_arrays() -> None:
    x, y = rows()
    found = permutation_importance(Known(), x, y, features=["b"], n_repeats=1)
    assert found.features["feature"].tolist() == ["b"]
    model = LogisticRegression().fit(x.to_numpy(), y.astype(str))
    assert permutation_importance(model, x.to_numpy(), y, features=["2"]).features.shape == (1, 4)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"features": ["z"]}, "feature 'z' is not among the 3 features"),
        ({"y": [None] * 60}, "no row has a label out of no, yes"),
        ({"y": ["no"]}, "1 labels for 60 rows"),
        ({"n_repeats": 0}, "n_repeats is 0"),
    ],
)
def test_bad_input(change: dict[str, object], said: str) -> None:
    x, y = rows()
    given = {"y": y} | change
    with pytest.raises(InputError, match=said):
        permutation_importance(Known(), x, given.pop("y"), **given)
