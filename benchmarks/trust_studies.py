"""Simulated studies with a fault of known strength, each handed to the trust check it concerns.

Every function takes a seed and the strength of the fault, or makes a function that does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from crossplate import make_plates
from crossplate.evaluate.trust import (
    TrustCheck,
    check_batch_effect,
    check_confounding,
    check_label_shift,
    check_overcorrection,
    check_precision,
    check_run_order,
    check_shared_subjects,
    check_single_feature,
    check_support,
)
from crossplate.scaling import PlateScaler

Draw = Callable[[int, float], TrustCheck]

NO_EFFECT = dict.fromkeys(
    ("level", "mass", "scale", "noise", "saturation", "offset", "detection"), 0.0
)
SMALL = {"n_features": 200, "n_informative": 20, "effect_size": 0.8, "max_replicates": 3}


@dataclass(frozen=True)
class Study:
    """One row a sample; plate1 is the source unless said otherwise."""

    x: np.ndarray
    batch: np.ndarray
    label: np.ndarray
    subject: np.ndarray
    target: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """Labels without those of the target."""
        return np.where(self.target, None, self.label)

    @property
    def z(self) -> np.ndarray:
        """Logs standardised within each plate."""
        return PlateScaler().fit(self.x, self.batch, ~self.target).scale(self.x, self.batch)

    def proba(self, z: np.ndarray) -> pd.DataFrame:
        """Logistic regression: cross-validated in the source, fitted on it for the target."""
        model = LogisticRegression(C=0.01, max_iter=5000)
        source = ~self.target
        classes = np.unique(self.label)
        p = np.full((len(z), len(classes)), np.nan)
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
        p[source] = cross_val_predict(
            model, z[source], self.label[source], groups=self.subject[source], cv=folds,
            method="predict_proba",
        )  # fmt: skip
        if self.target.any():
            model.fit(z[source], self.label[source])
            p[self.target] = model.predict_proba(z[self.target])
        return pd.DataFrame(p, columns=classes)


def plates(seed: int, n: tuple[int, ...], **settings: object) -> Study:
    """Simulated MALDI-like plates; the last is the target."""
    table = make_plates(n_subjects=n, random_state=seed, **{**SMALL, **settings}).table
    batch = table.batch.to_numpy(dtype=str)
    return Study(
        table.features.to_numpy(),
        batch,
        table.label.to_numpy(dtype=str),
        table.subject.to_numpy(dtype=str),
        batch == f"plate{len(n)}",
    )


def by_chance(seed: int, n: tuple[int, ...], share: float = 0.5) -> list[float]:
    """Shares of diseased subjects as chance makes them."""
    rng = np.random.default_rng([seed, 1])
    return [rng.binomial(size, share) / size for size in n]


def normal(
    seed: int, n: int, p: int, distance: float, share: float = 0.5, n_informative: int = 20
) -> tuple[np.ndarray, np.ndarray]:
    """Normal rows of two classes, whose means lie ``distance`` apart, and whether diseased."""
    rng = np.random.default_rng([seed, 2])
    y = rng.permutation(np.arange(n) < round(share * n))
    x = rng.normal(size=(n, p))
    x[:, :n_informative] += y[:, None] * distance / np.sqrt(n_informative)
    return x, y


def confounded(n: tuple[int, ...]) -> Draw:
    def draw(seed: int, confounding: float) -> TrustCheck:
        """Plates with known labels, and a last one that is the target."""
        study = plates(
            seed, n, class_shares=by_chance(seed, n), confounding=confounding, n_features=5,
            n_informative=5,
        )  # fmt: skip
        return check_confounding(study.batch, study.known, study.subject)

    return draw


def shared_by_name(seed: int, number: int) -> TrustCheck:
    study = plates(seed, (100, 100), n_features=50, n_informative=10)
    subject = study.subject.astype(object)
    for i in range(1, number + 1):
        subject[subject == f"P2_S{i:03d}"] = f"P1_S{i:03d}"
    return check_shared_subjects(study.target, study.batch, subject, study.z)


def shared_by_profile(p: int) -> Draw:
    def draw(seed: int, noise: float) -> TrustCheck:
        """One subject of the target was measured in the source under another name."""
        rng = np.random.default_rng([seed, 3])
        n = 100
        factors = rng.normal(size=(2 * n, 10)) @ rng.normal(size=(10, p)) / np.sqrt(10)
        person = factors + rng.normal(size=(2 * n, p))
        between = np.sqrt(2.0)
        if noise < np.inf:
            person[n] = person[0]
            measured = person + noise * between * rng.normal(size=(2 * n, p))
        else:
            measured = person + 0.3 * between * rng.normal(size=(2 * n, p))
        batch = np.repeat(["plate1", "plate2"], n)
        z = np.concatenate(
            [(part - part.mean(0)) / part.std(0) for part in (measured[:n], measured[n:])]
        )
        subject = np.arange(2 * n).astype(str)
        return check_shared_subjects(batch == "plate2", batch, subject, z)

    return draw


def shifted(n: int, **settings: object) -> Draw:
    def draw(seed: int, share: float) -> TrustCheck:
        rng = np.random.default_rng([seed, 4])
        shares = (0.5, rng.binomial(n, share) / n)
        study = plates(seed, (n, n), class_shares=shares, **settings)
        proba = study.proba(study.z)
        return check_label_shift(
            proba, study.target, study.batch, study.known, study.subject, random_state=seed
        )

    return draw


def shifted_normal(n: int, distance: float, offset: float) -> Draw:
    def draw(seed: int, share: float) -> TrustCheck:
        """Not standardised by batch; the target's informative features carry an offset."""
        source, y = normal(seed, n, 50, distance)
        drawn = np.random.default_rng([seed, 4]).binomial(n, share) / n
        target, y_target = normal(seed + 10**6, n, 50, distance, drawn)
        target[:, :20] += offset / np.sqrt(20)
        label = np.where(np.concatenate([y, y_target]), "SLE", "control")
        batch = np.repeat(["plate1", "plate2"], n)
        study = Study(
            np.concatenate([source, target]), batch, label, np.arange(2 * n).astype(str),
            batch == "plate2",
        )  # fmt: skip
        return check_label_shift(
            study.proba(study.x), study.target, batch, study.known, None, random_state=seed
        )

    return draw


def one_feature(others: float) -> Draw:
    def draw(seed: int, distance: float) -> TrustCheck:
        """20 features share a distance of ``others`` sd; one more has its own."""
        x, y = normal(seed, 200, 200, others)
        x[:, 50] += distance * y
        n = len(x)
        study = Study(
            x, np.full(n, "plate1"), np.where(y, "SLE", "control"), np.arange(n).astype(str),
            np.zeros(n, dtype=bool),
        )  # fmt: skip
        return check_single_feature(
            x, study.proba(x), study.target, study.batch, study.label, study.subject
        )

    return draw


def ordered(n: int) -> Draw:
    def draw(seed: int, lag: float) -> TrustCheck:
        """Two plates; the diseased come later by ``lag`` standard deviations of the order."""
        study = plates(seed, (n, n), n_features=5, n_informative=5)
        rng = np.random.default_rng([seed, 5])
        subjects, who = np.unique(study.subject, return_inverse=True)
        time = rng.normal(size=len(subjects))[who] + lag * (study.label == "SLE")
        time = time + 0.01 * rng.normal(size=len(time))
        order = np.argsort(np.argsort(time)).astype(float)
        return check_run_order(order, study.batch, study.label, study.subject, random_state=seed)

    return draw


def overcorrected(n: int) -> Draw:
    def draw(seed: int, removed: float) -> TrustCheck:
        """A share of each class's mean is removed; the sound calibration turns the axes."""
        study = plates(seed, (n, n))
        z = study.z
        after = z.copy()
        for name in np.unique(study.label):
            rows = study.label == name
            after[rows] -= removed * z[rows & ~study.target].mean(axis=0)
        rng = np.random.default_rng([seed, 6])
        turn = np.linalg.qr(rng.normal(size=(z.shape[1],) * 2))[0]
        after = after @ turn + 0.3 * rng.normal(size=z.shape)
        return check_overcorrection(
            z, after, study.target, study.batch, study.known, study.subject, random_state=seed
        )

    return draw


def batch_effect(n: int) -> Draw:
    def draw(seed: int, scale: float) -> TrustCheck:
        """Shift of each feature between plates; 0 is the fault that the check looks for."""
        study = plates(
            seed, (n, n), class_shares=by_chance(seed, (n, n)), **{**NO_EFFECT, "scale": scale}
        )
        return check_batch_effect(study.x, study.batch, study.subject, random_state=seed)

    return draw


def unsupported(share: float, **settings: object) -> Draw:
    def draw(seed: int, shift: float) -> TrustCheck:
        """A share of the target's subjects differs in all features by ``shift`` sd."""
        study = plates(seed, (150, 150), **settings)
        subjects = np.unique(study.subject[study.target])
        rng = np.random.default_rng([seed, 7])
        strange = rng.choice(subjects, round(share * len(subjects)), replace=False)
        signs = rng.choice([-1.0, 1.0], size=study.x.shape[1])
        z = study.z + shift * signs * np.isin(study.subject, strange)[:, None]
        return check_support(z, study.target, study.batch, study.subject, random_state=seed)

    return draw


def precise(seed: int, n: int) -> TrustCheck:
    study = plates(seed, (n, 20))
    return check_precision(
        study.proba(study.z), study.target, study.batch, study.label, study.subject
    )
