"""The disturbing half of the simulator: what a plate does to clean intensities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossplate.datasets.biology import MZ_HIGH, MZ_LOW, Design, Floats

N_WAVES = 3
N_PATTERNS = 4
SPECTRUM_PART = 0.3
SPREAD_OF_PLATES = 0.3


@dataclass(frozen=True)
class Strengths:
    """How strong each batch effect is, 0 switches it off; units as in ``make_plates``."""

    level: float
    mass: float
    scale: float
    noise: float
    saturation: float
    offset: float
    detection: float
    stretch: float


@dataclass(frozen=True)
class Distortion:
    """The batch effects drawn for all plates.

    Attributes
    ----------
    log_level
        Shift of all log intensities of a plate, shape (plates,).
    log_mass
        Smooth function of m/z added to the log intensities, shape (plates, features).
    log_scale
        Shift of each feature's log intensity, shape (plates, features).
    noise_sd
        Standard deviation of the noise patterns in the log intensity, shape (plates,).
    patterns
        Directions along which a plate's samples scatter, shape (plates, patterns, features).
    saturation
        Inverse of the intensity at which the response is halved, shape (plates,).
    offset
        Intensity added as background, shape (plates, features).
    detection_limit
        Intensity below which 0 is reported, shape (plates,).
    log_stretch
        Natural log of the factor by which each feature's log intensities are spread about their
        mean, shape (plates, features).
    """

    log_level: Floats
    log_mass: Floats
    log_scale: Floats
    noise_sd: Floats
    patterns: Floats
    saturation: Floats
    offset: Floats
    detection_limit: Floats
    log_stretch: Floats


def smooth_trends(mz: Floats, n_plates: int, rng: np.random.Generator) -> Floats:
    """Random smooth functions of m/z, one a plate, mean 0 and sd 1 over the features.

    Each is a sum of three cosine half-waves over the mass range whose normal coefficients fall as
    1/frequency. Shape (plates, features).
    """
    position = (mz - MZ_LOW) / (MZ_HIGH - MZ_LOW)
    order = np.arange(1, N_WAVES + 1)
    waves = np.cos(np.pi * order[:, None] * position)
    trends = (rng.standard_normal((n_plates, N_WAVES)) / order) @ waves
    trends -= trends.mean(axis=1, keepdims=True)
    spread = trends.std(axis=1, keepdims=True)
    return np.asarray(np.divide(trends, spread, out=np.zeros_like(trends), where=spread > 0))


def draw_distortion(
    mz: Floats,
    typical: float,
    n_plates: int,
    strengths: Strengths,
    seeds: list[np.random.SeedSequence],
) -> Distortion:
    """Draw each plate's batch effects.

    Parameters
    ----------
    mz
        Mass-to-charge ratios, shape (features,).
    typical
        Typical clean intensity, to which saturation, background and detection limit are relative.
    n_plates
        Number of plates.
    strengths
        Strength of each effect.
    seeds
        Eight seed sequences, one an effect, so that a change of one strength leaves the draws of
        the other effects as they were.
    """
    level, mass, scale, noise, saturation, offset, detection, stretch = map(
        np.random.default_rng, seeds
    )
    n_features = len(mz)

    def around_one(rng: np.random.Generator) -> Floats:
        return np.asarray(np.exp(SPREAD_OF_PLATES * rng.standard_normal(n_plates)))

    background = np.exp(offset.standard_normal((n_plates, n_features)))
    patterns = noise.standard_normal((n_plates, N_PATTERNS, n_features)) / np.sqrt(N_PATTERNS)
    return Distortion(
        log_level=strengths.level * level.standard_normal(n_plates),
        log_mass=strengths.mass * smooth_trends(mz, n_plates, mass),
        log_scale=strengths.scale * scale.standard_normal((n_plates, n_features)),
        noise_sd=strengths.noise * around_one(noise),
        patterns=patterns,
        saturation=strengths.saturation * around_one(saturation) / typical,
        offset=strengths.offset * typical * background,
        detection_limit=strengths.detection * typical * around_one(detection),
        log_stretch=strengths.stretch * stretch.standard_normal((n_plates, n_features)),
    )


def plate_noise(design: Design, distortion: Distortion, rng: np.random.Generator) -> Floats:
    """Extra noise of the log intensities, shape (spectra, features).

    Most of it scatters the samples along a few patterns that differ from plate to plate and is the
    same for a subject's replicates, as where a sample lies on the plate or how it was prepared
    would do; a part 0.3 times as large is independent from spectrum to spectrum.
    """
    weights = rng.standard_normal((len(design.plate), N_PATTERNS))
    of_subject = np.empty((len(design.plate), distortion.patterns.shape[2]))
    for plate, patterns in enumerate(distortion.patterns):
        here = design.plate == plate
        of_subject[here] = weights[here] @ patterns
    noise = rng.standard_normal((len(design.subject_of), of_subject.shape[1]))
    noise *= SPECTRUM_PART
    noise += of_subject[design.subject_of]
    noise *= distortion.noise_sd[design.plate[design.subject_of], None]
    return noise


def distort(
    clean: Floats, design: Design, distortion: Distortion, rng: np.random.Generator
) -> Floats:
    """Apply each plate's batch effects to its spectra.

    In the order of the instrument: sensitivity (level, mass, scale, stretch) and noise multiply,
    the detector saturates, background is added, and what lies below the detection limit becomes 0.
    With all strengths 0 the result equals ``clean`` bit for bit.

    Parameters
    ----------
    clean
        Clean intensities, shape (spectra, features).
    design
        Which subject and plate each spectrum belongs to.
    distortion
        Effects of each plate.
    rng
        Source of the extra noise.
    """
    plate_of = design.plate[design.subject_of]
    shift = distortion.log_level[:, None] + distortion.log_mass + distortion.log_scale
    log_factor = plate_noise(design, distortion, rng)
    log_factor += shift[plate_of]
    logs = np.log(clean)
    log_factor += np.expm1(distortion.log_stretch)[plate_of] * (logs - logs.mean(axis=0))
    signal = clean * np.exp(log_factor)
    signal /= 1.0 + distortion.saturation[plate_of, None] * signal
    signal += distortion.offset[plate_of]
    signal[signal < distortion.detection_limit[plate_of, None]] = 0.0
    return np.asarray(signal)
