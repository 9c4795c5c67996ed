"""A model taken to plates that arrive later, and the folder it is kept in."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossplate.joint.classifier import JointClassifier
from crossplate.study.files import EVALUATION, versions_and_date, write_json
from crossplate.study.roles import with_features_of
from crossplate.table import SampleTable

FORMAT = 1
"""Version of the folder's layout."""

__all__ = ["Adapted", "adapt_model", "write_adapted"]


@dataclass(frozen=True)
class Adapted:
    """A model and the plates it was taken to.

    Parameters
    ----------
    model
        The model, which now knows them.
    table
        Their samples, with the model's features.
    replaced
        Those of the plates that it was adapted to before.
    seconds
        How long that took.
    """

    model: JointClassifier
    table: SampleTable
    replaced: tuple[str, ...]
    seconds: float

    @property
    def samples(self) -> dict[str, int]:
        """Plate → its samples."""
        return {str(name): int(n) for name, n in self.table.batch.value_counts(sort=False).items()}


def adapt_model(model: JointClassifier, table: SampleTable) -> Adapted:
    """Take a model to plates that arrived after the training, without their labels.

    Parameters
    ----------
    model
        A fitted model that knows its features' names; it is changed as
        :meth:`crossplate.JointClassifier.adapt` says.
    table
        The plates' samples. Features are matched by name; those the model does not know are left
        out, those that are missing are imputed, and both are counted in the notices.

    Raises
    ------
    InputError
        No feature of the model in the table, or a plate that the model cannot be adapted to.
    """
    table = with_features_of(model, table)
    known = set(model.adapted_batches_.tolist())
    start = time.perf_counter()
    model.adapt(table.features, batch=table.batch)
    seconds = time.perf_counter() - start
    replaced = tuple(name for name in table.batches if name in known)
    return Adapted(model, table, replaced, seconds)


def write_adapted(
    done: Adapted, folder: Path, *, run: Mapping[str, Any], calling: Mapping[str, Any] | None
) -> None:
    """Write the adapted model into a folder that exists, as ``crossplate predict`` reads it.

    Parameters
    ----------
    done
        What came out.
    folder
        Where to; give the temporary folder of :func:`crossplate.io.output_folder`.
    run
        Options of the command line in effect, kept in ``settings.json``.
    calling
        How sure the calls of the model's run had to be
        (:func:`crossplate.study.files.calling_beside`); None where that is not known.
    """
    done.model.save(folder / "model")
    if calling is not None:
        write_json({"calling": calling}, folder / EVALUATION)
    record = {
        "format": FORMAT,
        "adapt": dict(run),
        "model": done.model.settings_.to_dict(),
        "batches": done.samples,
        "replaced": list(done.replaced),
        "seconds": round(done.seconds, 3),
        "notices": list(done.table.notices),
        **versions_and_date(),
    }
    write_json(record, folder / "settings.json")
