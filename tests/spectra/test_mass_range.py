import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.spectra.mass_range import trim


def test_both_ends_are_kept():
    mz = np.arange(10.0)
    cut_mz, cut = trim(mz, 2 * mz, 3.0, 6.0)
    np.testing.assert_array_equal(cut_mz, [3, 4, 5, 6])
    np.testing.assert_array_equal(cut, [6, 8, 10, 12])


def test_a_range_without_points_is_refused():
    mz = np.arange(10.0)
    with pytest.raises(InputError, match="covers 0 to 9"):
        trim(mz, mz, 20.0, 30.0)
    with pytest.raises(InputError, match="lower end first"):
        trim(mz, mz, 6.0, 3.0)
    with pytest.raises(InputError, match="it is empty"):
        trim(mz[:0], mz[:0], 3.0, 6.0)
