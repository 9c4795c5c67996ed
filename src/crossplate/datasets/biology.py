"""The undisturbed half of the simulator: subjects, replicate spectra, clean intensities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MZ_LOW, MZ_HIGH = 100.0, 1000.0
LOG_INTENSITY_MEAN = 5.0
LOG_INTENSITY_SD = 1.2
SPREAD_OF_EFFECTS = 0.5


@dataclass(frozen=True)
class Design:
    """Who is measured where: one entry a subject, then one entry a spectrum.

    Attributes
    ----------
    plate
        Plate number of each subject, from 0, shape (subjects,).
    diseased
        Whether the subject has the disease, shape (subjects,).
    number
        Running number of the subject on its plate, from 1, shape (subjects,).
    subject_of
        Row number of the subject each spectrum belongs to, shape (spectra,).
    replicate
        Running number of the spectrum within its subject, from 1, shape (spectra,).
    """

    plate: Ints
    diseased: npt.NDArray[np.bool_]
    number: Ints
    subject_of: Ints
    replicate: Ints


def plan_design(
    n_subjects: tuple[int, ...],
    n_diseased: tuple[int, ...],
    max_replicates: int,
    share_incomplete: float,
    rng: np.random.Generator,
) -> Design:
    """Place subjects on plates in random order and give each its replicate spectra.

    Parameters
    ----------
    n_subjects, n_diseased
        Subjects, and diseased subjects among them, of each plate.
    max_replicates
        Spectra measured of a subject.
    share_incomplete
        Probability that a subject keeps fewer; the number kept is then uniform on
        1 … max_replicates − 1.
    rng
        Source of random numbers.
    """
    plate = np.repeat(np.arange(len(n_subjects)), n_subjects)
    diseased = np.concatenate(
        [rng.permutation(np.arange(n) < d) for n, d in zip(n_subjects, n_diseased, strict=True)]
    )
    number = np.concatenate([np.arange(1, n + 1) for n in n_subjects])
    kept = np.full(len(plate), max_replicates)
    if max_replicates > 1:
        incomplete = rng.random(len(plate)) < share_incomplete
        kept[incomplete] = rng.integers(1, max_replicates, size=int(incomplete.sum()))
    subject_of = np.repeat(np.arange(len(plate)), kept)
    replicate = np.concatenate([np.arange(1, k + 1) for k in kept])
    return Design(plate, diseased, number, subject_of, replicate)


def draw_mz(n_features: int, rng: np.random.Generator) -> Floats:
    """Draw distinct m/z values between 100 and 1000, ascending, on a grid of 0.0001."""
    steps = round((MZ_HIGH - MZ_LOW) * 10_000)
    ticks = rng.choice(steps + 1, size=n_features, replace=False)
    return np.asarray(MZ_LOW + np.sort(ticks) / 10_000)


def draw_effects(
    n_features: int, n_informative: int, effect_size: float, rng: np.random.Generator
) -> Floats:
    """Shift of the log intensity by the disease, 0 for most features, shape (features,).

    Half of the informative features rise and half fall (one more rises where the number is odd).
    Their sizes are uniform between 0.5 and 1.5 times ``effect_size``.
    """
    effects = np.zeros(n_features)
    chosen = rng.choice(n_features, size=n_informative, replace=False)
    sizes = effect_size * rng.uniform(1 - SPREAD_OF_EFFECTS, 1 + SPREAD_OF_EFFECTS, n_informative)
    effects[chosen] = sizes * np.where(np.arange(n_informative) % 2 == 0, 1.0, -1.0)
    return effects


def draw_module_part(
    n_subjects: int, n_features: int, n_modules: int, rng: np.random.Generator
) -> Floats:
    """Variation that features of one module share, shape (subjects, features), sd about 1.

    Each feature belongs to one module and follows that module's latent factor with a loading of
    its own, so features of one module are correlated, positively or negatively.
    """
    factors = rng.standard_normal((n_subjects, n_modules))
    module_of = rng.integers(n_modules, size=n_features)
    loadings = rng.standard_normal(n_features)
    return np.asarray(factors[:, module_of] * loadings)


def clean_intensities(
    design: Design,
    effects: Floats,
    *,
    n_modules: int,
    module_sd: float,
    subject_sd: float,
    replicate_sd: float,
    rng: np.random.Generator,
) -> Floats:
    """Log-normal intensities without any batch effect, shape (spectra, features), all positive.

    The log intensity is the sum of a feature mean, the disease effect, the subject's module
    factors (``module_sd``), the subject's own variation a feature (``subject_sd``) and noise of the
    single spectrum (``replicate_sd``); all standard deviations are in units of the natural log.
    """
    n_subjects, n_features = len(design.plate), len(effects)
    of_subject = rng.normal(LOG_INTENSITY_MEAN, LOG_INTENSITY_SD, n_features)
    of_subject = of_subject + design.diseased[:, None] * effects
    of_subject += module_sd * draw_module_part(n_subjects, n_features, n_modules, rng)
    of_subject += subject_sd * rng.standard_normal((n_subjects, n_features))
    log_intensity = of_subject[design.subject_of]
    log_intensity += replicate_sd * rng.standard_normal(log_intensity.shape)
    return np.asarray(np.exp(log_intensity))
