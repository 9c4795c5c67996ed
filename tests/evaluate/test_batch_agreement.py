"""What batches have in common, worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact, spearmanr

from crossplate.evaluate.batch_agreement import agreement_of, intersections_of

BATCHES = ("p", "q", "r")
SELECTED = np.array(
    [
        [True, True, True, False, False],
        [True, True, False, True, False],
        [True, False, False, False, False],
    ]
)


def effects(*values: list[float]) -> list[pd.DataFrame]:
    """Effects of two labels, each the other's mirror image."""
    return [
        pd.DataFrame([[-v for v in row], row], index=["a", "b"], columns=list("vwxyz"))
        for row in values
    ]


GIVEN = effects(
    [0.5, 0.6, 0.7, 0.1, 0.0], [0.4, -0.5, 0.1, -0.6, 0.1], [0.9, 0.2, -0.1, 0.0, np.nan]
)


def test_intersections() -> None:
    found = intersections_of(SELECTED, GIVEN, BATCHES)
    assert [(one.batches, one.features, one.n_same_direction) for one in found] == [
        (("p", "q", "r"), ("v",), 1),
        (("p", "q"), ("w",), 0),
        (("p",), ("x",), 1),
        (("q",), ("y",), 1),
        (("r",), (), 0),
    ]
    assert found[1].to_dict()["features"] == ["w"]


def test_agreement_of_pairs() -> None:
    table = agreement_of(SELECTED, GIVEN, BATCHES)
    assert table[["batch_a", "batch_b"]].to_numpy().tolist() == [["p", "q"], ["p", "r"], ["q", "r"]]
    first = table.iloc[0]
    assert (first["n_a"], first["n_b"], first["n_both"], first["n_either"]) == (3, 3, 2, 4)
    assert first["expected_both"] == pytest.approx(9 / 5)
    assert first["n_same_direction"] == 2  # v and x
    exact = fisher_exact([[2, 1], [1, 1]], alternative="greater").pvalue
    assert first["p_both"] == pytest.approx(exact)
    whole = spearmanr(GIVEN[0].to_numpy().ravel(), GIVEN[1].to_numpy().ravel()).statistic
    assert first["effect_correlation"] == pytest.approx(whole)


def test_direction_of_several_labels_is_that_on_the_whole() -> None:
    one = pd.DataFrame([[0.9], [-0.8], [-0.1]], index=list("abc"), columns=["f"])
    other = pd.DataFrame([[0.8], [-0.9], [0.1]], index=list("abc"), columns=["f"])
    both = np.array([[True], [True]])
    assert intersections_of(both, [one, other], ("p", "q"))[0].n_same_direction == 1
    assert intersections_of(both, [one, -other], ("p", "q"))[0].n_same_direction == 0


def test_batches_without_a_common_label() -> None:
    a = pd.DataFrame([[0.5, 0.1]], index=["a"], columns=["f", "g"])
    b = pd.DataFrame([[0.5, 0.1]], index=["b"], columns=["f", "g"])
    table = agreement_of(np.ones((2, 2), dtype=bool), [a, b], ("p", "q"))
    assert table.loc[0, "n_same_direction"] == 0
    assert np.isnan(table.loc[0, "effect_correlation"])


def test_one_batch_has_no_pairs() -> None:
    table = agreement_of(SELECTED[:1], GIVEN[:1], ("p",))
    assert table.empty
    assert "effect_correlation" in table.columns
