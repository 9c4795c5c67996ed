"""Confounding of batch and label: against direct computations and known truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency, fisher_exact

from crossplate.errors import InputError
from crossplate.evaluate.trust import check_confounding
from crossplate.evaluate.trust.confounding import cramers_v


def rows_of(table: list[list[int]], replicates: int = 1) -> tuple[list[str], list[str], list[str]]:
    """Batch, label and subject of rows with these counts of subjects."""
    batch, label, subject = [], [], []
    for i, counts in enumerate(table):
        for j, count in enumerate(counts):
            for number in range(count):
                batch += [f"plate{i}"] * replicates
                label += ["case" if j else "control"] * replicates
                subject += [f"{i}-{j}-{number}"] * replicates
    return batch, label, subject


@pytest.mark.parametrize("seed", range(5))
def test_cramers_v_against_its_published_formula(seed: int) -> None:
    table = np.random.default_rng(seed).integers(1, 40, size=(3, 4))
    n = table.sum()
    phi2 = chi2_contingency(table, correction=False)[0] / n
    corrected = max(0.0, phi2 - 3 * 2 / (n - 1))
    rows, columns = 3 - 2**2 / (n - 1), 4 - 3**2 / (n - 1)
    assert cramers_v(table) == pytest.approx(np.sqrt(corrected / min(rows - 1, columns - 1)))


def test_cramers_v_at_its_ends() -> None:
    assert cramers_v(np.array([[30, 0], [0, 30]])) == pytest.approx(1.0, abs=0.02)
    assert cramers_v(np.array([[20, 20], [30, 30]])) == 0.0
    assert cramers_v(np.array([[20, 20]])) == 0.0


def test_p_is_fishers_for_two_batches_of_two_classes() -> None:
    table = [[30, 12], [14, 25]]
    found = check_confounding(*rows_of(table))
    assert found.details["p_value"] == pytest.approx(fisher_exact(table)[1])
    # Classes are sorted: "case" comes first.
    assert found.details["subjects_by_batch_and_class"] == [[12, 30], [25, 14]]


def test_p_over_random_tables_is_near_the_chi_squared_one() -> None:
    table = [[60, 40], [45, 55], [48, 52]]
    found = check_confounding(*rows_of(table))
    expected = chi2_contingency(table)[1]
    assert found.details["p_value"] == pytest.approx(expected, abs=0.02)
    assert check_confounding(*rows_of(table)) == found


def test_verdicts() -> None:
    assert check_confounding(*rows_of([[50, 50], [48, 52]])).verdict == "ok"
    assert check_confounding(*rows_of([[65, 35], [35, 65]])).verdict == "look"
    assert check_confounding(*rows_of([[85, 15], [15, 85]])).verdict == "stop"
    # Two subjects a batch prove nothing, but nothing tells batch from label either.
    assert check_confounding(*rows_of([[2, 0], [0, 2]])).verdict == "stop"


def test_replicates_are_no_evidence() -> None:
    one = check_confounding(*rows_of([[14, 6], [8, 12]]))
    five = check_confounding(*rows_of([[14, 6], [8, 12]], replicates=5))
    batch, label, _ = rows_of([[14, 6], [8, 12]], replicates=5)
    assert one == five
    assert one.verdict == "ok"
    assert check_confounding(batch, label).verdict == "look"


def test_unlabelled_rows_take_no_part() -> None:
    batch, label, subject = rows_of([[20, 15], [15, 25]])
    more = check_confounding(
        [*batch, "plate1", "plate9"], [*label, None, float("nan")], [*subject, "x", "y"]
    )
    assert more == check_confounding(batch, label, subject)


@pytest.mark.parametrize("table", [[[20, 20]], [[20, 0], [20, 0]]])
def test_not_applicable(table: list[list[int]]) -> None:
    found = check_confounding(*rows_of(table))
    assert found.verdict is None
    assert "batch and label cannot go together" in found.advice


def test_wrong_lengths() -> None:
    with pytest.raises(InputError, match="subject has 1 entries for 2 rows"):
        check_confounding(["a", "b"], ["x", "y"], ["s"])
