"""Distances before and after a correction against the same steps by hand."""

import numpy as np
import pandas as pd
import pytest

from crossplate import SampleTable
from crossplate.evaluate import batch_effect
from crossplate.study.correcting import CorrectionSettings, correct_table


def plates(seed, shift=1.0):
    """Intensities of two plates, 30 and 24 samples, 8 features."""
    rng = np.random.default_rng(seed)
    batch = np.repeat(["a", "b"], [30, 24])
    values = rng.normal(6.0, 1.0, (54, 8)) + shift * (batch == "b")[:, None]
    index = pd.Index([f"s{i}" for i in range(54)], name="sample_id", dtype=object)
    features = pd.DataFrame(np.exp(values), index=index, columns=[f"mz_{i}" for i in range(8)])
    return SampleTable(features=features, batch=pd.Series(batch, index=index, dtype=object))


def within(values, batch):
    """Values over their standard deviation within batches."""
    deviations = [values[batch == name] - values[batch == name].mean(axis=0) for name in "ab"]
    return values / np.sqrt((np.concatenate(deviations) ** 2).mean(axis=0))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("method", ["centring", "combat", "zscore", "ratio-g"])
def test_both_tables_are_measured_on_their_own_scale_with_the_same_kernels(seed, method):
    table = plates(seed)
    found = correct_table(table, CorrectionSettings(method))
    batch = table.batch.to_numpy(dtype=str)
    x, y = table.features.to_numpy(), found.corrected.to_numpy()
    before = batch_effect(within(np.log1p(x), batch), batch)
    if method == "ratio-g":
        y = np.log1p(y / min(1.0, np.quantile(y, 0.05)))
    elif method != "zscore":
        y = np.log1p(y)
    after = batch_effect(within(y, batch), batch, bandwidths=before.bandwidths)
    assert found.before.across.root_biased == pytest.approx(before.across.root_biased, rel=1e-9)
    assert found.after.across.root_biased == pytest.approx(after.across.root_biased, rel=1e-9)
    assert found.after.across.root_biased < 0.8 * found.before.across.root_biased


def test_shrinking_everything_brings_nothing_closer():
    table = plates(0)
    tenth = SampleTable(features=table.features**0.1, batch=table.batch)
    effects = [
        correct_table(its, CorrectionSettings("none", log="always")).before.across.root_biased
        for its in (table, tenth)
    ]
    assert effects[0] == pytest.approx(effects[1], rel=0.1)


def test_gaps_are_filled_inside_the_batch():
    table = plates(1)
    gaps = table.features.mask(np.random.default_rng(0).random(table.features.shape) < 0.1)
    gaps["mz_0"] = np.nan
    holed = SampleTable(features=gaps, batch=table.batch)
    found = correct_table(holed, CorrectionSettings("centring"))
    whole = correct_table(table, CorrectionSettings("centring"))
    for when in ("before", "after"):
        its = getattr(found, when).across.root_biased
        assert its == pytest.approx(getattr(whole, when).across.root_biased, rel=0.25)
    np.testing.assert_array_equal(np.isnan(found.corrected), np.isnan(gaps))
