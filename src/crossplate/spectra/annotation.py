"""Spectra and metadata brought together: each spectrum with its row of the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from crossplate.errors import InputError
from crossplate.spectra.metadata import MetadataTable
from crossplate.spectra.reading import FoundSpectra, path_key
from crossplate.spectra.spectrum_file import Exclusion, SpectrumFile

__all__ = ["AnnotatedSpectra", "annotate", "one_batch"]


@dataclass(frozen=True)
class AnnotatedSpectra:
    """Spectra with what is known of each.

    Attributes
    ----------
    files
        References to the spectra, named by sample id.
    samples
        One row a spectrum, the sample ids as index: ``batch`` always; ``label``, ``subject``,
        ``replicate`` and other columns as far as known.
    excluded
        Rows without spectrum, spectra without row, files that cannot be opened.
    """

    files: tuple[SpectrumFile, ...]
    samples: pd.DataFrame
    excluded: tuple[Exclusion, ...] = ()


def annotate(found: FoundSpectra, metadata: MetadataTable, batch_name: str) -> AnnotatedSpectra:
    """Give each spectrum its row of the metadata; where several fit, the most specific one.

    What does not fit together is listed as excluded: rows that name no spectrum or several
    places, spectra that no row names, rows without batch or subject.

    Parameters
    ----------
    found
        From `crossplate.spectra.reading.find_spectra`.
    metadata
        From `read_metadata`.
    batch_name
        Batch of all spectra if the metadata has no column of batches.

    Raises
    ------
    InputError
        If nothing is left, or two spectra get the same sample id.
    """
    row_of, excluded = _assign(found, metadata)
    if not row_of:
        raise InputError(
            f"no row of {metadata.source} can be used for a spectrum; the first row names "
            f"'{metadata.keys[0]}' and the first spectrum is {found.files[0].source}, so write the "
            "file names into the table"
        )
    order = sorted(row_of)
    rows = [row_of[number] for number in order]
    spectra_in = Counter(rows)
    ids = [
        _sample_id(metadata, row, found.files[number], alone=spectra_in[row] == 1)
        for number, row in zip(order, rows, strict=True)
    ]
    samples = metadata.columns.iloc[rows].set_axis(pd.Index(ids, name="sample_id"), axis=0)
    if "batch" not in samples:
        samples.insert(0, "batch", batch_name)
    _check_unique(samples.index, metadata.source)
    files = (replace(found.files[number], name=own) for number, own in zip(order, ids, strict=True))
    return AnnotatedSpectra(tuple(files), samples, (*found.excluded, *excluded))


def one_batch(found: FoundSpectra, batch_name: str) -> AnnotatedSpectra:
    """Take all spectra for one batch without labels, where there is no metadata table."""
    index = pd.Index([file.name for file in found.files], name="sample_id")
    samples = pd.DataFrame({"batch": batch_name}, index=index)
    return AnnotatedSpectra(found.files, samples, found.excluded)


def _places(keys: Sequence[str], files: Sequence[SpectrumFile]) -> dict[str, dict[str, list[int]]]:
    """What a row may name: for each such text the places it stands for, and the spectra there.

    A place is a spectrum, a file or a folder, by its path below the folder that was searched; it
    may be named by its whole path or the end of it.
    """
    places: dict[str, dict[str, list[int]]] = {}

    def add(path: str, number: int) -> None:
        parts = path.split("/")
        for start in range(len(parts)):
            name = "/".join(parts[start:])
            places.setdefault(name, {}).setdefault(path, []).append(number)

    for number, (key, file) in enumerate(zip(keys, files, strict=True)):
        parts = key.split("/") if key else [file.name]
        for end in range(1, len(parts) + 1):
            add("/".join(parts[:end]), number)
        if file.name not in places:
            # A spectrum inside a file is one step below the file.
            places[file.name] = {f"{key}/{file.name}": [number]}
    return places


def _assign(found: FoundSpectra, metadata: MetadataTable) -> tuple[dict[int, int], list[Exclusion]]:
    """Row of each spectrum that has a usable one, by numbers, and what is excluded."""
    places = _places([path_key(file.source) for file in found.files], found.files)
    excluded = []
    row_at: dict[str, int] = {}
    depth_and_row: dict[int, tuple[int, int]] = {}
    for row, key in enumerate(metadata.keys):
        fitting = places.get(path_key(key), {})
        reason = _misfit(key, fitting, row_at, metadata.row_name)
        if reason is not None:
            excluded.append(Exclusion(key, f"{metadata.row_name(row)}: {reason}"))
            continue
        ((place, numbers),) = fitting.items()
        row_at[place] = row
        for number in numbers:
            own = (place.count("/"), row)
            depth_and_row[number] = max(depth_and_row.get(number, own), own)
    row_of = {}
    for number, file in enumerate(found.files):
        if number not in depth_and_row:
            reason = f"{file.source}: no row of {metadata.source} names it"
            excluded.append(Exclusion(file.name, reason))
            continue
        row = depth_and_row[number][1]
        missing = _missing_role(metadata, row)
        if missing is None:
            row_of[number] = row
        else:
            reason = f"{metadata.row_name(row)}: the {missing} is missing"
            excluded.append(Exclusion(file.name, reason))
    return row_of, excluded


def _misfit(
    key: str, fitting: dict[str, list[int]], row_at: dict[str, int], row_name: Callable[[int], str]
) -> str | None:
    """Reason why a row names no spectra, if it does not."""
    if not fitting:
        return f"there is no spectrum '{key}'"
    if len(fitting) > 1:
        return f"'{key}' stands for {' and '.join(list(fitting)[:2])}; write the whole path"
    (place,) = fitting
    if place in row_at:
        return f"'{key}' was named before ({row_name(row_at[place])})"
    return None


def _missing_role(metadata: MetadataTable, row: int) -> str | None:
    """Column without which a spectrum cannot be used and that is empty in a row, if any."""
    needed = [role for role in ("batch", "subject") if role in metadata.columns]
    return next((role for role in needed if metadata.columns[role].iloc[row] is None), None)


def _sample_id(metadata: MetadataTable, row: int, file: SpectrumFile, *, alone: bool) -> str:
    """Id in the table where it stands for this spectrum alone, else the spectrum's own name."""
    own = None if metadata.ids is None else metadata.ids[row]
    return own if alone and own is not None else file.name


def _check_unique(ids: pd.Index, source: str) -> None:
    repeated = ids[ids.duplicated()]
    if len(repeated):
        raise InputError(
            f"{source}: the sample id '{repeated[0]}' stands for more than one spectrum (ids "
            f"repeated: {repeated.nunique()}); make the ids unique"
        )
