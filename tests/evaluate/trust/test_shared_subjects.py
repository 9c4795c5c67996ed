"""Subjects in source and target, by name and by profile."""

from __future__ import annotations

import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.evaluate.trust import check_shared_subjects
from crossplate.evaluate.trust.shared_subjects import profile_twins

N = 60
BATCH = np.repeat(["plate1", "plate2"], N)
TARGET = BATCH == "plate2"


def people(seed: int, *, shared: int, noise: float = 0.2, p: int = 60) -> np.ndarray:
    """Profiles standardised by plate; the first ``shared`` people are on both plates."""
    rng = np.random.default_rng(seed)
    person = rng.normal(size=(2 * N, p)) + 0.5 * rng.normal(size=(2 * N, 5)) @ rng.normal(
        size=(5, p)
    )
    person[N : N + shared] = person[:shared]
    x = person + noise * rng.normal(size=person.shape)
    x[TARGET] = 2 * x[TARGET] + rng.normal(size=p)
    for rows in (TARGET, ~TARGET):
        x[rows] = (x[rows] - x[rows].mean(axis=0)) / x[rows].std(axis=0)
    return x


@pytest.mark.parametrize("seed", range(5))
def test_twins_are_found_and_only_they(seed: int) -> None:
    z = people(seed, shared=3)
    assert profile_twins(z[~TARGET], z[TARGET]) == [(0, 0), (1, 1), (2, 2)]
    z = people(seed, shared=0)
    assert profile_twins(z[~TARGET], z[TARGET]) == []


@pytest.mark.parametrize("p", [2, 5, 500])
def test_no_twins_among_unrelated_people_in_any_dimension(p: int) -> None:
    false = 0
    for seed in range(20):
        z = np.random.default_rng(seed).standard_t(4, size=(2 * N, p))
        false += bool(profile_twins(z[~TARGET], z[TARGET]))
    assert false <= 1


def test_exact_copies_are_twins() -> None:
    z = people(0, shared=0)
    z[N] = z[7]
    assert profile_twins(z[~TARGET], z[TARGET]) == [(0, 7)]


def test_equal_rows_throughout_are_no_twins() -> None:
    assert profile_twins(np.zeros((20, 3)), np.zeros((20, 3))) == []


def test_names() -> None:
    subject = np.array([f"s{i}" for i in range(2 * N)], dtype=object)
    assert check_shared_subjects(TARGET, BATCH, subject).verdict == "ok"
    subject[N] = "s4"
    found = check_shared_subjects(TARGET, BATCH, subject)
    assert found.verdict == "look"
    assert found.figure == pytest.approx(1 / N)
    assert found.details["names"] == ["s4"]
    assert found.details["profiles_compared"] is False
    subject[N:] = subject[:N]
    assert check_shared_subjects(TARGET, BATCH, subject).verdict == "stop"


def test_numbers_serve_as_names() -> None:
    subject = np.arange(2 * N)
    assert check_shared_subjects(TARGET, BATCH, subject).verdict == "ok"
    assert check_shared_subjects(TARGET, BATCH, subject % N).details["by_name"] == N


def test_profiles_beside_names() -> None:
    z = people(1, shared=2)
    subject = np.array([f"s{i}" for i in range(2 * N)], dtype=object)
    found = check_shared_subjects(TARGET, BATCH, subject, z)
    assert found.verdict == "look"
    assert found.details["pairs"] == [[f"s{N}", "s0"], [f"s{N + 1}", "s1"]]
    subject[N] = "s0"
    found = check_shared_subjects(TARGET, BATCH, subject, z)
    assert (found.details["by_name"], found.details["by_profile"]) == (1, 1)
    assert found.figure == pytest.approx(2 / N)


def test_without_subjects_never_ok() -> None:
    found = check_shared_subjects(TARGET, BATCH, None, people(0, shared=0))
    assert found.verdict is None
    assert "no subject column" in found.advice
    assert check_shared_subjects(TARGET, BATCH, None, people(0, shared=2)).verdict == "look"


def test_replicates_are_averaged() -> None:
    z = np.repeat(people(2, shared=2, noise=0.1), 3, axis=0)
    z += 0.3 * np.random.default_rng(0).normal(size=z.shape)
    subject = np.repeat([f"s{i}" for i in range(2 * N)], 3)
    found = check_shared_subjects(np.repeat(TARGET, 3), np.repeat(BATCH, 3), subject, z)
    assert found.details["by_profile"] == 2


def test_missing_values_are_refused() -> None:
    z = people(0, shared=0)
    z[3, 4] = np.nan
    with pytest.raises(InputError, match="row 3, column 4"):
        check_shared_subjects(TARGET, BATCH, None, z)
