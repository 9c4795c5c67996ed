"""Calls left open below a confidence chosen on the source."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from crossplate.errors import InputError
from crossplate.evaluate.trust import NOT_CALLED, call, calling_threshold

NAMES = np.array(["case", "control"], dtype=object)


def calibrated(seed: int, n: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Probabilities that are true, and labels drawn from them."""
    rng = np.random.default_rng(seed)
    second = rng.beta(0.7, 0.7, size=n)
    label = NAMES[(rng.random(n) < second).astype(int)]
    return pd.DataFrame({"case": 1 - second, "control": second}), label


def test_threshold_against_all_thresholds() -> None:
    proba, label = calibrated(0, 400)
    found = calling_threshold(proba, label, wanted_accuracy=0.9)
    confidence = proba.max(axis=1).to_numpy()
    right = proba.idxmax(axis=1).to_numpy() == label
    good = []
    for threshold in np.sort(confidence):
        sure = confidence >= threshold
        if ((~right[sure]).sum() + 1) / (sure.sum() + 1) <= 0.1:
            good.append(threshold)
    assert found.threshold == good[0]
    assert found.source_coverage == pytest.approx((confidence >= good[0]).mean())
    assert found.source_accuracy == pytest.approx(right[confidence >= good[0]].mean())


@pytest.mark.parametrize("wanted", [0.8, 0.9, 0.95])
def test_called_samples_are_as_accurate_as_wanted_on_average(wanted: float) -> None:
    reached, covered = [], []
    for seed in range(60):
        calling = calling_threshold(*calibrated(seed, 200), wanted_accuracy=wanted)
        proba, label = calibrated(1000 + seed, 2000)
        called, coverage = call(proba, calling)
        sure = (called != NOT_CALLED).to_numpy()
        covered.append(coverage)
        assert coverage == pytest.approx(sure.mean())
        if sure.any():
            reached.append((called[sure] == label[sure]).mean())
    assert np.mean(reached) > wanted - 0.01
    assert np.mean(covered) > 0.3


def test_equal_confidences_are_called_together() -> None:
    proba = pd.DataFrame({"case": [0.9] * 40, "control": [0.1] * 40})
    label = NAMES[np.array([0] * 30 + [1] * 10)]
    assert calling_threshold(proba, label, wanted_accuracy=0.95).threshold is None
    assert calling_threshold(proba, label, wanted_accuracy=0.7).source_coverage == 1.0


def test_too_few_samples_call_nothing() -> None:
    proba = pd.DataFrame({"case": [1.0] * 18, "control": [0.0] * 18})
    found = calling_threshold(proba, ["case"] * 18, wanted_accuracy=0.95)
    assert found.threshold is None
    called, coverage = call(proba, found)
    assert set(called) == {NOT_CALLED}
    assert coverage == 0.0
    assert json.loads(json.dumps(found.to_dict()))["source_accuracy"] is None


def test_rows_without_label_or_probability_are_left_out() -> None:
    proba, label = calibrated(0, 100)
    more = pd.concat([proba, proba[:5], pd.DataFrame({"case": [np.nan], "control": [np.nan]})])
    found = calling_threshold(more, [*label, *[None] * 5, "case"], wanted_accuracy=0.8)
    assert found == calling_threshold(proba, label, wanted_accuracy=0.8)


@pytest.mark.parametrize("wanted", [0.0, 1.0, 1.5])
def test_accuracy_out_of_range(wanted: float) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        calling_threshold(*calibrated(0, 50), wanted_accuracy=wanted)


def test_no_label() -> None:
    with pytest.raises(InputError, match="No row has a label"):
        calling_threshold(calibrated(0, 5)[0], [None] * 5)
