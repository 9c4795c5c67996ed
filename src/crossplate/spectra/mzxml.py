"""mzXML files, read with pyteomics."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

from crossplate.spectra.scans import ScanSpectrum, pyteomics_module, scan_ids
from crossplate.spectra.spectrum import Spectrum
from crossplate.spectra.spectrum_file import SpectrumFile

__all__ = ["MzxmlSpectrum", "list_mzxml"]


class MzxmlSpectrum(ScanSpectrum):
    """One scan of an mzXML file."""

    def read(self) -> Spectrum:
        """Read the scan.

        Raises
        ------
        InputError
            If pyteomics is not installed, the file is damaged, the scan is of fragments (MS level
            above 1), or its points are no spectrum.
        """
        scan = self.scan(_open, "mzXML")
        return self.spectrum(scan, int(scan.get("msLevel", 1)), bool(scan.get("centroided")))


def list_mzxml(path: Path, name: str, source: str) -> list[SpectrumFile]:
    """All scans of an mzXML file, unread; several are numbered from 1.

    Raises
    ------
    InputError
        If pyteomics is not installed, or the file is damaged or holds no spectra.
    """
    ids = scan_ids(path, source, _open, "mzXML")
    names = [name] if len(ids) == 1 else [f"{name}_{n + 1}" for n in range(len(ids))]
    return [MzxmlSpectrum(path, own, source, at) for own, at in zip(names, ids, strict=True)]


def _open(file: BinaryIO) -> Any:
    return pyteomics_module("mzxml").MzXML(file, use_index=True)
