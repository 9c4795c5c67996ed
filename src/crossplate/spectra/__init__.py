"""From raw spectra to the table: readers, processing steps, and the pipeline that chains them."""

from crossplate.spectra.annotation import AnnotatedSpectra, annotate, one_batch
from crossplate.spectra.matching import Matching, match_features, match_tables
from crossplate.spectra.metadata import read_metadata
from crossplate.spectra.pipeline import SpectraPipeline
from crossplate.spectra.pipeline_settings import SpectraSettings, preset_settings
from crossplate.spectra.reading import find_spectra, read_spectra
from crossplate.spectra.replicates import ReplicateSettings
from crossplate.spectra.spectrum import Spectrum
from crossplate.spectra.spectrum_file import Exclusion, SpectrumFile
from crossplate.spectra.tabulating import SpectraTable, tabulate_spectra

__all__ = [
    "AnnotatedSpectra",
    "Exclusion",
    "Matching",
    "ReplicateSettings",
    "SpectraPipeline",
    "SpectraSettings",
    "SpectraTable",
    "Spectrum",
    "SpectrumFile",
    "annotate",
    "find_spectra",
    "match_features",
    "match_tables",
    "one_batch",
    "preset_settings",
    "read_metadata",
    "read_spectra",
    "tabulate_spectra",
]
