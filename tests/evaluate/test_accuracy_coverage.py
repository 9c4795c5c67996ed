"""Accuracy of the surest rows: by hand, against a plain loop, in cases without an order."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit

from crossplate.errors import InputError
from crossplate.evaluate import accuracy_coverage


def test_four_rows_by_hand() -> None:
    p = np.array([[0.9, 0.1], [0.2, 0.8], [0.65, 0.35], [0.45, 0.55]])
    found = accuracy_coverage(["a", "b", "b", "b"], p, ["a", "b"], coverages=(1.0, 0.75, 0.5, 0.1))
    assert [point.n for point in found.curve] == [4, 3, 2, 1]
    assert [point.accuracy for point in found.curve] == pytest.approx([0.75, 2 / 3, 1.0, 1.0])
    assert found.aurc == pytest.approx((0 + 0 + 1 / 3 + 1 / 4) / 4)
    assert found.error == pytest.approx(0.25)
    assert json.loads(json.dumps(found.to_dict()))["curve"][1]["n"] == 3
    assert list(found.to_frame()) == ["coverage", "n", "accuracy"]


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_a_plain_loop_over_three_classes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(3), size=120)
    truth = np.array(["x", "y", "z", "unseen"])[rng.integers(4, size=120)].astype(object)
    truth[::10] = None
    found = accuracy_coverage(truth, p, ["x", "y", "z"])
    kept = [(row, label) for row, label in zip(p, truth, strict=True) if label in ("x", "y", "z")]
    kept.sort(key=lambda each: -each[0].max())
    right = ["xyz"[row.argmax()] == label for row, label in kept]
    assert found.n == len(right)
    for point in found.curve:
        assert point.accuracy == pytest.approx(np.mean(right[: point.n]))
    risks = [1 - np.mean(right[:k]) for k in range(1, len(right) + 1)]
    assert found.aurc == pytest.approx(np.mean(risks))


def test_equally_sure_rows_have_no_order() -> None:
    p = np.tile([0.7, 0.3], (10, 1))
    truth = np.array([0] * 6 + [1] * 4)
    for order in (slice(None), slice(None, None, -1)):
        found = accuracy_coverage(truth[order], p, [0, 1])
        assert [point.accuracy for point in found.curve] == pytest.approx([0.6] * 10)
        assert found.aurc == pytest.approx(found.error) == pytest.approx(0.4)


@pytest.mark.parametrize("seed", range(3))
def test_a_steeper_probability_changes_nothing_and_a_good_order_gains(seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=500) * 2
    y = (rng.random(500) < expit(logits)).astype(int)
    one, steep = (
        accuracy_coverage(y, np.column_stack([expit(-f * logits), expit(f * logits)]), [0, 1])
        for f in (1.0, 1.5)
    )
    assert one == steep
    assert one.curve[5].accuracy > one.curve[0].accuracy + 0.05
    assert one.aurc < one.error


@pytest.mark.parametrize("share", [0.0, 1.5, float("nan")])
def test_refuses_shares_that_are_none(share: float) -> None:
    with pytest.raises(InputError, match="coverages"):
        accuracy_coverage([0, 1], [[1, 0], [0, 1]], [0, 1], coverages=[1.0, share])
