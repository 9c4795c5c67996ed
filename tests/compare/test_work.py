"""A unit of work: seeds, failures, warnings, threads."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from crossplate.compare import methods
from crossplate.compare.attempts import attempt, joined, one_thread
from crossplate.compare.blind import blind_task
from crossplate.compare.classifiers import CLASSIFIERS
from crossplate.compare.work import Unit, answer_blindly
from crossplate.errors import InputError
from crossplate.evaluate import batch_effect

from .tables import QUICK, make_table


@pytest.fixture
def task():
    return blind_task(make_table(n_subjects=20), "p1", "p2")


@pytest.fixture
def quick_classifiers(monkeypatch):
    """Classifiers that only say with which seed they were called."""

    def called(z, y, target, seed):
        return pd.DataFrame({"SLE": np.full(target.sum(), 0.1 * seed)}).assign(
            control=lambda frame: 1.0 - frame["SLE"]
        )

    for name in CLASSIFIERS:
        monkeypatch.setitem(CLASSIFIERS, name, called)


def unit(method, *classifiers, repeats=3, **settings):
    return Unit("p1", "p2", method, classifiers, repeats, settings)


def runs(answers):
    return [(answer.classifier, answer.seed) for answer in answers]


def test_only_what_is_drawn_at_random_is_repeated(task, quick_classifiers):
    answers = answer_blindly(unit("centring", "logistic", "forest"), task)
    assert runs(answers) == [("logistic", 0), ("forest", 0), ("forest", 1), ("forest", 2)]
    assert [answer.proba["SLE"][0] for answer in answers] == [0.0, 0.0, 0.1, 0.2]


def test_each_run_of_a_random_method_goes_to_a_classifier_of_its_seed(
    task, quick_classifiers, monkeypatch
):
    seeds = []

    def method(task):
        seeds.append(task.seed)
        return methods.Aligned(measured_rows(task) + task.seed)

    monkeypatch.setitem(methods.METHODS, "mmd-resnet", method)
    answers = answer_blindly(unit("mmd-resnet", "logistic", "forest"), task)
    assert seeds == [0, 1, 2]
    assert runs(answers) == [(name, s) for s in range(3) for name in ("logistic", "forest")]
    assert np.ptp([answer.mmd_after for answer in answers]) < 1e-9  # a shift of both is none


def shifted(task, by=0.0):
    return methods.Aligned(measured_rows(task) + task.seed + by)


def test_a_method_from_elsewhere_with_seeds_of_its_own(task, quick_classifiers):
    one = Unit(
        "p1",
        "p2",
        "mine",
        ("logistic",),
        2,
        {"by": 1.0},
        first_seed=3,
        align=shifted,
        distances=False,
    )
    answers = answer_blindly(one, task)
    assert runs(answers) == [("logistic", 3), ("logistic", 4)]
    assert [answer.proba["SLE"][0] for answer in answers] == pytest.approx([0.3, 0.4])
    assert np.isnan([answer.mmd_before for answer in answers]).all()


def test_the_first_seed_of_what_has_none(task, quick_classifiers):
    later = replace(unit("centring", "logistic", "forest", repeats=2), first_seed=2)
    answers = answer_blindly(later, task)
    assert runs(answers) == [("logistic", 2), ("forest", 2), ("forest", 3)]


def measured_rows(task):
    return methods.measured(task)[0]


def test_a_method_with_a_classifier_of_its_own(task):
    answers = answer_blindly(unit("joint", "joint", repeats=2, **QUICK["joint"]), task)
    assert runs(answers) == [("joint", 0), ("joint", 1)]
    first, second = (answer.proba for answer in answers)
    assert list(first.index) == list(range(20))
    assert not first.equals(second)


def test_distances_are_measured_with_the_kernels_of_the_measured_rows(task):
    (none,) = answer_blindly(unit("none", "logistic"), task)
    (centring,) = answer_blindly(unit("centring", "logistic"), task)
    assert none.mmd_before == none.mmd_after == centring.mmd_before
    roles = np.where(task.source_rows, "source", "target")
    before = batch_effect(measured_rows(task), roles)
    z = methods.METHODS["centring"](task).z
    after = batch_effect(z, roles, bandwidths=before.bandwidths)
    assert none.mmd_before == before.across.root_biased
    assert centring.mmd_after == after.across.root_biased
    assert centring.mmd_after < 0.8 * centring.mmd_before


def test_a_batch_of_three_has_no_distance():
    few = blind_task(make_table(n_subjects=3), "p1", "p2")
    (answer,) = answer_blindly(unit("none", "logistic"), few)
    assert np.isnan([answer.mmd_before, answer.mmd_after]).all()
    assert answer.proba is not None
    assert answer.note == ""


def refusing(task, **settings):
    raise InputError("these plates cannot be corrected")


def test_a_method_that_fails_is_an_answer_with_a_note(task, monkeypatch):
    monkeypatch.setitem(methods.METHODS, "dwd", refusing)
    answers = answer_blindly(unit("dwd", "logistic", "forest", repeats=2), task)
    assert runs(answers) == [("logistic", 0), ("forest", 0), ("forest", 1)]
    for answer in answers:
        assert answer.proba is None
        assert answer.note == "these plates cannot be corrected"
        assert answer.mmd_before > 0.0
        assert np.isnan(answer.mmd_after)


def test_a_classifier_that_fails_is_an_answer_with_a_note(task, monkeypatch):
    monkeypatch.setitem(CLASSIFIERS, "forest", lambda *given: refusing(None))
    logistic, forest = answer_blindly(unit("none", "logistic", "forest", repeats=1), task)
    assert logistic.note == ""
    assert forest.proba is None
    assert forest.note == "these plates cannot be corrected"


def test_batches_without_a_feature_in_common_are_a_note(task):
    answers = answer_blindly(unit("none", "logistic"), replace(task, x=task.x[:, :0]))
    answers += answer_blindly(unit("joint", "joint"), replace(task, x=task.x[:, :0]))
    for answer in answers:
        assert answer.proba is None
        assert answer.note == (
            "no feature differs between two samples of batch 'p1' and has a value in 'p2'; leave "
            "this pair out"
        )


def test_a_bug_is_not_taken_for_bad_input(task, monkeypatch):
    monkeypatch.setitem(methods.METHODS, "none", lambda task: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        answer_blindly(unit("none", "logistic"), task)


def test_warnings_become_notes():
    def noisy():
        warnings.warn("did not  converge", RuntimeWarning, stacklevel=1)
        warnings.warn("did not converge", RuntimeWarning, stacklevel=1)
        warnings.warn("will change", FutureWarning, stacklevel=1)
        return 5

    assert attempt(noisy) == (5, "did not converge")
    assert attempt(lambda: int("five"))[1].startswith("ValueError: invalid literal")
    assert joined(["a", "", "b", "a"]) == "a; b"


def test_one_thread_inside_and_as_before_outside():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
        with pytest.raises(ZeroDivisionError), one_thread():
            _ = 1 / 0
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
