"""The residual map: its start, its kernel widths, its stopping."""

import numpy as np
import pytest
import torch

from crossplate.correct import residual_map
from crossplate.correct.residual_map import (
    MapSettings,
    apply_map,
    initial_map,
    train_map,
    widest_kernel,
)
from crossplate.errors import InputError


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_map_starts_as_the_identity():
    x = torch.randn(50, 6, generator=generator())
    weights = initial_map(6, generator(1))
    for training in (False, True):
        assert (apply_map(weights, x, training=training) - x).abs().max() < 1e-3


@pytest.mark.parametrize("seed", range(3))
def test_a_row_does_not_depend_on_the_others(seed):
    x = torch.randn(30, 4, dtype=torch.float64, generator=generator(seed))
    weights = {name: value.double() for name, value in initial_map(4, generator(seed)).items()}
    for name, value in weights.items():
        if "running_variance" not in name:
            value.add_(torch.rand(value.shape, generator=generator(7)))
    together = apply_map(weights, x)
    torch.testing.assert_close(apply_map(weights, x[3:4]), together[3:4], rtol=1e-12, atol=1e-12)


def test_widest_kernel_is_twice_the_median_distance_to_the_25th_neighbour():
    x = np.arange(61.0)[:, None]
    # the 25th neighbour of an inner point is 13 away (12 on one side, 13 on the other)
    distances = [sorted(abs(x[:, 0] - value))[25] for value in x[:, 0]]
    assert widest_kernel(x, np.random.RandomState(0)) == 2.0 * np.median(distances)


@pytest.mark.parametrize(
    ("fixed", "expected"),
    [
        (np.array([[0.0], [3.0]]), 6.0),  # the farthest, where there are fewer than 26
        (np.zeros((40, 2)), 2.0),
        (np.vstack([np.zeros((60, 1)), np.full((1, 1), 4.0)]), 8.0),  # the one row that differs
    ],
)
def test_widest_kernel_of_few_or_equal_rows(fixed, expected):
    assert widest_kernel(fixed, np.random.RandomState(0)) == expected


def training_of(n_rows, epochs):
    """Losses and weights of a training on shifted normal rows."""
    rng = np.random.default_rng(0)
    mapped = torch.from_numpy(rng.normal(size=(n_rows, 3))).float()
    fixed = torch.from_numpy(rng.normal(1.0, size=(n_rows, 3))).float()
    losses = []
    weights = train_map(
        mapped, fixed, 3.0, MapSettings(epochs, 1000, 1e-2), generator(), losses.append
    )
    return losses, weights


def test_training_stops_where_the_held_out_mmd_no_longer_falls(monkeypatch):
    monkeypatch.setattr(residual_map, "PATIENCE", 3)
    losses, weights = training_of(60, 400)
    held_out = [entry["held_out"] for entry in losses]
    assert len(losses) == int(np.argmin(held_out)) + 1 + 3 < 400
    _, ended_there = training_of(60, len(losses))
    assert all(torch.equal(value, ended_there[name]) for name, value in weights.items())


def test_few_rows_are_all_trained_on():
    losses, _ = training_of(14, 60)
    assert len(losses) == 60
    assert all(entry.keys() == {"mmd"} for entry in losses)


@pytest.mark.parametrize(
    "settings", [(0, 1000, 1e-3), (500, 1, 1e-3), (500, 1000, 0.0), (500, 1000, float("nan"))]
)
def test_settings_out_of_range(settings):
    with pytest.raises(InputError, match="give at least 1, at least 2, and a positive number"):
        MapSettings(*settings)
