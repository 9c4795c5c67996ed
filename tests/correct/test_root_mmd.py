"""The root-MMD and its hand-written gradient against the formula and autograd, in float64."""

import pytest
import torch

from crossplate.correct.root_mmd import FLOOR, root_mmd, root_mmd_and_gradient


def textbook(x, y, widest):
    """√MMD² with every kernel value by itself."""

    def kernel(a, b):
        distances = (a[:, None] - b[None]).square().sum(-1)
        return sum(torch.exp(-distances / (widest / 2**j) ** 2) for j in range(3)).mean()

    return (kernel(x, x) + kernel(y, y) - 2.0 * kernel(x, y)).sqrt()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("n", "m"), [(2, 2), (7, 5), (20, 31)])
def test_value_and_gradient_are_those_of_autograd(n, m, seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 4, dtype=torch.float64, generator=generator).requires_grad_()
    y = 0.5 + torch.randn(m, 4, dtype=torch.float64, generator=generator)
    expected = textbook(x, y, 3.0)
    expected.backward()
    root, gradient = root_mmd_and_gradient(x.detach(), y, 3.0)
    torch.testing.assert_close(root, expected.detach(), rtol=1e-10, atol=0.0)
    torch.testing.assert_close(gradient, x.grad, rtol=1e-8, atol=1e-12)
    torch.testing.assert_close(root_mmd(x.detach(), y, 3.0), root, rtol=0.0, atol=0.0)


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_equal_samples_have_no_gradient(value):
    x = torch.full((4, 3), value)
    root, gradient = root_mmd_and_gradient(x, x.clone(), 1.0)
    assert root < FLOOR
    assert torch.equal(gradient, torch.zeros(4, 3))
