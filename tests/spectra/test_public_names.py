"""The names of the room are loaded when first used, and nothing heavy with them."""

import subprocess
import sys

import pytest

import crossplate.spectra


def test_every_public_name_loads_from_its_file():
    for name in crossplate.spectra.__all__:
        value = getattr(crossplate.spectra, name)
        assert value.__module__.startswith("crossplate.spectra.")
        assert value.__name__ == name
    assert set(crossplate.spectra.__all__) <= set(dir(crossplate.spectra))


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'no_such_name'"):
        _ = crossplate.spectra.no_such_name


def test_processes_that_work_on_spectra_load_little():
    # each process beside the first imports this file; these would double the time it takes
    heavy = {"pandas", "scipy.signal", "scipy.stats", "sklearn", "torch", "matplotlib"}
    code = f"import crossplate.spectra.pipeline\nimport sys\nprint(*({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
