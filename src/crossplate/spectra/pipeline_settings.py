"""Settings of the whole chain from raw spectra to features, and two presets."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from crossplate.errors import InputError
from crossplate.spectra.alignment import AlignmentSettings
from crossplate.spectra.baseline import BaselineSettings
from crossplate.spectra.binning import BinningSettings
from crossplate.spectra.filtering import check_frequency
from crossplate.spectra.normalisation import NormalisationMethod
from crossplate.spectra.peaks import PeakSettings
from crossplate.spectra.smoothing import SmoothingSettings
from crossplate.spectra.transform import TransformMethod

SpectraPreset = Literal["maldi-metabolites", "maldi-proteins"]

__all__ = ["PRESETS", "SpectraPreset", "SpectraSettings", "preset_settings"]

_METHODS: dict[str, dict[str, tuple[str, ...]]] = {
    "smoothing": {"method": ("none", "savitzky-golay", "moving-average")},
    "baseline": {"method": ("none", "snip", "top-hat", "convex-hull", "least-squares")},
    "peaks": {"position": ("highest", "vertex")},
    "alignment": {"method": ("none", "linear", "quadratic", "cubic", "lowess")},
    "binning": {"method": ("strict", "relaxed")},
}
_TRANSFORMS = ("none", "sqrt", "log")
_NORMALISATIONS = ("none", "tic", "median", "pqn")


@dataclass(frozen=True)
class SpectraSettings:
    """Everything that decides how raw spectra become features, in the order of the steps.

    Windows count points, so they depend on how densely the instrument samples; all other numbers
    do not.

    Parameters
    ----------
    mz_range
        First and last m/z kept.
    most_clipped
        Most points clipped by the detector (runs at the maximum) before a spectrum is left out;
        None keeps all. 10 lets one narrow peak of the matrix pass.
    transform
        ``"none"``, ``"sqrt"`` or ``"log"``.
    smoothing, baseline
        Of the profile.
    normalisation
        ``"none"``, ``"tic"``, ``"median"`` or ``"pqn"``.
    peaks
        What counts as a peak.
    alignment
        To the reference peaks.
    binning
        How peaks of the reference spectra become features, and how far from a feature a peak of
        a new spectrum may lie.
    min_frequency
        Least share of the reference spectra that have a peak at a feature; 0.25 keeps what only
        one of several groups has.
    """

    mz_range: tuple[float, float]
    most_clipped: int | None = 10
    transform: TransformMethod = "sqrt"
    smoothing: SmoothingSettings = field(default_factory=SmoothingSettings)
    baseline: BaselineSettings = field(default_factory=BaselineSettings)
    normalisation: NormalisationMethod = "tic"
    peaks: PeakSettings = field(default_factory=PeakSettings)
    alignment: AlignmentSettings = field(default_factory=AlignmentSettings)
    binning: BinningSettings = field(default_factory=BinningSettings)
    min_frequency: float = 0.25

    def __post_init__(self) -> None:
        """Refuse numbers out of range and unknown methods."""
        low, high = self.mz_range
        if not 0.0 <= low < high:
            raise InputError(f"mz_range is {low:g} to {high:g}; give the lower end first, above 0")
        if self.most_clipped is not None and self.most_clipped < 0:
            raise InputError(f"most_clipped is {self.most_clipped}; it must be at least 0, or None")
        check_frequency(self.min_frequency)
        _check_choice("transform", self.transform, _TRANSFORMS)
        _check_choice("normalisation", self.normalisation, _NORMALISATIONS)
        for step, choices in _METHODS.items():
            for name, allowed in choices.items():
                _check_choice(f"{name} of {step}", getattr(getattr(self, step), name), allowed)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {**asdict(self), "mz_range": list(self.mz_range)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> SpectraSettings:
        """Settings from :meth:`to_dict`.

        Raises
        ------
        InputError
            If a name is unknown or a value out of range.
        """
        known = {each.name for each in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise InputError(
                f"unknown settings of the spectra: {', '.join(unknown)}; known are "
                f"{', '.join(sorted(known))}"
            )
        steps = {
            "smoothing": SmoothingSettings,
            "baseline": BaselineSettings,
            "peaks": PeakSettings,
            "alignment": AlignmentSettings,
            "binning": BinningSettings,
        }
        try:
            made = {name: steps[name](**values[name]) for name in steps if name in values}
            low, high = values["mz_range"]
            return cls(**{**values, **made, "mz_range": (float(low), float(high))})
        except (TypeError, ValueError, KeyError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"the settings of the spectra cannot be used: {error}") from error


def _check_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(f"{name} is {value!r}; choose one of {', '.join(allowed)}")


PRESETS: dict[SpectraPreset, SpectraSettings] = {
    # Small molecules on a reflectron: peaks of few points, isotopes 1 apart. No transform, so that
    # a feature stays in proportion to its amount and its relative standard deviation over
    # replicates means what it usually does. Tolerances hold a calibration that drifted between
    # plates (up to 100 ppm or so) and still part ions of one nominal mass (0.05 at m/z 500).
    "maldi-metabolites": SpectraSettings(
        mz_range=(100.0, 1000.0),
        transform="none",
        smoothing=SmoothingSettings(half_window=3, order=2),
        baseline=BaselineSettings("snip", iterations=40),
        peaks=PeakSettings(half_window=8, min_snr=3.0, position="vertex"),
        alignment=AlignmentSettings(tolerance_ppm=200.0, min_snr=5.0),
        binning=BinningSettings(tolerance_ppm=100.0),
    ),
    # Peptides and proteins on a linear instrument: wide, noisy peaks. Square roots, windows and
    # the tolerance of the alignment are those of MALDIquant's published workflows. Aligned by the
    # vertices of clear peaks (S/N 5, not 2), which halves what is left of the mass error; then
    # half the tolerance is enough for the binning, and fewer peaks of noise meet by chance.
    "maldi-proteins": SpectraSettings(
        mz_range=(2000.0, 20000.0),
        transform="sqrt",
        smoothing=SmoothingSettings(half_window=10, order=3),
        baseline=BaselineSettings("snip", iterations=100),
        peaks=PeakSettings(half_window=20, min_snr=3.0, position="vertex"),
        alignment=AlignmentSettings(tolerance_ppm=2000.0, min_snr=5.0),
        binning=BinningSettings(tolerance_ppm=1000.0),
    ),
}


def preset_settings(preset: SpectraPreset) -> SpectraSettings:
    """Settings of a preset.

    Parameters
    ----------
    preset
        ``"maldi-metabolites"``, m/z 100 to 1,000, or ``"maldi-proteins"``, 2 to 20 kDa.

    Raises
    ------
    InputError
        If there is no such preset.
    """
    if preset not in PRESETS:
        raise InputError(f"there is no preset {preset!r}; choose one of {', '.join(PRESETS)}")
    return PRESETS[preset]
