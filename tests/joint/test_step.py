"""The hand-written step against autograd of the formulas as the paper gives them, in float64."""

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss

from crossplate.joint.networks import (
    Architecture,
    calibrate,
    discriminate,
    initial_weights,
    reconstruct,
)
from crossplate.joint.settings import PRESETS
from crossplate.joint.stack import Stack
from crossplate.joint.step import LossWeights, Minibatch, Step
from crossplate.kernels import balanced_contrast

MEMBERS, ROWS, P, HIDDEN = 2, 6, 4, 3


def textbook_mmd2(x, y, widest):
    """Biased MMD² of two samples, every kernel value by itself."""

    def kernel(a, b):
        distances = (a[:, None] - b[None]).square().sum(-1)
        return sum(torch.exp(-distances / (2 * (widest / 2**j) ** 2)) for j in range(5)).mean()

    return kernel(x, x) + kernel(y, y) - 2 * kernel(x, y)


def textbook_losses(architecture, weights, seen, wanted, classes, with_labels, widest):
    """Reconstruction, calibration and classification loss of each member, by plain formulas."""
    members, n_batches, _, p = seen.shape
    codes = calibrate(architecture, weights, seen.reshape(members, -1, p))
    by_batch = codes.reshape(seen.shape)
    restored = reconstruct(architecture, weights, by_batch) if architecture.n_batches else None
    losses = []
    for m in range(members):
        back = sum(
            mse_loss(restored[m, k], wanted[m, k]) for k in range(architecture.n_batches)
        ) + torch.zeros((), dtype=seen.dtype)
        others = [
            torch.cat([by_batch[m, j] for j in range(n_batches) if j != k])
            for k in range(n_batches)
        ]
        gap = sum(textbook_mmd2(by_batch[m, k], others[k], widest) for k in range(n_batches))
        chosen = by_batch[:, with_labels].reshape(members, -1, p)
        logits = discriminate(architecture, weights, chosen)[m]
        known = classes[m] >= 0
        if architecture.n_outputs == 1:
            truth = classes[m, known].to(seen.dtype)
            error = binary_cross_entropy_with_logits(logits[known, 0], truth)
        else:
            error = cross_entropy(logits[known], classes[m, known])
        losses.append(torch.stack([back, gap / n_batches, error]))
    return torch.stack(losses)


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("n_batches", [2, 3])
@pytest.mark.parametrize("reconstructors", [True, False])
@pytest.mark.parametrize(("residual", "head"), [(True, ()), (False, (5, 3))])
def test_losses_and_gradients_are_those_of_autograd(
    n_outputs, n_batches, reconstructors, residual, head
):
    architecture = Architecture(
        P, n_batches if reconstructors else 0, n_outputs, residual, HIDDEN, head
    )
    generator = torch.Generator().manual_seed(n_outputs + n_batches)
    starts = [initial_weights(architecture, generator) for _ in range(MEMBERS)]
    for start in starts:  # away from zeros, where some gradients vanish
        for name, value in start.items():
            start[name] = value.double() + torch.rand(value.shape, generator=generator)
    stack = Stack(starts, PRESETS["paper"], [1.0] * MEMBERS, torch.device("cpu"))
    seen, wanted = (
        torch.randn(MEMBERS, n_batches, ROWS, P, dtype=torch.float64, generator=generator)
        for _ in range(2)
    )
    with_labels = torch.arange(n_batches - 1)
    classes = torch.randint(
        -1, max(n_outputs, 2), (MEMBERS, ROWS * (n_batches - 1)), generator=generator
    )
    labelled = (classes >= 0).double()
    batch = Minibatch(seen, wanted, classes, labelled / labelled.sum(1, keepdim=True))
    factors = torch.tensor([[0.3, 2.0, 0.7], [1.1, 0.4, 1.9]], dtype=torch.float64)
    widest = 3.0
    step = Step(
        architecture,
        with_labels,
        torch.from_numpy(balanced_contrast(n_batches, ROWS)),
        torch.full((1, 1, 1), widest, dtype=torch.float64),
        torch.tensor([0.2, 0.5], dtype=torch.float64).view(-1, 1, 1),
        None,
        stack.weights,
        stack.gradients,
    )
    leaves = {name: value.clone().requires_grad_() for name, value in stack.weights.items()}
    expected = textbook_losses(architecture, leaves, seen, wanted, classes, with_labels, widest)
    penalty = sum(
        strength * leaf[m].square().sum() / 2
        for m, strength in enumerate((0.2, 0.5))
        for name, leaf in leaves.items()
        if name.startswith("discriminator") and name.endswith("weight")
    )
    ((expected * factors).sum() + penalty).backward()
    for _ in range(2):  # the second time in used buffers
        found = step(batch, LossWeights(*factors.T))
    torch.testing.assert_close(found, expected.detach(), rtol=1e-10, atol=1e-12)
    for name, leaf in leaves.items():
        torch.testing.assert_close(stack.gradients[name], leaf.grad, rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("residual", [True, False])
def test_reconstructors_alone_have_the_gradients_of_autograd(residual):
    architecture = Architecture(P, 1, 1, residual, HIDDEN, ())
    generator = torch.Generator().manual_seed(5)
    starts = []
    for _ in range(MEMBERS):
        start = initial_weights(architecture, generator).items()
        its = {name: value.double() for name, value in start if "reconstructor" in name}
        starts.append(
            {k: v + torch.rand(v.shape, generator=generator).double() for k, v in its.items()}
        )
    stack = Stack(starts, PRESETS["paper"], [1.0] * MEMBERS, torch.device("cpu"))
    size = (MEMBERS, 1, ROWS, P)
    codes, wanted = (torch.randn(size, dtype=torch.float64, generator=generator) for _ in "ab")
    unused = torch.ones(1, 1, 1)
    step = Step(architecture, unused, None, unused, unused, None, stack.weights, stack.gradients)
    leaves = {name: value.clone().requires_grad_() for name, value in stack.weights.items()}
    restored = reconstruct(architecture, leaves, codes)
    expected = (restored - wanted).square().mean(dim=(1, 2, 3))
    expected.sum().backward()
    for _ in range(2):  # the second time in used buffers
        found = step.restoring(codes, wanted)
    torch.testing.assert_close(found, expected.detach(), rtol=1e-10, atol=1e-12)
    for name, leaf in leaves.items():
        torch.testing.assert_close(stack.gradients[name], leaf.grad, rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("preset", ["paper", "default"])
def test_optimiser_is_that_of_torch(preset):
    settings = PRESETS[preset]
    generator = torch.Generator().manual_seed(0)
    starts = [{"a": torch.randn(3, 2, generator=generator)} for _ in range(2)]
    stack = Stack(starts, settings, [1.0] * len(starts), torch.device("cpu"))
    plain = torch.stack([start["a"] for start in starts]).requires_grad_()
    kind = torch.optim.Adam if settings.paper_optimiser else torch.optim.AdamW
    optimiser = kind([plain], lr=0.01, weight_decay=settings.weight_decay)
    for _ in range(5):
        gradient = torch.randn(2, 3, 2, generator=generator)
        plain.grad = gradient.clone()
        optimiser.step()
        stack.gradients["a"].copy_(gradient)
        stack.step(0.01)
    torch.testing.assert_close(stack.weights["a"], plain.detach(), rtol=1e-5, atol=1e-6)
