"""Spectra whose peaks are known."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pytest

from crossplate.spectra.spectrum import Spectrum

TRUE_MZ = np.array([2210.0, 2540.0, 2950.0, 3333.0, 3700.0, 4120.0, 4600.0, 5080.0, 5500.0,
                    6010.0, 6480.0, 7000.0, 7530.0, 8100.0, 8640.0, 9200.0])  # fmt: skip

Simulate = Callable[..., Spectrum]


@pytest.fixture
def true_mz() -> np.ndarray:
    """m/z of the simulated peaks, which all spectra have."""
    return TRUE_MZ


@lru_cache(maxsize=100)
def simulated(
    seed: int, shift_ppm: float, scale: float, heights: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """m/z and intensities; kept, since most tests look at the same few spectra."""
    rng = np.random.default_rng(seed)
    # as the points of a time-of-flight instrument: evenly spaced in the root of m/z
    mz = np.linspace(np.sqrt(2000.0), np.sqrt(10000.0), 6000) ** 2
    centre = TRUE_MZ * (1.0 + shift_ppm * 1e-6)
    width = 2.0 * np.sqrt(TRUE_MZ / 2000.0)
    profile = np.array(heights) * np.exp(-0.5 * ((mz[:, np.newaxis] - centre) / width) ** 2)
    ions = 400.0 * np.exp(-(mz - 2000.0) / 2500.0) + 100.0 + profile.sum(axis=1)
    return mz, scale * (ions + rng.normal(0.0, np.sqrt(ions))).clip(0.0)


@pytest.fixture
def simulate() -> Simulate:
    """Make a spectrum: ``simulate(name, seed, shift_ppm=0, scale=1, heights=None)``."""

    def make(
        name: str,
        seed: int,
        *,
        shift_ppm: float = 0.0,
        scale: float = 1.0,
        heights: np.ndarray | None = None,
    ) -> Spectrum:
        height = np.full(len(TRUE_MZ), 3000.0) if heights is None else heights
        return Spectrum.of(*simulated(seed, shift_ppm, scale, tuple(height)), name)

    return make
