"""From raw spectra to features that stay the same from plate to plate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from crossplate.errors import InputError
from crossplate.spectra.alignment import FEWEST_MATCHES, reference_peaks
from crossplate.spectra.binning import bin_peaks
from crossplate.spectra.chain import (
    FeatureRow,
    FittedFeatures,
    ProcessedSpectrum,
    above_snr,
    aligned_spectrum,
    feature_row,
    processed_spectrum,
)
from crossplate.spectra.checking import FloatArray
from crossplate.spectra.each import Source, each_outcome, opened
from crossplate.spectra.features import SpectraFeatures, collected_features
from crossplate.spectra.filtering import frequent
from crossplate.spectra.kept import KeptSpectrum, keep_spectrum
from crossplate.spectra.normalisation import pqn_reference
from crossplate.spectra.peaks import PeakList
from crossplate.spectra.pipeline_file import load_pipeline, save_pipeline
from crossplate.spectra.pipeline_settings import SpectraSettings
from crossplate.spectra.spectrum_file import Exclusion

FEW_REFERENCE_PEAKS = 10
"""Below this many reference peaks the alignment hangs on single peaks, as MALDIquant warns too."""
KEPT_BYTES = 2 * 2**30
"""Most disk space for processed profiles in ``fit_transform``; 3,300 spectra of 40,000 points."""

__all__ = ["FEW_REFERENCE_PEAKS", "KEPT_BYTES", "SpectraPipeline"]


class SpectraPipeline:
    """Features learned on reference spectra and looked up in new ones.

    ``fit`` finds the reference peaks of the alignment and the features. ``transform`` treats each
    spectrum on its own: the same spectrum has the same values whatever is measured with it, and a
    model trained on the reference plate can be applied to the next. Spectra are taken one after
    the other, so memory holds a few of them at a time.

    Parameters
    ----------
    settings
        Of all steps, such as ``preset_settings("maldi-proteins")``.
    n_jobs
        Processes that work on spectra side by side; -1 for all cores.

    Attributes
    ----------
    features_
        What was learned.
    exclusions_
        Spectra that ``fit`` left out, and why.
    notices_
        Sentences for the user about what ``fit`` found.
    """

    features_: FittedFeatures
    exclusions_: tuple[Exclusion, ...]
    notices_: tuple[str, ...]

    def __init__(self, settings: SpectraSettings, *, n_jobs: int = 1) -> None:
        self.settings = settings
        self.n_jobs = n_jobs

    def fit(self, spectra: Iterable[Source]) -> SpectraPipeline:
        """Learn reference peaks and features.

        Parameters
        ----------
        spectra
            Spectra of the reference plate or plates, or references to their files, which are
            read when their turn comes.

        Raises
        ------
        InputError
            If no spectrum can be used, or too few peaks are common to the spectra.
        """
        self._learn(each_outcome(_Peaks(self.settings), spectra, self.n_jobs))
        return self

    def fit_transform(self, spectra: Iterable[Source]) -> SpectraFeatures:
        """Learn features and look them up in the same spectra; as ``fit`` and ``transform``.

        Faster than the two, since each spectrum is read and processed once; the processed
        profiles wait in temporary files for the features, up to :data:`KEPT_BYTES`.

        Parameters
        ----------
        spectra
            As in ``fit``, in a list or other collection that can be gone through twice.

        Raises
        ------
        InputError
            As ``fit``, or if ``spectra`` can be gone through only once.
        """
        if isinstance(spectra, Iterator):
            raise InputError(
                "spectra can be gone through only once; give a list of spectra, or of references "
                "to their files if they do not fit into memory"
            )
        with TemporaryDirectory(prefix="crossplate-") as folder:
            step = _Keep(self.settings, Path(folder))
            kept: list[KeptSpectrum | Exclusion] = []
            self._learn(_keeping(each_outcome(step, spectra, self.n_jobs), kept))
            items = (
                source if its.file is None else its
                for source, its in zip(spectra, kept, strict=True)
                if not isinstance(its, Exclusion)
            )
            features = self._looked_up(items)
        unusable = tuple(its for its in kept if isinstance(its, Exclusion))
        return replace(features, exclusions=unusable + features.exclusions)

    def _learn(self, outcomes: Iterable[tuple[str, PeakList | Exclusion]]) -> None:
        names: list[str] = []
        peaks: list[PeakList] = []
        excluded: list[Exclusion] = []
        for name, found in outcomes:
            if isinstance(found, Exclusion):
                excluded.append(found)
            else:
                names.append(name)
                peaks.append(found)
        _check_any(len(peaks), excluded)
        reference = self._reference(peaks)
        aligned: list[PeakList] = []
        for name, each in zip(names, peaks, strict=True):
            try:
                done = aligned_spectrum(np.zeros(0), each, reference, self.settings)
            except InputError as error:
                excluded.append(Exclusion(name, str(error)))
                continue
            aligned.append(above_snr(replace(each, mz=done.peak_mz), self.settings.peaks.min_snr))
        _check_any(len(aligned), excluded)
        self.features_ = self._features(aligned, reference)
        self.exclusions_ = tuple(excluded)

    def _reference(self, peaks: list[PeakList]) -> FloatArray:
        how = self.settings.alignment
        self.notices_ = ()
        if how.method == "none":
            return np.zeros(0)
        reference = reference_peaks([above_snr(each, how.min_snr) for each in peaks], how)
        fewest = FEWEST_MATCHES[how.method]
        share = f"{how.min_frequency:.0%} of the {len(peaks)} spectra"
        if len(reference) < fewest:
            raise InputError(
                f"{len(reference)} peaks are common to {share} and the {how.method} alignment "
                f"needs {fewest}; lower min_frequency or min_snr of the alignment, widen its "
                "tolerance, or align by 'none'"
            )
        if len(reference) < FEW_REFERENCE_PEAKS:
            self.notices_ = (
                f"Only {len(reference)} peaks are common to {share}, so the alignment hangs on "
                "single peaks; a lower min_frequency or min_snr of the alignment finds more.",
            )
        return reference

    def _features(self, aligned: list[PeakList], reference: FloatArray) -> FittedFeatures:
        bins = bin_peaks(aligned, self.settings.binning)
        kept = frequent(bins, self.settings.min_frequency)
        if not kept.any():
            raise InputError(
                f"no peak is found in {self.settings.min_frequency:.0%} of the {len(aligned)} "
                "spectra; lower min_frequency or min_snr of the peaks, or widen the tolerance of "
                "the binning"
            )
        quotients = None
        if self.settings.normalisation == "pqn":
            quotients = pqn_reference(bins.matrix()[:, kept])
        return FittedFeatures(reference, bins.centre[kept], bins.frequency()[kept], quotients)

    def transform(self, spectra: Iterable[Source]) -> SpectraFeatures:
        """Look the features up in spectra, of the reference plate or a new one.

        Parameters
        ----------
        spectra
            Spectra, or references to their files, which are read when their turn comes.

        Returns
        -------
        Features and quality of each spectrum, and the spectra left out; no row if all are.

        Raises
        ------
        InputError
            If the pipeline is not fitted.
        """
        return self._looked_up(spectra)

    def _looked_up(self, items: Iterable[Source | KeptSpectrum]) -> SpectraFeatures:
        fitted = self._fitted()
        rows = each_outcome(_Lookup(self.settings, fitted), items, self.n_jobs)
        return collected_features(rows, fitted.feature_mz)

    def keep_features(self, kept: npt.NDArray[np.bool_]) -> SpectraPipeline:
        """Pipeline with some of the features only, such as those stable over replicates.

        Parameters
        ----------
        kept
            True for a feature to keep, shape (p,).

        Raises
        ------
        InputError
            If the pipeline is not fitted, ``kept`` has another length, or keeps none.
        """
        fitted = self._fitted()
        if kept.shape != fitted.feature_mz.shape or not kept.any():
            raise InputError(
                f"{int(np.sum(kept))} features are to be kept of {kept.size} named, and the "
                f"pipeline has {fitted.feature_mz.size}; name each once and keep at least one"
            )
        smaller = SpectraPipeline(self.settings, n_jobs=self.n_jobs)
        quotients = fitted.pqn_reference
        smaller.features_ = FittedFeatures(
            fitted.reference_mz,
            fitted.feature_mz[kept],
            fitted.frequency[kept],
            None if quotients is None else quotients[kept],
        )
        smaller.exclusions_, smaller.notices_ = self.exclusions_, self.notices_
        return smaller

    def save(self, path: str | PathLike[str]) -> None:
        """Write settings and fitted features to a JSON file.

        Parameters
        ----------
        path
            File, overwritten if it exists.

        Raises
        ------
        InputError
            If the pipeline is not fitted or the file cannot be written.
        """
        save_pipeline(path, self.settings, self._fitted())

    @classmethod
    def load(cls, path: str | PathLike[str], *, n_jobs: int = 1) -> SpectraPipeline:
        """Read a pipeline that :meth:`save` wrote; it gives the same features bit for bit.

        Parameters
        ----------
        path
            File.
        n_jobs
            As of the class.

        Raises
        ------
        InputError
            If the file is missing, damaged or of a newer format.
        """
        settings, features = load_pipeline(path)
        pipeline = cls(settings, n_jobs=n_jobs)
        pipeline.features_, pipeline.exclusions_, pipeline.notices_ = features, (), ()
        return pipeline

    def _fitted(self) -> FittedFeatures:
        if not hasattr(self, "features_"):
            raise InputError("the pipeline has learned no features yet; call fit or load first")
        return self.features_


def _check_any(n_usable: int, excluded: list[Exclusion]) -> None:
    if not n_usable:
        why = f"; the first, {excluded[0].name}: {excluded[0].reason}" if excluded else ""
        raise InputError(f"none of {len(excluded)} spectra can be used{why}")


# The steps are classes and not closures, so that they can be sent to another process.


@dataclass(frozen=True)
class _Peaks:
    settings: SpectraSettings

    def __call__(self, source: Source) -> PeakList:
        return _processed(source, self.settings).peaks


@dataclass(frozen=True)
class _Keep:
    settings: SpectraSettings
    folder: Path

    def __call__(self, source: Source) -> KeptSpectrum:
        return keep_spectrum(source.name, _processed(source, self.settings), self.folder)


@dataclass(frozen=True, eq=False)
class _Lookup:
    settings: SpectraSettings
    fitted: FittedFeatures

    def __call__(self, item: Source | KeptSpectrum) -> FeatureRow:
        if isinstance(item, KeptSpectrum):
            return feature_row(item.restored(), self.fitted, self.settings)
        return feature_row(_processed(item, self.settings), self.fitted, self.settings)


def _processed(source: Source, settings: SpectraSettings) -> ProcessedSpectrum:
    spectrum = opened(source)
    return processed_spectrum(spectrum.mz, spectrum.intensity, settings)


def _keeping(
    outcomes: Iterable[tuple[str, KeptSpectrum | Exclusion]],
    kept: list[KeptSpectrum | Exclusion],
) -> Iterator[tuple[str, PeakList | Exclusion]]:
    """Hand on the peaks, and drop the profiles that are more than the disk should hold."""
    n_bytes = 0
    for name, outcome in outcomes:
        if isinstance(outcome, Exclusion):
            kept.append(outcome)
            yield name, outcome
            continue
        n_bytes += outcome.n_bytes
        if outcome.file is not None and n_bytes > KEPT_BYTES:
            outcome.file.unlink()
            outcome = replace(outcome, file=None)  # noqa: PLW2901
        kept.append(outcome)
        yield name, outcome.peaks
