"""Scores against scikit-learn's metrics and against numbers worked out by hand."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from crossplate.errors import InputError
from crossplate.evaluate import score


def random_case(
    seed: int, n_classes: int, n: int = 120
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    classes = ["control", "disease", "other", "third"][:n_classes]
    codes = rng.integers(n_classes, size=n)
    proba = rng.dirichlet(np.ones(n_classes), size=n) + 0.5 * np.eye(n_classes)[codes]
    return np.array(classes, dtype=object)[codes], proba / proba.sum(1, keepdims=True), classes


@pytest.mark.parametrize("seed", range(5))
def test_two_classes_agree_with_sklearn(seed: int) -> None:
    y, proba, classes = random_case(seed, 2)
    result = score(y, proba, classes)
    text = y.astype(str)
    predicted = np.where(proba[:, 1] > proba[:, 0], "disease", "control")
    assert result.accuracy == pytest.approx(metrics.accuracy_score(text, predicted))
    assert result.balanced_accuracy == pytest.approx(
        metrics.balanced_accuracy_score(text, predicted)
    )
    assert result.f1 == pytest.approx(metrics.f1_score(text, predicted, pos_label="disease"))
    assert result.mcc == pytest.approx(metrics.matthews_corrcoef(text, predicted))
    assert result.roc_auc == pytest.approx(metrics.roc_auc_score(text, proba[:, 1]))
    assert result.brier == pytest.approx(
        metrics.brier_score_loss(text, proba[:, 1], pos_label="disease")
    )
    assert result.positive_class == "disease"
    assert result.f1_average == "binary"
    np.testing.assert_array_equal(result.confusion, metrics.confusion_matrix(text, predicted))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_classes", [3, 4])
def test_more_classes_agree_with_sklearn(seed: int, n_classes: int) -> None:
    y, proba, classes = random_case(seed, n_classes)
    result = score(y, proba, classes)
    text = y.astype(str)
    predicted = np.array(classes)[proba.argmax(axis=1)]
    assert result.f1 == pytest.approx(metrics.f1_score(text, predicted, average="macro"))
    assert result.f1_average == "macro"
    assert result.positive_class is None
    assert result.mcc == pytest.approx(metrics.matthews_corrcoef(text, predicted))
    assert result.balanced_accuracy == pytest.approx(
        metrics.balanced_accuracy_score(text, predicted)
    )
    assert result.roc_auc == pytest.approx(
        metrics.roc_auc_score(text, proba, multi_class="ovr", average="macro", labels=classes)
    )
    by_hand = np.mean(
        [
            sum((p - (name == label)) ** 2 for p, name in zip(row, classes, strict=True))
            for row, label in zip(proba, text, strict=True)
        ]
    )
    assert result.brier == pytest.approx(by_hand)
    assert result.counts == tuple(int((text == name).sum()) for name in classes)
    assert result.predicted_counts == tuple(int((predicted == name).sum()) for name in classes)


def test_numbers_worked_out_by_hand() -> None:
    y = ["a", "a", "a", "b"]
    proba = [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.3, 0.7]]
    result = score(y, proba, ["a", "b"])
    assert result.confusion == ((2, 1), (0, 1))
    assert result.accuracy == pytest.approx(3 / 4)
    assert result.balanced_accuracy == pytest.approx((2 / 3 + 1) / 2)
    assert result.f1 == pytest.approx(2 / 3)
    assert result.mcc == pytest.approx(2 / np.sqrt(2 * 3 * 2 * 1))
    assert result.roc_auc == pytest.approx(2 / 3)
    assert result.brier == pytest.approx((0.01 + 0.16 + 0.64 + 0.09) / 4)
    assert not result.collapsed


def test_auc_is_of_probabilities_not_of_predictions() -> None:
    # All predicted "a", yet perfectly ordered: the AUC of [Niu2022]'s hard labels would be 0.5.
    result = score(["a", "a", "b"], [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]], ["a", "b"])
    assert result.roc_auc == 1.0
    assert result.balanced_accuracy == 0.5


def test_collapsed_is_noticed() -> None:
    alike = score(["a", "b", "b"], [[0.9, 0.1]] * 3, ["a", "b"])
    assert alike.collapsed
    assert alike.predicted_counts == (3, 0)
    assert alike.mcc == 0.0
    assert alike.f1 == 0.0
    assert alike.balanced_accuracy == 0.5
    # The unlabelled row is predicted otherwise, so the classifier has not collapsed.
    other = score(["a", "b", None], [[0.9, 0.1], [0.9, 0.1], [0.1, 0.9]], ["a", "b"])
    assert not other.collapsed


def test_ties_go_to_the_first_class() -> None:
    result = score(["b", "b"], [[0.5, 0.5], [0.5, 0.5]], ["a", "b"])
    assert result.predicted_counts == (2, 0)
    three = score(["c", "b"], [[0.2, 0.4, 0.4], [0.2, 0.4, 0.4]], ["a", "b", "c"])
    assert three.predicted_counts == (0, 2, 0)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_rows_without_label_are_left_out_and_counted(missing: object) -> None:
    y, proba, classes = random_case(0, 2, n=40)
    holes = y.copy()
    holes[::4] = missing
    kept = np.arange(40) % 4 != 0
    result = score(holes, proba, classes)
    alone = score(y[kept], proba[kept], classes)
    assert (result.n, result.n_unlabelled) == (30, 10)
    assert result.to_dict() | {"n_unlabelled": 0} == alone.to_dict()


def test_labels_that_are_no_class_are_left_out_and_counted() -> None:
    result = score(["a", "b", "z"], [[0.9, 0.1], [0.1, 0.9], [0.5, 0.5]], ["a", "b"])
    assert (result.n, result.n_unlabelled, result.n_unknown_class) == (2, 0, 1)
    assert result.accuracy == 1.0


@pytest.mark.parametrize("label", ["a", "b"])
def test_one_class_present(label: str) -> None:
    proba = [[0.9, 0.1], [0.2, 0.8]]
    result = score([label, label], proba, ["a", "b"])
    assert result.roc_auc is None
    assert result.mcc == 0.0
    assert result.accuracy == result.balanced_accuracy == 0.5
    assert json.loads(json.dumps(result.to_dict()))["roc_auc"] is None


def test_f1_of_a_positive_class_that_is_nowhere_is_undefined() -> None:
    assert score(["a", "a"], [[0.9, 0.1], [0.8, 0.2]], ["a", "b"]).f1 is None


def test_a_class_missing_from_the_truth_among_more() -> None:
    y = np.array(["a", "b", "a", "b"], dtype=object)
    proba = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7], [0.3, 0.6, 0.1]])
    result = score(y, proba, ["a", "b", "c"])
    assert result.counts == (2, 2, 0)
    assert result.balanced_accuracy == pytest.approx((0.5 + 1.0) / 2)
    present = [metrics.roc_auc_score(y == name, proba[:, i]) for i, name in enumerate("ab")]
    assert result.roc_auc == pytest.approx(np.mean(present))
    # F1: a 2/3, b 1, c 0 (predicted once, never true)
    assert result.f1 == pytest.approx((2 / 3 + 1 + 0) / 3)


def test_one_sample() -> None:
    result = score(["b"], [[0.2, 0.8]], ["a", "b"])
    assert (result.n, result.accuracy, result.f1, result.roc_auc) == (1, 1.0, 1.0, None)
    assert not result.collapsed


def test_positive_class_is_the_second_when_sorted_whatever_the_column_order() -> None:
    y, proba, classes = random_case(3, 2)
    forward = score(y, proba, classes)
    backward = score(y, proba[:, ::-1], classes[::-1])
    assert backward.positive_class == "disease"
    assert backward.f1 == pytest.approx(forward.f1)
    assert backward.roc_auc == pytest.approx(forward.roc_auc)
    assert backward.brier == pytest.approx(forward.brier)
    assert backward.confusion == tuple(row[::-1] for row in forward.confusion[::-1])


def test_numeric_classes() -> None:
    classes = np.array([0, 1])
    result = score(np.array([0.0, 1.0, np.nan]), [[0.9, 0.1], [0.4, 0.6], [0.5, 0.5]], classes)
    assert (result.n, result.n_unlabelled, result.accuracy) == (2, 1, 1.0)
    assert result.positive_class == 1


def test_to_dict_is_json_and_frozen() -> None:
    y, proba, classes = random_case(1, 3)
    result = score(y, proba.astype(np.float32), np.array(classes))
    stored = json.loads(json.dumps(result.to_dict()))
    assert stored["confusion_matrix"]["classes"] == classes
    rows = stored["confusion_matrix"]["rows_true_columns_predicted"]
    assert np.trace(rows) / np.sum(rows) == pytest.approx(stored["accuracy"])
    assert stored["counts"] == dict(zip(classes, np.sum(rows, axis=1).tolist(), strict=True))
    with pytest.raises(FrozenInstanceError):
        result.n = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("y", "proba", "classes", "part"),
    [
        (["a", "b"], [[0.5, 0.5]], ["a", "b"], "2 labels and proba 1 rows"),
        (["a"], [[0.5, 0.5]], ["a", "b", "c"], "3 columns"),
        (["a"], [[1.0]], ["a"], "two distinct classes"),
        (["a"], [[0.5, 0.5]], ["a", "a"], "two distinct classes"),
        (["a", "b"], [[0.5, 0.5], [np.nan, 0.5]], ["a", "b"], "row 1"),
        (["a"], [[0.5, 0.9]], ["a", "b"], "row 0"),
        (["a"], [[-0.5, 1.5]], ["a", "b"], "row 0"),
        ([None, np.nan], [[0.5, 0.5]] * 2, ["a", "b"], "nothing to score"),
        (["z"], [[0.5, 0.5]], ["a", "b"], "nothing to score"),
    ],
)
def test_bad_input(y: list[Any], proba: list[Any], classes: list[Any], part: str) -> None:
    with pytest.raises(InputError, match=part):
        score(y, proba, classes)
