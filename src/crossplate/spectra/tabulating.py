"""From references to spectra to a table of samples: the pipeline, replicates, and the quality."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crossplate.errors import InputError
from crossplate.spectra.annotation import AnnotatedSpectra
from crossplate.spectra.checking import FloatArray
from crossplate.spectra.features import feature_names
from crossplate.spectra.pipeline import SpectraPipeline
from crossplate.spectra.pipeline_settings import SpectraSettings
from crossplate.spectra.quality import (
    SpectraQuality,
    batch_figures,
    example_spectra,
    spectrum_figures,
)
from crossplate.spectra.replicates import (
    BoolArray,
    Names,
    ReplicateSettings,
    failed_spectra,
    stable_features,
)
from crossplate.spectra.spectrum_file import Exclusion, SpectrumFile
from crossplate.table import SampleTable

__all__ = ["Progress", "SpectraTable", "tabulate_spectra"]

Progress = Callable[[int, int], None]
"""Told how many spectra are done, and how many there are."""

_ROLES = ("batch", "label", "subject")


@dataclass(frozen=True, eq=False)
class SpectraTable:
    """Features of spectra as a table, and how they came about.

    Attributes
    ----------
    table
        One row a spectrum that was kept.
    pipeline
        Fitted; with it the same features are found in other spectra.
    quality
        For the quality page, spectra that were left out included.
    """

    table: SampleTable
    pipeline: SpectraPipeline
    quality: SpectraQuality


def tabulate_spectra(
    spectra: AnnotatedSpectra,
    pipeline: SpectraPipeline | SpectraSettings,
    *,
    replicates: ReplicateSettings | None = None,
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> SpectraTable:
    """Turn spectra into a table of features.

    With settings, features are learned on these spectra, and of those the ones that vary too much
    over replicates are dropped. With a fitted pipeline, its features are looked up. In either
    case, spectra with too little signal and those unlike their replicates are left out.

    Parameters
    ----------
    spectra
        With batches, and subjects where there are replicates: spectra of one subject in one batch
        are replicates. Without subjects each spectrum stands alone.
    pipeline
        Fitted, or the settings of one to be fitted.
    replicates
        Limits; the defaults if None.
    n_jobs
        Processes that work on spectra side by side.
    progress
        Called after every spectrum.

    Raises
    ------
    InputError
        If no spectrum can be used or no feature is left.
    """
    limits = replicates or ReplicateSettings()
    counted = _Counted(spectra.files, progress or _silent)
    learn = isinstance(pipeline, SpectraSettings)
    if isinstance(pipeline, SpectraSettings):
        pipeline = SpectraPipeline(pipeline, n_jobs=n_jobs)
        features = pipeline.fit_transform(counted)
    else:
        features = pipeline.transform(counted)
    excluded = [*spectra.excluded, *features.exclusions]
    _check_any(len(features.names), excluded)
    samples = spectra.samples.loc[features.names]
    groups = _replicate_groups(samples)
    figures = spectrum_figures(features, samples["batch"].to_numpy(dtype=str), groups)
    failed = failed_spectra(features.intensity, figures["snr"].to_numpy(), groups, limits)
    excluded += _reasons(figures[failed], limits)
    _check_any(int((~failed).sum()), excluded)
    stable = np.full(len(features.feature_mz), True)
    if learn:
        stable = stable_features(features.intensity[~failed], groups[~failed], limits)
        _check_stable(stable, limits)
        pipeline = pipeline.keep_features(stable)
    names = feature_names(pipeline.features_.feature_mz)
    table = _table(features.intensity[:, stable], names, samples, ~failed)
    kept = [file for file in spectra.files if file.name in table.features.index]
    quality = SpectraQuality(
        batches=batch_figures(features, figures, groups, ~failed, spectra.samples["batch"]),
        spectra=figures.assign(kept=~failed),
        feature_mz=pipeline.features_.feature_mz,
        n_features_learned=len(stable),
        excluded=tuple(excluded),
        examples=example_spectra(kept, table.batch[[file.name for file in kept]], pipeline),
        settings=pipeline.settings.to_dict(),
        notices=pipeline.notices_,
    )
    return SpectraTable(table, pipeline, quality)


def _silent(done: int, total: int) -> None:
    """Tell nobody."""


class _Counted:
    """Spectra to go through, which tell how many were handed out."""

    def __init__(self, files: Sequence[SpectrumFile], progress: Progress) -> None:
        self.files, self.progress = files, progress

    def __iter__(self) -> Iterator[SpectrumFile]:
        for done, file in enumerate(self.files):
            self.progress(done, len(self.files))
            yield file
        self.progress(len(self.files), len(self.files))


def _replicate_groups(samples: pd.DataFrame) -> Names:
    """Name of each spectrum's replicates, shape (n,): one subject in one batch."""
    if "subject" not in samples:
        return samples.index.to_numpy(dtype=str)
    # Two names joined by a character that stands in neither.
    return (samples["batch"] + "\x1f" + samples["subject"]).to_numpy(dtype=str)


def _check_any(n_left: int, excluded: Sequence[Exclusion]) -> None:
    if not n_left:
        one = excluded[-1]
        raise InputError(
            f"none of {len(excluded)} spectra can be used; the last, {one.name}: {one.reason}"
        )


def _check_stable(stable: BoolArray, limits: ReplicateSettings) -> None:
    if not stable.any():
        raise InputError(
            f"each of the {len(stable)} features varies over replicates by more than "
            f"{limits.max_rsd:.0%} (relative standard deviation); check that the column of "
            "subjects tells which spectra are replicates"
        )


def _reasons(failed: pd.DataFrame, limits: ReplicateSettings) -> list[Exclusion]:
    """Why spectra fail as replicates, from their figures."""
    excluded = []
    for name, snr, correlation in zip(
        failed.index, failed["snr"], failed["replicate_correlation"], strict=True
    ):
        if not snr >= limits.min_snr:
            found = "has no peak" if np.isnan(snr) else f"has a median S/N of {snr:.2g}"
            reason = f"the spectrum {found}, and at least {limits.min_snr:g} is wanted"
        else:
            reason = (
                f"the spectrum correlates by {correlation:.2f} with the others of its subject, "
                f"and at least {limits.min_correlation:g} is wanted"
            )
        excluded.append(Exclusion(str(name), reason))
    return excluded


def _table(
    values: FloatArray, names: list[str], samples: pd.DataFrame, kept: BoolArray
) -> SampleTable:
    """Table of the spectra that are kept."""
    samples = samples[kept]
    return SampleTable(
        features=pd.DataFrame(values[kept], index=samples.index, columns=names),
        batch=samples["batch"],
        label=samples.get("label"),
        subject=samples.get("subject"),
        metadata=samples.drop(columns=[name for name in _ROLES if name in samples]),
    )
