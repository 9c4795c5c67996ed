"""A spectrum that lies in a file: where it is and how to read it, and why one is left out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from crossplate.errors import InputError
from crossplate.spectra.spectrum import Spectrum, place

__all__ = ["Exclusion", "SpectrumFile", "readable"]


@dataclass(frozen=True)
class SpectrumFile(ABC):
    """Reference to one spectrum: small, can be sent to another process, and reads when asked to.

    Attributes
    ----------
    path
        File that holds the spectrum.
    name
        Name of the spectrum, unique among those found together.
    source
        The path as it is shown to the user, below the folder that was searched, with "/".
    """

    path: Path
    name: str
    source: str

    @abstractmethod
    def read(self) -> Spectrum:
        """Read the spectrum.

        Raises
        ------
        InputError
            If the file cannot be read or its points are no spectrum (see `Spectrum.of`).
        """


@dataclass(frozen=True)
class Exclusion:
    """A spectrum, file or row that is left out.

    Attributes
    ----------
    name
        Name of the spectrum, or of the file or row where there is no spectrum.
    reason
        One sentence for the user.
    """

    name: str
    reason: str


@contextmanager
def readable(name: str, source: str, kind: str, *faults: type[Exception]) -> Iterator[None]:
    """Turn what goes wrong while a file is read into one sentence.

    Parameters
    ----------
    name, source
        Of the spectrum, for the message.
    kind
        What the file should be, such as ``mzML``.
    faults
        What the library of the format raises at damaged files, beside OSError.

    Raises
    ------
    InputError
        Names the file and what was wrong with it. An InputError from inside is left as it is.
    """
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        raise InputError(
            f"{place(name, source)} cannot be read ({error.strerror or error}); check that you may "
            "open it"
        ) from error
    except faults as error:
        text = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"{place(name, source)} cannot be read as {kind} ({text}); the file may be cut short "
            "or damaged, so copy or export it again"
        ) from error
