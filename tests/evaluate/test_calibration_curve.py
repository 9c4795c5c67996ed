"""Calibration: bins and errors by hand, what chance makes of a calibrated classifier."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve as sklearn_curve
from sklearn.metrics import brier_score_loss

from crossplate.errors import InputError
from crossplate.evaluate.calibration_curve import calibration


def binary_case(seed: int, n: int, steepness: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn with calibrated probabilities; these made too extreme by ``steepness``."""
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=n)
    y = (rng.random(n) < expit(logits)).astype(int)
    p = expit(steepness * logits)
    return y, np.column_stack([1 - p, p])


@pytest.mark.parametrize("seed", range(3))
def test_curve_and_brier_score_agree_with_sklearn(seed: int) -> None:
    y, p = binary_case(seed, 400)
    found = calibration(y, p, [0, 1])
    observed, predicted = sklearn_curve(y, p[:, 1], n_bins=10, strategy="quantile")
    frame = found.to_frame()
    np.testing.assert_allclose(frame["observed"], observed)
    np.testing.assert_allclose(frame["predicted"], predicted)
    assert frame["n"].tolist() == [40] * 10
    assert found.ece == pytest.approx(np.mean(np.abs(observed - predicted)))
    assert found.brier == pytest.approx(brier_score_loss(y, p[:, 1]))
    assert json.loads(json.dumps(found.to_dict()))["n"] == 400


def test_intervals_of_independent_rows_are_wilsons() -> None:
    y, p = binary_case(0, 300)
    for one in calibration(y, p, [0, 1]).curve:
        exact = binomtest(round(one.observed * one.n), one.n).proportion_ci(0.95, "wilson")
        # The variance over rows has the divisor n - 1, so an interval may be a little wider.
        assert one.low == pytest.approx(exact.low, abs=0.01)
        assert one.high == pytest.approx(exact.high, abs=0.01)


@pytest.mark.parametrize("seed", range(2))
def test_a_calibrated_classifier_errs_as_chance_says(seed: int) -> None:
    errors, chance, above, inside = [], [], [], []
    for study in range(20):
        y, p = binary_case(100 * seed + study, 150)
        found = calibration(y, p, [0, 1], random_state=study)
        errors.append(found.ece)
        chance.append(found.ece_calibrated)
        above.append(found.ece > found.ece_calibrated_95)
        inside += [one.low <= one.predicted <= one.high for one in found.curve]
    assert np.mean(errors) == pytest.approx(np.mean(chance), rel=0.2)
    assert np.mean(above) <= 0.2
    assert 0.9 < np.mean(inside) <= 0.99


def test_probabilities_that_are_too_extreme_are_seen() -> None:
    y, p = binary_case(1, 600, steepness=2.5)
    found = calibration(y, p, [0, 1])
    assert found.ece > 2 * found.ece_calibrated_95
    assert found.curve[2].observed > found.curve[2].predicted
    assert found.curve[7].observed < found.curve[7].predicted


def test_replicates_widen_the_intervals() -> None:
    y, p = binary_case(2, 150)
    who = np.repeat(np.arange(150), 4)
    once = calibration(y, p, [0, 1])
    four = calibration(np.repeat(y, 4), np.repeat(p, 4, axis=0), [0, 1], subject=who)
    rows = calibration(np.repeat(y, 4), np.repeat(p, 4, axis=0), [0, 1])
    assert four.ece == pytest.approx(once.ece)
    assert four.ece_calibrated == pytest.approx(once.ece_calibrated)
    assert rows.ece_calibrated < 0.7 * four.ece_calibrated
    for one, other, narrow in zip(once.curve, four.curve, rows.curve, strict=True):
        assert (one.low, one.high) == (pytest.approx(other.low), pytest.approx(other.high))
        assert narrow.high - narrow.low < other.high - other.low


def test_cells_of_a_subject_may_have_labels_of_their_own() -> None:
    y, p = binary_case(3, 400)
    who = np.arange(400) % 20
    mixed, alone = (calibration(y, p, [0, 1], subject=s) for s in (who, None))
    assert mixed.ece_calibrated == pytest.approx(alone.ece_calibrated, rel=0.6)
    assert len(mixed.curve) == 2  # twenty subjects, ten a bin


def test_more_classes_are_judged_one_against_the_rest() -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), size=300)
    y = (rng.random((300, 1)) > np.cumsum(p, axis=1)).sum(axis=1)
    found = calibration(np.array(list("abc"), dtype=object)[y], p, list("abc"))
    assert [one.class_name for one in found.curve] == ["a"] * 10 + ["b"] * 10 + ["c"] * 10
    by_class = found.to_frame().assign(gap=lambda f: (f["observed"] - f["predicted"]).abs())
    assert found.ece == pytest.approx(by_class.groupby("class")["gap"].mean().mean())
    assert found.ece < 1.5 * found.ece_calibrated_95


def test_equal_probabilities_share_a_bin() -> None:
    y = np.array([0, 1] * 50)
    found = calibration(y, np.full((100, 2), 0.5), [0, 1])
    assert [(one.n, one.predicted, one.observed) for one in found.curve] == [(100, 0.5, 0.5)]
    assert found.ece == 0.0


def test_bad_input() -> None:
    with pytest.raises(InputError, match="n_bins is 0"):
        calibration([0, 1], np.full((2, 2), 0.5), [0, 1], n_bins=0)
