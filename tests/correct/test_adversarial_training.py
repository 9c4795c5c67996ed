"""The training of NormAE: who moves when, what it reaches, what it refuses."""

from dataclasses import replace

import pytest
import torch

from crossplate.correct.adversarial_training import Schedule, TrainingRows, train_networks
from crossplate.correct.autoencoder_networks import AutoencoderSizes, initial_networks
from crossplate.errors import InputError

SIZES = AutoencoderSizes(6, 2, (16,), 4, with_order=True)
SCHEDULE = Schedule(
    pretrain_epochs=0,
    discriminator_epochs=0,
    epochs=0,
    averaged_epochs=1,
    discriminator_steps=1,
    batch_size=16,
    learning_rate=1e-3,
    adversary=1.0,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def rows(seed=0, n=64):
    """Rows of two batches that lie far apart, drifting with the order."""
    g = generator(seed)
    batch = torch.arange(n) % 2
    order = torch.arange(n).div(n - 1)
    x = torch.randn(n, 6, generator=g) + 2.0 * batch[:, None] + order[:, None]
    return TrainingRows((x - x.mean(dim=0)) / x.std(dim=0), batch, order)


def trained(schedule, seed=0, sizes=SIZES, given=None):
    losses = []
    weights = train_networks(given or rows(), sizes, schedule, generator(seed), losses.append)
    return weights, losses


def moved(weights, start):
    """Networks with a weight that is not at its start, running statistics left out."""
    return {
        name.split(".")[0]
        for name, value in weights.items()
        if ".running_" not in name and not torch.equal(value, start[name])
    }


AUTOENCODER = {"encoder", "decoder", "map"}
DISCRIMINATORS = {"batch", "order"}


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [
        ({}, set()),
        ({"pretrain_epochs": 1}, AUTOENCODER),
        ({"discriminator_epochs": 1}, DISCRIMINATORS),
        ({"epochs": 1}, AUTOENCODER | DISCRIMINATORS),
    ],
)
def test_each_phase_trains_its_networks(epochs, expected):
    weights, losses = trained(replace(SCHEDULE, **epochs))
    assert moved(weights, initial_networks(SIZES, generator())) == expected
    assert len(losses) == sum(epochs.values())


def test_losses_of_the_phases():
    schedule = replace(SCHEDULE, pretrain_epochs=2, discriminator_epochs=1, epochs=3)
    assert schedule.total == 6
    _, losses = trained(schedule)
    names = [set(entry) for entry in losses]
    both = {"batch", "order", "reconstruction"}
    assert names == [{"reconstruction"}] * 2 + [{"batch", "order"}] + [both] * 3


def test_without_an_order_nobody_asks_for_it():
    given = replace(rows(), order=None)
    sizes = replace(SIZES, with_order=False)
    _, losses = trained(replace(SCHEDULE, epochs=1), sizes=sizes, given=given)
    assert set(losses[0]) == {"batch", "reconstruction"}


@pytest.mark.parametrize("seed", range(2))
def test_the_encoder_learns_to_hide_the_batch(seed):
    # without the adversary the discriminator wins; against it, chance is ln 2
    schedule = replace(SCHEDULE, pretrain_epochs=20, discriminator_epochs=5, epochs=60)
    given = rows(seed)
    _, open_codes = trained(replace(schedule, adversary=0.0), seed, given=given)
    _, hidden_codes = trained(schedule, seed, given=given)

    def at_the_end(losses):
        return sum(entry["batch"] for entry in losses[-10:]) / 10

    assert at_the_end(open_codes) < 0.5
    assert at_the_end(hidden_codes) > 0.55


def test_more_steps_make_a_better_discriminator():
    schedule = replace(SCHEDULE, discriminator_epochs=2)
    one, five = (trained(replace(schedule, discriminator_steps=n))[1] for n in (1, 5))
    assert five[-1]["batch"] < one[-1]["batch"]


def test_the_reconstruction_becomes_better():
    _, losses = trained(replace(SCHEDULE, pretrain_epochs=80))
    assert losses[-1]["reconstruction"] < 0.75 * losses[0]["reconstruction"]


def test_averaged_weights_are_the_mean_of_the_last_epochs():
    schedule = replace(SCHEDULE, epochs=4)
    single = [trained(replace(schedule, epochs=n))[0] for n in (3, 4)]
    mean, _ = trained(replace(schedule, averaged_epochs=2))
    for name, value in mean.items():
        expected = (single[0][name] + single[1][name]) / 2
        torch.testing.assert_close(value, expected.detach(), rtol=1e-5, atol=1e-6)
    every, _ = trained(replace(schedule, averaged_epochs=100))
    assert all(value.isfinite().all() for value in every.values())


def test_the_global_generator_is_left_alone():
    state = torch.random.get_rng_state()
    trained(replace(SCHEDULE, pretrain_epochs=1, epochs=1))
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": -1},
        {"pretrain_epochs": -1},
        {"discriminator_epochs": -1},
        {"averaged_epochs": 0},
        {"discriminator_steps": 0},
    ],
)
def test_epochs_out_of_range(change):
    with pytest.raises(InputError, match="give none below 0, and the last two at least 1"):
        replace(SCHEDULE, **change)


@pytest.mark.parametrize(
    "change",
    [
        {"batch_size": 1},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"adversary": -0.1},
        {"adversary": float("nan")},
    ],
)
def test_steps_out_of_range(change):
    with pytest.raises(
        InputError, match="give at least 2, a positive number, and one of at least 0"
    ):
        replace(SCHEDULE, **change)
