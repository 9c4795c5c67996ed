"""Answers against the truth."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, roc_auc_score

from crossplate.compare.scoring import COLUMNS, score_unit
from crossplate.compare.work import Answer, Unit

from .tables import make_table, relabelled

UNIT = Unit("p1", "p2", "combat", ("forest",), 1)


def random_answer(n, classes=("SLE", "control"), seed=0, classifier="forest"):
    proba = np.random.default_rng(seed).dirichlet(np.ones(len(classes)), n)
    return Answer(classifier, seed, pd.DataFrame(proba, columns=list(classes)), 0.5, 0.2, 1.5)


def target_of(table):
    return table.select((table.batch == "p2").to_numpy())


def test_scores_are_those_of_scikit_learn():
    table = make_table()
    answer = random_answer(16)
    scored = score_unit(UNIT, [answer], table)
    assert tuple(scored.rows.columns) == COLUMNS
    (row,) = scored.rows.to_dict("records")
    truth = target_of(table).label.to_numpy()
    called = np.where(answer.proba["SLE"] >= answer.proba["control"], "SLE", "control")
    assert row["accuracy"] == accuracy_score(truth, called)
    assert row["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(truth, called))
    assert row["f1"] == pytest.approx(f1_score(truth, called, pos_label="control"))
    assert row["roc_auc"] == pytest.approx(
        roc_auc_score(truth == "control", answer.proba["control"])
    )
    assert (row["mmd_before"], row["mmd_after"], row["seconds"]) == (0.5, 0.2, 1.5)
    assert (row["source"], row["target"], row["method"]) == ("p1", "p2", "combat")
    assert row["note"] == ""
    assert list(scored.predictions["forest:0"]) == list(called)
    assert list(scored.predictions["truth"]) == list(truth)
    assert list(scored.predictions["unit"]) == list(target_of(table).features.index)


def test_subjects_are_scored_by_the_median_of_their_samples():
    table = make_table(replicates=3)
    answer = random_answer(48)
    scored = score_unit(UNIT, [answer], table)
    assert list(scored.rows["level"]) == ["sample", "subject"]
    subject = target_of(table).subject.to_numpy()
    medians = answer.proba.groupby(subject, sort=False).median()
    truth = target_of(table).label.groupby(subject, sort=False).first()
    called = medians.idxmax(axis=1)
    assert scored.rows["accuracy"][1] == pytest.approx((called == truth).mean())
    at_subjects = scored.predictions[scored.predictions["level"] == "subject"]
    assert list(at_subjects["id"]) == list(at_subjects["unit"]) == list(medians.index)
    assert list(at_subjects["forest:0"]) == list(called)
    samples = scored.predictions[scored.predictions["level"] == "sample"]
    assert list(samples["unit"]) == list(subject)


def test_what_has_no_label_or_an_unknown_one_is_not_scored():
    table = relabelled(make_table(), "p2", ["SLE"] * 6 + ["control"] * 6 + ["XY"] * 3 + [None])
    answer = random_answer(16)
    scored = score_unit(UNIT, [answer], table)
    truth = np.repeat(["SLE", "control"], 6)
    called = scored.predictions["forest:0"].to_numpy()
    assert list(scored.predictions["truth"]) == list(truth)
    assert scored.rows["accuracy"][0] == (called == truth).mean()
    assert scored.rows["note"][0] == "3 of a class unknown to the source were not scored"


def test_a_failure_is_a_row_without_scores():
    failed = Answer("forest", 1, None, 0.5, note="these plates cannot be corrected")
    scored = score_unit(UNIT, [random_answer(16), failed], make_table())
    row = scored.rows.iloc[1]
    assert row[["accuracy", "roc_auc", "seconds"]].isna().all()
    assert row["note"] == "these plates cannot be corrected"
    assert list(scored.predictions.columns[4:]) == ["forest:0"]


def test_within_a_batch_only_labelled_rows_were_predicted():
    table = relabelled(make_table(), "p2", [None] * 4 + ["SLE", "control"] * 6)
    unit = Unit("p2", "p2", "zscore", ("forest",), 1)
    scored = score_unit(unit, [random_answer(12)], table)
    assert scored.rows["accuracy"].notna().all()
    assert len(scored.predictions) == 12
