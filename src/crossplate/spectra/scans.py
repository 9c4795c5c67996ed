"""What mzML and mzXML have in common: an XML file of scans, read with pyteomics."""

from __future__ import annotations

import threading
import warnings
import weakref
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

from crossplate.errors import InputError
from crossplate.io.raw import optional_module
from crossplate.spectra.spectrum import Spectrum, place
from crossplate.spectra.spectrum_file import SpectrumFile, readable

__all__ = ["ScanSpectrum", "pyteomics_module", "scan_ids"]

Scan = Mapping[str, Any]
Opener = Callable[[BinaryIO], Any]

# What pyteomics raises at damaged files; errors of the XML are SyntaxErrors.
_FAULTS = (SyntaxError, LookupError, TypeError, ValueError, zlib.error)

# The file read last stays open in each thread: to find the scans of a file takes far longer than
# to read one of them, and whoever reads one reads the next.
_kept = threading.local()


@dataclass(frozen=True)
class ScanSpectrum(SpectrumFile):
    """One scan of an XML file.

    Attributes
    ----------
    scan_id
        Its id in the file.
    """

    scan_id: str

    def scan(self, open_file: Opener, kind: str) -> Scan:
        """Read the content of the scan as pyteomics gives it.

        Parameters
        ----------
        open_file
            Makes a reader of pyteomics of the open file.
        kind
            Name of the format.

        Raises
        ------
        InputError
            If the file is damaged at this scan.
        """
        with readable(self.name, self.source, kind, *_FAULTS):
            content: Scan = _opened(self.path, open_file).get_by_id(self.scan_id)
        return content

    def spectrum(self, scan: Scan, ms_level: int, centroided: bool) -> Spectrum:
        """Make a spectrum of the content of a scan.

        Raises
        ------
        InputError
            If the scan is of fragments (MS level above 1) or its points are no spectrum.
        """
        if ms_level > 1:
            raise InputError(
                f"{place(self.name, self.source)} is of fragments (MS level {ms_level}); only MS "
                "level 1 is used"
            )
        return Spectrum.of(
            scan.get("m/z array", ()),
            scan.get("intensity array", ()),
            self.name,
            source=self.source,
            centroided=centroided,
        )


def pyteomics_module(name: str) -> ModuleType:
    """Import a module of pyteomics.

    Raises
    ------
    InputError
        If pyteomics is not installed; says what to install.
    """
    with warnings.catch_warnings():
        # One of its packages warns about compressions that these formats do not have.
        warnings.simplefilter("ignore", UserWarning)
        return optional_module(
            f"pyteomics.{name}",
            package="pyteomics",
            extra="spectra",
            purpose=f"reading .{name} files",
        )


def scan_ids(path: Path, source: str, open_file: Opener, kind: str) -> list[str]:
    """Ids of all scans of a file, in their order.

    Parameters
    ----------
    path, source
        The file, and how it is shown.
    open_file
        Makes a reader of pyteomics of the open file.
    kind
        Name of the format.

    Raises
    ------
    InputError
        If the file is damaged or holds no spectra.
    """
    with readable(source, source, kind, *_FAULTS):
        ids = [str(scan_id) for scan_id in _opened(path, open_file).default_index]
    if not ids:
        raise InputError(f"{source} holds no spectra; export it again or leave it out")
    return ids


class _OpenFile:
    """A file that is closed as soon as nobody holds it, at the latest when the process ends."""

    def __init__(self, path: Path, version: tuple[int, int], open_file: Opener) -> None:
        self.path, self.version = path, version
        file = path.open("rb")
        weakref.finalize(self, file.close)
        self.reader = open_file(file)


def _opened(path: Path, open_file: Opener) -> Any:
    """The file, open; the one that was open before is closed."""
    state = path.stat()
    version = (state.st_mtime_ns, state.st_size)
    kept: _OpenFile | None = getattr(_kept, "file", None)
    if kept is None or (kept.path, kept.version) != (path, version):
        _kept.file = None
        _kept.file = kept = _OpenFile(path, version, open_file)
    return kept.reader
