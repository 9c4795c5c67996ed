"""A diagnosis learned on one plate of omics measurements, made to hold on the next.

The names below are loaded when first used, so that ``import crossplate`` is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crossplate.datasets import make_plates
    from crossplate.errors import InputError
    from crossplate.io import read_table
    from crossplate.joint.classifier import JointClassifier
    from crossplate.joint.saved import load
    from crossplate.study import run_study
    from crossplate.table import SampleTable

    __version__: str

__all__ = [
    "InputError",
    "JointClassifier",
    "SampleTable",
    "__version__",
    "load",
    "make_plates",
    "read_table",
    "run_study",
]

_HOME = {
    "InputError": "crossplate.errors",
    "JointClassifier": "crossplate.joint.classifier",
    "SampleTable": "crossplate.table",
    "load": "crossplate.joint.saved",
    "make_plates": "crossplate.datasets",
    "read_table": "crossplate.io",
    "run_study": "crossplate.study",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for, and keep it (PEP 562)."""
    value: object
    if name == "__version__":
        from importlib.metadata import version

        value = version("crossplate")
    elif name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
    else:
        raise AttributeError(f"module 'crossplate' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
