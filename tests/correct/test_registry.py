import subprocess
import sys

import pytest

from crossplate import InputError
from crossplate.correct.base import Corrector
from crossplate.correct.log_scale import OnLogScale
from crossplate.correct.registry import CORRECTORS, corrector_class, make_corrector


@pytest.mark.parametrize("name", sorted(CORRECTORS))
def test_every_name_makes_a_corrector(name):
    made = make_corrector(name)
    assert isinstance(made, Corrector)
    assert type(made).__name__ == CORRECTORS[name].partition(":")[2]
    assert corrector_class(type(made).__name__) is type(made)


def test_settings_are_passed_on():
    assert make_corrector("combat", reference="plate 1").reference == "plate 1"
    assert corrector_class("OnLogScale") is OnLogScale


def test_unknown_names_and_settings():
    with pytest.raises(InputError, match="no corrector is named 'combatt'; choose from none, zsc"):
        make_corrector("combatt")
    with pytest.raises(InputError, match="'coral' has no setting 'alpha'; it takes reference, shr"):
        make_corrector("coral", alpha=1)
    with pytest.raises(InputError, match="'none' has no setting 'reference'; it takes none"):
        make_corrector("none", reference="a")


def test_the_names_load_without_the_correctors():
    code = (
        "import crossplate.correct.registry, sys; print(*{'numpy', 'sklearn'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
    code = (
        "from crossplate.correct.registry import make_corrector; make_corrector('zscore'); import "
        "sys; print(*{'torch', 'ot', 'clarabel', 'crossplate.correct.combat'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
