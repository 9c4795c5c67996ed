"""Processed spectra put aside on disk, until the features to be read from them are known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp

import numpy as np

from crossplate.spectra.chain import ProcessedSpectrum
from crossplate.spectra.peaks import PeakList

__all__ = ["KeptSpectrum", "keep_spectrum"]


@dataclass(frozen=True, eq=False)
class KeptSpectrum:
    """A processed spectrum whose profile lies in a file.

    Attributes
    ----------
    name
        Name of the spectrum.
    peaks, total_ion_current
        As of :class:`crossplate.spectra.chain.ProcessedSpectrum`.
    file
        Its profile; None where it could not be written.
    n_bytes
        Size of the profile; 0 without a file.
    """

    name: str
    peaks: PeakList
    total_ion_current: float
    file: Path | None
    n_bytes: int

    def restored(self) -> ProcessedSpectrum:
        """The processed spectrum as it was."""
        assert self.file is not None, "a spectrum without a file is processed again"
        mz, intensity = np.load(self.file)
        return ProcessedSpectrum(mz, intensity, self.peaks, self.total_ion_current)


def keep_spectrum(name: str, done: ProcessedSpectrum, folder: Path) -> KeptSpectrum:
    """Write the profile of a processed spectrum.

    Parameters
    ----------
    name
        Name of the spectrum.
    done
        Processed spectrum.
    folder
        Where the file goes.
    """
    file: Path | None = None
    n_bytes = 0
    profile = np.stack([done.mz, done.intensity])
    try:
        handle, path = mkstemp(suffix=".npy", dir=folder)
        file = Path(path)
        with open(handle, "wb") as stream:
            np.save(stream, profile)
        n_bytes = profile.nbytes
    except OSError:
        # a full disk costs time, not the result: the spectrum is processed again
        if file is not None:
            file.unlink(missing_ok=True)
        file = None
    return KeptSpectrum(name, done.peaks, done.total_ion_current, file, n_bytes)
