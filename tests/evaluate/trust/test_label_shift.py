"""Class shares of the target: estimates against known truth, and the verdict."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import check_grad, minimize_scalar
from scipy.special import expit

from crossplate.errors import InputError
from crossplate.evaluate.trust import check_label_shift, class_shares, label_shift
from crossplate.evaluate.trust.class_shares import (
    class_scores,
    confusion_shares,
    likelihood_shares,
    offset_shares,
    separation,
    to_scores,
)


def two_classes(
    seed: int, n: int, share: float, *, apart: float, offset: float = 0.0, wider: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of two classes, whose log ratios are normal, and the classes."""
    rng = np.random.default_rng([seed, n, round(1000 * share)])
    codes = rng.permutation(np.arange(n) < round(share * n)).astype(np.int64)
    place = apart * (codes - 0.5) + wider * rng.normal(size=n) + offset
    second = expit(1.5 * place)
    return np.column_stack([1 - second, second]), codes


def three_classes(seed: int, shares: list[float], n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = rng.choice(3, size=n, p=shares)
    place = 2.5 * np.eye(3)[codes] + rng.normal(size=(n, 3))
    odds = np.exp(2.5 * place)
    return odds / odds.sum(axis=1, keepdims=True), codes


def test_confusion_shares_undo_a_mixture_exactly() -> None:
    codes = np.repeat([0, 1, 2], [10, 20, 10])
    calls = np.concatenate([[0] * 8, [1, 2], [1] * 15, [0] * 5, [2] * 9, [1]])
    # One mixture of the classes' calls: ten of class 0 and twenty of class 1.
    target = np.concatenate([calls[codes == 0], calls[codes == 1]])
    found = confusion_shares(np.eye(3)[calls], codes, np.eye(3)[target])
    assert found == pytest.approx([1 / 3, 2 / 3, 0.0])


@pytest.mark.parametrize("seed", range(3))
def test_likelihood_shares_are_at_the_maximum(seed: int) -> None:
    source, codes = two_classes(seed, 300, 0.5, apart=2.0)
    target, _ = two_classes(seed, 200, 0.8, apart=2.0)
    known, scores = class_scores(to_scores(source), codes, 2), to_scores(target)
    density = np.exp(known.log_density(scores))
    direct = minimize_scalar(
        lambda s: -np.log(density @ [1 - s, s]).sum(), bounds=(0.001, 0.999), method="bounded"
    )
    assert likelihood_shares(known, scores)[1] == pytest.approx(direct.x, abs=2e-3)


@pytest.mark.parametrize("seed", range(3))
def test_gradient_of_the_offset_model(seed: int) -> None:
    proba, codes = three_classes(seed, [0.3, 0.3, 0.4], 150)
    known, scores = class_scores(to_scores(proba), codes, 3), to_scores(proba)[:40]
    place = np.random.default_rng(seed).normal(scale=0.4, size=5)

    def part(number: int):
        return lambda at: class_shares._offset_loss(at, known, scores)[number]

    assert check_grad(part(0), part(1), place) < 1e-4


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
@pytest.mark.parametrize(("offset", "wider"), [(0.0, 1.0), (1.5, 1.0), (-1.0, 1.4)])
def test_offset_shares_do_not_heed_offset_and_spread(
    share: float, offset: float, wider: float
) -> None:
    found = []
    for seed in range(4):
        source, codes = two_classes(seed, 400, 0.5, apart=4.0)
        target, _ = two_classes(seed + 50, 400, share, apart=4.0, offset=offset, wider=wider)
        known = class_scores(to_scores(source), codes, 2)
        found.append(offset_shares(known, to_scores(target))[0][1])
    assert np.mean(found) == pytest.approx(share, abs=0.06)


@pytest.mark.parametrize("seed", range(3))
def test_three_classes_by_all_estimates(seed: int) -> None:
    source, codes = three_classes(seed, [0.4, 0.3, 0.3], 600)
    target, _ = three_classes(seed + 10, [0.1, 0.3, 0.6], 600)
    known, scores = class_scores(to_scores(source), codes, 3), to_scores(target)
    for found in (
        confusion_shares(source, codes, target),
        likelihood_shares(known, scores),
        offset_shares(known, scores)[0],
    ):
        assert found == pytest.approx([0.1, 0.3, 0.6], abs=0.1)


def test_separation_at_its_ends() -> None:
    codes = np.repeat([0, 1], 50)
    assert separation(np.eye(2)[codes], codes) == pytest.approx(1.0)
    assert separation(np.full((100, 2), 0.5), codes) == pytest.approx(0.0, abs=1e-12)


@pytest.fixture(autouse=True)
def _short_bootstrap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_shift, "N_BOOTSTRAP", 40)


def study(
    seed: int, share: float, *, n: int = 200, apart: float = 3.0, offset: float = 0.0
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities, target mask, batch and label."""
    source, codes = two_classes(seed, n, 0.5, apart=apart)
    target, _ = two_classes(seed + 99, n, share, apart=apart, offset=offset)
    proba = pd.DataFrame(np.concatenate([source, target]), columns=["case", "control"])
    label = np.append(np.array(["case", "control"], dtype=object)[codes], [None] * n)
    batch = np.repeat(["plate1", "plate2"], n)
    return proba, batch == "plate2", batch, label


@pytest.mark.parametrize("seed", range(2))
def test_verdicts(seed: int) -> None:
    assert check_label_shift(*study(seed, 0.5)).verdict == "ok"
    found = check_label_shift(*study(seed, 0.75))
    assert found.verdict == "look"
    assert found.details["rests_on"] == "bbse"
    for estimate in found.details["target_shares"]["plate2"].values():
        assert estimate["low"][1] - 0.05 < 0.75 < estimate["high"][1] + 0.05
    assert check_label_shift(*study(seed, 0.97)).verdict == "stop"


@pytest.mark.parametrize("seed", range(2))
def test_an_offset_of_the_scores_is_no_label_shift(seed: int) -> None:
    found = check_label_shift(*study(seed, 0.5, apart=4.0, offset=1.2))
    assert found.verdict == "ok"
    assert found.details["rests_on"] == "offset"
    estimates = found.details["target_shares"]["plate2"]
    assert estimates["bbse"]["low"][1] > 0.5
    assert estimates["offset"]["low"][1] < 0.5 < estimates["offset"]["high"][1]


def test_the_worst_target_batch_decides() -> None:
    proba, target, batch, label = study(0, 0.5)
    more, _, _, _ = study(1, 0.85)
    proba = pd.concat([proba, more[target]], ignore_index=True)
    batch = np.append(batch, ["plate3"] * int(target.sum()))
    label = np.append(label, [None] * int(target.sum()))
    found = check_label_shift(proba, batch != "plate1", batch, label)
    assert found.verdict in {"look", "stop"}
    assert found.details["batch"] == "plate3"
    assert set(found.details["target_shares"]) == {"plate2", "plate3"}
    assert "plate3" in found.advice


def test_replicates_do_not_narrow_the_interval() -> None:
    proba, target, batch, label = study(3, 0.6, n=60)
    one = check_label_shift(proba, target, batch, label)
    five = check_label_shift(
        proba.loc[np.repeat(proba.index, 5)].reset_index(drop=True),
        np.repeat(target, 5),
        np.repeat(batch, 5),
        np.repeat(label, 5),
        np.repeat(np.arange(len(target)), 5),
    )
    assert five == one


def test_target_labels_are_not_read() -> None:
    proba, target, batch, label = study(4, 0.6, n=60)
    told = label.copy()
    told[target] = "something else"
    assert check_label_shift(proba, target, batch, told) == check_label_shift(
        proba, target, batch, label
    )


def test_not_applicable() -> None:
    proba, target, batch, label = study(0, 0.5, n=60)
    assert check_label_shift(None, target, batch, label).verdict is None
    few = check_label_shift(proba[:65], target[:65], batch[:65], label[:65])
    assert few.verdict is None
    assert f"fewer than {label_shift.FEWEST_UNITS} target subjects" in few.advice
    blind = study(0, 0.5, n=60, apart=0.01)
    assert "hardly tells the classes apart" in check_label_shift(*blind).advice


def test_unknown_label() -> None:
    proba, target, batch, label = study(0, 0.5, n=60)
    label[0] = "other"
    with pytest.raises(InputError, match="'other' is none of the columns"):
        check_label_shift(proba, target, batch, label)
