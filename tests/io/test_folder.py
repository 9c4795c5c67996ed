"""Tests of crossplate.io.folder."""

import os
from pathlib import Path

import pytest

from crossplate.errors import InputError
from crossplate.io import check_output_folder, output_folder
from crossplate.io.folder import MARKER


def write_one(path: Path, text: str, *, overwrite: bool = False) -> None:
    with output_folder(path, overwrite=overwrite) as folder:
        (folder / "result.txt").write_text(text)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_new_folder_appears_when_the_block_ends(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with output_folder(out, overwrite=False) as folder:
        assert folder.parent == tmp_path
        assert not out.exists()
        (folder / "sub").mkdir()
        (folder / "sub" / "a.txt").write_text("a")
    assert names(tmp_path) == {"out"}
    assert names(out) == {MARKER, "sub"}
    assert (out / "sub" / "a.txt").read_text() == "a"


def test_the_folder_has_the_rights_of_an_ordinary_one(tmp_path: Path) -> None:
    write_one(tmp_path / "out", "x")
    (tmp_path / "plain").mkdir()
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write_one(tmp_path / "out", "x")
    assert (tmp_path / "out" / "result.txt").read_text() == "x"
    assert names(tmp_path) == {"out"}


def test_folders_above_are_made_and_removed_again_on_failure(tmp_path: Path) -> None:
    out = tmp_path / "a" / "b" / "out"
    with pytest.raises(RuntimeError), output_folder(out, overwrite=False):
        raise RuntimeError("training failed")
    assert names(tmp_path) == set()
    write_one(out, "x")
    assert names(out) == {MARKER, "result.txt"}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_folder_as_it_was(
    tmp_path: Path, error: type[BaseException]
) -> None:
    out = tmp_path / "out"
    write_one(out, "old")

    def fail_halfway() -> None:
        with output_folder(out, overwrite=True) as folder:
            (folder / "result.txt").write_text("new")
            raise error

    with pytest.raises(error):
        fail_halfway()
    assert (out / "result.txt").read_text() == "old"
    assert names(tmp_path) == {"out"}


def test_our_own_folder_is_replaced_as_a_whole_when_asked(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_one(out, "old")
    (out / "stale.csv").write_text("of the first run")
    with pytest.raises(InputError, match=r"not empty; .*--overwrite"):
        write_one(out, "new")
    write_one(out, "new", overwrite=True)
    assert names(out) == {MARKER, "result.txt"}
    assert (out / "result.txt").read_text() == "new"
    assert names(tmp_path) == {"out"}


@pytest.mark.parametrize("content", ["notes.txt", "settings.json"])
def test_a_folder_of_somebody_else_is_never_replaced(tmp_path: Path, content: str) -> None:
    out = tmp_path / "home"
    out.mkdir()
    (out / content).write_text("precious")
    for overwrite in (False, True):
        with pytest.raises(InputError, match=r"not (empty|written by crossplate)"):
            write_one(out, "new", overwrite=overwrite)
    assert (out / content).read_text() == "precious"
    assert names(tmp_path) == {"home"}


def test_a_file_or_a_place_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="file is a file"):
        check_output_folder(tmp_path / "file", overwrite=True)
    with pytest.raises(InputError, match=r"cannot be made since .*file is a file"):
        check_output_folder(tmp_path / "file" / "out", overwrite=False)


def test_a_parent_that_is_not_writable_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(InputError, match=rf"{tmp_path} is not writable"):
        check_output_folder(tmp_path / "a" / "out", overwrite=False)


def test_what_the_system_refuses_is_told_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, *args: object, **options: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(InputError, match="Read-only file system"):
        write_one(tmp_path / "out", "x")


def test_the_working_folder_and_those_above_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for path in (".", "..", tmp_path):
        with pytest.raises(InputError, match="while it is in use; name a new folder inside"):
            check_output_folder(path, overwrite=True)


def test_a_link_is_followed_and_kept(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_one(tmp_path / "link", "x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "result.txt").read_text() == "x"


def test_a_folder_filled_by_somebody_else_meanwhile_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"

    def be_overtaken() -> None:
        with output_folder(out, overwrite=False):
            out.mkdir()
            (out / "other.txt").write_text("other")

    with pytest.raises(InputError, match="not empty"):
        be_overtaken()
    assert names(out) == {"other.txt"}
    assert names(tmp_path) == {"out"}


def test_the_old_folder_comes_back_if_the_swap_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    write_one(out, "old")
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if self.name.endswith(".partial"):
            raise OSError(18, "Invalid cross-device link")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="cross-device"):
        write_one(out, "new", overwrite=True)
    assert (out / "result.txt").read_text() == "old"
    assert names(tmp_path) == {"out"}
