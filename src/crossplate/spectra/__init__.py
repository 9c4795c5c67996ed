"""From raw spectra to the table: readers, processing steps, and the pipeline that chains them.

The names below are loaded when first used, so that processes working side by side start quickly.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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

_HOME = {
    "AnnotatedSpectra": "annotation",
    "Exclusion": "spectrum_file",
    "Matching": "matching",
    "ReplicateSettings": "replicates",
    "SpectraPipeline": "pipeline",
    "SpectraSettings": "pipeline_settings",
    "SpectraTable": "tabulating",
    "Spectrum": "spectrum",
    "SpectrumFile": "spectrum_file",
    "annotate": "annotation",
    "find_spectra": "reading",
    "match_features": "matching",
    "match_tables": "matching",
    "one_batch": "annotation",
    "preset_settings": "pipeline_settings",
    "read_metadata": "metadata",
    "read_spectra": "reading",
    "tabulate_spectra": "tabulating",
}

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


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for, and keep it (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'crossplate.spectra' has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
