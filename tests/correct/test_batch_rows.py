import numpy as np
import pytest

from crossplate import InputError
from crossplate.correct.batch_rows import (
    largest_batch,
    need_two_rows,
    pooled_scale,
    rows_by_batch,
)

BATCH = np.array(["b", "a", "b", "a", "c"])


def test_rows_by_batch():
    found = {name: rows.tolist() for name, rows in rows_by_batch(BATCH)}
    assert found == {"a": [1, 3], "b": [0, 2], "c": [4]}
    assert list(found) == ["a", "b", "c"]


def test_largest_batch_of_equal_ones_the_first_by_name():
    assert largest_batch(BATCH) == "a"
    assert largest_batch(np.append(BATCH, "b")) == "b"


def test_need_two_rows():
    need_two_rows("a", np.array([1, 2]))
    with pytest.raises(InputError, match="batch 'a' has one row"):
        need_two_rows("a", np.array([1]))


def test_pooled_scale_by_hand():
    x = np.array([[1.0, 0.1], [7.0, 0.1], [3.0, 0.1], [9.0, 0.1], [100.0, 0.1]])
    # squared deviations: b 1 + 1, a 1 + 1, c 0, over 5 rows; the second does not vary
    np.testing.assert_allclose(pooled_scale(x, BATCH), [np.sqrt(4 / 5), 1.0])


def test_pooled_scale_takes_rounding_for_no_spread():
    x = np.full((1000, 1), 0.1)
    assert pooled_scale(x, np.repeat(["a", "b"], 500))[0] == 1.0
