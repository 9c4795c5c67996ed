"""Which samples teach and which are predicted, and what must hold of them before the training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from crossplate.errors import InputError
from crossplate.evaluate import subject_labels
from crossplate.joint.classifier import JointClassifier
from crossplate.study.settings import StudySettings
from crossplate.table import SampleTable

Mask = npt.NDArray[np.bool_]

__all__ = [
    "Mask",
    "check_class_names",
    "check_logs",
    "check_subject_labels",
    "shared_subjects",
    "source_batches",
    "strange_classes",
    "target_batches",
    "with_features_of",
]


def source_batches(table: SampleTable, settings: StudySettings) -> set[str]:
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


def target_batches(table: SampleTable, settings: StudySettings, source: set[str]) -> set[str]:
    """Batches to predict."""
    left = set(settings.target_batches) or set(table.batches) - source
    if not left:
        raise InputError(
            f"every batch ({', '.join(table.batches)}) is a labelled source and none is left to "
            "predict; name the batches to predict with --target-batch (their labels are then "
            "used for scoring only)"
        )
    return left


def check_class_names(labels: npt.NDArray[np.object_]) -> None:
    """Refuse a class whose column in the predictions would be that of their spread."""
    if "std" in {str(label) for label in labels}:
        raise InputError("a class named 'std' clashes with the column p_std; rename the class")


def check_logs(table: SampleTable, settings: StudySettings) -> None:
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


def strange_classes(
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


def shared_subjects(table: SampleTable, source: Mask) -> tuple[str, ...]:
    """Say how many subjects are on both sides, which makes scores look better than they are."""
    if table.subject is None:
        return ()
    shared = set(table.subject[source]) & set(table.subject[~source])
    if not shared:
        return ()
    return (
        f"{len(shared)} subjects, such as '{min(shared)}', are in source and target: scores on "
        "them do not tell how new people would fare",
    )


def check_subject_labels(table: SampleTable) -> None:
    """Contradicting labels of a subject must be found before the training, not after."""
    if table.subject is not None and table.label is not None:
        subject_labels(table.label, table.subject)


def with_features_of(model: JointClassifier, table: SampleTable) -> SampleTable:
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
