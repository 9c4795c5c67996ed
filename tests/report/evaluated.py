"""An evaluation by hand, of the shapes that evaluation.json has; read by `runpy`, not imported."""

import numpy as np

from crossplate.evaluate.subject_values import SubjectValues
from crossplate.report import Samples, box_plots


def evaluation_of(classes, batches, feature, n_rows, seed=0):
    """Every part of an evaluation, with these names; the samples' map has ``n_rows`` points."""
    rng = np.random.default_rng(seed)
    scores = {"accuracy": {"estimate": 0.87, "low": 0.82, "high": 0.91}}
    for name in ("balanced_accuracy", "f1", "mcc", "roc_auc", "brier"):
        scores[name] = {"estimate": 0.5, "low": -0.1 if name == "mcc" else 0.4, "high": 0.6}
    interval = {"n": 60, "n_subjects": 30, "confidence": 0.95, "n_resamples": 100, "scores": scores}
    names = [f"{feature} {number}" for number in range(30)]
    marked = {
        "feature": [name for name in names for _ in batches],
        "batch": list(batches) * len(names),
        "frequency": [round(1 - place / 100, 2) for place in range(len(names) * len(batches))],
        "p": [1.0, 0.0, 0.05, 0.012]
        + [10.0 ** -(8 - place // 10) for place in range(len(names) * len(batches) - 4)],
        "q": [None] * (len(names) * len(batches)),
        "effect": rng.uniform(-1, 1, len(names) * len(batches)).tolist(),
        "effect_label": [classes[1]] * (len(names) * len(batches)),
        "selected": [place < 3 for place in range(len(names) * len(batches))],
    }
    points = rng.normal(size=(2, n_rows, 2)).tolist()
    return {
        "intervals": {"subject": interval, "sample": interval},
        "calling": {
            level: {"threshold": 0.55, "wanted_accuracy": 0.95} for level in ("subject", "sample")
        },
        "calibration": {
            "ece": 0.05,
            "ece_calibrated_95": 0.04,
            "curve": [
                {"class": classes[1], "n": 10, "predicted": p, "observed": p,
                 "low": p / 2, "high": (1 + p) / 2}
                for p in (0.1, 0.5, 0.9)
            ],
        },
        "accuracy_coverage": {
            "n": 60,
            "aurc": 0.06,
            "error": 0.15,
            "curve": [
                {"coverage": share, "n": round(60 * share), "accuracy": 1 - 0.15 * share}
                for share in (1.0, 0.5, 0.2)
            ],
        },
        "roc": {
            "classes": [
                {"label": classes[1], "false_positive_rate": [0.0, 0.2, 1.0],
                 "true_positive_rate": [0.0, 0.8, 1.0], "auc": 0.8}
            ]
        },
        "permutation": {
            "observed": 0.87,
            "null": rng.normal(0.5, 0.05, 100).tolist(),
            "p_value": 1 / 101,
            "score": "balanced_accuracy",
            "n_permutations": 100,
        },
        "ceiling": {
            "per_batch": [{"batch": name, "scores": {"accuracy": 0.9}} for name in batches]
        },
        "cross_batch": [
            {"source": batches[0], "target": batches[1], "method": "crossplate", "score": 0.85},
            {"source": batches[1], "target": batches[0], "method": "crossplate", "accuracy": 0.8},
        ],
        "batch_classifier": {
            "accuracies": [
                {"data": data, "classifier": "random_forest", "accuracy": value, "low": low,
                 "high": 0.99, "balanced_accuracy": value}
                for data, value, low in (("before", 0.98, 0.95), ("after", 0.6, None))
            ],
            "chance": 0.5,
        },
        "mixing": {
            data: {"mean": 1.2, "expected": 1.9, "mixed": 0.22, "n_neighbours": 30, "n_rows": 60}
            for data in ("before", "after")
        },
        "variance_shares": {
            "feature": names,
            "batch": [*rng.random(len(names) - 1).tolist(), None],
            "label": [*rng.random(len(names) - 1).tolist(), None],
        },
        "biomarkers": {
            "features": marked,
            "batches": list(batches),
            "intersections": [
                {"batches": list(batches), "n_features": 1, "n_same_direction": 1,
                 "features": names[:1]},
                {"batches": [batches[0]], "n_features": 1, "n_same_direction": 1,
                 "features": names[1:2]},
            ],
            "agreement": [
                {"batch_a": batches[0], "batch_b": batches[1], "n_a": 2, "n_b": 1, "n_both": 1,
                 "expected_both": 0.1, "p_both": 0.05, "n_either": 2, "n_same_direction": 2,
                 "effect_correlation": None}
            ],
        },
        "attribution": {
            "features": [
                {"feature": name, "importance": 0.1 / (place + 1), "sd": 0.01, "accuracy_drop": 0.0}
                for place, name in enumerate(names)
            ]
        },
        "trust": [
            {"name": name, "verdict": verdict, "figure": figure, "figure_name": "share of it",
             "threshold": 0.05, "advice": f"Look at {classes[0]}: leave it out.", "details": {}}
            for name, verdict, figure in (
                ("confounding", "ok", 0.01),
                ("label_shift", "stop", 0.4),
                ("run_order", None, None),
                ("precision", "look", 0.06),
            )
        ],
        "embedding": {
            "tsne_before": points[0],
            "tsne_after": points[1],
            "pca_before": points[1],
            "pca_after": points[0],
            "rows": list(range(n_rows)),
        },
        "left_out": {"mixing": f"batch {batches[0]} is too small"},
    }  # fmt: skip


def boxes_of(classes, batches, feature, seed=0):
    """Box plots of 30 features, 12 subjects of each label in each batch."""
    rng = np.random.default_rng(seed)
    n = 12 * len(classes) * len(batches)
    values = SubjectValues(
        medians=np.exp(rng.normal(size=(n, 30))),
        batch=np.array([batches[row % len(batches)] for row in range(n)], dtype=object),
        label=np.array([classes[row // 12 % len(classes)] for row in range(n)], dtype=object),
        features=tuple(f"{feature} {number}" for number in range(30)),
    )
    return box_plots(values, values.features)


def samples_of(pieces, source):
    """Samples of the pieces of a study: as many of the source as of the target, then those."""
    calls = pieces["predictions"]
    n = len(calls)
    label = pieces["embedding"].label
    confidence = calls.filter(regex="^p_").drop(columns="p_std").max(axis=1)
    return Samples(
        batch=(source,) * n + tuple(calls["batch"].astype(str)),
        label=tuple(label),
        sample=tuple(f"source {row}" for row in range(n)) + tuple(map(str, calls.index)),
        subject=tuple(f"source {row // 2}" for row in range(n)) + tuple(calls["subject"]),
        called=(None,) * n + tuple(calls["predicted"]),
        confidence=(None,) * n + tuple(float(one) for one in confidence),
    )


def evaluated(pieces, *, classes, batch, feature):
    """Arguments of `summarise` and the evaluation, for a study of "plate1" and ``batch``."""
    batches = ["plate1", batch]
    evaluation = evaluation_of(classes, batches, feature, 2 * len(pieces["predictions"]))
    more = {
        "samples": samples_of(pieces, "plate1"),
        "boxes": boxes_of(classes, batches, feature),
        "evaluation": evaluation,
    }
    return pieces | more, evaluation
