"""Running a study: train on labelled batches, predict the others, score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crossplate.errors import InputError
from crossplate.evaluate import (
    batch_effect,
    by_subject,
    scores_at_both_levels,
    scores_beside_baselines,
)
from crossplate.joint.classifier import JointClassifier
from crossplate.study.few_negatives import few_negatives
from crossplate.study.roles import (
    Mask,
    check_class_names,
    check_logs,
    check_subject_labels,
    shared_subjects,
    source_batches,
    strange_classes,
    target_batches,
    with_features_of,
)
from crossplate.study.settings import StudySettings
from crossplate.table import SampleTable
from crossplate.table.units import unusual_targets

if TYPE_CHECKING:
    from crossplate.joint.trainer import EpochLosses

SCORED_ON = "target labels, unused in training"
SPREAD = "p_std"

__all__ = ["StudyResult", "predict_plate", "prepared", "run_study", "study_of"]


@dataclass(frozen=True)
class StudyResult:
    """What a study found.

    Parameters
    ----------
    model
        The fitted model.
    table
        The samples as used, source and target, labels included.
    predictions
        Target samples: batch, subject (if known), predicted, ``p_<class>`` for each class,
        ``p_std`` (standard deviation over the members of the predicted class's probability).
    subjects
        Target subjects: number of samples, predicted class, median probabilities, spread; None
        without subjects.
    calibrated
        All samples in original units, as they would read on the reference batch; batch first.
        None when the model has no reconstructors.
    latent
        All samples' calibrated codes; batch first.
    metrics
        Counts, scores, distances between batches; ready for JSON.
    notices
        Sentences about what was decided without being asked for.
    settings
        Settings in effect, ready for JSON.
    before, after
        All samples on the standardised scale of the reference batch, as measured and calibrated
        (``calibrated``; the codes where there are no reconstructors); batch first. None for a
        plate predicted later.
    """

    model: JointClassifier
    table: SampleTable
    predictions: pd.DataFrame
    subjects: pd.DataFrame | None
    calibrated: pd.DataFrame | None
    latent: pd.DataFrame
    metrics: dict[str, Any]
    notices: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    before: pd.DataFrame | None = None
    after: pd.DataFrame | None = None


def run_study(
    table: SampleTable,
    settings: StudySettings | None = None,
    *,
    progress: Callable[[EpochLosses], None] | None = None,
) -> StudyResult:
    """Train on the labelled source batches, predict the target batches, and score.

    Labels of target batches never reach the training; where there are any, they score the
    result.

    Parameters
    ----------
    table
        Samples of source and target.
    settings
        What to learn from and how; the defaults if None.
    progress
        Called after every epoch of the training.

    Raises
    ------
    InputError
        No labelled source, no target, an unknown batch, a batch with fewer than two samples,
        one class only, or a subject with contradicting labels.
    """
    settings = settings or StudySettings()
    table, source = prepared(table, settings)
    labels = table.labels_of(source)
    check_class_names(labels)
    model = settings.classifier(progress)
    model.fit(table.features, labels, batch=table.batch, subject=table.subject)
    return _studied(model, table, source, settings)


def study_of(
    model: JointClassifier, table: SampleTable, settings: StudySettings | None = None
) -> StudyResult:
    """Take up a study again whose model was trained earlier: everything but the training.

    Parameters
    ----------
    model
        The model that :func:`run_study` trained with these settings.
    table
        Samples of source and target, as then; labels of target batches may have been added.
    settings
        As then.

    Raises
    ------
    InputError
        As :func:`run_study`, or if the model was not fitted on these features and batches.
    """
    settings = settings or StudySettings()
    table, source = prepared(table, settings)
    names = list(table.features.columns)
    if list(getattr(model, "feature_names_in_", names)) != names or set(model.batches_) != set(
        table.batches
    ):
        raise InputError(
            f"the model was trained on {model.n_features_in_} features of batches "
            f"{', '.join(model.batches_)}, which are not those of these tables "
            f"({table.n_features} features of {', '.join(table.batches)}); give the tables of "
            "that run"
        )
    return _studied(model, table, source, settings)


def prepared(table: SampleTable, settings: StudySettings) -> tuple[SampleTable, Mask]:
    """Samples of a study, checked, and which of them are the source.

    Parameters
    ----------
    table, settings
        As in :func:`run_study`.

    Returns
    -------
    The samples of source and target, and True for those of the source, shape (n,).

    Raises
    ------
    InputError
        As :func:`run_study`.
    """
    from_batches = source_batches(table, settings)
    to_batches = target_batches(table, settings, from_batches)
    table = table.select(table.batch.isin(from_batches | to_batches).to_numpy(dtype=bool))
    source = table.batch.isin(from_batches).to_numpy(dtype=bool)
    table.check_batches()
    table = table.drop_uninformative()
    table = table.with_notices(*unusual_targets(table, source), *shared_subjects(table, source))
    check_subject_labels(table)
    check_logs(table, settings)
    return table, source


def _studied(
    model: JointClassifier, table: SampleTable, source: Mask, settings: StudySettings
) -> StudyResult:
    """What a fitted model finds in its study."""
    labels, target = table.labels_of(source), ~source
    predictions, subjects = _predictions(model, table.select(target))
    before = _on_reference_scale(model, table, table.features.to_numpy())
    calibrated = _calibrated(model, table)
    latent = _frame(table, model.transform(table.features, batch=table.batch))
    after = latent
    if calibrated is not None:
        after = _on_reference_scale(model, table, calibrated.iloc[:, 1:].to_numpy())
    metrics: dict[str, Any] = {
        "scored_on": None,
        "counts": _counts(table, source, labels),
        "sample_level": None,
        "subject_level": None,
        "batch_effect": _batch_effect(before, after, latent, source),
        "collapsed": _collapsed(predictions),
    }
    known, strange = strange_classes(table, target, model)
    if known.any():
        proba = _probabilities(model, predictions)
        metrics |= {"scored_on": SCORED_ON, **scores_beside_baselines(table, source, proba)}
    return StudyResult(
        model=model,
        table=table,
        predictions=predictions,
        subjects=subjects,
        calibrated=calibrated,
        latent=latent,
        metrics=metrics,
        notices=(
            *table.notices,
            *few_negatives(table, model.settings_.log),
            *strange,
            *_imputed_notice(table),
            *_collapse_notice(predictions),
        ),
        settings={"study": settings.to_dict(), "model": model.settings_.to_dict()},
        before=before,
        after=after,
    )


def predict_plate(model: JointClassifier, table: SampleTable) -> StudyResult:
    """Predict plates that arrived after the training.

    Parameters
    ----------
    model
        A fitted model that knows its features' names.
    table
        The new samples. Features are matched by name; those the model does not know are left
        out, those that are missing are imputed, and both are counted in the notices. A batch
        that the model was not fitted on is standardised with its own statistics.

    Raises
    ------
    InputError
        No feature of the model in the table, or a new batch with fewer than two samples.
    """
    table = with_features_of(model, table)
    new = [name for name in table.batches if name not in model.batches_]
    table.select(table.batch.isin(new).to_numpy()).check_batches()
    check_subject_labels(table)
    predictions, subjects = _predictions(model, table)
    metrics: dict[str, Any] = {
        "scored_on": None,
        "counts": _counts(table, np.zeros(table.n_samples, dtype=bool), None),
        "sample_level": None,
        "subject_level": None,
        "batch_effect": None,
        "collapsed": _collapsed(predictions),
    }
    known, strange = strange_classes(table, np.ones(table.n_samples, dtype=bool), model)
    if known.any():
        proba = {"crossplate": _probabilities(model, predictions)}
        metrics |= {"scored_on": SCORED_ON, **scores_at_both_levels(table, proba)}
    return StudyResult(
        model=model,
        table=table,
        predictions=predictions,
        subjects=subjects,
        calibrated=_calibrated(model, table),
        latent=_frame(table, model.transform(table.features, batch=table.batch)),
        metrics=metrics,
        notices=(*table.notices, *strange, *_imputed_notice(table), *_collapse_notice(predictions)),
        settings={"model": model.settings_.to_dict()},
    )


def _on_reference_scale(
    model: JointClassifier, table: SampleTable, values: npt.NDArray[np.float64]
) -> pd.DataFrame:
    """Measurements standardised as if all were of the reference batch."""
    batch = np.full(table.n_samples, model.reference_batch_)
    return _frame(table, model.scaler_.standardise(values, batch, damped=False))


def _frame(table: SampleTable, values: npt.NDArray[np.float64]) -> pd.DataFrame:
    """Values with the features' names, the batch in front."""
    frame = pd.DataFrame(values, index=table.features.index, columns=table.features.columns)
    frame.insert(0, "batch", table.batch, allow_duplicates=True)
    return frame


def _calibrated(model: JointClassifier, table: SampleTable) -> pd.DataFrame | None:
    if not model.architecture_.n_batches:
        return None
    return _frame(
        table,
        model.reconstruct(table.features, batch=table.batch, as_batch=model.reference_batch_),
    )


def _class_columns(model: JointClassifier) -> dict[str, str]:
    return {str(name): f"p_{name}" for name in model.classes_}


def _predictions(
    model: JointClassifier, table: SampleTable
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Sample-level and subject-level predictions of all rows of a table."""
    columns = _class_columns(model)
    members = model.member_proba(table.features, batch=table.batch)
    found = model.predict_proba(table.features, batch=table.batch)
    likeliest = found.argmax(axis=1)
    proba = pd.DataFrame(found, index=table.features.index, columns=list(columns))
    samples = proba.rename(columns=columns)
    samples[SPREAD] = members.std(axis=0)[np.arange(len(found)), likeliest]
    samples.insert(0, "predicted", model.classes_.astype(str)[likeliest])
    subjects = None
    if table.subject is not None:
        samples.insert(0, "subject", table.subject)
        subjects = by_subject(proba, table.subject)
    samples.insert(0, "batch", table.batch)
    return samples, subjects


def _probabilities(model: JointClassifier, predictions: pd.DataFrame) -> pd.DataFrame:
    columns = _class_columns(model)
    return predictions[list(columns.values())].set_axis(list(columns), axis=1)


def _counts(
    table: SampleTable, source: Mask, labels: npt.NDArray[np.object_] | None
) -> dict[str, Any]:
    def rows_of(mask: Mask) -> dict[str, int]:
        return {str(k): int(n) for k, n in table.batch[mask].value_counts(sort=False).items()}

    known = pd.Series([] if labels is None else labels[pd.notna(labels)], dtype=object)
    return {
        "samples": table.n_samples,
        "subjects": None if table.subject is None else int(table.subject.nunique()),
        "features": table.n_features,
        "source": rows_of(source),
        "target": rows_of(~source),
        "labelled": {str(k): int(n) for k, n in known.value_counts().sort_index().items()},
        "imputed_cells": int(table.features.isna().to_numpy().sum()),
    }


def _batch_effect(
    before: pd.DataFrame, after: pd.DataFrame, latent: pd.DataFrame, source: Mask
) -> dict[str, Any]:
    """Distance between source and target: measured, calibrated (same kernels), and as codes."""
    roles = np.where(source, "source", "target")
    measured = batch_effect(before.iloc[:, 1:].to_numpy(), roles)
    same = measured.bandwidths
    return {
        "before": measured.to_dict(),
        "after": batch_effect(after.iloc[:, 1:].to_numpy(), roles, bandwidths=same).to_dict(),
        "codes": batch_effect(latent.iloc[:, 1:].to_numpy(), roles).to_dict(),
    }


def _imputed_notice(table: SampleTable) -> tuple[str, ...]:
    missing = table.features.isna().to_numpy()
    if not missing.any():
        return ()
    return (
        f"{int(missing.sum())} missing cells ({100 * missing.mean():.2g}%) were filled with the "
        "median of the labelled source on the standardised scale",
    )


def _collapsed(predictions: pd.DataFrame) -> bool:
    return len(predictions) > 1 and len(set(predictions["predicted"])) == 1


def _collapse_notice(predictions: pd.DataFrame) -> tuple[str, ...]:
    if not _collapsed(predictions):
        return ()
    return (
        f"all {len(predictions)} target samples are called '{predictions['predicted'].iloc[0]}': "
        "the classifier has collapsed or the target has one class; do not use these calls "
        "before you know which",
    )
