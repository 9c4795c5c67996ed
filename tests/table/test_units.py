"""Tests of crossplate.table.units."""

import numpy as np
import pandas as pd
import pytest

from crossplate.table import SampleTable
from crossplate.table.units import unusual_targets


def two_batches(seed: int, *, factor: float, n_moved: int = 20) -> SampleTable:
    """Source and target of 40 samples, 20 features of which the first ones are scaled."""
    rng = np.random.default_rng(seed)
    values = rng.lognormal(5, 0.5, size=(80, 20))
    values[40:, :n_moved] *= factor
    frame = pd.DataFrame(values, columns=[f"X{k}" for k in range(20)])
    frame["plate"] = ["src"] * 40 + ["tgt"] * 40
    return SampleTable.from_frame(frame, batch="plate")


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_wrong_units_are_reported_with_figures(seed: int, factor: float) -> None:
    table = two_batches(seed, factor=factor)
    (notice,) = unusual_targets(table, table.batch == "src")
    assert "batch tgt" in notice
    assert "20 of 20 features" in notice
    assert "units" in notice
    medians = table.features.groupby(table.batch).median()
    ratio = float((medians.loc["tgt"] / medians.loc["src"]).median())
    assert f"{ratio:.3g}" in notice


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("factor", "n_moved"), [(1.0, 20), (1.5, 20), (1e3, 10)])
def test_an_ordinary_shift_or_half_the_features_is_not_reported(
    seed: int, factor: float, n_moved: int
) -> None:
    table = two_batches(seed, factor=factor, n_moved=n_moved)
    assert unusual_targets(table, table.batch == "src") == ()


def test_logarithms_against_raw_values_are_reported() -> None:
    table = two_batches(0, factor=1.0)
    features = table.features.copy()
    features.iloc[40:] = np.log(features.iloc[40:])
    (notice,) = unusual_targets(SampleTable(features, table.batch), table.batch == "src")
    assert "logarithm" in notice


def test_features_missing_from_a_batch_do_not_count() -> None:
    table = two_batches(0, factor=1e3)
    features = table.features.copy()
    features.iloc[40:, :15] = np.nan
    (notice,) = unusual_targets(SampleTable(features, table.batch), table.batch == "src")
    assert "5 of 5 features" in notice
    features.iloc[40:] = np.nan
    assert unusual_targets(SampleTable(features, table.batch), table.batch == "src") == ()


def test_a_source_of_zeros_gives_no_ratio() -> None:
    table = two_batches(0, factor=1.0)
    features = table.features.copy()
    features.iloc[:40] = 0.0
    (notice,) = unusual_targets(SampleTable(features, table.batch), table.batch == "src")
    assert "ratio" not in notice
