"""MMD against loops written out, and the torch gradient against autograd of the textbook form."""

import numpy as np
import pytest
import torch

from crossplate._kernel_sum import KernelWorkspace, kernel_sum
from crossplate.kernels import (
    balanced_contrast,
    ladder,
    median_bandwidths,
    mmd2_biased,
    mmd2_unbiased,
    squared_distances,
)


def kernel(a, b, bandwidths):
    return sum(np.exp(-np.sum((a - b) ** 2) / (2 * s**2)) for s in bandwidths)


def samples(seed, n=7, m=5, p=3):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, p)), rng.normal(1.0, 2.0, size=(m, p))


@pytest.mark.parametrize("seed", range(3))
def test_distances_are_those_of_a_loop(seed):
    x, y = samples(seed)
    loop = [[np.sum((a - b) ** 2) for b in y] for a in x]
    np.testing.assert_allclose(squared_distances(x, y), loop, rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_mmd_is_that_of_a_loop(seed):
    x, y = samples(seed)
    widths = ladder(4.0)
    xx = [[kernel(a, b, widths) for b in x] for a in x]
    yy = [[kernel(a, b, widths) for b in y] for a in y]
    xy = np.mean([[kernel(a, b, widths) for b in y] for a in x])
    biased = np.mean(xx) + np.mean(yy) - 2 * xy
    off = [np.sum(k) - np.trace(k) for k in (xx, yy)]
    unbiased = off[0] / (7 * 6) + off[1] / (5 * 4) - 2 * xy
    assert mmd2_biased(x, y, widths) == pytest.approx(biased, rel=1e-12)
    assert mmd2_unbiased(x, y, widths) == pytest.approx(unbiased, rel=1e-12)


def test_paper_ladder():
    np.testing.assert_array_equal(ladder(16.0), [16, 8, 4, 2, 1])


@pytest.mark.parametrize("seed", range(3))
def test_median_bandwidths_follow_the_scale(seed):
    x, _ = samples(seed, n=400)
    widths = median_bandwidths(x)
    rows, columns = np.triu_indices(400, k=1)
    middle = np.median(np.linalg.norm(x[rows] - x[columns], axis=1))
    assert widths[2] == pytest.approx(middle, rel=1e-9)
    np.testing.assert_allclose(median_bandwidths(10 * x), 10 * widths, rtol=1e-9)
    np.testing.assert_allclose(median_bandwidths(x, max_rows=200), widths, rtol=0.1)


def test_median_bandwidths_of_equal_rows_are_usable():
    assert (median_bandwidths(np.ones((5, 2))) == 1.0).all()


@pytest.mark.parametrize("n_batches", [2, 3, 5])
def test_balanced_contrast_is_each_batch_against_the_others(n_batches):
    rng = np.random.default_rng(n_batches)
    parts = [rng.normal(k, 1.0, size=(6, 4)) for k in range(n_batches)]
    codes = torch.from_numpy(np.concatenate(parts))[None]
    weights = torch.from_numpy(balanced_contrast(n_batches, 6))
    widest = torch.full((1, 1, 1), 8.0, dtype=torch.float64)
    total = kernel_sum(codes, weights, widest, KernelWorkspace.of(codes))
    pooled = [
        mmd2_biased(part, np.concatenate(parts[:k] + parts[k + 1 :]), ladder(8.0))
        for k, part in enumerate(parts)
    ]
    assert total.item() == pytest.approx(np.mean(pooled), rel=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_gradient_is_that_of_the_textbook_formula(seed):
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randn(2, 12, 3, dtype=torch.float64, generator=generator, requires_grad=True)
    weights = torch.from_numpy(balanced_contrast(2, 6))
    widest = torch.tensor([[[2.0]], [[9.0]]], dtype=torch.float64)
    plain = torch.zeros(2, dtype=torch.float64)
    for step in range(5):
        distances = (codes[:, :, None] - codes[:, None]).square().sum(-1)
        plain = plain + (weights * torch.exp(-distances / (2 * (widest / 2**step) ** 2))).sum(
            (1, 2)
        )
    space = KernelWorkspace.of(codes)
    with torch.no_grad():
        # buffers of an earlier step must not show in the next one
        kernel_sum(torch.randn_like(codes), weights, widest, space)
        fused = kernel_sum(codes, weights, widest, space)
    torch.testing.assert_close(fused, plain, rtol=1e-11, atol=1e-12)
    expected = torch.autograd.grad(plain.sum(), codes)[0]
    torch.testing.assert_close(space.gradient, expected, rtol=1e-9, atol=1e-12)
