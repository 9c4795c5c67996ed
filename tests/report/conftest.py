"""Pieces of a small study, of the shapes that the rest of the package makes."""

from copy import deepcopy

import numpy as np
import pandas as pd
import pytest

from crossplate.evaluate import batch_effect, by_subject, score, score_subjects
from crossplate.report import pca_embedding, summarise

NAMES = ["SLE", "control"]


def scores(accuracy, *, balanced=None, counts=None, **more):
    """Scores by hand, where a test needs one figure and not the others."""
    counts = {"SLE": 57, "control": 43} if counts is None else counts
    return {
        "n": sum(counts.values()),
        "n_unlabelled": 0,
        "n_unknown_class": 0,
        "counts": counts,
        "predicted_counts": counts,
        "accuracy": accuracy,
        "balanced_accuracy": accuracy if balanced is None else balanced,
        "f1": 0.5,
        "f1_average": "binary",
        "positive_class": "control",
        "mcc": 0.5,
        "roc_auc": 0.75,
        "brier": 0.2,
        "confusion_matrix": {
            "classes": list(counts),
            "rows_true_columns_predicted": [[0] * len(counts) for _ in counts],
        },
        "collapsed": False,
        **more,
    }


def level(own, logistic, single, **more):
    """All three methods by hand: the accuracy of each."""
    return {
        "crossplate": scores(own, **more),
        "zscore_logistic_regression": scores(logistic, **more),
        "best_single_feature": scores(single, **more) | {"feature": "X5", "source_auc": 0.9},
    }


def effect(across, in_batch, sd=0.01):
    """Batch effect of one pair by hand."""

    def summary(root):
        return {
            "root_biased": root,
            "root_biased_sd": sd,
            "unbiased": root**2 - in_batch**2,
            "unbiased_sd": 0.001,
        }

    figures = {"across": summary(across), "in_batch": summary(in_batch)}
    return {
        "statistic": "MMD",
        "bandwidths": [2.0, 1.0],
        "n_draws": 10,
        **figures,
        "pairs": [{"batches": ["A", "B"], "n_rows": 500, **figures}],
        "too_small": [],
    }


def predictions(called, batch="B", subject=None):
    """Predictions of samples called so, with certainty."""
    names = sorted(set(called))
    frame = pd.DataFrame(
        {"batch": batch, "predicted": called},
        index=pd.Index([f"s{i}" for i in range(len(called))], name="sample_id"),
    )
    if subject is not None:
        frame.insert(1, "subject", subject)
    for name in names:
        frame[f"p_{name}"] = (frame["predicted"] == name).astype(float)
    return frame.assign(p_std=0.0)


@pytest.fixture
def level_by_hand():
    return level


@pytest.fixture
def effect_by_hand():
    return effect


@pytest.fixture
def predictions_by_hand():
    return predictions


def pieces_of(
    classes=NAMES, batch="plate2", subject="P", sample="S", feature="mz_100", n=60, seed=0
):
    """Arguments of `summarise` for a small study with these names, scored as a real one is."""
    rng = np.random.default_rng(seed)
    index = pd.Index([f"{sample}{i}" for i in range(n)], name="sample_id")
    truth = pd.Series(rng.choice(classes, n), index=index, dtype=object)
    subjects = pd.Series([f"{subject}{i // 2}" for i in range(n)], index=index)
    truth[:] = truth.to_numpy()[np.arange(n) // 2 * 2]

    def proba(strength):
        raw = rng.random((n, len(classes)))
        raw[np.arange(n), [classes.index(name) for name in truth]] += strength
        return pd.DataFrame(raw / raw.sum(axis=1, keepdims=True), index=index, columns=classes)

    methods = {
        "crossplate": (proba(0.8), {}),
        "zscore_logistic_regression": (proba(0.5), {}),
        "best_single_feature": (proba(0.2), {"feature": feature, "source_auc": 0.7}),
    }
    own = methods["crossplate"][0]
    called = own.idxmax(axis=1)
    table = pd.DataFrame({"batch": batch, "subject": subjects, "predicted": called}, index=index)
    for name in classes:
        table[f"p_{name}"] = own[name]
    table["p_std"] = rng.random(n) / 10
    x = rng.normal(size=(2 * n, 5))
    x[n:] += 1.0
    plates = np.repeat(["plate1", batch], n)
    effects = {
        "before": batch_effect(x, plates).to_dict(),
        "after": batch_effect(x - x[:n].mean(axis=0), plates).to_dict(),
    }
    losses = ("reconstruction", "calibration", "classification", "total", "held_out")
    history = pd.DataFrame(
        [
            {"member": member, "epoch": epoch, **dict.fromkeys(losses, 1 / (epoch + 1))}
            for member in range(2)
            for epoch in range(10 + member)
        ]
    )
    return {
        "metrics": {
            "scored_on": "target labels, unused in training",
            "counts": {
                "samples": 2 * n,
                "features": 5,
                "source": {"plate1": n},
                "target": {batch: n},
                "labelled": dict.fromkeys(classes, 10),
                "imputed_cells": 0,
            },
            "sample_level": {
                method: score(truth, p.to_numpy(), classes).to_dict() | more
                for method, (p, more) in methods.items()
            },
            "subject_level": {
                method: score_subjects(p, subjects, truth).to_dict() | more
                for method, (p, more) in methods.items()
            },
            "batch_effect": effects,
            "collapsed": False,
        },
        "predictions": table,
        "subjects": by_subject(own, subjects),
        "history": history,
        "settings": {
            "format": 1,
            "run": {"label": "diagnosis", "overwrite": False, "config": None},
            "model": {"head": [], "epochs": None, "alpha": 1.0},
            "versions": {"crossplate": "0.1.0"},
            "date": "2025-01-02",
        },
        "notices": ["2 features are constant and were dropped."],
        "embedding": pca_embedding(
            x, x * 0.5, batch=plates, label=[*rng.choice(classes, n), *truth]
        ),
    }


@pytest.fixture(scope="session")
def usual_pieces():
    return pieces_of()


@pytest.fixture
def make_pieces(usual_pieces):
    """Pieces to be changed at will: the usual ones, or others with the given names and size."""

    def made(**names):
        return pieces_of(**names) if names else deepcopy(usual_pieces)

    return made


@pytest.fixture(scope="session")
def summary(usual_pieces):
    """Summary of a small study with scores, subjects, history and embedding."""
    return summarise(**usual_pieces)


@pytest.fixture(scope="session")
def bare_summary(usual_pieces):
    """The least there can be: calls of samples, and nothing else."""
    return summarise(
        metrics={"scored_on": None, "sample_level": None, "subject_level": None},
        predictions=usual_pieces["predictions"].drop(columns="subject"),
        subjects=None,
        history=None,
        settings={},
        notices=[],
        embedding=None,
    )
