"""Every corrector of the registry, trained briefly where it is trained."""

from __future__ import annotations

from typing import Any

from crossplate.correct.base import Corrector
from crossplate.correct.registry import CORRECTORS, make_corrector

NAMES = sorted(CORRECTORS)
EPOCHS = 3


def quick(name: str, **params: Any) -> Corrector:
    """The corrector with few epochs, and a seed where it takes one."""
    made = make_corrector(name, **params)
    for setting in made.get_params():
        if setting.endswith("epochs"):
            made.set_params(**{setting: EPOCHS})
        if setting == "random_state":
            made.set_params(random_state=0)
    return made
