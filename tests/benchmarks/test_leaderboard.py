"""The leaderboard's own parts: what is run again, figures, ranks, opponents."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from networks import dann, deep_coral, held_out, source_network
from opponents import JOINT, _code, chosen, imported, opponents, variant
from others import OTHER
from runs import collected, log_loss, run_missing, runs_of
from sklearn.metrics import balanced_accuracy_score
from sklearn.metrics import log_loss as other_log_loss
from standings import differences, means, overall_difference, standings
from studies import SIMULATED, cases_of
from tasks import Case
from writing import markdown

from crossplate.datasets import make_plates

NETWORKS = pytest.mark.parametrize("network", [source_network, deep_coral, dann])


SMALL = {
    "n_subjects": (30, 40),
    "class_shares": (0.4, 0.6),
    "n_features": 20,
    "n_informative": 8,
    "effect_size": 2.0,
    "max_replicates": 2,
}


def case_of(seed=0, **settings):
    plates = make_plates(**{**SMALL, "random_state": seed, **settings})
    return Case("mine", "plate1:plate2", plates.table, "plate1", "plate2")


@pytest.fixture
def few_steps(monkeypatch):
    monkeypatch.setattr("networks.STEPS", 60)
    monkeypatch.setattr("networks.LEARNING_RATE", 5e-3)


def frame_of(figures, forms=()):
    """Results of one case and seed for each data set."""
    rows = [
        {"data": data, "case": "a:b", "method": method, "seed": 0, "balanced_accuracy": value}
        for method, values in figures.items()
        for data, value in values.items()
    ]
    return pd.DataFrame(rows).assign(is_form=lambda frame: frame["method"].isin(forms))


def test_a_run_is_done_once_and_again_only_for_other_settings(tmp_path, capsys):
    cases = [case_of()]
    names = ["none + logistic", "zscore + logistic"]
    runs = runs_of(cases, chosen(names, []), 3, tmp_path)
    assert len(runs) == 2
    run_missing(runs, 1)
    stamps = [run.part.stat().st_mtime_ns for run in runs]
    runs[0].part.unlink()
    run_missing(runs, 1)
    assert "2 runs, 1 of them to do" in capsys.readouterr().out
    assert runs[1].part.stat().st_mtime_ns == stamps[1]
    frame = collected(runs)
    assert frame["method"].tolist() == names
    for run, found in zip(runs, frame.to_dict("records"), strict=True):
        assert found["accuracy"] == np.mean([int(each) for each in found["right"]])
        assert json.loads(run.part.read_text())["balanced_accuracy"] > 0.8
        other = replace(run.opponent, settings={"shrinkage": 0.1})
        (changed,) = runs_of(cases, [other], 1, tmp_path)
        assert changed.part.name != run.part.name
    (moved,) = runs_of([case_of(1)], chosen(names[:1], []), 1, tmp_path)
    assert moved.part.name != runs[0].part.name


def test_a_form_that_is_the_default_on_a_case_shares_its_run(tmp_path, capsys):
    methods = chosen([JOINT, "no-mmd", "mmd", "remove-r"], [])
    default, *forms = runs_of([case_of()], methods, 1, tmp_path)
    assert [run.part == default.part for run in forms] == [True, False, False]
    run_missing([default, forms[0]], 1)
    assert "1 runs, 1 of them to do" in capsys.readouterr().out
    frame = collected([default, forms[0]])
    assert frame["method"].tolist() == [JOINT, "no-mmd"]
    first, second = frame["balanced_accuracy"]
    assert first == second


def test_the_surest_of_a_run(tmp_path, capsys):
    case = replace(case_of(2, noise=2.0), data="sim_tiny")
    runs = runs_of([case], chosen(["zscore + logistic"], []), 1, tmp_path)
    run_missing(runs, 1)
    kept = runs[0].result()
    p = np.array(kept["probabilities"])
    right = (np.array(kept["classes"])[p.argmax(axis=1)] == case.truth()).astype(float)
    surest = right[np.argsort(-p.max(axis=1), kind="stable")]
    frame = collected(runs)
    for share, name in ((1.0, "accuracy_100"), (0.8, "accuracy_80"), (0.5, "accuracy_50")):
        assert frame[name].item() == pytest.approx(surest[: round(share * len(p))].mean())
    risks = 1 - np.cumsum(surest) / np.arange(1, len(p) + 1)
    assert frame["aurc"].item() == pytest.approx(risks.mean(), abs=1e-3)
    gain = 100 * (frame["accuracy_80"] - frame["accuracy_100"]).item()
    frame["method"] = JOINT
    text = markdown(frame, [case], "run", 1)
    assert f"Leaving out the least sure 20% gains the joint model {gain:.1f} points." in text
    assert f"| sim_tiny | {frame['accuracy'].item():.3f} |" in text
    del kept["aurc"]
    runs[0].part.write_text(json.dumps(kept))
    run_missing(runs, 1)
    assert "1 runs, 1 of them to do" in capsys.readouterr().out.splitlines()[-2]


def test_figures_by_subject_where_subjects_have_several_samples(tmp_path):
    case = replace(case_of(3, noise=2.0, max_replicates=3), data="fiatof")
    single = replace(case_of(3, max_replicates=1), data="sim_tiny")
    runs = runs_of([case, single], chosen(["zscore + logistic"], []), 1, tmp_path)
    run_missing(runs, 1)
    frame = collected(runs)
    kept = runs[0].result()
    medians = pd.DataFrame(kept["probabilities"]).groupby(case.subjects()).median()
    called = np.array(kept["classes"])[medians.to_numpy().argmax(axis=1)]
    truth = pd.Series(case.truth()).groupby(case.subjects()).first()
    of_subjects, of_singles = frame["subject_accuracy"]
    assert of_subjects == pytest.approx(np.mean(called == truth.to_numpy()))
    assert np.isnan(of_singles)
    frame["method"] = JOINT
    text = markdown(frame, [case, single], "run", 1)
    assert f"| fiatof: accuracy by subject ≥ 0.930 | {of_subjects:.3f} |" in text
    assert "| method | fiatof, balanced accuracy | fiatof, accuracy |" in text


def test_seeds_where_they_matter():
    known = opponents()
    case = case_of()
    simulated = cases_of("sim_large", 3)

    known["quick"] = replace(known[JOINT], is_slow=True)

    def seeds(name, cases):
        return [run.seed for run in runs_of(cases, [known[name]], 3, Path("work"))]

    assert seeds("zscore + logistic", [case]) == [0]
    assert seeds(JOINT, [case]) == [0, 1, 2]
    assert seeds("zscore + logistic", simulated) == [0, 1, 2]
    assert seeds("quick", [case]) == seeds("quick", simulated) == [0]
    few = replace(known[JOINT], most_features=19)
    assert runs_of([case], [few], 3, Path("work")) == []


def test_the_code_behind_a_method(tmp_path):
    combat = opponents()["combat + logistic"]
    names = {path.name for path in imported(combat.module)}
    assert {"combat.py", "combat_moments.py", "combat_priors.py", "base.py"} <= names
    assert "dwd.py" not in names
    one, other, third = (tmp_path / f"{name}.py" for name in ("one", "other", "third"))
    one.write_text('"""About."""\ndef f():\n    """Say one."""\n    return 1\n')
    other.write_text("def f():\n    # one\n    return 1\n")
    assert _code(one) == _code(other)
    third.write_text("def f():\n    return 2\n")
    assert _code(one) != _code(third)


def test_methods_by_name_and_variants():
    names = [each.name for each in chosen(["simple", JOINT], ['heavy={"beta": 3}'])]
    assert "zscore + forest" in names
    assert names[-2:] == [JOINT, "heavy"]
    assert variant("heavy", {"beta": 3}).is_form
    assert not opponents()[JOINT].is_form
    with pytest.raises(SystemExit, match="no method 'zscor'"):
        chosen(["zscor"], [])


def test_log_loss_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), 50)
    truth = rng.choice(["a", "b", "c"], 50).astype(object)
    assert log_loss(truth, p, ["a", "b", "c"]) == pytest.approx(other_log_loss(truth, p))
    more = np.concatenate([truth, ["unknown", None]])
    assert log_loss(more, np.vstack([p, p[:2]]), ["a", "b", "c"]) == log_loss(
        truth, p, ["a", "b", "c"]
    )
    surely_wrong = log_loss(np.array(["a"], dtype=object), np.array([[0.0, 1.0]]), ["a", "b"])
    assert surely_wrong == pytest.approx(-np.log(1e-6))


def test_places():
    figures = {
        JOINT: {"x": 0.9, "y": 0.8},
        "zscore + logistic": {"x": 0.8, "y": 0.8},
        "none + logistic": {"x": 0.85, "y": 0.7},
        "form": {"x": 0.95, "y": 0.75},
        "part": {"x": 1.0},
    }
    found = standings(frame_of(figures, forms={"form"}))
    assert list(found) == [JOINT, "form", "zscore + logistic", "none + logistic", "part"]
    ranks = [found[name].rank for name in figures]
    assert ranks[:4] == [1.25, 2.25, 2.5, 1.5]
    assert np.isnan([ranks[4], found["part"].mean]).all()
    loss, where = found["form"].worst["zscore + logistic"]
    assert (round(loss, 9), where) == (-0.05, "y")
    assert found[JOINT].worst["none + logistic"][1] == "x"


def test_seeds_are_averaged_before_cases():
    frame = pd.DataFrame(
        {
            "data": "x",
            "method": "m",
            "case": ["a", "a", "a", "b"],
            "balanced_accuracy": [0.0, 0.3, 0.6, 1.0],
        }
    )
    assert means(frame, "balanced_accuracy").loc["m", "x"] == pytest.approx(0.65)


def test_differences_are_those_of_the_scores(tmp_path):
    cases = [replace(case, seed=None) for case in (case_of(3, noise=2.0),)]
    runs = runs_of(cases, chosen(["none + logistic", "zscore + logistic"], []), 1, tmp_path)
    run_missing(runs, 1)
    frame = collected(runs)
    frame["method"] = frame["method"].replace("none + logistic", JOINT)
    (found,) = differences(frame, cases, ["zscore + logistic", "absent"])["mine"]
    gain = -np.diff(frame["balanced_accuracy"])[0]
    assert found.difference == pytest.approx(gain)
    assert found.low <= found.difference <= found.high
    assert overall_difference(frame, "zscore + logistic") == pytest.approx((gain,) * 3)
    assert np.isnan(overall_difference(frame, "absent")).all()


def test_the_file_says_what_failed(tmp_path):
    case = cases_of("sim_tiny", 1)[0]
    wrong = replace(opponents()["coral + logistic"], settings={"shrinkage": -1.0})
    runs = runs_of([case], [wrong, *chosen(["none + logistic"], [])], 1, tmp_path)
    run_missing(runs, 1)
    assert [run.is_done() for run in runs] == [False, True]
    text = markdown(collected(runs), [case], "run", 1)
    assert "- coral + logistic failed on sim_tiny (1 runs): shrinkage is -1.0" in text
    assert "| none + logistic | **" in text
    assert SIMULATED["sim_tiny"].about in text


def test_eight_plates_teach_together_or_alone():
    (together,), (alone,) = cases_of("sim_sources", 1), cases_of("sim_targets", 1)
    assert len(together.labelled) == 6
    assert len(alone.unlabelled) == 6
    for case, taught in ((together, 350), (alone, 50)):
        task = case.task()
        assert len(task.x) == 400
        assert sum(label is not None for label in task.y) == taught
        assert not task.target_rows[[label is not None for label in task.y]].any()


@NETWORKS
def test_networks_learn_and_depend_on_the_seed_alone(network, few_steps):
    case = case_of()
    task = case.task()
    proba = network(task).proba
    called = proba.columns[proba.to_numpy().argmax(axis=1)]
    assert balanced_accuracy_score(case.truth(), called) > 0.9
    pd.testing.assert_frame_equal(network(task).proba, proba)
    assert not network(replace(task, seed=1)).proba.equals(proba)


@NETWORKS
def test_networks_on_one_subject_a_class(network, few_steps):
    case = case_of(n_features=8)
    table = case.table
    first = table.subject.groupby([table.batch, table.label]).transform("first")
    few = table.select((table.subject == first).to_numpy(dtype=bool))
    proba = network(replace(case, table=few).task()).proba
    assert np.isfinite(proba.to_numpy()).all()


def test_subjects_are_held_out_whole():
    task = case_of().task()
    codes = np.array([-1 if label is None else int(label == "SLE") for label in task.y])
    rows = held_out(task, codes)
    assert not rows[task.target_rows].any()
    assert not set(task.subject[rows]) & set(task.subject[~rows & task.source_rows])
    people = [len(set(task.subject[rows & (codes == code)])) for code in (0, 1)]
    assert people == [4, 2]  # a fifth of 18 and of 12


@pytest.mark.parametrize("name", OTHER)
def test_other_tasks_have_all_classes_on_both_sides(name, real_tables, monkeypatch):
    monkeypatch.setenv("CROSSPLATE_DATA", str(real_tables))
    cases = cases_of(name, 1)
    assert len({case.name for case in cases}) == len(cases)
    for case in cases:
        task = case.task()
        teaching = {label for label in task.y if label is not None}
        assert len(teaching) > 1
        assert set(case.truth()) == teaching
        assert set(case.table.batch) == {case.source, case.target}


def test_draws_of_other_tasks_differ_and_come_again(real_tables, monkeypatch):
    monkeypatch.setenv("CROSSPLATE_DATA", str(real_tables))
    first, second, *_ = (case.table.features for case in cases_of("fiatof_small", 1))
    assert set(first.index) != set(second.index)
    again = cases_of("fiatof_small", 1)[0].table.features
    pd.testing.assert_frame_equal(again, first)
