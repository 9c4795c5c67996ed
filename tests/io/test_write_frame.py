"""Tests of crossplate.io.write_frame."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crossplate.errors import InputError
from crossplate.io import read_table, write_frame

ENDINGS = [".csv", ".tsv", ".csv.gz", ".tsv.gz", ".xlsx", ".parquet"]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("seed", [0, 1])
def test_floats_read_back_to_the_last_bit(tmp_path: Path, ending: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.ldexp(rng.standard_normal((50, 3)), rng.integers(-900, 900, (50, 3)))
    values[0] = [0.1 + 0.2, 5e-324, 1.7976931348623157e308]
    values[1, 0] = np.nan
    frame = pd.DataFrame(values, columns=["a", "b", "c"], index=[f"s{k}" for k in range(50)])
    write_frame(frame.rename_axis("sample_id"), tmp_path / f"x{ending}")
    table = read_table(tmp_path / f"x{ending}")
    assert table.features.index.tolist() == frame.index.tolist()
    np.testing.assert_array_equal(table.features.to_numpy(), values)


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".tsv.gz", ".parquet"])
def test_the_same_frame_gives_the_same_bytes(tmp_path: Path, ending: str) -> None:
    frame = pd.DataFrame({"a": [1.5, np.nan], "b": ["x", None]})
    for name in ("one", "two"):
        write_frame(frame, tmp_path / f"{name}{ending}")
    assert (tmp_path / f"one{ending}").read_bytes() == (tmp_path / f"two{ending}").read_bytes()


def test_a_named_index_is_written_and_an_unnamed_one_is_not(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2]}, index=["p", "q"])
    write_frame(frame, tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text() == "a\n1\n2\n"
    write_frame(frame.rename_axis("subject"), tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text() == "subject,a\np,1\nq,2\n"
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


def test_unknown_endings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"x\.h5ad.*cannot be written.*\.parquet"):
        write_frame(pd.DataFrame({"a": [1]}), tmp_path / "x.h5ad")


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_folder_that_does_not_exist_is_told(tmp_path: Path, ending: str) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_frame(pd.DataFrame({"a": [1]}), tmp_path / "nowhere" / f"x{ending}")


def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.csv").write_text("old")

    def full(self: Path, data: bytes) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match="No space left"):
        write_frame(pd.DataFrame({"a": [1]}), tmp_path / "x.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]
    assert (tmp_path / "x.csv").read_text() == "old"


@pytest.mark.parametrize(
    ("ending", "module", "extra"),
    [(".xlsx", "openpyxl", "excel"), (".parquet", "pyarrow", "parquet")],
)
def test_a_package_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, module: str, extra: str
) -> None:
    def absent(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr("crossplate.io.raw.import_module", absent)
    with pytest.raises(InputError, match=rf'{module}.*pip install "crossplate\[{extra}\]"'):
        write_frame(pd.DataFrame({"a": [1]}), tmp_path / f"x{ending}")
