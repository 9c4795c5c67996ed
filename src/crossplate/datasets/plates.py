"""Simulated MALDI-like plates with known truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice

import numpy as np
import pandas as pd

from crossplate.datasets.biology import (
    Design,
    Floats,
    clean_intensities,
    draw_effects,
    draw_mz,
    plan_design,
)
from crossplate.datasets.distortion import Distortion, Strengths, distort, draw_distortion
from crossplate.errors import InputError
from crossplate.table import SampleTable

PAPER_SUBJECTS = (201, 212, 185)
PAPER_SHARES = (94 / 201, 120 / 212, 92 / 185)
DISEASED, HEALTHY = "SLE", "control"
N_EFFECTS = 8


@dataclass(frozen=True)
class Plates:
    """Simulated plates and the truth behind them.

    Attributes
    ----------
    table
        What a laboratory would see: intensities with batch effects, the plate as batch, the
        diagnosis as label, the subject of each spectrum.
    clean
        The same spectra without batch effects (same subjects, same replicate noise), same shape,
        rows and columns as ``table.features``.
    informative
        Features that the disease changes (index) and by how much: column ``effect``, the shift of
        the natural log of the intensity in diseased subjects; positive means higher.
    batch_effects
        What was drawn for each plate: ``log_mass``, ``log_scale``, ``log_stretch`` and ``offset``
        (plates × features; shifts of the natural log, log of a factor, and an intensity) and
        ``plate`` (plates × four columns: ``log_level``, ``noise_sd``, ``saturation``,
        ``detection_limit``).
    """

    table: SampleTable
    clean: pd.DataFrame
    informative: pd.DataFrame
    batch_effects: Mapping[str, pd.DataFrame]


def make_plates(
    *,
    n_subjects: Sequence[int] = PAPER_SUBJECTS,
    class_shares: Sequence[float] | None = None,
    n_features: int = 814,
    n_informative: int = 40,
    effect_size: float = 0.55,
    max_replicates: int = 5,
    share_incomplete: float = 0.005,
    n_modules: int = 20,
    module_sd: float = 0.5,
    subject_sd: float = 0.5,
    replicate_sd: float = 0.25,
    level: float = 0.3,
    mass: float = 0.2,
    scale: float = 0.4,
    noise: float = 1.0,
    saturation: float = 0.1,
    offset: float = 0.05,
    detection: float = 0.1,
    stretch: float = 0.0,
    confounding: float = 0.0,
    random_state: int = 0,
) -> Plates:
    """Simulate plates of MALDI-like spectra. These are not measurements of anyone.

    The defaults imitate the size of the three plates of [Niu2022]: 201, 212 and 185 subjects (94,
    120 and 92 of them diseased), nearly all with five replicate spectra, 814 features at m/z 100 to
    1000. Intensities are log-normal. Strengths and effects are in units of the natural log of the
    intensity unless said otherwise; a strength of 0 switches that batch effect off, and with all
    eight at 0 the table equals the clean data exactly.

    Parameters
    ----------
    n_subjects
        Subjects on each plate; its length is the number of plates.
    class_shares
        Share of diseased subjects on each plate, held exactly up to rounding to whole subjects.
        Default: the paper's three shares, in turn. Unequal shares are label shift.
    n_features
        Peaks a spectrum.
    n_informative
        Features that the disease changes, half upwards, half downwards. The paper found 34 to 37
        biomarkers a plate.
    effect_size
        Mean size of that change; single sizes are uniform between 0.5 and 1.5 times this.
    max_replicates
        Spectra measured of a subject.
    share_incomplete
        Probability that a subject keeps fewer spectra than that (the paper: 3 of 598 subjects).
    n_modules, module_sd
        Number of latent factors, and how far they move their features from subject to subject.
        Each feature follows one factor, so that features of a module are correlated.
    subject_sd
        Variation between subjects that each feature has of its own.
    replicate_sd
        Variation between the replicate spectra of a subject (0.25: an RSD of about 25 %).
    level
        Plate-level overall intensity: standard deviation between plates.
    mass
        Mass-range-dependent sensitivity: standard deviation over features of a random smooth
        function of m/z, one a plate.
    scale
        Multiplicative shift a feature and plate: standard deviation.
    noise
        Extra noise: typical standard deviation. Most of it moves a subject's spectra together along
        four patterns peculiar to the plate, so a classifier trained on another plate has not seen
        it and no correction feature by feature removes it; a part 0.3 times as large is
        independent from spectrum to spectrum.
    saturation
        Intensity-dependent non-linearity x / (1 + k·x/m), m the median clean intensity; ``k`` is
        about this strength (0.1: a peak ten times the median comes out half as high).
    offset
        Additive background a feature and plate: its median, relative to the median clean
        intensity.
    detection
        Detection limit relative to the median clean intensity; what is lower is reported as 0.
    stretch
        Spread of each feature's log intensities about their mean, by a factor that differs from
        plate to plate: standard deviation of its natural log. With ``level``, ``mass`` and
        ``scale`` it makes up all that an affine map of each feature's logs can undo. Off by
        default: the paper's plates tell nothing of it.
    confounding
        How far diagnosis goes with the plate, from 0 (``class_shares`` as they are) to 1 (plates
        1, 3, … hold diseased subjects only, plates 2, 4, … controls only); linear between.
    random_state
        Seed. The same settings and seed give the same data; changing one strength leaves subjects,
        clean data and the other batch effects as they were.

    Returns
    -------
    Plates
        Labels ``"SLE"`` and ``"control"``, batches ``"plate1"``, …, subjects ``"P1_S001"``, sample
        ids ``"P1_S001_R1"``, features ``"mz_123.4567"`` in ascending order.

    Raises
    ------
    InputError
        If a setting is out of range or the lengths of ``n_subjects`` and ``class_shares`` differ.

    Notes
    -----
    Difficulty of the defaults: mean accuracy over the spectra of seeds 0 to 9 (lowest and highest
    seed) of a logistic regression with C = 0.1 on log1p of the intensities, features standardised
    on the training data. Within a plate, 5 folds grouped by subject: 0.91 (0.88 to 0.95). Trained
    on one plate and tested on another: without correction 0.74 (0.63 to 0.82), after z-scoring
    each plate by itself 0.86 (0.79 to 0.92). The paper's Table 4 has 0.91 to 0.93 within a plate
    and 0.75 to 0.88 across plates before correction.

    References
    ----------
    .. [Niu2022] J. Niu et al., BMC Bioinformatics 23:270, 2022.
    """
    strengths = Strengths(level, mass, scale, noise, saturation, offset, detection, stretch)
    spreads = {"module_sd": module_sd, "subject_sd": subject_sd, "replicate_sd": replicate_sd}
    shares = _shares(n_subjects, class_shares, confounding)
    _check_counts(n_subjects, n_features, n_informative, max_replicates, n_modules)
    _check_ranges({**asdict(strengths), **spreads}, share_incomplete)

    seeds = np.random.SeedSequence(random_state).spawn(5 + N_EFFECTS)
    sequence = [np.random.default_rng(seed) for seed in seeds[:5]]
    n_diseased = tuple(round(s * n) for s, n in zip(shares, n_subjects, strict=True))
    design = plan_design(
        tuple(n_subjects), n_diseased, max_replicates, share_incomplete, sequence[0]
    )
    mz = draw_mz(n_features, sequence[1])
    effects = draw_effects(n_features, n_informative, effect_size, sequence[2])
    clean = clean_intensities(design, effects, n_modules=n_modules, **spreads, rng=sequence[3])
    distortion = draw_distortion(mz, float(np.median(clean)), len(n_subjects), strengths, seeds[5:])
    measured = distort(clean, design, distortion, sequence[4])
    return _named(design, mz, effects, clean, measured, distortion)


def demo_plates(random_state: int = 1) -> Plates:
    """Simulate the small plates that ``crossplate demo`` shows. Not measurements of anyone.

    Two plates of 80 subjects with three replicate spectra each (one subject in twenty has fewer)
    and 300 features; half of the subjects of plate 1 and 45 % of plate 2 are diseased. The disease
    changes 30 features by about 0.8 log units, more than the default, since there are fewer
    subjects to learn from. All other settings are the defaults of :func:`make_plates`. The
    default seed was chosen because the batch effect is plain to see with it; over seeds 0 to 9 a
    logistic regression across the plates scores 0.61 to 0.92 (mean 0.79) without correction and
    0.82 to 0.94 (mean 0.89) after z-scoring each plate, with seed 1 0.66 and 0.89.
    """
    return make_plates(
        n_subjects=(80, 80),
        class_shares=(0.5, 0.45),
        n_features=300,
        n_informative=30,
        effect_size=0.8,
        max_replicates=3,
        share_incomplete=0.05,
        random_state=random_state,
    )


def _shares(
    n_subjects: Sequence[int], class_shares: Sequence[float] | None, confounding: float
) -> list[float]:
    """Share of diseased subjects on each plate after confounding."""
    if class_shares is None:
        class_shares = list(islice(cycle(PAPER_SHARES), len(n_subjects)))
    if len(class_shares) != len(n_subjects):
        raise InputError(
            f"class_shares has {len(class_shares)} values for {len(n_subjects)} plates; "
            "give one share a plate"
        )
    if not all(0 <= share <= 1 for share in (*class_shares, confounding)):
        raise InputError(
            f"class_shares {list(class_shares)} and confounding {confounding} must lie between "
            "0 and 1; correct them"
        )
    return [
        (1 - confounding) * share + confounding * (plate % 2 == 0)
        for plate, share in enumerate(class_shares)
    ]


def _check_counts(
    n_subjects: Sequence[int],
    n_features: int,
    n_informative: int,
    max_replicates: int,
    n_modules: int,
) -> None:
    if not n_subjects or min(n_subjects) < 1:
        raise InputError(
            f"n_subjects is {list(n_subjects)}; give one number of at least 1 for each plate"
        )
    for name, value in (
        ("n_features", n_features),
        ("max_replicates", max_replicates),
        ("n_modules", n_modules),
    ):
        if value < 1:
            raise InputError(f"{name} is {value}; give at least 1")
    if not 0 <= n_informative <= n_features:
        raise InputError(
            f"n_informative is {n_informative}; give a number between 0 and n_features, "
            f"{n_features}"
        )


def _check_ranges(not_negative: Mapping[str, float], share_incomplete: float) -> None:
    for name, value in not_negative.items():
        if not 0 <= value < np.inf:
            raise InputError(f"{name} is {value}; give 0 or a positive number")
    if not 0 <= share_incomplete <= 1:
        raise InputError(f"share_incomplete is {share_incomplete}; give a number between 0 and 1")


def _named(
    design: Design,
    mz: Floats,
    effects: Floats,
    clean: Floats,
    measured: Floats,
    distortion: Distortion,
) -> Plates:
    """Give rows and columns their names."""
    features = pd.Index([f"mz_{value:.4f}" for value in mz], name="feature")
    plates = [f"plate{plate + 1}" for plate in range(len(distortion.noise_sd))]
    subjects = np.array(
        [f"P{p + 1}_S{n:03d}" for p, n in zip(design.plate, design.number, strict=True)], object
    )[design.subject_of]
    index = pd.Index(
        [f"{s}_R{r}" for s, r in zip(subjects, design.replicate, strict=True)], name="sample_id"
    )
    diseased = design.diseased[design.subject_of]
    table = SampleTable(
        features=pd.DataFrame(measured, index=index, columns=features.to_list()),
        batch=pd.Series(
            np.array(plates, object)[design.plate[design.subject_of]], index=index, name="batch"
        ),
        label=pd.Series(
            np.array([HEALTHY, DISEASED], object)[diseased.astype(int)], index=index, name="label"
        ),
        subject=pd.Series(subjects, index=index, name="subject"),
        metadata=pd.DataFrame(index=index),
        notices=("These spectra are simulated, not measured.",),
    )
    changed = effects != 0
    return Plates(
        table=table,
        clean=pd.DataFrame(clean, index=index, columns=features.to_list()),
        informative=pd.DataFrame({"effect": effects[changed]}, index=features[changed]),
        batch_effects=_effects_by_name(distortion, plates, features),
    )


def _effects_by_name(
    distortion: Distortion, plates: list[str], features: pd.Index[str]
) -> dict[str, pd.DataFrame]:
    """Drawn batch effects as tables with plates in rows."""
    rows = pd.Index(plates, name="batch")
    by_feature = {
        name: pd.DataFrame(getattr(distortion, name), index=rows, columns=features)
        for name in ("log_mass", "log_scale", "log_stretch", "offset")
    }
    by_plate = {
        name: getattr(distortion, name)
        for name in ("log_level", "noise_sd", "saturation", "detection_limit")
    }
    return {**by_feature, "plate": pd.DataFrame(by_plate, index=rows)}
