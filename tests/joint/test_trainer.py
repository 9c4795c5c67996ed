"""The engine: stacked members, schedules, and losses against independent computations."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from crossplate import InputError
from crossplate.joint.feeds import Resident
from crossplate.joint.losses import class_weights, classification_loss
from crossplate.joint.minibatches import Member, Plan, plan
from crossplate.joint.networks import (
    Architecture,
    calibrate,
    discriminate,
    initial_weights,
    reconstruct,
)
from crossplate.joint.settings import PRESETS
from crossplate.joint.trainer import train

DEFAULT, PAPER = dataclasses.replace(PRESETS["default"], beta=1.0).sized(100, 5), PRESETS["paper"]


def architecture(settings, p=5, n_outputs=1):
    return Architecture(p, 2, n_outputs, settings.residual, settings.hidden, settings.head or ())


def problem(seed=0, n=50, p=5):
    rng = np.random.default_rng(seed)
    x = torch.from_numpy(rng.normal(size=(2 * n, p)).astype(np.float32))
    return x, np.where(np.arange(2 * n) < n, rng.integers(0, 2, 2 * n), -1)


def member(classes, seed, held_out=(), **own):
    held_out = np.array(held_out, dtype=np.int64)
    batch = np.repeat([0, 1], len(classes) // 2)
    training = np.setdiff1d(np.arange(len(classes)), held_out)
    return Member(classes, batch, training, held_out, seed, **own)


def run(x, members, settings, **options):
    feed = Resident(x, members, settings)
    return train(feed, architecture(settings), settings, 8.0, **options)


@pytest.mark.parametrize("settings", [DEFAULT, PAPER], ids=["default", "paper"])
def test_a_member_of_a_stack_is_the_member_trained_alone(settings):
    settings = dataclasses.replace(settings, epochs=4, batch_size=10)
    x, classes = problem()
    shuffled = np.random.default_rng(1).permutation(classes[:50])
    other = np.concatenate([shuffled, classes[50:]])
    members = [member(classes, 3, range(5)), member(other, 4), member(classes, 5, range(9))]
    together = run(x, members, settings)
    for place, one in enumerate(members):
        alone = run(x, [one], settings)
        for name, value in alone.weights.items():
            np.testing.assert_allclose(together.weights[name][place], value[0], atol=2e-5)


@pytest.mark.parametrize("memory", [1.0, 3e4])
def test_the_result_does_not_depend_on_the_stacks(memory):
    settings = dataclasses.replace(DEFAULT, epochs=4, batch_size=10)
    x, classes = problem()
    members = [member(classes, seed, range(seed)) for seed in range(5)]
    seen = []
    together = run(x, members, settings)
    apart = run(x, members, settings, progress=seen.append, memory=memory)
    for name, value in together.weights.items():
        np.testing.assert_allclose(apart.weights[name], value, atol=2e-5)
    assert {entry["member"] for entry in apart.history} == set(range(5))
    assert [step.epoch for step in seen] == list(range(1, seen[-1].epochs + 1))
    assert seen[-1].epochs > 4


@pytest.mark.parametrize("memory", [1.0, 1e9])
def test_members_have_their_own_loss_weights_and_learning_rates(memory):
    settings = dataclasses.replace(DEFAULT, epochs=4, batch_size=10)
    x, classes = problem()
    own = [
        {"alpha": 0.2, "learning_rate": 1e-3},
        {"beta": 0.0, "gamma": 3.0},
        {"learning_rate": 1e-2},
        {"learning_rate": 1e-3},
    ]
    members = [member(classes, 7, range(4), **each) for each in own]
    together = run(x, members, settings, memory=memory)
    for place, values in enumerate(own):
        alone = run(x, [member(classes, 7, range(4))], dataclasses.replace(settings, **values))
        for name, value in alone.weights.items():
            np.testing.assert_allclose(together.weights[name][place], value[0], atol=2e-5)


def test_members_train_on_their_own_pair_of_batches():
    settings = dataclasses.replace(DEFAULT, epochs=3, batch_size=10)
    x, _ = problem(n=60)
    plates = np.repeat([0, 1, 2], 40)
    known = np.random.default_rng(2).integers(0, 2, len(x))
    members, alone = [], []
    for source, target in ((0, 1), (2, 1), (1, 0)):
        batch = np.select([plates == source, plates == target], [0, 1], -1)
        labels = np.where(batch == 0, known, -1)
        rows = np.flatnonzero(batch >= 0)
        none = np.empty(0, dtype=np.int64)
        members.append(Member(labels, batch, rows, none, 11))
        pair = np.concatenate([np.flatnonzero(batch == 0), np.flatnonzero(batch == 1)])
        alone.append(run(x[pair], [member(labels[pair], 11)], settings))
    together = run(x, members, settings)
    for place, one in enumerate(alone):
        for name, value in one.weights.items():
            np.testing.assert_allclose(together.weights[name][place], value[0], atol=2e-5)


def test_diverging_training_is_told():
    settings = dataclasses.replace(PAPER, epochs=3, batch_size=10)
    x, classes = problem()
    x[3, 2] = np.inf
    with pytest.raises(InputError, match="diverged in epoch 1"):
        run(x, [member(classes, 0)], settings)


def test_members_that_stop_leave_the_others_unmoved():
    settings = dataclasses.replace(DEFAULT, epochs=40, batch_size=10)
    x, classes = problem()
    # labels are noise, so a held-out loss soon rises; the member without one trains to the end
    members = [member(classes, 1, range(20)), member(classes, 2)]
    together = run(x, members, settings)
    epochs = {m: max(h["epoch"] for h in together.history if h["member"] == m) for m in (0, 1)}
    assert epochs[0] < epochs[1] == 39
    alone = run(x, members[1:], settings)
    for name, value in alone.weights.items():
        np.testing.assert_allclose(together.weights[name][1], value[0], atol=5e-4)


def test_training_lowers_every_loss():
    x, classes = problem(n=100)
    x[100:] += 1.0
    classes[:100] = (x[:100, 0] > 0).numpy()
    history = run(x, [member(classes, 0)], DEFAULT).history
    for loss in ("calibration", "classification", "total"):
        assert history[-1][loss] < 0.8 * history[0][loss]


def test_plan_passes_the_larger_batch_once_and_drops_the_last_part():
    assert plan(PAPER, [1858, 1460]) == Plan(rows=100, steps=18, epochs=2000)
    assert plan(DEFAULT, [40, 30]) == Plan(rows=40, steps=1, epochs=400)
    assert plan(DEFAULT, [100] * 50).rows * 50 <= 512


def plain_networks(weights, p):
    """The paper's networks for one member, as ordinary torch modules."""

    def linear(name):
        layer = nn.Linear(*weights[f"{name}.weight"].shape)
        layer.weight.data = weights[f"{name}.weight"].T
        layer.bias.data = weights[f"{name}.bias"][0]
        return layer

    act = nn.LeakyReLU(0.2)
    norm = nn.BatchNorm1d(p)
    calibrator = nn.Sequential(norm, act, linear("calibrator.0"), act, linear("calibrator.1"))
    layers = [linear(f"discriminator.{i}") for i in range(5)]
    head = nn.Sequential(*[part for layer in layers for part in (layer, act)][:-1])
    return calibrator, head


def test_paper_networks_are_those_of_the_paper():
    p = 6
    shapes = architecture(PAPER, p).layers()
    assert [shapes[f"discriminator.{i}"] for i in range(5)] == [
        (p, 128),
        (128, 64),
        (64, 32),
        (32, 16),
        (16, 1),
    ]
    assert [shapes[f"reconstructor.{i}"] for i in range(3)] == [(2, p, p)] * 3
    weights = initial_weights(architecture(PAPER, p), torch.Generator().manual_seed(0))
    calibrator, head = plain_networks(weights, p)
    x = torch.randn(20, p, generator=torch.Generator().manual_seed(1))
    normalised = (x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=False) + 1e-5)
    stacked = {name: value[None] for name, value in weights.items()}
    codes = calibrate(architecture(PAPER, p), stacked, normalised[None])
    torch.testing.assert_close(codes[0], calibrator(x), atol=1e-5, rtol=1e-4)
    logits = discriminate(architecture(PAPER, p), stacked, codes)
    torch.testing.assert_close(logits[0], head(codes[0]), atol=1e-5, rtol=1e-4)
    for name in ("calibrator.0", "calibrator.1"):
        square = weights[f"{name}.weight"]
        torch.testing.assert_close(square @ square.T, torch.eye(p), atol=1e-5, rtol=0)


def test_default_networks_start_as_the_identity():
    small = architecture(DEFAULT)
    weights = initial_weights(small, torch.Generator().manual_seed(0))
    stacked = {name: value[None] for name, value in weights.items()}
    x = torch.randn(1, 8, 5)
    torch.testing.assert_close(calibrate(small, stacked, x), x)
    both = x.reshape(1, 2, 4, 5)
    torch.testing.assert_close(reconstruct(small, stacked, both), both)


@pytest.mark.parametrize("seed", range(2))
def test_classification_loss_is_that_of_torch(seed):
    generator = torch.Generator().manual_seed(seed)
    classes = torch.randint(-1, 3, (3, 9), generator=generator)
    many, two = (torch.randn(3, 9, c, generator=generator) for c in (3, 1))
    weights = torch.rand(3, 3, generator=generator)
    for m in range(3):
        known = classes[m] >= 0
        mean = nn.functional.cross_entropy(many[m, known], classes[m, known], weights[m])
        ours = classification_loss(many, classes, weights, mean=True)
        torch.testing.assert_close(ours[m], mean)
        binary = classes.clamp(max=1)
        total = nn.functional.binary_cross_entropy(
            torch.sigmoid(two[m, known, 0]), binary[m, known].float(), reduction="sum"
        )
        ours = classification_loss(two, binary, torch.ones(3, 2), mean=False)
        torch.testing.assert_close(ours[m], total)


def test_class_weights_between_frequencies_as_they_are_and_equal():
    counts = torch.tensor([[8, 2]])
    torch.testing.assert_close(class_weights(counts, 0.0), torch.ones(1, 2))
    torch.testing.assert_close(class_weights(counts, 1.0), torch.tensor([[10 / 16, 10 / 4]]))
    half = class_weights(counts, 0.5)[0]
    assert (half[1] / half[0]).item() == pytest.approx(2.0)
    assert (8 * half[0] + 2 * half[1]).item() == pytest.approx(10.0)


def test_no_labelled_row_gives_no_loss():
    none = torch.full((1, 4), -1)
    assert (
        classification_loss(torch.randn(1, 4, 1), none, torch.ones(1, 2), mean=True).item() == 0.0
    )
