import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.spectra.peaks import PeakSettings, detect_peaks, local_maxima, vertices

# The maxima that MALDIquant 1.22 finds with half window 3, counted from 0.
COUNTS = [int(digit) for digit in "032010221122000111120200001001110320321111233313021033023112"]
MAXIMA = [1, 6, 15, 19, 26, 33, 43, 52]


def by_definition(raw, half_window):
    padded = np.r_[np.zeros(half_window), raw, np.zeros(half_window)]
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half_window + 1)
    return np.flatnonzero(windows.argmax(axis=1) == half_window)


def test_equal_points_as_maldiquant_treats_them():
    np.testing.assert_array_equal(local_maxima(np.array(COUNTS, dtype=float), 3), MAXIMA)


@pytest.mark.parametrize("seed", range(20))
def test_maxima_as_they_are_defined(seed):
    rng = np.random.default_rng(seed)
    half_window = int(rng.integers(1, 9))
    for raw in (rng.integers(-4, 5, 300).astype(float), rng.normal(size=300)):
        np.testing.assert_array_equal(
            local_maxima(raw, half_window), by_definition(raw, half_window)
        )
        found = by_definition(raw, half_window)
        np.testing.assert_array_equal(local_maxima(raw, half_window, 1.0), found[raw[found] > 1.0])


def test_flat_spectrum_has_no_maximum():
    assert not local_maxima(np.zeros(30), 3).size


def test_peaks_rise_above_the_noise():
    mz, raw = np.arange(11.0), np.array([0.0, 0, 3, 0, 0, 3.1, 0, 0, 9, 0, 0])
    peaks = detect_peaks(mz, raw, 1.0, PeakSettings(1, 3.0))
    np.testing.assert_array_equal(peaks.mz, [5, 8])
    np.testing.assert_array_equal(peaks.intensity, [3.1, 9])
    np.testing.assert_array_equal(
        detect_peaks(mz, raw, 0.5, PeakSettings(1, 3.0)).snr, [6, 6.2, 18]
    )
    assert len(detect_peaks(mz, raw, 100.0, PeakSettings(1, 3.0, "vertex"))) == 0


@pytest.mark.parametrize("offset", [-0.4, 0.0, 0.13, 0.45])
@pytest.mark.parametrize("width", [1.5, 4.0, 30.0])
def test_vertex_lies_between_the_points(offset, width):
    mz = 1000.0 + 0.7 * np.arange(400.0)
    true = mz[150] + 0.7 * offset
    raw = 50.0 * np.exp(-0.5 * ((mz - true) / (0.7 * width)) ** 2)
    highest = np.array([int(raw.argmax())])
    found = vertices(mz, raw, highest, 20)
    # the narrowest peak has few points, on which its flanks tell
    assert abs(found[0] - true) < (0.1 if width < 2.0 else 0.01) * 0.7
    assert abs(found[0] - true) <= abs(mz[highest[0]] - true) + 1e-9


@pytest.mark.parametrize("half_window", [1, 2, 5, 20])
@pytest.mark.parametrize("seed", range(3))
def test_vertices_keep_their_order_and_stay_near(half_window, seed):
    rng = np.random.default_rng(seed)
    mz = np.cumsum(rng.uniform(0.5, 1.0, 2000))
    raw = rng.gamma(1.0, 1.0, 2000)
    at = local_maxima(raw, half_window)
    found = vertices(mz, raw, at, half_window)
    assert (np.diff(found) > 0.0).all()
    assert (np.abs(found - mz[at]) <= half_window / 2).all()


def test_vertex_at_the_edge_of_the_spectrum():
    mz, raw = np.arange(40.0), np.exp(-np.arange(40.0))
    np.testing.assert_array_equal(vertices(mz[:2], raw[:2], np.array([0]), 4), [0.0])
    found = vertices(mz, raw[::-1], np.array([39]), 6)
    assert 36.0 <= found[0] <= 39.0


def test_what_has_no_peaks_is_refused():
    mz, raw = np.arange(11.0), np.zeros(11)
    with pytest.raises(InputError, match="zero suppression"):
        detect_peaks(mz, raw, 0.0, PeakSettings(1))
    with pytest.raises(InputError, match="needs 41 points"):
        detect_peaks(mz, raw, 1.0, PeakSettings(20))
    with pytest.raises(InputError, match="half_window >= 1"):
        PeakSettings(half_window=0)
