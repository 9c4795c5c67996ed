"""Transforms that make the noise of peaks alike, whatever their height."""

from __future__ import annotations

from typing import Literal, assert_never

import numpy as np

from crossplate.spectra.checking import FloatArray

TransformMethod = Literal["none", "sqrt", "log"]

__all__ = ["TransformMethod", "transformed"]


def transformed(intensity: FloatArray, method: TransformMethod) -> FloatArray:
    """Intensities after a transform.

    Parameters
    ----------
    intensity
        Shape (n,).
    method
        ``"sqrt"`` makes the noise of ion counts equal all over the spectrum; ``"log"`` is
        log(1 + x), for noise in proportion to the height. Both take negative intensities, which
        an offset of the detector leaves, for 0. ``"none"`` changes nothing.

    Returns
    -------
    Shape (n,), a new array unless ``"none"``.
    """
    match method:
        case "none":
            return intensity
        case "sqrt":
            return np.sqrt(np.maximum(intensity, 0.0))
        case "log":
            return np.log1p(np.maximum(intensity, 0.0))
        case _:
            assert_never(method)
