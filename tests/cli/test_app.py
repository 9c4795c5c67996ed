"""The command as a user meets it: help, version, exit codes, Ctrl-C."""

import os
import pty
import select
import signal
import subprocess
import sys
import time

import pytest

import crossplate
from crossplate.cli import main

START = [sys.executable, "-c", "from crossplate.cli import main; main()"]
COMMANDS = ["run", "predict", "demo", "datasets", "datasets list", "datasets fetch"]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_ends_with_an_example_and_fits_a_terminal(cli, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "80")
    done = cli(*command.split(), "--help")
    assert done.code == 0
    lines = done.out.rstrip().splitlines()
    assert max(map(len, lines)) <= 80
    examples = lines[max(at for at, line in enumerate(lines) if line.startswith("  Example")) :]
    commands = [line.strip() for line in examples if line.strip().startswith("crossplate ")]
    assert commands
    assert all(line.startswith(f"crossplate {command}".strip()) for line in commands)
    # Broken lines stay as they were written.
    assert all(line.endswith("\\") or len(line) < 76 for line in examples)


def test_every_option_of_run_is_explained_and_can_stand_in_a_settings_file(cli):
    from crossplate.cli.settings import RunOptions

    text = cli("run", "--help").out
    for name in RunOptions.__dataclass_fields__:
        assert f"--{name.replace('_', '-')} " in text or name == "table"


def test_version(cli):
    done = cli("--version")
    assert (done.code, done.out) == (0, f"crossplate {crossplate.__version__}\n")


def test_unknown_option_and_command_end_with_2(cli):
    done = cli("run", "--sorce", "a.csv")
    assert done.code == 2
    assert "--source" in done.err
    assert cli("walk").code == 2


def test_help_loads_nothing_heavy():
    heavy = {"torch", "pandas", "numpy", "sklearn", "matplotlib"}
    code = (
        "import sys\nfrom crossplate.cli import app\n"
        "try:\n    app(['run', '--help'])\nexcept SystemExit:\n    pass\n"
        f"print('loaded', sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded []"


def test_bad_input_in_a_process_of_its_own(tmp_path):
    words = ["run", "--source", "absent.csv", "--target", "b.csv", "--label", "x", "--out", "o"]
    done = subprocess.run(
        [*START, *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "crossplate: absent.csv does not exist; check the spelling\n"
    assert list(tmp_path.iterdir()) == []


def test_interrupt_outside_a_command_ends_with_130(monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr("crossplate.cli.app", interrupted)
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 130


def test_bar_on_a_terminal_and_ctrl_c(files, tmp_path):
    reader, terminal = pty.openpty()
    words = ["run", "--source", files["plate1"], "--target", files["plate2"], "--label", "label"]
    # a shell starts its background jobs deaf to SIGINT, and children inherit that
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n" + START[-1]
    process = subprocess.Popen(
        # the default solves so few subjects without training
        [*START[:-1], code, *words, "--preset", "paper", "--epochs", "1000000", "--out", "out"],
        cwd=tmp_path,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
        stdout=subprocess.PIPE,
        stderr=terminal,
    )
    os.close(terminal)
    shown, deadline = b"", time.monotonic() + 120
    try:
        while b"/1000000" not in shown and (chunk := _read(reader, deadline)):
            shown += chunk
        process.send_signal(signal.SIGINT)
        # read on to the end, or the process would wait for room in the terminal's buffer
        while chunk := _read(reader, deadline):
            shown += chunk
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        os.close(reader)
    assert process.returncode == 130
    text = shown.decode()
    assert "Epoch" in text
    assert "1 member, rec " in text
    assert "Traceback" not in text
    assert "crossplate: stopped; nothing was written" in text
    assert out == b""
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        path.name for path in files.values()
    )


def _read(descriptor, deadline):
    """What a terminal shows next; nothing once its other end is closed or time is up."""
    ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
    try:
        return os.read(descriptor, 4096) if ready else b""
    except OSError:  # how Linux reports that the other end is closed
        return b""
