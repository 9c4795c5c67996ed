"""imzML files: each pixel of an image is a spectrum; the layout is read with pyimzml."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossplate.errors import InputError
from crossplate.io.raw import optional_module
from crossplate.spectra.spectrum import Spectrum, place
from crossplate.spectra.spectrum_file import SpectrumFile, readable

__all__ = ["ImzmlPixel", "Numbers", "list_imzml"]

# pyimzml's codes name types of the machine, and the files are little-endian on any.
_TYPES = {"f": "<f4", "d": "<f8", "i": "<i4", "l": "<i8"}


@dataclass(frozen=True)
class Numbers:
    """Where numbers lie in the binary file.

    Attributes
    ----------
    offset
        First byte.
    count
        How many numbers.
    dtype
        Their numpy type.
    """

    offset: int
    count: int
    dtype: str


@dataclass(frozen=True)
class ImzmlPixel(SpectrumFile):
    """One pixel; `path` is that of the binary file (.ibd).

    Attributes
    ----------
    mz, intensity
        Where they lie.
    centroided
        Whether the file says that it holds peaks and no profiles.
    """

    mz: Numbers
    intensity: Numbers
    centroided: bool

    def read(self) -> Spectrum:
        """Read the pixel's spectrum.

        Raises
        ------
        InputError
            If the binary file cannot be read or is cut short, or the points are no spectrum.
        """
        with readable(self.name, self.source, "imzML"):
            mz, intensity = (self._numbers(part) for part in (self.mz, self.intensity))
        return Spectrum.of(mz, intensity, self.name, source=self.source, centroided=self.centroided)

    def _numbers(self, part: Numbers) -> NDArray[np.float64]:
        dtype = np.dtype(part.dtype)
        wanted = part.count * dtype.itemsize
        with self.path.open("rb") as file:
            file.seek(part.offset)
            data = file.read(wanted)
        if len(data) < wanted:
            raise InputError(
                f"{place(self.name, self.source)}: the binary file {self.path.name} is cut short; "
                "copy it again"
            )
        return np.frombuffer(data, dtype=dtype).astype(np.float64)


def list_imzml(path: Path, name: str, source: str) -> list[SpectrumFile]:
    """All pixels of an image, unread, named after their coordinates (``image_x1_y2``).

    Raises
    ------
    InputError
        If pyimzml is not installed, the file is damaged, compressed or without spectra, or its
        binary file is not beside it.
    """
    module = optional_module(
        "pyimzml.ImzMLParser", package="pyimzML", extra="spectra", purpose=f"reading {source}"
    )
    binary = _binary_file(path, source)
    faults = (LookupError, TypeError, ValueError, AttributeError, RuntimeError, SyntaxError)
    with readable(name, source, "imzML", *faults):
        with path.open("rb") as file:
            if not any(b"<spectrum " in line for line in file):
                raise InputError(f"{source} holds no spectra; export it again or leave it out")
        with warnings.catch_warnings():
            # About terms of the instrument's maker, which do not matter here.
            warnings.simplefilter("ignore", UserWarning)
            layout = module.ImzMLParser(str(path), ibd_file=None)
        _check_not_compressed(layout, source)
        return [
            ImzmlPixel(
                binary,
                _pixel_name(name, layout.coordinates, number),
                source,
                Numbers(mz_at, mz_count, _TYPES[layout.mzPrecision]),
                Numbers(at, count, _TYPES[layout.intensityPrecision]),
                layout.spectrum_mode == "centroid",
            )
            for number, (mz_at, mz_count, at, count) in enumerate(
                zip(
                    layout.mzOffsets,
                    layout.mzLengths,
                    layout.intensityOffsets,
                    layout.intensityLengths,
                    strict=True,
                )
            )
        ]


def _binary_file(path: Path, source: str) -> Path:
    for file in path.parent.iterdir():
        if file.stem == path.stem and file.suffix.lower() == ".ibd":
            return file
    raise InputError(
        f"{source}: there is no binary file {path.stem}.ibd beside it, which holds the numbers; "
        "copy both files"
    )


def _check_not_compressed(layout: Any, source: str) -> None:
    for group in layout.metadata.referenceable_param_groups.values():
        if any("compression" in name and name != "no compression" for name in group.param_by_name):
            raise InputError(
                f"{source} holds compressed numbers, which cannot be read; export it again without "
                "compression"
            )


def _pixel_name(name: str, coordinates: list[tuple[int, int, int]], number: int) -> str:
    x, y, z = coordinates[number]
    return f"{name}_x{x}_y{y}" + (f"_z{z}" if z > 1 else "")
