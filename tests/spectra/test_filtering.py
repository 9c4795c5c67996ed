import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.spectra.binning import BinningSettings, bin_peaks
from crossplate.spectra.filtering import frequent, frequent_centres
from crossplate.spectra.peaks import PeakList


@pytest.fixture
def bins():
    """Ten spectra; bin k (at m/z 1000 + 100 k) has a peak in the first k + 1 of them."""
    lists = [1000.0 + 100.0 * np.arange(first, 10.0) for first in range(10)]
    return bin_peaks([PeakList(mz, mz, mz) for mz in lists], BinningSettings())


@pytest.mark.parametrize("count", range(11))
def test_share_of_the_spectra_counts(bins, count):
    kept = frequent(bins, count / 10)
    assert kept.sum() == 10 - max(count - 1, 0)
    np.testing.assert_allclose(frequent_centres(bins, count / 10), bins.centre[kept])


def test_frequency_out_of_range_is_refused(bins):
    with pytest.raises(InputError, match="between 0 and 1"):
        frequent(bins, 25.0)
