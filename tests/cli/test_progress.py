"""The line that is shown while a command works."""

import io

import pytest
from rich.console import Console
from rich.progress import Progress, TextColumn

from crossplate.cli.progress import Steps, describe_epoch, show_steps
from crossplate.joint.trainer import EpochLosses


def losses(epoch, epochs=20, members=5):
    values = {"reconstruction": 0.12345, "calibration": 0.05, "classification": 1.5, "total": 1.7}
    return EpochLosses(epoch, epochs, members, values)


@pytest.fixture
def progress():
    column = TextColumn("{task.description}", markup=False)
    with Progress(column, console=Console(file=io.StringIO()), disable=True) as bar:
        yield bar


@pytest.mark.parametrize(
    ("members", "text"),
    [
        (5, "5 members, rec 0.123 mmd 0.050 cls 1.500"),
        (1, "1 member, rec 0.123 mmd 0.050 cls 1.500"),
    ],
)
def test_an_epoch_in_words(members, text):
    assert describe_epoch(losses(3, members=members)) == text


def test_steps_follow_one_another(progress):
    steps = Steps(progress)
    steps.begin("Reading")
    assert [(task.description, task.total) for task in progress.tasks] == [("Reading", None)]
    steps.begin("Preparing")
    steps.epoch(losses(3))
    (task,) = progress.tasks
    assert (task.description, task.completed, task.total) == ("Epoch 3/20", 3, 20)
    steps.epoch(losses(20))
    assert [(task.description, task.total) for task in progress.tasks] == [("Scoring", None)]


def test_a_part_begins_once_and_is_counted(progress):
    steps = Steps(progress)
    steps.part("Biomarkers", 0, 1)
    first = progress.tasks[0].id
    steps.part("Biomarkers", 3, 50)
    (task,) = progress.tasks
    assert (task.id, task.description, task.completed, task.total) == (first, "Biomarkers", 3, 50)
    steps.part("Attribution", 0, 1)
    assert [(task.description, task.total) for task in progress.tasks] == [("Attribution", None)]


def test_nothing_is_shown_where_there_is_no_terminal(capsys):
    with show_steps() as steps:
        steps.begin("Reading")
        steps.epoch(losses(3))
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "")
