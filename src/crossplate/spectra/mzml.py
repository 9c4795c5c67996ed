"""mzML files, read with pyteomics."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

from crossplate.spectra.scans import ScanSpectrum, pyteomics_module, scan_ids
from crossplate.spectra.spectrum import Spectrum
from crossplate.spectra.spectrum_file import SpectrumFile

__all__ = ["MzmlSpectrum", "list_mzml"]


class MzmlSpectrum(ScanSpectrum):
    """One spectrum of an mzML file."""

    def read(self) -> Spectrum:
        """Read the spectrum.

        Raises
        ------
        InputError
            If pyteomics is not installed, the file is damaged, the spectrum is of fragments (MS
            level above 1), or its points are no spectrum.
        """
        scan = self.scan(_open, "mzML")
        return self.spectrum(scan, int(scan.get("ms level", 1)), "centroid spectrum" in scan)


def list_mzml(path: Path, name: str, source: str) -> list[SpectrumFile]:
    """All spectra of an mzML file, unread; several are numbered from 1.

    Raises
    ------
    InputError
        If pyteomics is not installed, or the file is damaged or holds no spectra.
    """
    ids = scan_ids(path, source, _open, "mzML")
    names = [name] if len(ids) == 1 else [f"{name}_{n + 1}" for n in range(len(ids))]
    return [MzmlSpectrum(path, own, source, at) for own, at in zip(names, ids, strict=True)]


class _NoVocabulary:
    """Stands in for the PSI-MS vocabulary, which pyteomics would fetch from the network.

    It tells which values are whole numbers, and none of them is needed here.
    """

    def __getitem__(self, accession: str) -> SimpleNamespace:
        return SimpleNamespace(relationship=(), name=accession)


def _open(file: BinaryIO) -> Any:
    module = pyteomics_module("mzml")
    return module.MzML(file, use_index=True, cv=_NoVocabulary())
