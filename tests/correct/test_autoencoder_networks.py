"""The networks of NormAE beside torch's own modules, and the rank loss beside its definition."""

import numpy as np
import pytest
import torch

from crossplate.correct.autoencoder_networks import (
    AutoencoderSizes,
    initial_networks,
    rank_loss,
    restored,
    run,
)
from crossplate.errors import InputError


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def sizes(*, with_order=True, hidden=(7, 6)):
    return AutoencoderSizes(5, 3, hidden, 4, with_order)


def moved(weights, seed=3):
    """Weights whose normalisations are no longer at their start."""
    g = generator(seed)
    return {
        name: value + 0.3 * torch.rand(value.shape, generator=g) for name, value in weights.items()
    }


def as_modules(weights, network):
    """The same network from torch's modules, without dropout."""
    layers, layer = [], 0
    while f"{network}.{layer}.weight" in weights:
        name = f"{network}.{layer}"
        outputs, inputs = weights[f"{name}.weight"].shape
        dense = torch.nn.Linear(inputs, outputs)
        dense.load_state_dict({part: weights[f"{name}.{part}"] for part in ("weight", "bias")})
        layers.append(dense)
        last = f"{network}.{layer + 1}.weight" not in weights
        if not last:
            if network != "order":
                norm = torch.nn.BatchNorm1d(outputs)
                state = {"weight": "scale", "bias": "shift", "running_mean": "running_mean"}
                state["running_var"] = "running_variance"
                found = {theirs: weights[f"{name}.{ours}"] for theirs, ours in state.items()}
                norm.load_state_dict({**found, "num_batches_tracked": torch.tensor(0)})
                layers.append(norm)
            layers.append(torch.nn.LeakyReLU())
        layer += 1
    return torch.nn.Sequential(*layers).eval()


@pytest.mark.parametrize("network", ["encoder", "decoder", "map", "batch", "order"])
def test_applied_networks_are_those_of_torch(network):
    weights = moved(initial_networks(sizes(), generator()))
    x = torch.randn(9, sizes().widths()[network][0], generator=generator(1))
    expected = as_modules(weights, network)(x)
    torch.testing.assert_close(run(weights, network, x), expected, rtol=1e-5, atol=1e-6)


def test_widths_of_the_networks():
    widths = sizes(hidden=(1000, 800)).widths()
    assert widths["encoder"] == (5, 1000, 800, 4)
    assert widths["decoder"] == (4, 800, 1000, 5)
    assert widths["map"] == (4, 500, 4)
    assert widths["batch"] == (4, 250, 250, 3)
    assert widths["order"] == (4, 250, 250, 1)
    without = sizes(with_order=False).widths()
    assert "order" not in without
    assert without["map"] == (3, 500, 4)
    assert sizes(hidden=(1000, 800)).largest_layer == 800_000


def test_restored_without_and_with_an_origin():
    weights = moved(initial_networks(sizes(), generator()))
    x = torch.randn(6, 5, generator=generator(1))
    codes = run(weights, "encoder", x)
    torch.testing.assert_close(restored(weights, x), run(weights, "decoder", codes))
    origin = torch.tensor([0.0, 1.0, 0.0, 0.5])
    shift = run(weights, "map", origin.expand(6, 4))
    torch.testing.assert_close(restored(weights, x, origin), run(weights, "decoder", codes + shift))
    assert (restored(weights, x, origin) - restored(weights, x)).abs().max() > 1e-3


def test_dropout_comes_from_the_generator_given():
    weights = initial_networks(sizes(), generator())
    x = torch.randn(40, 5, generator=generator(1))
    state = torch.random.get_rng_state()
    one, same, other = (run(weights, "encoder", x, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("seed", range(3))
def test_rank_loss_is_the_mean_over_pairs_of_a_batch(seed):
    rng = np.random.default_rng(seed)
    scores, order = rng.normal(size=12), rng.permutation(12) / 11
    order[1] = order[0]
    batch = rng.integers(0, 3, 12)
    batch[1] = batch[0]
    expected = [
        np.log1p(np.exp(scores[j] - scores[i]))
        for i in range(12)
        for j in range(12)
        if batch[i] == batch[j] and order[i] > order[j]
    ]
    found = rank_loss(*(torch.from_numpy(part) for part in (scores, order, batch)))
    np.testing.assert_allclose(float(found), np.mean(expected), rtol=1e-12)


def test_rank_loss_without_a_pair_is_0():
    scores = torch.tensor([1.0, 2.0], requires_grad=True)
    loss = rank_loss(scores, torch.tensor([0.0, 1.0]), torch.tensor([0, 1]))
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert torch.equal(scores.grad, torch.zeros(2))


@pytest.mark.parametrize(("hidden", "code"), [((0,), 4), ((5,), 0), ((5, -1), 4)])
def test_sizes_out_of_range(hidden, code):
    with pytest.raises(InputError, match="give widths of at least 1"):
        AutoencoderSizes(5, 2, hidden, code, with_order=False)
