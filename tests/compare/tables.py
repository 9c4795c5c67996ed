"""Small tables for the comparison's tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from crossplate.correct.registry import corrector_class
from crossplate.table import SampleTable


def short(name: str) -> dict[str, int]:
    """Settings of a corrector for two epochs of each training."""
    return {each: 2 for each in corrector_class(name)._get_param_names() if each.endswith("epochs")}


QUICK = {
    **{name: short(name) for name in ("mmd-resnet", "normae")},
    **{name: {"epochs": 2, "n_members": 1} for name in ("joint", "remove-r")},
}
"""Settings by which the methods that train take no time."""


def make_table(
    seed: int = 0,
    *,
    batches: tuple[str, ...] = ("p1", "p2"),
    classes: tuple[str, ...] = ("control", "SLE"),
    n_subjects: int = 16,
    replicates: int = 1,
    n_features: int = 6,
    missing: float = 0.0,
    distance: float = 2.0,
) -> SampleTable:
    """Log-normal intensities, each batch with shifts of its own; subjects only with replicates."""
    rng = np.random.default_rng(seed)
    centres = distance * rng.normal(size=(len(classes), n_features))
    n = n_subjects * replicates
    frames, labels, subjects = [], [], []
    for batch in batches:
        codes = rng.permutation(np.resize(np.arange(len(classes)), n_subjects)).repeat(replicates)
        logs = 6.0 + centres[codes] + rng.normal(size=(n, n_features))
        logs += rng.normal(size=n_features)
        ids = pd.Index([f"{batch}-s{row}" for row in range(n)], name="sample_id")
        frames.append(pd.DataFrame(np.exp(logs), index=ids))
        labels += [classes[code] for code in codes]
        subjects += [f"{batch}-{row // replicates}" for row in range(n)]
    features = pd.concat(frames).rename(columns=lambda column: f"mz_{column}")
    features = features.mask(rng.random(features.shape) < missing)
    index = features.index
    return SampleTable(
        features,
        pd.Series(np.repeat(batches, n), index, name="batch"),
        pd.Series(labels, index, dtype=object, name="label"),
        pd.Series(subjects, index, name="subject") if replicates > 1 else None,
    )


def relabelled(table: SampleTable, batch: str, labels: object) -> SampleTable:
    """The same table with other labels in one batch."""
    label = table.label.copy()
    label[(table.batch == batch).to_numpy()] = labels
    return replace(table, label=label)
