"""Small simulated plates as files, and the commands run on them in this process."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from crossplate.cli import app
from crossplate.datasets import make_plates
from crossplate.io import write_frame
from crossplate.table import SampleTable

QUICK = ("--epochs", "2", "--members", "1")


@dataclass(frozen=True)
class Outcome:
    """What a command gave back."""

    code: int
    out: str
    err: str


def invoke(*words: object) -> Outcome:
    """Run ``crossplate`` with these words."""
    # What is no exit is a bug, to be seen as the exception it is.
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    return Outcome(result.exit_code, result.stdout, result.stderr)


@pytest.fixture(scope="session")
def cli() -> Callable[..., Outcome]:
    """Run ``crossplate`` in this process: words in, exit code and texts out."""
    return invoke


@pytest.fixture(scope="session")
def quick() -> tuple[str, ...]:
    """Options for a training of no time."""
    return QUICK


def frame_of(table: SampleTable) -> pd.DataFrame:
    """All columns of a table beside one another, sample ids as a column."""
    parts = [table.batch, table.label, table.subject, table.features]
    return pd.concat(parts, axis=1).reset_index()


@pytest.fixture(autouse=True)
def _no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the figures of the page, which take longer than all else. ``trained`` has them."""
    monkeypatch.setattr("crossplate.report.render_page", lambda *_: "<!doctype html>")
    monkeypatch.setattr("crossplate.report.save_figures", lambda *_: ())


@pytest.fixture(scope="session", autouse=True)
def _few_trees_and_draws() -> Iterator[None]:
    """Make the costliest parts of an evaluation small; their own tests have them in full."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("crossplate.evaluate.batch_classifier._TREES", 5)
        patch.setattr("crossplate.evaluate.trust.label_shift.N_BOOTSTRAP", 20)
        yield


@pytest.fixture(scope="session")
def plates() -> pd.DataFrame:
    """Three plates: sample_id, batch, label, subject and 12 features."""
    table = make_plates(
        n_subjects=(12, 12, 12),
        class_shares=(0.5, 0.5, 0.5),
        n_features=12,
        n_informative=6,
        n_modules=2,
        max_replicates=2,
        share_incomplete=0.2,
        random_state=3,
    ).table
    return frame_of(table)


@pytest.fixture
def files(plates: pd.DataFrame, tmp_path: Path) -> dict[str, Path]:
    """One file a plate without the batch column, and all plates in ``all.csv``."""
    paths = {"all": tmp_path / "all.csv"}
    write_frame(plates, paths["all"])
    for name, rows in plates.groupby("batch"):
        paths[str(name)] = tmp_path / f"{name}.csv"
        write_frame(rows.drop(columns="batch"), paths[str(name)])
    return paths


@pytest.fixture(scope="session")
def trained(plates: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Output folder of a run from plate 1 to plate 2, with the files beside it."""
    folder = tmp_path_factory.mktemp("trained")
    for name, rows in plates.groupby("batch"):
        write_frame(rows.drop(columns="batch"), folder / f"{name}.csv")
    out = folder / "result"
    done = invoke(
        *("run", "--source", folder / "plate1.csv", "--target", folder / "plate2.csv"),
        *("--label", "label", "--subject", "subject", "--out", out, *QUICK),
    )
    assert done.code == 0, done.err
    return out
