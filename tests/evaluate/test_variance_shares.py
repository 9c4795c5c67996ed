"""Shares of variance against least squares, feature by feature."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from crossplate.errors import InputError
from crossplate.evaluate.variance_shares import variance_shares


def residual_squares(columns: list[np.ndarray], y: np.ndarray) -> float:
    """Sum of squares that a linear model leaves."""
    design = np.column_stack([np.ones(len(y)), *columns])
    return float(((y - design @ np.linalg.lstsq(design, y, rcond=None)[0]) ** 2).sum())


@pytest.mark.parametrize("seed", range(3))
def test_against_least_squares_with_gaps(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 80
    batch = rng.integers(0, 3, n)
    label = (rng.random(n) < 0.3 + 0.2 * batch).astype(int) + (rng.random(n) < 0.2)
    x = rng.normal(size=(n, 5)) + np.outer(batch, rng.normal(size=5)) + label[:, None]
    x[rng.random(x.shape) < 0.15] = np.nan
    found = variance_shares(pd.DataFrame(x, columns=list("abcde")), batch, label).to_frame()
    assert found.index.tolist() == list("abcde")
    for name, column in zip("abcde", x.T, strict=True):
        kept = np.isfinite(column)
        y, b, k = column[kept], batch[kept], label[kept]
        by_batch = [(b == code).astype(float) for code in (1, 2)]
        by_label = [(k == code).astype(float) for code in (1, 2)]
        total = ((y - y.mean()) ** 2).sum()
        left = residual_squares([*by_batch, *by_label], y)
        row = found.loc[name]
        assert row["batch"] == pytest.approx((residual_squares(by_label, y) - left) / total)
        assert row["label"] == pytest.approx((residual_squares(by_batch, y) - left) / total)
        assert row["residual"] == pytest.approx(left / total)
        assert row[["batch", "label", "either", "residual"]].sum() == pytest.approx(1.0)
        assert row["n"] == kept.sum()
        assert row["batch_chance"] == pytest.approx(2 / (kept.sum() - 1))


def test_balanced_design_has_nothing_in_common() -> None:
    batch, label = np.tile(["a", "a", "b", "b"], 10), np.tile(["x", "y"], 20)
    x = np.random.default_rng(0).normal(size=(40, 3))
    assert variance_shares(x, batch, label).to_frame()["either"].abs().max() < 1e-12


def test_confounded_batch_and_label_cannot_be_told_apart() -> None:
    batch = np.repeat(["a", "b"], 20)
    x = np.random.default_rng(1).normal(size=(40, 2)) + 5.0 * (batch == "b")[:, None]
    found = variance_shares(x, batch, np.where(batch == "a", "ill", "well")).to_frame()
    assert (found[["batch", "label", "batch_chance", "label_chance"]].abs() < 1e-12).all(axis=None)
    assert (found["either"] > 0.8).all()


def test_noise_has_the_share_of_chance() -> None:
    rng = np.random.default_rng(2)
    found = variance_shares(rng.normal(size=(60, 2000)), rng.integers(0, 4, 60), np.arange(60) % 2)
    mean = found.to_frame().mean()
    assert mean["batch"] == pytest.approx(mean["batch_chance"], rel=0.05)
    assert mean["label"] == pytest.approx(mean["label_chance"], rel=0.1)


def test_features_without_variance_and_rows_without_label() -> None:
    x = np.random.default_rng(3).normal(size=(20, 4)) + 100.0
    x[:, 1], x[:, 2], x[2:, 3] = 7.1, np.nan, np.nan
    label = np.array(["a", "b"] * 10, dtype=object)
    label[15:] = None
    found = variance_shares(x, ["p", "q", "p", "q", "q"] * 4, label)
    frame = found.to_frame()
    assert frame["residual"].isna().tolist() == [False, True, True, True]
    assert frame["n"].tolist() == [15, 15, 0, 2]
    record = json.loads(json.dumps(found.to_dict()))
    assert record["n_without_variance"] == 3
    assert record["median"]["batch"] == pytest.approx(frame.loc["0", "batch"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"label": ["a", "b"]}, "2 entries for 4 rows"),
        ({"label": ["a"] * 4}, "only one class"),
        ({"batch": ["p"] * 3}, "3 entries for 4 rows"),
        ({"x": np.array([[1.0], [2.0], [np.inf], [0.0]])}, "infinite in row 3"),
    ],
)
def test_bad_input(change: dict[str, object], said: str) -> None:
    given = {"x": np.ones((4, 1)), "batch": list("ppqq"), "label": list("abab")} | change
    with pytest.raises(InputError, match=said):
        variance_shares(**given)
