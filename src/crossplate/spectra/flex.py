"""Bruker flex folders: ``fid`` (the detector's counts) beside ``acqus`` (how to read them).

The maker does not describe the format. What is known of the calibration:

- quadratic, with the constants ML1, ML2, ML3 [Titulaer2006]_: the flight time t (ns) of an ion is
  ML2 + sqrt(1e12 / ML1) u + ML3 u², with u = sqrt(m/z);
- cubic ("enhanced"), from the block ``V1.0CTOF2CalibrationConstants`` of NTBCal: a term in u³
  more, and a constant that is taken from m/z, as found by trial by the authors of
  readBrukerFlexData [Gibb2024]_;
- high precision calibration [Gobom2002]_: a polynomial in m/z that is taken from m/z within
  limits. Beyond them it fades as exp(-d²), d in Da from the limit, which is not documented
  anywhere but agrees to 0.0005 Da with a file that the maker's program converted; without it
  m/z would jump by the correction, 0.03 Da there.

References
----------
.. [Titulaer2006] Titulaer M.K. et al. A database application for pre-processing, storage and
   comparison of mass spectra derived from patients and controls. BMC Bioinformatics 7:403 (2006).
.. [Gobom2002] Gobom J. et al. A calibration method that simplifies and improves accurate
   determination of peptide molecular masses by MALDI-TOF MS. Anal. Chem. 74:3915-3923 (2002).
.. [Gibb2024] Gibb S. readBrukerFlexData: reads mass spectrometry data in Bruker *flex format,
   R package version 1.9.3 (2024), help pages of hpc and ctof2calibration.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crossplate.errors import InputError
from crossplate.spectra.spectrum import Spectrum
from crossplate.spectra.spectrum_file import SpectrumFile, readable

__all__ = ["FlexSpectrum", "flight_times", "list_flex", "mz_of_flight_times"]

Parameters = dict[str, str]

_FIELD = re.compile(r"^##\$(\w+)=[ \t]*(.*?)[ \t\r]*$", flags=re.MULTILINE)
_CUBIC = "V1.0CTOF2CalibrationConstants"
_LIFT = "2"
_NEWTON_STEPS = 20


class FlexSpectrum(SpectrumFile):
    """The spectrum of a folder with ``fid`` and ``acqus``; `path` is that of ``fid``."""

    def read(self) -> Spectrum:
        """Read the counts and calibrate them.

        ``acqus`` (what was measured) goes before ``acqu`` (what was set). Points before an ion of
        m/z 0 could arrive have no m/z and are left out.

        Raises
        ------
        InputError
            If a file or a parameter is missing, ``fid`` is cut short, the spectrum is a LIFT
            spectrum (fragments), or the calibration gives no increasing m/z.
        """
        with readable(self.name, self.source, "a flex spectrum"):
            parameters = _parameters(self.path, self.source)
            intensity = _counts(self.path, parameters, self.source)
        mz = mz_of_flight_times(flight_times(parameters, self.source), parameters, self.source)
        known = ~np.isnan(mz)
        return Spectrum.of(mz[known], intensity[known], self.name, source=self.source)


def list_flex(path: Path, name: str, source: str) -> list[SpectrumFile]:
    """The one spectrum of a ``fid`` file, unread."""
    return [FlexSpectrum(path, name, source)]


def _parameters(fid: Path, source: str) -> Parameters:
    """Read all fields of the parameter file, as text."""
    files = [fid.with_name(name) for name in ("acqus", "acqu")]
    found = next((file for file in files if file.is_file()), None)
    if found is None:
        raise InputError(
            f"{source}: there is no file acqus beside it, and it cannot be read without; copy the "
            "whole folder"
        )
    parameters = dict(_FIELD.findall(found.read_text(encoding="latin-1")))
    if parameters.get("SPType") == _LIFT or any(
        _number(parameters, name, source, default=0.0) for name in ("Lift1", "Lift2", "TLift")
    ):
        raise InputError(
            f"{source} is a LIFT spectrum, of fragments of one ion; leave it out, since it cannot "
            "be put beside spectra of whole samples"
        )
    return parameters


def _number(parameters: Parameters, name: str, source: str, default: float | None = None) -> float:
    if name not in parameters and default is not None:
        return default
    try:
        return float(parameters[name])
    except (KeyError, ValueError):
        what = f"is '{parameters[name]}'" if name in parameters else "is missing"
        raise InputError(
            f"{source}: {name} {what} in the acqus file beside it; copy the folder again from the "
            "instrument"
        ) from None


def _counts(fid: Path, parameters: Parameters, source: str) -> NDArray[np.float64]:
    """Detector counts, shape (TD,): 32-bit integers in the byte order that BYTORDA tells."""
    n_points = int(_number(parameters, "TD", source))
    big_endian = _number(parameters, "BYTORDA", source, default=0.0) == 1
    data = fid.read_bytes()
    if len(data) < 4 * n_points:
        raise InputError(
            f"{source} is cut short: it holds {len(data) // 4} of {n_points} points; copy it again "
            "from the instrument"
        )
    dtype = ">i4" if big_endian else "<i4"
    return np.frombuffer(data, dtype=dtype, count=n_points).astype(np.float64)


def flight_times(parameters: Parameters, source: str) -> NDArray[np.float64]:
    """Flight time of each point in ns, shape (TD,): DELAY, then steps of DW.

    Parameters
    ----------
    parameters
        Fields of the parameter file.
    source
        File name for error messages.

    Raises
    ------
    InputError
        If TD, DELAY or DW is missing or no number, or DW is not positive.
    """
    n_points = int(_number(parameters, "TD", source))
    delay, step = (_number(parameters, name, source) for name in ("DELAY", "DW"))
    if step <= 0:
        raise InputError(
            f"{source}: the time step DW is {step:g} in the acqus file beside it; it must be above "
            "0, so copy the folder again from the instrument"
        )
    return delay + step * np.arange(n_points, dtype=np.float64)


def mz_of_flight_times(
    times: NDArray[np.float64], parameters: Parameters, source: str
) -> NDArray[np.float64]:
    """Calibrated m/z of flight times.

    Parameters
    ----------
    times
        In ns, shape (n,).
    parameters
        Fields of the parameter file.
    source
        File name for error messages.

    Returns
    -------
    m/z, shape (n,), NaN where no ion can have that flight time.

    Raises
    ------
    InputError
        If a constant of the calibration is missing, no number or of no use.
    """
    cubic = _cubic_constants(parameters, source)
    if cubic is None:
        ml1, ml2, ml3 = (_number(parameters, name, source) for name in ("ML1", "ML2", "ML3"))
        polynomial, offset = (ml3, 0.0), 0.0
    else:
        ml2, ml1, ml3, third, offset = cubic
        polynomial = (ml3, third)
    if ml1 <= 0:
        raise InputError(
            f"{source}: the calibration constant ML1 is {ml1:g} in the acqus file beside it; it "
            "must be above 0, so calibrate the spectrum"
        )
    root = _square_root_of_mz(times - ml2, np.sqrt(1e12 / ml1), *polynomial)
    mz = root**2 - offset
    # Before an ion of m/z 0 could arrive the formula gives mirror images of later points.
    mz[~((root > 0) & (mz > 0))] = np.nan
    return _high_precision(mz, parameters, source)


def _cubic_constants(
    parameters: Parameters, source: str
) -> tuple[float, float, float, float, float] | None:
    """ML2, ML1, ML3, factor of u³ and m/z offset of a cubic calibration, if that is in use."""
    _before, marker, block = parameters.get("NTBCal", "").partition(_CUBIC)
    if not marker:
        return None
    try:
        _delay, _step, ml2, ml1, ml3, third, offset = (float(word) for word in block.split()[:7])
    except ValueError:
        raise InputError(
            f"{source}: the cubic calibration (NTBCal) in the acqus file beside it cannot be read; "
            "recalibrate the spectrum, or export it as mzML"
        ) from None
    return ml2, ml1, ml3, third, offset


def _square_root_of_mz(
    times: NDArray[np.float64], first: float, second: float, third: float
) -> NDArray[np.float64]:
    """Solve times = first u + second u² + third u³ for u; NaN where the right side never gets.

    The quadratic in the form that loses no digits where ``second`` is tiny; the cubic from there
    by Newton's method, as its linear term prevails over the whole spectrum.
    """
    inside = first**2 + 4.0 * second * times
    root = 2.0 * times / (first + np.sqrt(np.maximum(inside, 0.0)))
    if not third:
        root[inside < 0] = np.nan
        return root
    for _ in range(_NEWTON_STEPS):
        excess = ((third * root + second) * root + first) * root - times
        slope = (3.0 * third * root + 2.0 * second) * root + first
        rising = slope > 0
        step = np.divide(excess, slope, out=np.zeros_like(root), where=rising)
        root = root - step
        if np.all(np.abs(step) <= 1e-14 * np.abs(root)):
            break
    excess = ((third * root + second) * root + first) * root - times
    root[~rising | (np.abs(excess) > 1e-9 * np.abs(times))] = np.nan
    return root


def _high_precision(
    mz: NDArray[np.float64], parameters: Parameters, source: str
) -> NDArray[np.float64]:
    """Subtract the polynomial of the high precision calibration, where it is in use."""
    low, high, order = (
        _number(parameters, name, source, default=0.0) for name in ("HPClBLo", "HPClBHi", "HPClOrd")
    )
    if parameters.get("HPClUse") != "yes" or not (0 < low < high) or order < 1:
        return mz
    try:
        words = parameters["HPCStr"].partition("V1.0VectorDouble")[2].split()
        coefficients = [float(word) for word in words[1 : int(words[0]) + 1]]
    except (KeyError, ValueError, IndexError):
        raise InputError(
            f"{source}: the high precision calibration (HPCStr) in the acqus file beside it cannot "
            "be read; recalibrate the spectrum, or export it as mzML"
        ) from None
    within = np.clip(mz, low, high)
    correction = np.polynomial.polynomial.polyval(within, coefficients)
    return mz - correction * np.exp(-((mz - within) ** 2))
