"""Flex folders written byte by byte, against numbers of readBrukerFlexData and the formula."""

from pathlib import Path

import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.spectra.flex import FlexSpectrum, flight_times, mz_of_flight_times

CUBIC = (
    "<V3.0CCalibrator 12 1 0 0 V1.0CTOF2CalibrationConstants 48 0.25 3884.868239229128 "
    "1164156.9998801197 6.1682474689786355 -0.063083671657452864 -34.362308485323794 2 "
    "V1.0CTOF2CalibrationConstants 0 0 0 0 0 0 0 -1  >"
)
NEARLY_LINEAR = (
    "<V3.0CCalibrator 12 V1.0CTOF2CalibrationConstants 30524.8 1.6 612.79023136741034 "
    "2235683.8041364038 -0.012983605858889708 -0.000027924676358365398 0 2 "
    "V1.0CTOF2CalibrationConstants 30524.8 1.6 612.79023136741034 2235683.8041364038 "
    "-0.012983605858889708 -0.000027924676358365398 0 2 >"
)
# Of the example that readBrukerFlexData comes with.
HPC = {
    "DELAY": "41260",
    "DW": "0.5",
    "ML1": "415663.238051384",
    "ML2": "254.819710202316",
    "ML3": "-0.0466968987559432",
    "HPClBHi": "3698.637732",
    "HPClBLo": "736.502668",
    "HPClOrd": "10",
    "HPClUse": "yes",
    "HPCStr": "< V1.0CHPCData  Order 10 vCoeff V1.0VectorDouble 11 -0.48579224953906053 "
    "0.0009361303203700988 -6.92711401708155e-008 -1.0992953299897006e-009 "
    "1.1718229914003113e-012 -5.392578762547374e-016 9.0176664604755316e-020 "
    "1.9704001597871883e-023 -1.1794161284667635e-026 2.0351573912658823e-030 "
    "-1.2617853301428769e-034  c2 -0.046701600316874939 c0 237.64781433281422 "
    "minMass 736.50266799999997 maxMass 3698.6377320000001 bUse 1 endCHPCData >",
}
COUNTS = [1, 2, -3, 4, 5, 6, 7, 2**31 - 1]
FIELDS = {
    "BYTORDA": "0",
    "TD": "8",
    "DELAY": "30525",
    "DW": "8000",
    "ML1": "2235683.80",
    "ML2": "612.79",
    "ML3": "-0.01",
    "HPClUse": "no",
    "SPType": "0",
    "Lift1": "0",
}


def write_flex(folder: Path, fields: dict[str, str], counts=COUNTS, name: str = "acqus") -> Path:
    """Write a flex folder; the path is that of ``fid``."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"##${key}= {value} " for key, value in fields.items() if value is not None]
    text = "\n".join(["##TITLE=  XMASS Parameter file", "##.INLET=  DIRECT", *lines, "##END="])
    (folder / name).write_text(text + "\n")
    order = ">" if fields.get("BYTORDA") == "1" else "<"
    (folder / "fid").write_bytes(np.array(counts, dtype=f"{order}i4").tobytes())
    return folder / "fid"


def read(fid: Path):
    return FlexSpectrum(fid, "A1", "A1/fid").read()


@pytest.mark.parametrize("byte_order", ["0", "1"])
def test_counts_are_read_back_exactly_in_both_byte_orders(tmp_path, byte_order):
    spectrum = read(write_flex(tmp_path, FIELDS | {"BYTORDA": byte_order}))
    assert spectrum.intensity.tolist() == COUNTS


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        # m/z that readBrukerFlexData 1.9.0 gives for the same folders
        (
            {},
            [
                *(2003.036337534302, 3218.887021355044, 4722.366798702235, 6513.785660731503),
                *(8593.454155817883, 10961.683390960163, 13618.785033189512, 16565.071310977029),
            ],
        ),
        (
            {"ML3": "0"},
            [
                *(2000.356409754948, 3213.428066062116, 4712.667248769284, 6498.073957876451),
                *(8569.648193383620, 10927.389955290790, 13571.299243597960, 16501.376058305126),
            ],
        ),
        (
            {"NTBCal": CUBIC},
            [
                *(686.5014269795843, 1100.3684346538573, 1615.4947959070594, 2243.6720537462543),
                *(3006.6349942235170, 3943.3004903071210, 5129.2708715519084, 6745.6046408698576),
            ],
        ),
        (
            {"NTBCal": NEARLY_LINEAR},
            [
                *(2004.173629113899, 3221.388658162586, 4727.141251422349, 6522.054639408047),
                *(8606.796143380769, 10982.077647051368, 13648.656099932765, 16607.334053131741),
            ],
        ),
    ],
    ids=["quadratic", "linear", "cubic", "cubic, nearly linear"],
)
def test_calibration_gives_the_masses_of_readbrukerflexdata(tmp_path, changed, expected):
    spectrum = read(write_flex(tmp_path, FIELDS | changed))
    np.testing.assert_allclose(spectrum.mz, expected, rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("second", [0.0, -0.05, 1e-9, 3.0])
def test_flight_times_come_back_from_the_formula(seed, second):
    mz = np.sort(np.random.default_rng(seed).uniform(50, 20000, 200))
    first, ml2 = np.sqrt(1e12 / 2.2e6), 300.0
    root = np.sqrt(mz)
    times = ml2 + first * root + second * root**2
    fields = {"ML1": "2.2e6", "ML2": "300", "ML3": repr(second)}
    np.testing.assert_allclose(mz_of_flight_times(times, fields, "fid"), mz, rtol=1e-12)


def test_high_precision_calibration_within_its_limits_and_beyond():
    plain = {name: value for name, value in HPC.items() if not name.startswith("HPC")}
    times = flight_times(HPC | {"TD": "113811"}, "fid")
    before, after = (mz_of_flight_times(times, fields, "fid") for fields in (plain, HPC))
    # mass without and with it, by readBrukerFlexData 1.9.0, and by CompassXport beyond the limits
    for mz, corrected, tolerance in (
        (736.851295, 736.880541, 2e-6),
        (737.938529, 737.967500, 2e-6),
        (3697.208527, 3697.212611, 2e-6),
        (735.046857, 735.050415, 5e-4),
        (734.136721, 734.136841, 5e-4),
        (736.395596, 736.424743, 5e-4),
        (3700.396244, 3700.396484, 5e-4),
    ):
        at = int(np.argmin(np.abs(before - mz)))
        assert abs(before[at] - mz) < 1e-6
        assert abs(after[at] - corrected) < tolerance
    assert np.all(np.diff(after) > 0)


def test_high_precision_calibration_that_is_switched_off_changes_nothing():
    off = HPC | {"HPClUse": "no"}
    times = flight_times(HPC | {"TD": "20000"}, "fid")
    assert not np.array_equal(
        mz_of_flight_times(times, off, "fid"), mz_of_flight_times(times, HPC, "fid")
    )
    plain = {name: value for name, value in HPC.items() if not name.startswith("HPC")}
    assert np.array_equal(
        mz_of_flight_times(times, off, "fid"), mz_of_flight_times(times, plain, "fid")
    )


def test_points_before_mass_zero_are_left_out(tmp_path):
    # 612.79 ns is the flight time of m/z 0: of 8 points, 3 come before and 1 just there.
    fields = FIELDS | {"DELAY": "312.79", "DW": "100", "ML3": "0"}
    spectrum = read(write_flex(tmp_path, fields))
    assert spectrum.intensity.tolist() == COUNTS[4:]
    assert spectrum.mz[0] > 0


def test_times_that_a_cubic_never_gets_to_are_left_out(tmp_path):
    spectrum = read(write_flex(tmp_path, FIELDS | {"NTBCal": CUBIC, "DW": "16000"}))
    assert 0 < spectrum.n_points < 8
    assert spectrum.mz[-1] < 110.0**2


def test_acqus_goes_before_acqu_and_acqu_will_do(tmp_path):
    fid = write_flex(tmp_path, FIELDS | {"ML1": "1e6"}, name="acqu")
    alone = read(fid).mz
    write_flex(tmp_path, FIELDS)
    np.testing.assert_allclose(read(fid).mz[0], 2003.036337534302)
    assert abs(alone[0] - 2003.0) > 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"TD": "9"}, "A1/fid is cut short: it holds 8 of 9 points"),
        ({"TD": None}, "A1/fid: TD is missing in the acqus file"),
        ({"ML1": "much"}, "A1/fid: ML1 is 'much' in the acqus file"),
        ({"ML1": "0"}, "calibration constant ML1 is 0"),
        ({"DW": "0"}, "time step DW is 0"),
        ({"DELAY": "0", "DW": "1"}, "the spectrum is empty"),
        ({"SPType": "2"}, "is a LIFT spectrum"),
        ({"Lift1": "19.5"}, "is a LIFT spectrum"),
        ({"NTBCal": "<V1.0CTOF2CalibrationConstants 1 2 three>"}, r"\(NTBCal\) .* cannot be read"),
        (HPC | {"HPCStr": "<>"}, r"\(HPCStr\) .* cannot be read"),
    ],
)
def test_bad_folders_are_refused_in_one_sentence(tmp_path, changed, said):
    with pytest.raises(InputError, match=said):
        read(write_flex(tmp_path, FIELDS | changed))


def test_fid_without_parameters(tmp_path):
    fid = write_flex(tmp_path, FIELDS)
    (tmp_path / "acqus").unlink()
    with pytest.raises(InputError, match="A1/fid: there is no file acqus beside it"):
        read(fid)
