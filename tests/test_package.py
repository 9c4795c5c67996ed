"""The package as a whole: what it ships, what it loads, and that nothing imports upwards."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

import crossplate

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "crossplate"
MODULES = sorted(PACKAGE.rglob("*.py"))

# The rooms of the house and what each may import beside itself.
BASE = {"errors"}
NUMBERS = BASE | {"kernels", "rows", "scaling", "stored"}
MAY_IMPORT = {
    "errors": set(),
    "kernels": BASE,
    "rows": BASE,
    "scaling": BASE,
    "stored": BASE,
    "table": BASE,
    "io": BASE | {"table"},
    "spectra": BASE | {"table", "io"},
    "datasets": BASE | {"table", "io"},
    "joint": NUMBERS | {"table"},
    "correct": NUMBERS | {"table", "joint"},
    "evaluate": NUMBERS | {"table"},
    "report": BASE | {"evaluate", "spectra"},
    "study": NUMBERS | {"table", "io", "joint", "correct", "evaluate", "report"},
    "compare": NUMBERS | {"table", "io", "joint", "correct", "evaluate"},
}
UNLIMITED = {"__init__", "cli"}
# Files that belong to the room they were split from.
SAME_ROOM = {"_kernel_sum": "kernels"}


def room_of(path: Path) -> str:
    """Name of the top-level module or package a source file belongs to."""
    name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return SAME_ROOM.get(name, name)


def rooms_imported(path: Path) -> set[str]:
    """Rooms a source file imports anywhere in it, under TYPE_CHECKING and in functions too."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno} imports relatively"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for package, *inside in (name.split(".") for name in names):
            if package == "crossplate":
                room = inside[0] if inside else "__init__"
                rooms.add(SAME_ROOM.get(room, room))
    return rooms


def test_version_is_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    cited = re.search(r"^version: (\S+)$", citation, flags=re.MULTILINE)
    assert crossplate.__version__ == version("crossplate") == project["version"]
    assert cited is not None
    assert cited[1] == project["version"]


def test_every_public_name_loads_from_its_room():
    for name in crossplate.__all__:
        value = getattr(crossplate, name)
        if name != "__version__":
            assert value.__module__.startswith("crossplate.")
            assert value.__name__ == name
    assert set(crossplate.__all__) <= set(dir(crossplate))


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'no_such_name'"):
        _ = crossplate.no_such_name


@pytest.mark.parametrize(
    "statement", ["import crossplate", "from crossplate import SampleTable, read_table, InputError"]
)
def test_import_loads_nothing_heavy(statement):
    heavy = {"torch", "matplotlib", "anndata", "pooch", "openTSNE"}  # pandas itself loads pyarrow
    code = f"{statement}\nimport sys\nprint(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_imports_upwards(path):
    room = room_of(path)
    if room in UNLIMITED:
        return
    assert room in MAY_IMPORT, f"give the new room {room!r} a place in the table of this test"
    upwards = rooms_imported(path) - MAY_IMPORT[room] - {room}
    assert not upwards, f"{room} may not import {sorted(upwards)}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_what_a_file_keeps_to_itself_is_imported_nowhere(path):
    own = SAME_ROOM.keys()  # files of a room may be private, names in a file are private to it
    taken = [
        f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("crossplate")
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.startswith("__") and alias.name not in own
    ]
    assert taken == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_public_names_are_documented(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    public = [n for n in tree.body if isinstance(n, documented) and not n.name.startswith("_")]
    bare = [node.name for node in public if not ast.get_docstring(node)]
    assert ast.get_docstring(tree), f"{path.name} does not say what it is for"
    assert not bare, f"{path.name}: no docstring on {bare}"


def test_every_folder_of_the_package_is_a_package():
    folders = {path.parent for path in MODULES}
    assert all((folder / "__init__.py").is_file() for folder in folders)


def test_wheel_holds_the_package_types_and_licence(tmp_path):
    from hatchling.builders.wheel import WheelBuilder

    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        shipped = set(archive.namelist())
    assert {f"crossplate/{path.relative_to(PACKAGE).as_posix()}" for path in MODULES} <= shipped
    assert "crossplate/py.typed" in shipped
    assert any(name.endswith("/licenses/LICENSE") for name in shipped)


def test_no_file_names_a_folder_of_one_machine():
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so the tracked files are not known")
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    private = re.compile("|".join(["/wo" + "rk/", "/ro" + "ot/", "/tm" + "p/", "/ho" + "me/"]))
    found = []
    for name in filter(None, listing.stdout.split("\0")):
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue  # a picture, or a file deleted and not yet committed
        found += [f"{name}: {match[0]}" for match in private.finditer(text)]
    assert found == []
