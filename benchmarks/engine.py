"""Time of a training step: the authors' way, a plain PyTorch loop, and crossplate's engine.

Run from the project's folder: python benchmarks/engine.py
Writes benchmarks/results/engine.md. All figures of a table come from the same run, the ways taking
turns, so that the ratios hold although the machine's speed does not.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from crossplate.joint.feeds import Resident
from crossplate.joint.minibatches import Member
from crossplate.joint.networks import Architecture
from crossplate.joint.settings import PRESETS
from crossplate.joint.training import StackTraining

RESULTS = Path(__file__).parent / "results" / "engine.md"
SHAPES = {
    "CyTOF (p=25, mini-batch 100)": (25, 100, 60),
    "MALDI (p=814, mini-batch 200)": (814, 200, 5),
}
ROUNDS = 7
STEPS_AN_EPOCH = 18  # of P1: 1,858 rows in mini-batches of 100; the authors rebuild Adam so often
WIDTHS = (1.0, 2.0, 4.0, 8.0, 16.0)


class PlainNetworks(nn.Module):
    """The paper's networks for one source and one target, as ordinary modules."""

    def __init__(self, p: int) -> None:
        super().__init__()
        act = nn.LeakyReLU(0.2)
        self.calibrator = nn.Sequential(
            nn.BatchNorm1d(p), act, nn.Linear(p, p), act, nn.Linear(p, p)
        )
        self.restorers = nn.ModuleList(
            nn.Sequential(nn.Linear(p, p), act, nn.Linear(p, p), act, nn.Linear(p, p))
            for _ in range(2)
        )
        layers = [nn.Linear(*size) for size in pairwise((p, 128, 64, 32, 16, 1))]
        parts = [part for layer in layers for part in (layer, act)][:-1]
        self.discriminator = nn.Sequential(*parts, nn.Sigmoid())


def autograd_mmd(x: Tensor, y: Tensor) -> Tensor:
    """Biased MMD², five Gaussians, each kernel matrix by itself."""
    both = torch.cat([x, y])
    distances = (both[:, None] - both[None]).square().sum(-1)
    kernel = sum(torch.exp(-distances / (2 * width**2)) for width in WIDTHS)
    n = len(x)
    return kernel[:n, :n].mean() + kernel[n:, n:].mean() - 2 * kernel[:n, n:].mean()


def lean_mmd(x: Tensor, y: Tensor) -> Tensor:
    """The same from one distance matrix by a matrix product."""
    both = torch.cat([x, y])
    squares = both.square().sum(1)
    distances = (squares[:, None] + squares[None] - 2 * both @ both.T).clamp(min=0)
    kernel = sum(torch.exp(-distances / (2 * width**2)) for width in WIDTHS)
    n = len(x)
    return kernel[:n, :n].mean() + kernel[n:, n:].mean() - 2 * kernel[:n, n:].mean()


def authors_step(p: int, rows: int, x: Tensor, y: Tensor) -> Callable[[], None]:
    """A step as the paper and its code describe it: passes and losses one after the other."""
    networks = PlainNetworks(p)
    criterion, error = nn.BCELoss(), nn.MSELoss()
    optimiser = torch.optim.Adam(networks.parameters())
    count = 0

    def step() -> None:
        nonlocal count, optimiser
        if count % STEPS_AN_EPOCH == 0:
            optimiser = torch.optim.Adam(networks.parameters(), lr=1e-4, weight_decay=5e-5)
        count += 1
        source, target = x[:rows], x[rows:]
        codes = networks.calibrator(source), networks.calibrator(target)
        calibration = autograd_mmd(*codes)
        reconstruction = error(networks.restorers[0](codes[0]), source)
        reconstruction = reconstruction + error(networks.restorers[1](codes[1]), target)
        called = networks.discriminator(codes[0])
        classification = torch.zeros(())
        for row in range(rows):
            classification = classification + criterion(called[row, 0], y[row])
        optimiser.zero_grad()
        (0.01 * reconstruction + calibration + 0.01 * classification).backward()
        optimiser.step()

    return step


def plain_step(p: int, rows: int, x: Tensor, y: Tensor) -> Callable[[], None]:
    """A step as a careful PyTorch user would write it."""
    networks = PlainNetworks(p)
    optimiser = torch.optim.Adam(networks.parameters(), lr=1e-4, weight_decay=5e-5)

    def step() -> None:
        source, target = x[:rows], x[rows:]
        codes = networks.calibrator(source), networks.calibrator(target)
        calibration = lean_mmd(*codes)
        reconstruction = nn.functional.mse_loss(networks.restorers[0](codes[0]), source)
        reconstruction = reconstruction + nn.functional.mse_loss(
            networks.restorers[1](codes[1]), target
        )
        called = networks.discriminator(codes[0])[:, 0]
        classification = nn.functional.binary_cross_entropy(called, y, reduction="sum")
        optimiser.zero_grad(set_to_none=True)
        (0.01 * reconstruction + calibration + 0.01 * classification).backward()
        optimiser.step()

    return step


def engine_step(p: int, rows: int, x: Tensor, y: Tensor, members: int) -> Callable[[], None]:
    """A step of crossplate's engine with the same networks, losses and optimiser."""
    settings = replace(PRESETS["paper"], batch_size=rows)
    batch = np.repeat([0, 1], rows)
    classes = np.concatenate([y.numpy().astype(np.int64), np.full(rows, -1)])
    who = [
        Member(classes, batch, np.arange(2 * rows), np.empty(0, dtype=np.int64), seed)
        for seed in range(members)
    ]
    architecture = Architecture(p, 2, 1, False, settings.hidden, settings.head or ())
    feed = Resident(x, who, settings)
    training = StackTraining(feed, slice(members), architecture, settings, 16.0)
    drawn = training.draw_epoch()[0]

    def step() -> None:
        with torch.no_grad():
            training.step(drawn, 1e-4)

    return step


def matmul_peak(p: int, rows: int) -> float:
    """Best fp32 matrix product of this machine, in FLOP/s, over shapes like the step's."""
    best = 0.0
    for n, m, k in ((2 * rows, p, p), (p, p, 2 * rows), (1024, 1024, 1024)):
        a, b, c = torch.randn(n, k), torch.randn(k, m), torch.empty(n, m)
        for _ in range(5):
            start = time.perf_counter()
            for _ in range(5):
                torch.mm(a, b, out=c)
            best = max(best, 5 * 2.0 * n * m * k / (time.perf_counter() - start))
    return best


def step_flops(p: int, rows: int) -> float:
    """Multiply and add of all matrix products in a step, forward and both backward ones."""
    head = sum(a * b for a, b in pairwise((p, 128, 64, 32, 16, 1)))
    layers = 2 * rows * 2 * p * p + 2 * rows * 3 * p * p + rows * head
    # the first layer of the calibrator needs its input gradient for the batch normalisation
    kernels = 2 * (2 * rows) ** 2 * p
    return 2.0 * (3 * layers + kernels)


def timed(ways: dict[str, Callable[[], None]], repeats: int) -> dict[str, list[float]]:
    """Seconds a step of each way, the ways taking turns."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for step in ways.values():
        step()
    for _ in range(ROUNDS):
        for name, step in ways.items():
            start = time.perf_counter()
            for _ in range(repeats):
                step()
            found[name].append((time.perf_counter() - start) / repeats)
    return found


def table_of(p: int, rows: int, repeats: int) -> list[str]:
    """Markdown rows of one shape."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2 * rows, p, generator=generator)
    y = (x[:rows, 0] > 0).float()
    stack = 16 if p < 100 else 4
    ways = {
        "authors' step": authors_step(p, rows, x, y),
        "plain PyTorch": plain_step(p, rows, x, y),
        "crossplate, one member": engine_step(p, rows, x, y, 1),
        f"crossplate, a member of {stack}": engine_step(p, rows, x, y, stack),
    }
    members = {name: stack if name.endswith(f"of {stack}") else 1 for name in ways}
    lines = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found = timed(ways, repeats)
        peak = matmul_peak(p, rows)
        for name, seconds in found.items():
            each = [value / members[name] for value in seconds]
            ratios = [a / b for a, b in zip(found["authors' step"], each, strict=True)]
            share = step_flops(p, rows) / statistics.median(each) / peak
            lines.append(
                f"| {threads} | {name} | {1e3 * statistics.median(each):.2f} "
                f"({1e3 * min(each):.2f}–{1e3 * max(each):.2f}) "
                f"| {statistics.median(ratios):.1f} | {share:.2f} |"
            )
    return lines


def main() -> None:
    """Time both shapes and write the file."""
    parts = [
        f"""# Time of a training step

Command: `python benchmarks/engine.py`
Date: {date.today()}. {platform.machine()}, Python {platform.python_version()}, \
torch {version("torch")}, crossplate {version("crossplate")}; a shared machine of two cores.

The same networks, losses, optimiser and mini-batch in all rows (the paper's settings, one source
and one target). Milliseconds a member and step: median (lowest–highest) of {ROUNDS} rounds in which
the ways take turns; ratio: authors' step ÷ this, median over rounds; share: of the best fp32 matrix
product measured in the same run.

The authors' MMD takes all pairwise differences at once (N × N × p numbers), which dominates its
time at p=814; plain PyTorch takes distances from one matrix product, as a careful user would.
"""
    ]
    for name, (p, rows, repeats) in SHAPES.items():
        lines = "\n".join(table_of(p, rows, repeats))
        print(name, lines, sep="\n", flush=True)
        parts.append(
            f"## {name}\n\n| threads | way | ms a member | ratio | share of peak |\n"
            f"|---|---|---|---|---|\n{lines}\n"
        )
    RESULTS.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
