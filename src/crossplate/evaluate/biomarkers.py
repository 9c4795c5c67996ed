"""Candidate biomarkers: features that models choose again and again, batch by batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from crossplate.errors import InputError
from crossplate.evaluate.batch_agreement import Intersection, agreement_of, intersections_of
from crossplate.evaluate.scores import Floats
from crossplate.evaluate.selection_frequency import features_in_model, selection_frequency
from crossplate.evaluate.subject_values import SubjectValues, subject_values
from crossplate.evaluate.univariate import univariate_tests
from crossplate.scaling import PlateScaler
from crossplate.table import SampleTable

FEWEST_SUBJECTS = 4
"""Subjects of each class that a batch must have: two in each half."""
LOWEST_FREQUENCY, HIGHEST_FREQUENCY = 0.55, 0.99
_FALSE_DISCOVERIES = 0.05

__all__ = ["Biomarkers", "find_biomarkers"]


@dataclass(frozen=True)
class Biomarkers:
    """What distinguishes the labels in each batch, and what the batches have in common.

    Attributes
    ----------
    features
        One row a batch and feature; columns

        - ``feature``, ``batch``;
        - ``frequency``: share of half-samples whose sparse model holds the feature;
        - ``p``, ``q``: p-value of the test between labels on subject medians, and adjusted for
          the number of features (Benjamini and Hochberg);
        - ``effect``: Cliff's delta of ``effect_label`` against the others, −1 to 1;
        - ``effect_label``: two labels, the second of the sorted ones; more, the one that is
          farthest from the rest;
        - ``selected``: frequency above and p below the limits.
    intersections
        One entry a combination of batches that has features, most batches first; a single batch
        is there even without any.
    agreement
        One row a pair of batches, as `crossplate.evaluate.batch_agreement.agreement_of` gives it.
    batches
        Batches that were looked at, in order.
    frequency, p
        Limits of selection.
    n_resamples
        Half-samples of each batch.
    n_in_model
        Most features of a sparse model, for each batch.
    notices
        Sentences about batches that were left out.
    """

    features: pd.DataFrame
    intersections: tuple[Intersection, ...]
    agreement: pd.DataFrame
    batches: tuple[str, ...]
    frequency: float
    p: float
    n_resamples: int
    n_in_model: dict[str, int]
    notices: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row a batch and feature; selected ones first, the most frequent first."""
        return self.features.sort_values(
            ["selected", "frequency", "p"], ascending=[False, False, True], kind="stable"
        ).reset_index(drop=True)

    def to_dict(self) -> dict[str, Any]:
        """Limits, selected features and what batches share, ready for JSON."""
        ordered = self.to_frame()
        selected = ordered.loc[ordered["selected"]].drop(columns="selected")
        return {
            "frequency": self.frequency,
            "p": self.p,
            "n_resamples": self.n_resamples,
            "n_in_model": self.n_in_model,
            "batches": list(self.batches),
            "selected": _records(selected),
            "intersections": [one.to_dict() for one in self.intersections],
            "agreement": _records(self.agreement),
            "notices": list(self.notices),
        }

    def intersections_frame(self) -> pd.DataFrame:
        """One row a combination of batches, names joined by ``" & "`` and by ``"; "``."""
        return pd.DataFrame(
            [
                {
                    "batches": " & ".join(one.batches),
                    "n_batches": len(one.batches),
                    "n_features": len(one.features),
                    "n_same_direction": one.n_same_direction,
                    "features": "; ".join(one.features),
                }
                for one in self.intersections
            ]
        )

    def ranked(self) -> list[str]:
        """Selected features: those of most batches first, then those of the largest effects."""
        chosen = self.features[self.features["selected"]]
        by = chosen.assign(size=chosen["effect"].abs()).groupby("feature", sort=False)
        order = by.agg(n=("batch", "size"), size=("size", "mean"))
        order = order.sort_values(["n", "size"], ascending=False, kind="stable")
        return [str(name) for name in order.index]


def find_biomarkers(
    table: SampleTable,
    *,
    frequency: float = 0.9,
    p: float = 0.05,
    n_resamples: int = 100,
    random_state: int = 0,
    n_jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Biomarkers:
    """Find the features that distinguish the labels within each batch, and compare batches.

    Within a batch a batch effect is the same for all samples, so that nothing needs to be
    corrected; what several batches find independently is then unlikely to be one plate's
    peculiarity. A feature is selected in a batch if sparse models on half-samples of the subjects
    hold it in more than ``frequency`` of the half-samples, and if its subject medians differ
    between labels with a p-value below ``p``: the rule of [Niu2022]_, whose paper leaves the model
    open. The q-values beside say more than a p-value where there are many features.

    Parameters
    ----------
    table
        Samples; unlabelled ones are left out. Without subjects each sample is one.
    frequency
        Frequency that must be exceeded, 0.55 to 0.99. The models are the smaller the lower it is
        (`crossplate.evaluate.selection_frequency.features_in_model`), so that about one feature
        that means nothing passes in a batch.
    p
        Limit of the p-value.
    n_resamples
        Half-samples of each batch, in pairs: an odd number is rounded up.
    random_state
        Seed.
    n_jobs
        Processes, as in joblib; None is one.
    progress
        Called with the number of pairs of half-samples done and of all.

    Raises
    ------
    InputError
        No batch has four subjects of each of two labels, a subject has contradicting labels in a
        batch, or a limit is out of range.

    References
    ----------
    .. [Niu2022] J. Niu et al., BMC Bioinformatics 23:270, 2022.
    """
    if not LOWEST_FREQUENCY <= frequency <= HIGHEST_FREQUENCY or not 0 < p <= 1:
        raise InputError(
            f"frequency is {frequency:g} and p {p:g}; give a frequency from {LOWEST_FREQUENCY:g} "
            f"to {HIGHEST_FREQUENCY:g} and a p above 0, up to 1"
        )
    if n_resamples < 2:
        raise InputError(f"n_resamples is {n_resamples}; give at least 2, better 100")
    measured, scaled = subject_values(table), _scaled(table)
    batches, notices = _usable(measured, table.batches)
    n_pairs = (n_resamples + 1) // 2
    frames, effects, sizes = [], [], {}
    for at, name in enumerate(batches):
        rows = measured.batch == name
        labels, codes = np.unique(measured.label[rows].astype(str), return_inverse=True)
        tests = univariate_tests(measured.medians[rows], codes)
        different = int((tests.q < _FALSE_DISCOVERIES).sum())
        sizes[name] = features_in_model(table.n_features, frequency, n_pairs, different)
        found = selection_frequency(
            _standardised(scaled.medians[rows]),
            codes,
            sizes[name],
            n_pairs=n_pairs,
            random_state=_seed(random_state, at),
            n_jobs=n_jobs,
            progress=_part_of(progress, at, n_pairs, len(batches)),
        )
        effects.append(pd.DataFrame(tests.deltas, index=labels, columns=measured.features))
        frames.append(
            pd.DataFrame(
                {
                    "feature": measured.features,
                    "batch": name,
                    "frequency": found,
                    "p": tests.p,
                    "q": tests.q,
                    "effect": tests.effect,
                    "effect_label": labels[tests.effect_class].astype(object),
                    "selected": (found > frequency) & (np.nan_to_num(tests.p, nan=1.0) < p),
                }
            )
        )
    selected = np.array([frame["selected"].to_numpy() for frame in frames])
    return Biomarkers(
        features=pd.concat(frames, ignore_index=True),
        intersections=intersections_of(selected, effects, batches),
        agreement=agreement_of(selected, effects, batches),
        batches=batches,
        frequency=frequency,
        p=p,
        n_resamples=2 * n_pairs,
        n_in_model=sizes,
        notices=notices,
    )


def _scaled(table: SampleTable) -> SubjectValues:
    """Subject medians of logs (where they help), standardised within batches, gaps filled."""
    x, batch = table.features.to_numpy(dtype=np.float64), table.batch.to_numpy(dtype=str)
    scaler = PlateScaler().fit(x, batch, table.labelled)
    return subject_values(table, scaler.scale(x, batch))


def _standardised(values: Floats) -> Floats:
    centred = values - values.mean(axis=0)
    sd = centred.std(axis=0)
    standardised: Floats = centred / np.where(sd > 1e-9, sd, 1.0)
    return standardised


def _usable(measured: SubjectValues, names: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Batches with enough subjects of each label, and a sentence about each other one."""
    kept, notices = [], []
    for name in names:
        labels, counts = np.unique(
            measured.label[measured.batch == name].astype(str), return_counts=True
        )
        if len(labels) >= 2 and counts.min() >= FEWEST_SUBJECTS:
            kept.append(name)
            continue
        found = ", ".join(f"{n} of {label}" for label, n in zip(labels, counts, strict=True))
        notices.append(
            f"batch '{name}' was left out: it has {found or 'no'} labelled subjects, and "
            f"{FEWEST_SUBJECTS} of each of two labels or more are needed"
        )
    if not kept:
        raise InputError(
            f"no batch has {FEWEST_SUBJECTS} subjects of each of two labels or more, so there is "
            "nothing to select biomarkers from"
        )
    return tuple(kept), tuple(notices)


def _seed(random_state: int, at: int) -> int:
    return int(np.random.SeedSequence([random_state, at]).generate_state(1)[0])


def _part_of(
    progress: Callable[[int, int], None] | None, at: int, n_pairs: int, n_batches: int
) -> Callable[[int, int], None] | None:
    """Progress over all batches, told by that of one."""
    if progress is None:
        return None
    return lambda done, _: progress(at * n_pairs + done, n_batches * n_pairs)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a frame as plain values, None for NaN."""
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]
