"""Baselines: learned on labelled source rows alone, against loops and plain scikit-learn."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.naive_bayes import GaussianNB

from crossplate.errors import InputError
from crossplate.evaluate import (
    best_single_feature,
    fit_predict,
    score,
    zscore_logistic_regression,
)


def two_plates(
    seed: int, *, n_classes: int = 2, sign: float = 1.0
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Standardised plates in which feature ``f3`` alone tells the classes apart."""
    rng = np.random.default_rng(seed)
    n = 160
    codes = rng.integers(n_classes, size=n)
    z = rng.normal(size=(n, 6))
    z[:, 3] += sign * 2.0 * codes
    z[:, 1] += 0.5 * codes
    target = np.arange(n) >= 90
    for rows in (target, ~target):
        z[rows] = (z[rows] - z[rows].mean(axis=0)) / z[rows].std(axis=0)
    ids = [f"s{i}" for i in range(n)]
    labels = np.array(["control", "ill", "very ill"], dtype=object)[codes]
    return pd.DataFrame(z, index=ids, columns=[f"f{i}" for i in range(6)]), labels, target


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_single_feature_against_loops(seed: int, sign: float) -> None:
    z, y, target = two_plates(seed, sign=sign)
    result = best_single_feature(z, y, target)
    source, ill = ~target, y == "ill"
    auc = {name: roc_auc_score(ill[source], z.loc[source, name]) for name in z.columns}
    assert result.name == "f3"
    assert result.source_auc == pytest.approx(max(auc["f3"], 1 - auc["f3"]))
    assert result.source_auc == pytest.approx(max(max(a, 1 - a) for a in auc.values()))
    assert result.higher_class == ("ill" if sign > 0 else "control")

    threshold = result.threshold
    assert threshold is not None
    above = z["f3"].to_numpy() > threshold
    called = np.where(above == (sign > 0), "ill", "control")
    predicted = result.proba.columns.to_numpy()[result.proba.to_numpy().argmax(axis=1)]
    np.testing.assert_array_equal(predicted, called[target])

    values = sorted(z.loc[source, "f3"])
    middles = [(a + b) / 2 for a, b in pairwise(values)]
    reached = [
        balanced_accuracy_score(ill[source], (z["f3"].to_numpy()[source] > cut) == (sign > 0))
        for cut in middles
    ]
    assert balanced_accuracy_score(ill[source], called[source] == "ill") == pytest.approx(
        max(reached)
    )


@pytest.mark.parametrize("seed", range(4))
def test_single_feature_probabilities_keep_the_order_of_the_feature(seed: int) -> None:
    z, y, target = two_plates(seed, sign=-1.0)
    result = best_single_feature(z, y, target)
    truth = y[target] == "ill"
    assert roc_auc_score(truth, result.proba["ill"]) == pytest.approx(
        roc_auc_score(truth, -z.loc[target, "f3"])
    )
    scores = score(y[target], result.proba, list(result.proba.columns))
    assert scores.accuracy > 0.7
    assert scores.brier < 0.2


@pytest.mark.parametrize("seed", range(4))
def test_single_feature_of_more_classes(seed: int) -> None:
    z, y, target = two_plates(seed, n_classes=3)
    result = best_single_feature(z, y, target)
    source = ~target
    means = {
        name: np.mean(
            [
                max(a, 1 - a)
                for label in ("control", "ill", "very ill")
                for a in [roc_auc_score(y[source] == label, z.loc[source, name])]
            ]
        )
        for name in z.columns
    }
    assert result.name == max(means, key=means.__getitem__)
    assert result.source_auc == pytest.approx(max(means.values()))
    assert result.higher_class is None
    assert result.threshold is None
    assert list(result.proba.columns) == ["control", "ill", "very ill"]
    np.testing.assert_allclose(result.proba.sum(axis=1), 1.0)


@pytest.mark.parametrize("seed", range(3))
def test_target_labels_are_never_read(seed: int) -> None:
    z, y, target = two_plates(seed)
    wrong = y.copy()
    wrong[target] = np.random.default_rng(seed).choice(
        np.array(["x", None, "control"]), target.sum()
    )
    for method in (zscore_logistic_regression, lambda *a: best_single_feature(*a).proba):
        pd.testing.assert_frame_equal(method(z, y, target), method(z, wrong, target))


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_unlabelled_source_rows_teach_nothing(missing: object) -> None:
    z, y, target = two_plates(0)
    holes = y.copy()
    holes[:20] = missing
    cut = np.arange(len(y)) >= 20
    expected = zscore_logistic_regression(z[cut], y[cut], target[cut])
    pd.testing.assert_frame_equal(zscore_logistic_regression(z, holes, target), expected)
    result, alone = (
        best_single_feature(z, holes, target),
        best_single_feature(z[cut], y[cut], target[cut]),
    )
    assert result.to_dict() == alone.to_dict()
    pd.testing.assert_frame_equal(result.proba, alone.proba)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_regression_is_the_plain_one(n_classes: int) -> None:
    z, y, target = two_plates(2, n_classes=n_classes)
    text = y.astype(str)
    plain = LogisticRegression(C=0.1, max_iter=10_000).fit(z[~target].to_numpy(), text[~target])
    proba = zscore_logistic_regression(z, y, target)
    np.testing.assert_allclose(proba, plain.predict_proba(z[target].to_numpy()))
    assert list(proba.columns) == list(plain.classes_)
    assert list(proba.index) == list(z.index[target])


def test_fit_predict_takes_any_classifier_and_leaves_it_unfitted() -> None:
    z, y, target = two_plates(1)
    model = GaussianNB()
    proba = fit_predict(model, z, y, target)
    assert not hasattr(model, "classes_")
    expected = GaussianNB().fit(z[~target].to_numpy(), y[~target].astype(str))
    np.testing.assert_allclose(proba, expected.predict_proba(z[target].to_numpy()))


def test_arrays_and_numeric_labels() -> None:
    z, y, target = two_plates(1)
    numbers = np.where(y == "ill", 1.0, 0.0)
    proba = zscore_logistic_regression(z.to_numpy(), numbers, target)
    np.testing.assert_array_equal(proba.columns, [0.0, 1.0])
    assert list(proba.index) == list(np.flatnonzero(target))
    np.testing.assert_allclose(proba, zscore_logistic_regression(z, y, target))
    single = best_single_feature(z.to_numpy(), numbers, target)
    assert single.name == "3"
    assert json.loads(json.dumps(single.to_dict()))["higher_class"] == 1.0


def test_ties_and_constants() -> None:
    y = np.array(["a", "b", "a", "b", None, None], dtype=object)
    target = np.array([False] * 4 + [True] * 2)
    same = np.array([0.0, 1.0, 0.0, 1.0, 0.2, 0.8])
    result = best_single_feature(np.column_stack([np.zeros(6), same, same]), y, target)
    assert (result.name, result.source_auc, result.threshold) == ("1", 1.0, 0.5)
    assert list(result.proba["b"] > 0.5) == [False, True]
    constant = best_single_feature(np.zeros((6, 2)), y, target)
    assert (constant.name, constant.source_auc) == ("0", 0.5)
    np.testing.assert_allclose(constant.proba, 0.5)


def test_more_features_than_samples_without_warnings() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(30, 300))
    y = np.array(["a", "b"] * 15, dtype=object)
    target = np.arange(30) >= 20
    proba = zscore_logistic_regression(z, y, target)
    assert proba.shape == (10, 2)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"y": np.array(["a"] * 160, dtype=object)}, "90 labelled source rows have 1"),
        ({"y": np.full(160, None)}, "0 labelled source rows have 0 classes"),
        ({"target": np.zeros(160, dtype=bool)}, "None of the 160 rows"),
        ({"target": np.zeros(160)}, "type float64"),
        ({"target": np.zeros(3, dtype=bool)}, "target 3"),
    ],
)
def test_bad_input(change: dict[str, Any], part: str) -> None:
    z, y, target = two_plates(0)
    arguments: dict[str, Any] = {"z": z, "y": y, "target": target} | change
    for method in (best_single_feature, zscore_logistic_regression):
        with pytest.raises(InputError, match=part):
            method(**arguments)


def test_missing_values_are_named() -> None:
    z, y, target = two_plates(0)
    z.iloc[2, 4] = np.nan
    with pytest.raises(InputError, match=r"1 values of z .*row 's2', feature 'f4'"):
        zscore_logistic_regression(z, y, target)
