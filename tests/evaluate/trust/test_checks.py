"""All trust checks together."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from crossplate.errors import InputError
from crossplate.evaluate.trust import checks_frame, label_shift, run_checks
from crossplate.evaluate.trust.check import TrustCheck, graded
from crossplate.evaluate.trust.units import units_of

NAMES = [
    "confounding",
    "shared_subjects",
    "label_shift",
    "single_feature",
    "run_order",
    "overcorrection",
    "batch_effect",
    "support",
    "precision",
]


@pytest.fixture(autouse=True)
def _short_bootstrap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_shift, "N_BOOTSTRAP", 20)


def study(seed: int = 0) -> dict[str, Any]:
    """Two labelled plates and a target of 60 subjects with 2 samples each, 30 features."""
    rng = np.random.default_rng(seed)
    n, p = 180, 30
    codes = np.arange(n) % 2
    person = rng.normal(size=(n, p)) + 1.2 * codes[:, None] * (np.arange(p) < 10)
    rows = np.repeat(np.arange(n), 2)
    batch = np.repeat(["plate1", "plate2", "plate3"], 60)[rows]
    clean = person[rows] + 0.2 * rng.normal(size=(2 * n, p))
    shift = {name: rng.normal(size=p) for name in np.unique(batch)}
    x = clean + np.array([shift[name] for name in batch])
    z = x.copy()
    for name in shift:
        z[batch == name] -= z[batch == name].mean(axis=0)
        z[batch == name] /= z[batch == name].std(axis=0)
    odds = np.exp(1.5 * z[:, :10].sum(axis=1) / np.sqrt(10))
    target = batch == "plate3"
    label = np.array(["case", "control"], dtype=object)[codes][rows]
    return {
        "batch": batch,
        "label": np.where(target, None, label),
        "target": target,
        "subject": np.array([f"s{i}" for i in rows]),
        "x": x,
        "z": pd.DataFrame(z, columns=[f"mz{i}" for i in range(p)]),
        "calibrated": z,
        "proba": pd.DataFrame({"case": 1 / (1 + odds), "control": odds / (1 + odds)}),
        "order": rng.permutation(2 * n),
    }


def test_a_sound_study_is_ok_throughout() -> None:
    checks = run_checks(**study())
    assert [check.name for check in checks] == NAMES
    assert {check.name: check.verdict for check in checks} == dict.fromkeys(NAMES, "ok")


def test_each_says_what_it_lacks() -> None:
    known = study()
    checks = run_checks(batch=known["batch"], label=known["label"], target=known["target"])
    verdicts = {check.name: check.verdict for check in checks}
    assert verdicts.pop("confounding") == "ok"
    assert set(verdicts.values()) == {None}
    for check in checks[1:]:
        assert check.figure is None
        assert check.advice.endswith(".")


def test_target_labels_are_never_read() -> None:
    known = study()
    told = known["label"].copy()
    told[known["target"]] = "case"
    assert run_checks(**{**known, "label": told}) == run_checks(**known)


def test_the_same_seed_gives_the_same_checks() -> None:
    known = study()
    checks = run_checks(**known)
    assert run_checks(**known) == checks
    assert run_checks(**known, random_state=1) != checks


def test_all_go_into_json_and_a_table() -> None:
    checks = run_checks(**study())
    stored = json.loads(json.dumps([check.to_dict() for check in checks]))
    assert [entry["figure"] for entry in stored] == [check.figure for check in checks]
    table = checks_frame(checks)
    assert table.index.tolist() == NAMES
    assert table.loc["support", "verdict"] == "ok"


def test_advice_is_one_sentence() -> None:
    known = study()
    faulty = {
        **known,
        "proba": known["proba"][:0].reindex(range(len(known["proba"]))),
        "order": np.where(known["label"] == "case", 0, 1),
    }
    for check in run_checks(**known) + run_checks(**faulty):
        assert not check.advice[0].islower()
        assert check.advice.endswith(".")
        assert ". " not in check.advice


@pytest.mark.parametrize("target", [np.zeros(5, dtype=bool), np.zeros(360)])
def test_target_must_be_one_boolean_a_row(target: np.ndarray) -> None:
    with pytest.raises(InputError, match="one boolean for each of the 360 labels"):
        run_checks(**{**study(), "target": target})


def test_graded() -> None:
    assert [graded(figure, 1.0, 2.0) for figure in (0.9, 1.0, 2.0)] == ["ok", "look", "stop"]
    assert graded(5.0, 1.0, 2.0, significant=False) == "ok"


def test_a_check_is_frozen() -> None:
    check = TrustCheck.not_applicable("x", "share", "There is nothing.")
    with pytest.raises(AttributeError, match="verdict"):
        check.verdict = "ok"  # type: ignore[misc]
    assert replace(check, verdict="ok").verdict == "ok"


def test_units_by_batch_subject_and_label() -> None:
    batch = ["a", "a", "b", "a", "a", "a"]
    subject = ["s", "s", "s", None, None, "t"]
    units = units_of(batch, subject)
    assert units.of_row.tolist() == [0, 0, 1, 2, 3, 4]
    assert units.first.tolist() == [0, 2, 3, 4, 5]
    assert units.subject[0] == units.subject[1]
    assert len(set(units.subject.tolist())) == 4
    split = units_of(batch, subject, np.array([0, 1, 0, 0, 0, 0]))
    assert split.of_row.tolist() == [0, 1, 2, 3, 4, 5]
    some = units_of(batch, subject, rows=np.array([0, 1, 5]))
    assert some.of_row.tolist() == [0, 0, 1]
    assert units.mean(np.array([1.0, 3.0, 5.0, 7.0, 9.0, 0.0])).tolist() == [2, 5, 7, 9, 0]
    p = np.array([[0.2, 0.8], [0.4, 0.6], [1, 0], [0.5, 0.5], [0, 1], [0.3, 0.7]])
    assert units.shares(p)[0] == pytest.approx([0.3, 0.7])
