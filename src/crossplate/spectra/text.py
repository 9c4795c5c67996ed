"""Two-column text files: m/z and intensity, a point a line."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crossplate.errors import InputError
from crossplate.spectra.spectrum import Spectrum
from crossplate.spectra.spectrum_file import SpectrumFile, readable

__all__ = ["ENDINGS", "TextSpectrum", "list_text"]

_PLAIN = (".csv", ".tsv", ".txt", ".xy", ".asc")
ENDINGS = (*_PLAIN, *(f"{ending}.gz" for ending in _PLAIN))
"""Endings of files that are taken for text spectra."""

_DELIMITERS = {",": ",", ";": ";", "\t": "\t", "blank": r"\s+"}
_MISSING = ("NaN", "nan", "NA", "NULL", "null")


class TextSpectrum(SpectrumFile):
    """A text file that holds one spectrum."""

    def read(self) -> Spectrum:
        """Read the file.

        Between the columns stands a comma, a semicolon, a tab or blanks. A first line that is no
        pair of numbers is a header, and lines that begin with ``#`` are comments. Numbers may
        have a decimal comma where no comma stands between the columns. They are read exactly
        (the nearest double).

        Raises
        ------
        InputError
            If the file is no text, has not two columns, holds something else than numbers, or its
            points are no spectrum.
        """
        with readable(self.name, self.source, "text"):
            text = _text(self.path, self.source)
        mz, intensity = _columns(text, self.source)
        return Spectrum.of(mz, intensity, self.name, source=self.source)


def list_text(path: Path, name: str, source: str) -> list[SpectrumFile]:
    """The one spectrum of a text file, unread."""
    return [TextSpectrum(path, name, source)]


def _text(path: Path, source: str) -> str:
    data = path.read_bytes()
    if data.startswith(b"\x1f\x8b"):
        try:
            data = gzip.decompress(data)
        except (EOFError, OSError, zlib.error) as error:
            raise InputError(
                f"{source} is cut short or damaged: the gzip data cannot be unpacked ({error}); "
                "copy it again"
            ) from error
    if b"\0" in data:
        raise InputError(
            f"{source} is not a text file, whatever its name says; export the spectrum as text "
            "with two columns, m/z and intensity"
        )
    # Latin-1 never fails: only numbers are read, whatever the header is encoded in.
    text = data.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _lines(text: str) -> Iterator[tuple[int, str, int]]:
    """Go through the lines with something to read: number, line, and where it begins."""
    begin = 0
    for number, line in enumerate(io.StringIO(text), start=1):
        if line.strip() and not line.startswith("#"):
            yield number, line, begin
        begin += len(line)


def _columns(text: str, source: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """m/z and intensity of all lines but the header."""
    lines = _lines(text)
    first = next(lines, None)
    if first is None:
        raise InputError(f"{source}: the spectrum is empty; leave it out or export it again")
    number, line, begin = first
    second = next(lines, None)
    if second is not None:
        number, line, begin = second
    elif not re.search(r"\d", line):
        raise InputError(
            f"{source}: the spectrum is empty, there is only a header; leave it out or export it "
            "again"
        )
    delimiter, comma = _format(number, line, source)
    if _is_pair(first[1], delimiter, comma):
        begin = first[2]
    elif any(cell and _is_number(cell, comma) for cell in _cells(first[1], delimiter)):
        # A header has no number; this is a damaged first point.
        raise InputError(_bad_line(*first[:2], source))
    try:
        frame = pd.read_csv(
            # Not by pandas' option: it is without effect on exact reading.
            io.StringIO(text[begin:].replace(",", ".") if comma else text[begin:]),
            sep=_DELIMITERS[delimiter],
            header=None,
            names=["mz", "intensity"],
            index_col=False,
            comment="#",
            dtype=np.float64,
            float_precision="round_trip",
            keep_default_na=False,
            na_values=["", *_MISSING],
            skipinitialspace=True,
        )
    except (ValueError, pd.errors.ParserError):
        bad = (at for at in _lines(text[begin:]) if not _is_pair(at[1], delimiter, comma))
        n, line, _ = next(bad, (1, line, 0))
        raise InputError(_bad_line(text.count("\n", 0, begin) + n, line, source)) from None
    return frame["mz"].to_numpy(), frame["intensity"].to_numpy()


def _format(number: int, line: str, source: str) -> tuple[str, bool]:
    """Delimiter, and whether numbers have a decimal comma, from a line of numbers."""
    for delimiter in _DELIMITERS:
        for comma in (False, delimiter != ","):
            if _is_pair(line, delimiter, comma):
                return delimiter, comma
    raise InputError(_bad_line(number, line, source))


def _is_pair(line: str, delimiter: str, comma: bool) -> bool:
    """Whether a line holds two numbers."""
    cells = _cells(line, delimiter)
    return len(cells) == 2 and all(_is_number(cell, comma) for cell in cells)


def _cells(line: str, delimiter: str) -> list[str]:
    line = line.strip(" \r")
    if delimiter == "blank":
        return line.split()
    return [cell.strip(' "') for cell in line.split(delimiter)]


def _is_number(cell: str, comma: bool) -> bool:
    if cell in ("", *_MISSING):
        return True
    try:
        float(cell.replace(",", ".") if comma else cell)
    except ValueError:
        return False
    return True


def _bad_line(number: int, line: str, source: str) -> str:
    text = re.sub(r"\s+", " ", line.strip())
    shown = text if len(text) <= 40 else text[:37] + "..."
    return (
        f"{source}, line {number}: '{shown}' is not two numbers; give a text file with two "
        "columns, m/z and intensity"
    )
