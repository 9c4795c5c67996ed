"""The checked constructor: what is put in order and what is refused, with a sentence each."""

import pickle

import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.spectra.spectrum import Spectrum, place


def test_points_are_kept_as_float64_copies_that_cannot_be_written():
    mz, intensity = np.array([100, 200, 300], dtype=np.int32), np.array([1, -2, 3], np.float32)
    spectrum = Spectrum.of(mz, intensity, "a", source="a.csv")
    mz[0] = 7
    assert spectrum.mz.tolist() == [100.0, 200.0, 300.0]
    assert spectrum.intensity.tolist() == [1.0, -2.0, 3.0]
    assert spectrum.mz.dtype == spectrum.intensity.dtype == np.float64
    assert (spectrum.name, spectrum.source, spectrum.n_points) == ("a", "a.csv", 3)
    with pytest.raises(ValueError, match="read-only"):
        spectrum.intensity[0] = 0.0


def test_points_from_high_to_low_are_turned_round():
    spectrum = Spectrum.of([300.0, 200.0, 100.0], [3.0, 2.0, 1.0], "a")
    assert spectrum.mz.tolist() == [100.0, 200.0, 300.0]
    assert spectrum.intensity.tolist() == [1.0, 2.0, 3.0]


def test_one_point_is_a_spectrum():
    assert Spectrum.of([0.0], [0.0], "a").n_points == 1


def test_a_spectrum_can_be_sent_to_another_process():
    spectrum = pickle.loads(pickle.dumps(Spectrum.of([1.0, 2.0], [3.0, 4.0], "a")))
    assert spectrum.mz.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("mz", "intensity", "said"),
    [
        ([], [], "the spectrum is empty"),
        ([1.0, 2.0], [1.0], "there are 2 m/z values but 1 intensities"),
        ([1.0, np.nan, 3.0], [1.0, 1.0, 1.0], r"m/z of point 2 is missing \(NaN\)"),
        ([1.0, np.inf], [1.0, 1.0], "m/z of point 2 is infinite"),
        ([1.0, 2.0, 3.0], [np.nan, 1.0, np.nan], r"point 1 is missing \(NaN\) .*2 of 3"),
        ([1.0, 2.0], [1.0, -np.inf], "intensity of point 2 is infinite"),
        ([-1.0, 2.0], [1.0, 1.0], r"first point is negative \(-1\)"),
        ([1.0, 3.0, 2.0, 4.0], [1.0] * 4, "not in order, 3 at point 2 is followed by 2 "),
        ([1.0, 2.0, 2.0, 2.0], [1.0] * 4, r"m/z 2 stands twice \(such points: 2 of 4\)"),
        ([3.0, 2.0, 2.0], [1.0] * 3, "m/z 2 stands twice"),
        ([[1.0, 2.0]], [1.0, 2.0], r"m/z values have shape \(1, 2\)"),
        (["a", "b"], [1.0, 2.0], "m/z values are not all numbers"),
    ],
)
def test_bad_points_are_refused_in_one_sentence_that_names_the_file(mz, intensity, said):
    with pytest.raises(InputError, match=rf"^x/a\.csv: .*{said}") as caught:
        Spectrum.of(mz, intensity, "a", source="x/a.csv")
    assert ". " not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "source", "expected"),
    [
        ("a", "", "spectrum a"),
        ("a", "a.mzML", "a.mzML"),
        ("a", "plate1/a.mzML", "plate1/a.mzML"),
        ("plate_3", "plate.mzML", "plate.mzML, spectrum plate_3"),
        ("A1/0_A1", "A1/0_A1/fid", "A1/0_A1/fid"),
    ],
)
def test_the_file_is_named_and_the_spectrum_where_it_is_one_of_several(name, source, expected):
    assert place(name, source) == expected
