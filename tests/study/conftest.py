"""A small study that all tests of its evaluation share."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from crossplate import make_plates
from crossplate.study import StudyResult, StudySettings, run_study
from crossplate.table import SampleTable


@pytest.fixture(scope="session", autouse=True)
def _few_trees_and_draws() -> Iterator[None]:
    """Make the costliest parts of an evaluation small; their own tests have them in full."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("crossplate.evaluate.batch_classifier._TREES", 5)
        patch.setattr("crossplate.evaluate.trust.label_shift.N_BOOTSTRAP", 20)
        yield


@pytest.fixture(scope="session")
def table() -> SampleTable:
    """Two plates of about 40 subjects: classes well apart, features on scales of the plate."""
    table = make_plates(
        n_subjects=(40, 36),
        class_shares=(0.5, 0.5),
        n_features=40,
        n_informative=20,
        effect_size=1.5,
        max_replicates=2,
        random_state=0,
    ).table
    scales = np.random.default_rng(0).lognormal(sigma=1.0, size=table.n_features)
    second = (table.batch == "plate2").to_numpy()[:, None]
    return replace(table, features=table.features * np.where(second, scales, 1.0))


@pytest.fixture(scope="session")
def result(table: SampleTable) -> StudyResult:
    """The study from plate 1 to plate 2."""
    settings = StudySettings(
        source_batches=("plate1",), target_batches=("plate2",), epochs=60, n_members=2
    )
    return run_study(table, settings)
