"""What a run is evaluated by, that target labels reach scores alone, and what cannot be had."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, roc_auc_score

from crossplate import InputError, make_plates
from crossplate.study import (
    StudySettings,
    evaluate_plate,
    evaluate_study,
    predict_plate,
    run_study,
    study_of,
)
from crossplate.study.files import calling_beside, write_study

CHEAP = ("embedding", "intervals", "expected", "calibration", "accuracy_coverage", "roc",
         "confusion", "calling", "batch_classifier", "mixing", "variance_shares",
         "trust")  # fmt: skip
SLOW = ("permutation", "ceiling", "cross_batch", "biomarkers", "attribution")


@pytest.fixture(scope="module")
def evaluation(result):
    return evaluate_study(result)


def with_target_labels(result, labels):
    """The same result, its target labelled otherwise; nothing is trained anew."""
    table = result.table
    known = table.label.astype(object).copy()
    known[result.predictions.index] = labels
    other = dataclasses.replace(table, label=known)
    return study_of(result.model, other, StudySettings(("plate1",), ("plate2",)))


def truth_of(result):
    table = result.table
    rows = table.features.index.isin(result.predictions.index)
    return table.label[rows].groupby(table.subject[rows]).first().loc[result.subjects.index]


def test_cheap_parts_are_there_and_slow_ones_are_not(evaluation):
    found = evaluation.to_dict()
    assert set(found) == {*CHEAP, *SLOW, "left_out"}
    assert all(found[name] for name in CHEAP)
    assert all(found[name] is None for name in SLOW)
    assert found["left_out"] == {}
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_curves_are_of_subjects(result, evaluation):
    truth, people = truth_of(result), result.subjects
    labels = evaluation.confusion["labels"]
    assert labels == list(result.model.classes_)
    np.testing.assert_array_equal(
        evaluation.confusion["counts"], confusion_matrix(truth, people["predicted"], labels=labels)
    )
    (curve,) = evaluation.roc["classes"]
    assert curve["label"] == "control"
    assert curve["auc"] == pytest.approx(roc_auc_score(truth == "control", people["p_control"]))
    assert evaluation.calibration["n"] == len(people)
    whole = evaluation.accuracy_coverage["curve"][0]
    assert whole["coverage"] == 1.0
    assert whole["accuracy"] == pytest.approx(accuracy_score(truth, people["predicted"]))


def test_intervals_hold_the_scores_of_the_metrics(result, evaluation):
    assert set(evaluation.intervals) == {"sample", "subject"}
    for level, found in evaluation.intervals.items():
        assert found["n_subjects"] == len(result.subjects)
        scores = result.metrics[f"{level}_level"]["crossplate"]
        for name, one in found["scores"].items():
            assert one["estimate"] == pytest.approx(scores[name])
            assert one["low"] <= one["estimate"] <= one["high"]


def test_calls_are_those_of_enough_confidence(result, evaluation):
    truth = truth_of(result)
    for level, frame, called in (
        ("sample", result.predictions, evaluation.called_samples),
        ("subject", result.subjects, evaluation.called_subjects),
    ):
        its = evaluation.calling[level]
        confidence = frame[["p_SLE", "p_control"]].max(axis=1)
        least = np.inf if its["threshold"] is None else its["threshold"]
        np.testing.assert_array_equal(called, confidence >= least)
        assert its["coverage"] == pytest.approx(called.mean())
        assert its["n_called"] + its["n_not_called"] == len(frame)
    people = result.subjects[evaluation.called_subjects.to_numpy()]
    assert len(people) > 10
    assert evaluation.calling["subject"]["accuracy_of_called"] == pytest.approx(
        accuracy_score(truth.loc[people.index], people["predicted"])
    )


@pytest.fixture(scope="module")
def hidden(result):
    """Evaluation of the same study without labels of the target."""
    return evaluate_study(with_target_labels(result, None))


def test_labels_of_the_target_reach_scores_alone(result, evaluation, hidden):
    rng = np.random.default_rng(0)
    subjects = result.predictions["subject"]
    drawn = dict(zip(subjects.unique(), rng.permutation(truth_of(result)), strict=True))
    shuffled = evaluate_study(with_target_labels(result, [drawn[name] for name in subjects]))
    for other in (shuffled, hidden):
        assert other.trust == evaluation.trust
        pd.testing.assert_series_equal(other.called_subjects, evaluation.called_subjects)
        assert other.expected["subject"]["scores"] == evaluation.expected["subject"]["scores"]
        for level, its in other.calling.items():
            assert its["threshold"] == evaluation.calling[level]["threshold"]
    assert shuffled.intervals["subject"]["scores"]["accuracy"]["estimate"] < 0.8
    for name in ("intervals", "calibration", "roc", "confusion", "variance_shares"):
        assert getattr(hidden, name) is None
    assert "one batch only has labels" in hidden.left_out["variance_shares"]
    assert hidden.calling["sample"]["accuracy_of_called"] is None


def test_without_target_labels_the_source_says_what_to_expect(result, hidden):
    found = hidden.expected
    labels = result.table.labels_of(~result.table.features.index.isin(result.predictions.index))
    shares = pd.Series(labels).value_counts(normalize=True)
    assert found["sample"]["chance"] == pytest.approx(shares.max())
    assert found["subject"]["scores"]["accuracy"]["estimate"] > 0.8
    assert found["subject"]["zscore_logistic_regression"] > 0.8


def test_variance_shares_are_columns_before_and_after(result, evaluation):
    shares = pd.DataFrame(evaluation.variance_shares).set_index("feature")
    assert list(shares.index) == list(result.table.features.columns)
    assert shares["batch_after"].median() < 0.5 * shares["batch"].median()


def test_all_checks_are_made_with_a_run_order(result):
    table = result.table
    metadata = table.metadata.assign(Injection_Order=range(table.n_samples))
    ordered = dataclasses.replace(result, table=dataclasses.replace(table, metadata=metadata))
    checks = {check["name"]: check["verdict"] for check in evaluate_study(ordered).trust}
    assert len(checks) == 9
    assert checks["run_order"] is not None
    assert checks["batch_effect"] == "ok"


def test_planted_faults_are_raised(result):
    """The same people on both plates, and one feature that gives the label away."""
    table = result.table
    features = table.features.copy()
    features["leak"] = 100.0 + 50.0 * (table.label == "SLE") + np.arange(len(features)) % 3
    people = table.subject.str.replace("P2", "P1")
    faulty = dataclasses.replace(table, features=features, subject=people)
    labels = table.label.groupby(people).transform("first")
    faulty = dataclasses.replace(faulty, label=labels)
    settings = StudySettings(("plate1",), ("plate2",), epochs=10, n_members=1)
    checks = {one["name"]: one for one in evaluate_study(run_study(faulty, settings)).trust}
    assert checks["shared_subjects"]["verdict"] == "stop"
    assert checks["single_feature"]["verdict"] == "look"
    assert "leak" in checks["single_feature"]["advice"]


def test_too_few_subjects_leave_parts_out_with_the_reason():
    tiny = make_plates(
        n_subjects=(3, 4), class_shares=(0.34, 0.5), n_features=8, n_informative=4, n_modules=2,
        max_replicates=2, share_incomplete=0.0, random_state=0,
    ).table  # fmt: skip
    settings = StudySettings(("plate1",), ("plate2",), epochs=2, n_members=1)
    result = run_study(tiny, settings)
    found = evaluate_study(result)
    assert found.calling is None
    assert found.called_samples is None
    assert found.expected is None
    assert "two classes with two subjects each" in found.left_out["calling"]
    assert found.intervals is not None
    json.dumps(found.to_dict(), allow_nan=False)


def test_three_classes_and_no_subjects(table):
    label = table.label.astype(object).copy()
    third = np.arange(len(label)) % 3 == 0
    label[third] = "third"
    features = table.features + 3.0 * table.features.to_numpy().std() * third[:, None]
    lone = dataclasses.replace(table, features=features, label=label, subject=None)
    settings = StudySettings(("plate1",), ("plate2",), epochs=20, n_members=1)
    found = evaluate_study(run_study(lone, settings))
    assert set(found.intervals) == set(found.calling) == {"sample"}
    assert [one["label"] for one in found.roc["classes"]] == ["SLE", "control", "third"]
    assert found.called_subjects is None
    assert np.shape(found.confusion["counts"]) == (3, 3)


def test_written_beside_the_predictions(result, evaluation, tmp_path, monkeypatch):
    monkeypatch.setattr("crossplate.report.render_page", lambda *_: "")
    write_study(result, tmp_path, run={}, evaluation=evaluation)
    assert json.loads((tmp_path / "evaluation.json").read_text()) == evaluation.to_dict()
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["calling"] == evaluation.calling
    for name, called in (
        ("predictions", evaluation.called_samples),
        ("subjects", evaluation.called_subjects),
    ):
        frame = pd.read_csv(tmp_path / f"{name}.csv")
        np.testing.assert_array_equal(frame["called"], called)
    assert calling_beside(tmp_path / "model") == evaluation.calling
    assert calling_beside(tmp_path / "elsewhere" / "model") is None


def test_a_plate_that_comes_later_is_called_as_the_run_was(result, evaluation):
    later = predict_plate(result.model, result.table.select(result.table.batch == "plate2"))
    found = evaluate_plate(later, evaluation.calling)
    pd.testing.assert_series_equal(found.called_subjects, evaluation.called_subjects)
    assert found.intervals == evaluation.intervals
    assert found.confusion == evaluation.confusion
    assert found.trust is None
    assert evaluate_plate(later, None).called_samples is None
    with pytest.raises(InputError, match="no source"):
        evaluate_study(later)
