"""One study from table to result: train on labelled batches, predict the others, score.

This is where the rooms meet: the command line and the Python API call :func:`run_study` and
:func:`predict_plate`, and nothing else trains or scores.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
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
    subject_labels,
)
from crossplate.joint.classifier import JointClassifier
from crossplate.table import SampleTable
from crossplate.table.units import unusual_targets

if TYPE_CHECKING:
    from crossplate.joint.trainer import EpochLosses

Mask = npt.NDArray[np.bool_]
SCORED_ON = "target labels, unused in training"
SPREAD = "p_std"

__all__ = ["StudyResult", "StudySettings", "predict_plate", "run_study"]


@dataclass(frozen=True)
class StudySettings:
    """What to learn from, what to predict, and how.

    Parameters
    ----------
    source_batches
        Labelled batches to learn from; empty for every labelled batch that is not a target.
    target_batches
        Batches to predict; empty for every batch that is not a source. Labels they carry are
        used for scoring only.
    preset, device
        As in :class:`crossplate.JointClassifier`.
    seed
        Seed of the training; 0 so that a run can be repeated without thinking of it.
    n_members, log, alpha, beta, gamma, learning_rate, epochs, batch_size
        As in :class:`crossplate.JointClassifier`; None takes the preset's.
    """

    source_batches: tuple[str, ...] = ()
    target_batches: tuple[str, ...] = ()
    preset: str = "default"
    device: str = "auto"
    seed: int = 0
    n_members: int | None = None
    log: str | None = None
    alpha: float | None = None
    beta: float | None = None
    gamma: float | None = None
    learning_rate: float | None = None
    epochs: int | None = None
    batch_size: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        values = asdict(self)
        return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}

    def classifier(self, progress: Callable[[EpochLosses], None] | None) -> JointClassifier:
        """The estimator with these settings, not yet fitted."""
        values = asdict(self)
        for name in ("source_batches", "target_batches"):
            del values[name]
        return JointClassifier(random_state=values.pop("seed"), progress=progress, **values)


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
    from_batches = _source_batches(table, settings)
    to_batches = _target_batches(table, settings, from_batches)
    table = table.select(table.batch.isin(from_batches | to_batches).to_numpy(dtype=bool))
    source = table.batch.isin(from_batches).to_numpy(dtype=bool)
    table.check_batches()
    table = table.drop_uninformative()
    table = table.with_notices(*unusual_targets(table, source), *_shared_subjects(table, source))
    _check_subject_labels(table)
    _check_logs(table, settings)
    labels = table.labels_of(source)
    model = settings.classifier(progress)
    model.fit(table.features, labels, batch=table.batch, subject=table.subject)
    target = ~source
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
    known, strange = _strange_classes(table, target, model)
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
        notices=(*table.notices, *strange, *_imputed_notice(table), *_collapse_notice(predictions)),
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
    table = _with_features_of(model, table)
    new = [name for name in table.batches if name not in model.batches_]
    table.select(table.batch.isin(new).to_numpy()).check_batches()
    _check_subject_labels(table)
    predictions, subjects = _predictions(model, table)
    metrics: dict[str, Any] = {
        "scored_on": None,
        "counts": _counts(table, np.zeros(table.n_samples, dtype=bool), None),
        "sample_level": None,
        "subject_level": None,
        "batch_effect": None,
        "collapsed": _collapsed(predictions),
    }
    known, strange = _strange_classes(table, np.ones(table.n_samples, dtype=bool), model)
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


def _source_batches(table: SampleTable, settings: StudySettings) -> set[str]:
    """Batches to learn from."""
    for name in (*settings.source_batches, *settings.target_batches):
        if name not in table.batches:
            raise InputError(
                f"there is no batch '{name}' in the table; it has {', '.join(table.batches)}"
            )
    both = set(settings.source_batches) & set(settings.target_batches)
    if both:
        raise InputError(f"batch '{min(both)}' is named as source and as target; it can be one")
    with_labels = set(table.batch[table.labelled])
    if not with_labels:
        raise InputError(
            f"none of the {table.n_samples} samples has a label, so there is nothing to learn "
            "from; name the label column with --label, and label at least one batch"
        )
    named = set(settings.source_batches)
    if named and not named & with_labels:
        raise InputError(
            f"no sample of the source ({', '.join(settings.source_batches)}) has a label; "
            "a source batch is one whose labels are known"
        )
    named = named or with_labels - set(settings.target_batches)
    if not named:
        raise InputError("all labelled batches are named as targets; leave one as the source")
    return named


def _target_batches(table: SampleTable, settings: StudySettings, source: set[str]) -> set[str]:
    """Batches to predict."""
    left = set(settings.target_batches) or set(table.batches) - source
    if not left:
        raise InputError(
            f"every batch ({', '.join(table.batches)}) is a labelled source and none is left to "
            "predict; name the batches to predict with --target-batch (their labels are then "
            "used for scoring only)"
        )
    return left


def _check_logs(table: SampleTable, settings: StudySettings) -> None:
    """Refuse a negative value where logs are asked for, while samples and features have names."""
    if settings.log != "always":
        return
    values = table.features.to_numpy()
    negative = np.argwhere(values < 0)
    if len(negative):
        row, column = negative[0]
        raise InputError(
            f"batch {table.batch.iloc[row]}, sample '{table.features.index[row]}', feature "
            f"'{table.features.columns[column]}': the value {values[row, column]:g} is negative "
            f"and has no logarithm (such cells: {len(negative)}); leave them empty, or choose "
            "--log never"
        )


def _strange_classes(
    table: SampleTable, rows: Mask, model: JointClassifier
) -> tuple[Mask, tuple[str, ...]]:
    """Rows whose label is a class the model knows, and a notice of the others."""
    labels = table.labels_of(rows)
    known = np.isin(labels.astype(str), model.classes_.astype(str)) & rows & table.labelled
    strange = sorted({str(label) for label in labels[rows & table.labelled & ~known]})
    if not strange:
        return known, ()
    return known, (
        f"labels {', '.join(strange)} of the target are not among the classes learned "
        f"({', '.join(model.classes_)}): those samples are called all the same and not scored",
    )


def _shared_subjects(table: SampleTable, source: Mask) -> tuple[str, ...]:
    if table.subject is None:
        return ()
    shared = set(table.subject[source]) & set(table.subject[~source])
    if not shared:
        return ()
    return (
        f"{len(shared)} subjects, such as '{min(shared)}', are in source and target: scores on "
        "them do not tell how new people would fare",
    )


def _check_subject_labels(table: SampleTable) -> None:
    """Contradicting labels of a subject must be found before the training, not after."""
    if table.subject is not None and table.label is not None:
        subject_labels(table.label, table.subject)


def _on_reference_scale(
    model: JointClassifier, table: SampleTable, values: npt.NDArray[np.float64]
) -> pd.DataFrame:
    """Measurements standardised as if all were of the reference batch."""
    batch = np.full(table.n_samples, model.reference_batch_)
    return _frame(table, model.scaler_.scale(values, batch))


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
    columns = {str(name): f"p_{name}" for name in model.classes_}
    if SPREAD in columns.values():
        raise InputError("a class named 'std' clashes with the column p_std; rename the class")
    return columns


def _predictions(
    model: JointClassifier, table: SampleTable
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Sample-level and subject-level predictions of all rows of a table."""
    columns = _class_columns(model)
    members = model.member_proba(table.features, batch=table.batch)
    mean = members.mean(axis=0)
    likeliest = mean.argmax(axis=1)
    proba = pd.DataFrame(mean, index=table.features.index, columns=list(columns))
    samples = proba.rename(columns=columns)
    samples[SPREAD] = members.std(axis=0)[np.arange(len(mean)), likeliest]
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
    return len(set(predictions["predicted"])) == 1


def _collapse_notice(predictions: pd.DataFrame) -> tuple[str, ...]:
    if not _collapsed(predictions):
        return ()
    return (
        f"all {len(predictions)} target samples are called '{predictions['predicted'].iloc[0]}': "
        "the classifier has collapsed or the target has one class; do not use these calls "
        "before you know which",
    )


def _with_features_of(model: JointClassifier, table: SampleTable) -> SampleTable:
    """The model's features in its order, missing where the table lacks them."""
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        raise InputError(
            "this model was fitted without feature names, so columns cannot be matched; "
            "fit it on a data frame"
        )
    missing = [name for name in names if name not in table.features.columns]
    extra = table.n_features - (len(names) - len(missing))
    if len(missing) == len(names):
        raise InputError(
            f"none of the model's {len(names)} features (such as '{names[0]}') is in the table "
            f"(which has '{table.features.columns[0]}'); features are matched by exact names"
        )
    notices = []
    if missing:
        notices.append(
            f"{len(missing)} of the model's {len(names)} features are not in the table and were "
            f"imputed, such as '{missing[0]}'"
        )
    if extra:
        notices.append(f"{extra} features that the model does not know were left out")
    return replace(table, features=table.features.reindex(columns=names)).with_notices(*notices)
