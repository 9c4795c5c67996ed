import numpy as np

from crossplate.correct.no_correction import NoCorrection

from .plates import make_plates


def test_rows_come_back_as_they_are_in_an_array_of_their_own():
    x, batch = make_plates(0, missing=0.1)
    corrector = NoCorrection().fit(x, batch=batch)
    corrected = corrector.transform(x, batch=batch)
    np.testing.assert_array_equal(corrected, x)
    assert not np.shares_memory(corrected, x)
    np.testing.assert_array_equal(corrector.transform(x, batch=["new"] * len(x)), x)
