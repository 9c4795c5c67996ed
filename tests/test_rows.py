"""Rows as users give them: numbers of subjects, and labels shuffled by subject."""

import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.rows import shuffled_codes, subject_numbers


def test_subjects_are_numbered_in_order_of_appearance():
    rows = np.array([True, False, True, True, True])
    numbers = subject_numbers(["b", None, "a", "b", "c"], rows)
    assert numbers.tolist() == [0, 1, 0, 2]
    assert subject_numbers(None, rows).tolist() == [0, 1, 2, 3]


def test_subjects_that_are_missing_or_too_few():
    with pytest.raises(InputError, match=r"1 rows have no subject \(first: row 3\)"):
        subject_numbers(["a", None, None], np.array([True, False, True]))
    with pytest.raises(InputError, match="2 entries for 3 rows"):
        subject_numbers(["a", "b"], np.ones(3, dtype=bool))


@pytest.mark.parametrize("seed", range(3))
def test_labels_move_with_the_subject_and_within_the_batch(seed):
    subject = np.repeat([f"s{i}" for i in range(30)], 2)
    batch = np.repeat([0, 1, 2], 20)
    codes = np.repeat(np.random.default_rng(seed).integers(0, 2, 30), 2)
    codes[40:] = -1
    shuffled = shuffled_codes(codes, batch, subject, np.random.default_rng(seed))
    assert (shuffled[::2] == shuffled[1::2]).all()
    assert (shuffled[40:] == -1).all()
    for number in (0, 1):
        assert shuffled[batch == number].sum() == codes[batch == number].sum()
    assert (shuffled != codes).any()


def test_without_subjects_every_row_moves_alone():
    codes = np.r_[np.zeros(20, dtype=np.int64), np.ones(20, dtype=np.int64)]
    shuffled = shuffled_codes(codes, np.repeat("a", 40), None, np.random.default_rng(0))
    assert shuffled.sum() == 20
    assert 0 < (shuffled != codes).sum() < 40


def test_contradicting_labels_of_a_subject():
    with pytest.raises(InputError, match="subject 's1' has samples with different labels"):
        shuffled_codes(
            np.array([0, 1, 1]),
            np.zeros(3),
            np.array(["s1", "s1", "s2"]),
            np.random.default_rng(0),
        )
