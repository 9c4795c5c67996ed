"""The README's examples are run as a reader would run them, top to bottom, in one folder."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).resolve().parent.parent / "README.md"
FENCE = re.compile(r"^```(python|console|bash)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)

# Runs the steps in one process, so that all Python blocks share one namespace.
RUNNER = """
import json, shlex, subprocess, sys
names = {"__name__": "__main__"}
for kind, text in json.load(sys.stdin):
    if kind == "python":
        exec(compile(text, "README.md", "exec"), names)
    else:
        subprocess.run(shlex.split(text, comments=True), check=True)
"""


def steps_of(readme: str) -> list[tuple[str, str]]:
    """Python blocks whole, and each `crossplate …` command of the command-line blocks."""
    steps = []
    for kind, text in FENCE.findall(readme):
        if kind == "python":
            steps.append(("python", text))
            continue
        for line in text.replace("\\\n", " ").splitlines():
            command = line.removeprefix("$ ")
            if command.startswith("crossplate "):
                steps.append(("command", command))
    return steps


@pytest.fixture(scope="module")
def steps():
    return steps_of(README.read_text(encoding="utf-8"))


def test_steps_are_found_in_the_forms_a_readme_uses():
    readme = "\n".join(
        [
            "```python\nx = 1\n```",
            "```bash\nmake demo\ncrossplate run a.csv \\\n    --out b\n```",
            "```console\n$ crossplate datasets  # what there is\nmade, not run\n```",
            "```text\ncrossplate no\n```",
        ]
    )
    assert steps_of(readme) == [
        ("python", "x = 1\n"),
        ("command", "crossplate run a.csv      --out b"),
        ("command", "crossplate datasets  # what there is"),
    ]


def test_readme_has_a_python_and_a_command_line_example(steps):
    assert {kind for kind, _ in steps} == {"python", "command"}


def test_readme_examples_run(steps, tmp_path):
    scripts = str(Path(sys.executable).parent)
    done = subprocess.run(
        [sys.executable, "-c", RUNNER],
        input=json.dumps(steps),
        cwd=tmp_path,
        env={**os.environ, "PATH": os.pathsep.join([scripts, os.environ["PATH"]])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
