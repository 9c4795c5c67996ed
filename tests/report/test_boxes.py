"""Box plots as a few numbers."""

import numpy as np
import pytest

from crossplate.evaluate.subject_values import SubjectValues
from crossplate.report.boxes import MOST_OUTLIERS, box_plots


def values_of(medians, batch, label):
    medians = np.asarray(medians, dtype=float)
    names = tuple(f"f{column}" for column in range(medians.shape[1]))
    return SubjectValues(medians, np.array(batch, object), np.array(label, object), names)


@pytest.mark.parametrize("seed", range(3))
def test_boxes_are_those_of_matplotlib(seed):
    from matplotlib.cbook import boxplot_stats

    rng = np.random.default_rng(seed)
    x = rng.standard_t(2, size=(60, 2))
    made = box_plots(values_of(x, ["a"] * 60, ["u", "v"] * 30), ["f1", "unknown"])
    assert made.batches == ("a",)
    assert made.labels == ("u", "v")
    assert list(made.features) == ["f1"]
    for place, box in enumerate(made.features["f1"]):
        (expected,) = boxplot_stats(x[place::2, 1])
        assert box.n == 30
        assert (box.q1, box.median, box.q3) == pytest.approx(
            (expected["q1"], expected["med"], expected["q3"])
        )
        assert (box.low, box.high) == pytest.approx((expected["whislo"], expected["whishi"]))
        outliers = sorted(expected["fliers"], key=lambda one: -abs(one - box.median))
        assert sorted(box.outliers) == pytest.approx(sorted(outliers[:MOST_OUTLIERS]))


def test_groups_without_values_have_no_box():
    made = box_plots(values_of([[1.0], [np.nan], [3.0]], ["a", "a", "b"], ["u", "v", "v"]), ["f0"])
    au, av, bu, bv = made.features["f0"]
    assert av is None
    assert bu is None
    assert (au.n, au.low, au.median, au.high, au.outliers) == (1, 1.0, 1.0, 1.0, ())
    assert bv.median == 3.0
