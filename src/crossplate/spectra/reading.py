"""`find_spectra` and `read_spectra`: a folder or file of any supported format becomes spectra."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from crossplate.errors import InputError
from crossplate.spectra.flex import list_flex
from crossplate.spectra.imzml import list_imzml
from crossplate.spectra.mzml import list_mzml
from crossplate.spectra.mzxml import list_mzxml
from crossplate.spectra.spectrum import Spectrum
from crossplate.spectra.spectrum_file import Exclusion, SpectrumFile
from crossplate.spectra.text import ENDINGS, list_text

__all__ = ["FoundSpectra", "find_spectra", "path_key", "read_spectra"]

Lister = Callable[[Path, str, str], list[SpectrumFile]]

_FLEX = "fid"
_LISTERS: dict[str, Lister] = {
    ".mzml": list_mzml,
    ".mzxml": list_mzxml,
    ".imzml": list_imzml,
    **dict.fromkeys(ENDINGS, list_text),
}


@dataclass(frozen=True)
class FoundSpectra:
    """What lies in a folder or file.

    Attributes
    ----------
    files
        References to the spectra, in the order of their paths; nothing of them is read yet.
    excluded
        Files that could not be opened, with the reason.
    """

    files: tuple[SpectrumFile, ...]
    excluded: tuple[Exclusion, ...] = ()


def find_spectra(
    place: str | os.PathLike[str], *, leave_out: Collection[str | os.PathLike[str]] = ()
) -> FoundSpectra:
    """Find all spectra in a folder, those in it, or in one file.

    mzML, mzXML, imzML (each pixel a spectrum), text with two columns (.csv, .tsv, .txt, .xy,
    .asc, also .gz) and Bruker flex folders (with a file ``fid``) are known. A spectrum is named
    after its file (a flex spectrum after its folder), with the folders before it where that name
    stands more than once, and with a number or the pixel's coordinates where the file holds
    several.

    Parameters
    ----------
    place
        Folder or file.
    leave_out
        Files in the folder that are no spectra, such as the metadata table.

    Raises
    ------
    InputError
        If the place does not exist, is a file of no known format, or holds no spectra.
    """
    root = Path(place)
    if not root.exists():
        raise InputError(f"{root} does not exist; check the spelling")
    paths = [root] if root.is_file() else _spectrum_paths(root, leave_out)
    if not paths or (root.is_file() and _lister(root) is None):
        raise InputError(
            f"{root} holds no spectra; they are files that end in .mzML, .mzXML, .imzML, "
            f"{', '.join(ENDINGS)}, or Bruker folders with a file fid"
        )
    base = root.parent if root.is_file() else root
    files: list[SpectrumFile] = []
    excluded = []
    for path, name in zip(paths, _names(paths, base), strict=True):
        lister = _lister(path)
        assert lister is not None, "paths of unknown formats were left out"
        source = path.relative_to(base).as_posix()
        try:
            files += lister(path, name, source)
        except InputError as error:
            excluded.append(Exclusion(name, str(error)))
    if not files:
        more = f" (and {len(excluded) - 1} more files)" if len(excluded) > 1 else ""
        raise InputError(f"no spectrum can be read{more}: {excluded[0].reason}")
    _check_unique(files)
    return FoundSpectra(tuple(files), tuple(excluded))


def read_spectra(place: str | os.PathLike[str]) -> Iterator[Spectrum]:
    """Read the spectra of a folder or file one after the other; only one is in memory.

    Parameters
    ----------
    place
        As in `find_spectra`.

    Raises
    ------
    InputError
        As in `find_spectra`, and at the first file or spectrum that cannot be read.
    """
    found = find_spectra(place)
    if found.excluded:
        raise InputError(found.excluded[0].reason)
    for file in found.files:
        yield file.read()


def _check_unique(files: list[SpectrumFile]) -> None:
    """Refuse names that numbering made equal, as of ``a_1.csv`` and the first in ``a.mzML``."""
    seen: dict[str, str] = {}
    for file in files:
        if file.name in seen:
            raise InputError(
                f"{seen[file.name]} and {file.source} both hold a spectrum called '{file.name}'; "
                "rename one of the files"
            )
        seen[file.name] = file.source


def path_key(path: str) -> str:
    """Path of a spectrum file without what tells only its format.

    A known ending is dropped, and so is a last ``fid``; "/" stands between folders.
    """
    key = path.strip().replace("\\", "/").removeprefix("./").rstrip("/")
    folder, _, file = key.rpartition("/")
    if file == _FLEX:
        return folder
    ending = _ending(file)
    return key[: -len(ending)] if ending else key


def _ending(name: str) -> str:
    fitting = [ending for ending in _LISTERS if name.lower().endswith(ending)]
    return max(fitting, key=len, default="")


def _lister(path: Path) -> Lister | None:
    return list_flex if path.name == _FLEX else _LISTERS.get(_ending(path.name))


def _spectrum_paths(root: Path, leave_out: Collection[str | os.PathLike[str]]) -> list[Path]:
    """Paths of all files of known formats, by folder and name; hidden ones are passed over."""
    others = {Path(path).resolve() for path in leave_out}
    paths = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found = (Path(folder, name) for name in sorted(names) if not name.startswith("."))
        paths += [path for path in found if _lister(path) and path.resolve() not in others]
    return paths


def _names(paths: list[Path], base: Path) -> list[str]:
    """Names of the files, with as few folders before them as keep them apart."""
    keys = [path_key(path.relative_to(base).as_posix()) or base.resolve().name for path in paths]
    same_key = Counter(keys)
    for at, path in enumerate(paths):
        if same_key[keys[at]] > 1:
            keys[at] = path.relative_to(base).as_posix()
    if any(path.name == _FLEX for path in paths):
        return keys
    stems = [key.rpartition("/")[2] for key in keys]
    same_stem = Counter(stems)
    return [key if same_stem[stem] > 1 else stem for key, stem in zip(keys, stems, strict=True)]
