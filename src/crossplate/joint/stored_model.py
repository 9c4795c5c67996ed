"""A joint model on a matrix too large for memory: fitted to it, and applied block by block."""

from __future__ import annotations

from collections.abc import Callable, Container
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils import check_random_state

from crossplate.errors import InputError
from crossplate.joint.batches import no_batch_given
from crossplate.joint.inference import choose_device
from crossplate.joint.labels import default_batch
from crossplate.joint.problem import architecture_of
from crossplate.joint.settings import HELD_OUT, RIDGE
from crossplate.joint.stored_rows import StoredStudy, coded, subject_keys
from crossplate.joint.streaming import StreamedRows, fit_scaler
from crossplate.joint.temperature import NONE
from crossplate.joint.trainer import train
from crossplate.rows import batch_names
from crossplate.scaling import PlateScaler
from crossplate.scaling.blocks import moments_of
from crossplate.stored import StoredMatrix

if TYPE_CHECKING:
    from crossplate.joint.classifier import JointClassifier
    from crossplate.joint.settings import JointSettings

Array = npt.NDArray[Any]
Compute = Callable[[PlateScaler, npt.NDArray[np.float64], npt.NDArray[np.str_]], Array]

__all__ = ["fit_stored", "in_blocks", "with_new_batches"]


def fit_stored(
    model: JointClassifier,
    matrix: StoredMatrix,
    study: StoredStudy,
    subject: Any,
    settings: JointSettings,
) -> None:
    """Fit a model to a stored matrix; memory does not grow with its rows.

    Parameters
    ----------
    model
        Gets the fitted attributes.
    matrix, study
        The rows, and the batch and class of each.
    subject
        Subject of each row; None takes each row for one.
    settings
        How to train, with what is decided by size still open.
    """
    keys = None if subject is None else subject_keys(subject, len(matrix))
    labelled = study.labelled_rows
    if study.rows.min() < 2:
        raise InputError(
            f"batch {str(study.batches[study.rows.argmin()])!r} has one row; a batch needs at "
            "least 2 for statistics of its own: add rows or leave it out"
        )
    rng = check_random_state(model.random_state)
    seeds = tuple(map(int, rng.randint(np.iinfo(np.int32).max, size=settings.n_members)))
    people = labelled.sum() if keys is None else len(np.unique(keys[study.classes >= 0]))
    settings = settings.sized(int(people), matrix.shape[1])
    # in pieces there are no rows to solve a linear member with, but enough to hold some out
    settings = replace(
        settings,
        linear_share=0.0,
        offset=False,
        validation_share=HELD_OUT,
        ridge=RIDGE if settings.ridge is None else settings.ridge,
    )
    scaler = settings.scaler()
    model.n_imputed_, widest = fit_scaler(scaler, matrix, study, seeds[0])
    model.settings_, model.scaler_ = settings, scaler
    model.classes_, model.batches_ = study.label_names, study.batches
    model.adapted_batches_ = study.batches[:0]
    model.default_batch_ = default_batch(study.batches, labelled)
    model.labelled_batches_ = study.batches[labelled > 0]
    model.reference_batch_ = str(study.batches[labelled.argmax()])
    device = choose_device(model.device)
    feed = StreamedRows(matrix, study, scaler, keys, settings, seeds, device)
    model.architecture_ = architecture_of(
        matrix.shape[1], len(study.batches), len(study.label_names), settings
    )
    widest = settings.widest_bandwidth or widest
    trained = train(feed, model.architecture_, settings, widest, model.progress)
    model.weights_, model.offsets_, model.temperature_ = trained.weights, {}, NONE
    model.history_ = pd.DataFrame(trained.history)


def in_blocks(
    model: JointClassifier,
    matrix: StoredMatrix,
    batch: Any,
    compute: Compute,
) -> Array:
    """Results of all rows of a stored matrix.

    Parameters
    ----------
    model
        Fitted.
    matrix
        The rows.
    batch
        Batch of each row; None takes the model's default batch.
    compute
        The scaler, rows and their batches → one result a row, row axis first.
    """
    scaler = with_new_batches(model, matrix, batch, model.scaler_.statistics_)
    results: Array | None = None
    for where, x in matrix.blocks():
        found = compute(scaler, x, _names_of(model, batch, where))
        if results is None:
            results = np.empty((len(matrix), *found.shape[1:]), dtype=found.dtype)
        results[where] = found
    assert results is not None
    return results


def _names_of(model: JointClassifier, batch: Any, where: slice) -> npt.NDArray[np.str_]:
    length = where.stop - where.start
    if batch is None:
        return np.full(length, model.default_batch_)
    return batch_names(batch[where], length)


def with_new_batches(
    model: JointClassifier, matrix: StoredMatrix, batch: Any, known: Container[str]
) -> PlateScaler:
    """The scaler, with statistics of all rows of each batch that is not among the known ones.

    Parameters
    ----------
    model, matrix, batch
        As in :func:`in_blocks`.
    known
        Batches whose statistics stay as they are.
    """
    if batch is None:
        if model.default_batch_ is None:
            raise no_batch_given(model.batches_)
        return model.scaler_
    names = {str(name) for name in coded(batch, len(matrix), "batch")[0]}
    new = sorted(name for name in names if name not in known)
    if not new or not model.scaler_.per_batch:
        return model.scaler_
    places = {name: place for place, name in enumerate(new)}

    def rows_of_new_batches() -> Any:
        for where, x in matrix.blocks():
            codes = pd.Series(_names_of(model, batch, where)).map(places).fillna(-1).to_numpy(int)
            yield x[codes >= 0], codes[codes >= 0]

    scaler = copy(model.scaler_)
    moments, levels = moments_of(scaler, rows_of_new_batches, len(new), matrix.shape[1])
    single = [name for name in new if moments.rows[places[name]] < 2]
    if single:
        raise InputError(
            f"batch {single[0]!r} is new and has one row; its own statistics need at "
            "least 2 rows: predict the whole plate together"
        )
    its = {
        name: scaler.floored(*moments.mean_and_sd(place), float(levels[place]))
        for name, place in places.items()
    }
    scaler.statistics_ = {**model.scaler_.statistics_, **its}
    return scaler
