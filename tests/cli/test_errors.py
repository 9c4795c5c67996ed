"""What goes wrong becomes one sentence and an exit code."""

import warnings

import pytest
import typer

from crossplate.cli.errors import plain_errors
from crossplate.errors import InputError


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (InputError("a.csv is empty; fill it"), 2, "crossplate: a.csv is empty; fill it\n"),
        (KeyboardInterrupt(), 130, "crossplate: stopped; nothing was written\n"),
        (
            OSError(28, "No space left on device", "out/latent.csv"),
            1,
            "crossplate: out/latent.csv: No space left on device; nothing was written\n",
        ),
        (MemoryError(), 1, "crossplate: not enough memory; "),
    ],
)
def test_one_sentence_and_an_exit_code(capsys, error, code, text):
    with pytest.raises(typer.Exit) as stopped, plain_errors():
        raise error
    assert stopped.value.exit_code == code
    shown = capsys.readouterr()
    assert shown.err.startswith(text)
    assert shown.err.count("\n") == 1
    assert shown.out == ""


def test_bugs_are_not_hidden():
    with pytest.raises(ZeroDivisionError), plain_errors():
        _ = 1 / 0
    with pytest.raises(ValueError, match="a bug"), plain_errors():
        raise ValueError("a bug")


def test_warnings_become_sentences_once_and_those_for_programmers_vanish(capsys):
    with plain_errors():
        for _ in range(3):
            warnings.warn("did not\n converge", RuntimeWarning, stacklevel=1)
        warnings.warn("old name", DeprecationWarning, stacklevel=1)
        warnings.warn("new default", FutureWarning, stacklevel=1)
    assert capsys.readouterr().err == "crossplate: warning: did not converge\n"


@pytest.mark.parametrize(
    ("error", "code"), [(OSError(28, "No space left on device"), 1), (KeyboardInterrupt(), 130)]
)
def test_failing_while_writing_leaves_nothing(cli, trained, tmp_path, monkeypatch, error, code):
    def fail(frame, path):
        raise error

    monkeypatch.setattr("crossplate.study.files.write_frame", fail)
    done = cli("run", "--config", trained / "settings.json", "--out", tmp_path / "deep/out")
    assert done.code == code
    assert done.out == ""
    assert done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
