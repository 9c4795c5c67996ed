import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.spectra.checking import (
    check_half_window,
    check_points,
    check_signal,
    clipped_points,
)

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("mz", "intensity", "message"),
    [
        ([], [], "empty"),
        ([1.0, 2.0], [1.0], "one intensity for each m/z"),
        ([1.0, NAN, 3.0], [1.0, 2.0, 3.0], "1 of 3 m/z values are missing or infinite"),
        ([1.0, 2.0, 3.0], [NAN, INF, 3.0], "2 of 3 intensity values are missing or infinite"),
        ([1.0, 3.0, 2.0], [1.0, 2.0, 3.0], "m/z 3 at point 2 is followed by 2"),
        ([1.0, 2.0, 2.0], [1.0, 2.0, 3.0], "m/z 2 at point 2 stands twice"),
    ],
)
def test_what_is_no_spectrum_is_refused_in_one_sentence(mz, intensity, message):
    with pytest.raises(InputError, match=message) as caught:
        check_points(np.array(mz), np.array(intensity))
    assert "\n" not in str(caught.value)
    assert ". " not in str(caught.value)


def test_a_spectrum_passes():
    check_points(np.array([1.0]), np.array([-2.0]))
    check_points(np.arange(5.0), np.zeros(5))


@pytest.mark.parametrize(("half_window", "message"), [(0, "at least 1"), (3, "needs 7 points")])
def test_windows_that_do_not_fit_are_refused(half_window, message):
    check_half_window(2, 5, "x")
    with pytest.raises(InputError, match=message):
        check_half_window(half_window, 5, "x")


def test_clipped_points_are_runs_at_the_maximum():
    top = 9.0
    lone = np.array([1, top, 2, top, top, 3, 1])
    assert clipped_points(lone) == 0
    assert clipped_points(np.array([top, top, top, 2, top, top, 1, top, top, top, top])) == 7


def test_flat_and_saturated_spectra_are_refused():
    with pytest.raises(InputError, match="all intensities are 3"):
        check_signal(np.full(10, 3.0), None)
    saturated = np.minimum(np.r_[np.arange(50.0), np.arange(50.0)[::-1]], 40.0)
    check_signal(saturated, 20)
    check_signal(saturated, None)
    with pytest.raises(InputError, match="saturated, 20 points stand at its maximum of 40"):
        check_signal(saturated, 10)
