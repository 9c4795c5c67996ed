"""Subject level: medians of samples against loops, and labels that contradict one another."""

from __future__ import annotations

import statistics

import numpy as np
import pandas as pd
import pytest

from crossplate.errors import InputError
from crossplate.evaluate import by_subject, score, score_subjects, subject_labels


def random_samples(seed: int, n_classes: int) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(seed)
    subject = [f"P{i}" for i in rng.permutation(12) for _ in range(rng.integers(1, 6))]
    ids = [f"s{i}" for i in range(len(subject))]
    proba = rng.dirichlet(np.ones(n_classes), size=len(ids))
    return (
        pd.DataFrame(proba, index=ids, columns=list("abcd")[:n_classes]),
        pd.Series(subject, index=ids, dtype=object),
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_classes", [2, 4])
def test_medians_against_a_loop(seed: int, n_classes: int) -> None:
    proba, subject = random_samples(seed, n_classes)
    table = by_subject(proba, subject)
    assert list(table.index) == list(dict.fromkeys(subject))
    assert table.index.name == "subject"
    assert list(table.columns) == [
        "n_samples",
        "predicted",
        *(f"p_{name}" for name in proba.columns),
        "spread",
    ]
    for name, row in table.iterrows():
        mine = proba[subject == name]
        medians = [statistics.median(mine[column]) for column in mine.columns]
        expected = [median / sum(medians) for median in medians]
        got = [row[f"p_{column}"] for column in mine.columns]
        assert got == pytest.approx(expected)
        winner = mine.columns[int(np.argmax(expected))]
        assert row["predicted"] == winner
        assert row["n_samples"] == len(mine)
        if len(mine) > 1:
            assert row["spread"] == pytest.approx(statistics.stdev(mine[winner]))
        else:
            assert np.isnan(row["spread"])
    if n_classes == 2:
        # Two medians of complementary numbers add to 1: nothing is renormalised.
        plain = proba["a"].groupby(subject.to_numpy()).median()
        np.testing.assert_allclose(table["p_a"], plain.loc[table.index])


def test_one_sample_each_keeps_its_probabilities() -> None:
    proba = pd.DataFrame({"x": [0.2, 0.7], "y": [0.8, 0.3]}, index=["s1", "s2"])
    table = by_subject(proba, pd.Series(["A", "B"], index=["s1", "s2"]))
    np.testing.assert_allclose(table[["p_x", "p_y"]], proba)
    assert list(table["predicted"]) == ["y", "x"]
    assert table["spread"].isna().all()


def test_samples_certain_of_different_classes_share_the_subject() -> None:
    proba = pd.DataFrame(np.eye(3), index=list("stu"), columns=["x", "y", "z"])
    table = by_subject(proba, pd.Series("A", index=list("stu")))
    np.testing.assert_allclose(table[["p_x", "p_y", "p_z"]].to_numpy(), np.full((1, 3), 1 / 3))
    assert table.loc["A", "predicted"] == "x"


def test_samples_are_matched_by_id() -> None:
    proba, subject = random_samples(1, 3)
    shuffled = subject.sample(frac=1, random_state=0)
    more = pd.concat([shuffled, pd.Series(["Q"], index=["not predicted"])])
    pd.testing.assert_frame_equal(by_subject(proba, more), by_subject(proba, subject))


def test_samples_without_a_subject_are_left_out() -> None:
    proba, subject = random_samples(2, 2)
    holes = subject.copy()
    holes.iloc[:5] = None
    kept = by_subject(proba.iloc[5:], subject)
    pd.testing.assert_frame_equal(by_subject(proba, holes), kept)
    assert by_subject(proba, pd.Series(None, index=subject.index, dtype=object)).shape == (0, 5)


def test_a_class_named_like_a_column() -> None:
    proba = pd.DataFrame({"n_samples": [0.4], "spread": [0.6]}, index=["s"])
    table = by_subject(proba, pd.Series(["A"], index=["s"]))
    assert table.columns.is_unique
    assert table.loc["A", "predicted"] == "spread"


def test_subject_labels() -> None:
    label = pd.Series(["a", None, "b", "b", None, "a"], index=list("stuvwx"), dtype=object)
    subject = pd.Series(["A", "A", "B", "B", "C", None], index=list("stuvwx"), dtype=object)
    labels = subject_labels(label, subject)
    assert labels.to_dict() == {"A": "a", "B": "b", "C": None}
    assert labels.index.name == "subject"


def test_contradicting_labels_name_the_subject() -> None:
    label = pd.Series(["a", "b", "b"], index=list("stu"))
    subject = pd.Series(["P1", "P2", "P1"], index=list("stu"))
    with pytest.raises(InputError, match=r"'P1' has samples with different labels \(a, b\)"):
        subject_labels(label, subject)


def test_repeated_or_absent_samples() -> None:
    proba, subject = random_samples(0, 2)
    twice = pd.concat([subject, subject.iloc[:1]])
    with pytest.raises(InputError, match="'s0' occurs more than once"):
        by_subject(proba, twice)
    with pytest.raises(InputError, match=r"2 samples have no entry.*'s0'"):
        by_subject(proba, subject.iloc[2:])
    with pytest.raises(InputError, match="add to 1"):
        by_subject(proba.mask(proba == proba.iloc[0, 0]), subject)


@pytest.mark.parametrize("seed", range(3))
def test_score_subjects(seed: int) -> None:
    proba, subject = random_samples(seed, 3)
    truth = {name: "abc"[i % 3] for i, name in enumerate(sorted(set(subject)))}
    label = subject.map(truth)
    label.iloc[0] = None
    table = by_subject(proba, subject)
    expected_label = [
        truth[name] if label[subject == name].notna().any() else None for name in table.index
    ]
    expected = score(
        np.array(expected_label, dtype=object), table[["p_a", "p_b", "p_c"]], list("abc")
    )
    order = label.sample(frac=1, random_state=seed)
    assert score_subjects(proba, subject, order) == expected
    assert expected.n + expected.n_unlabelled == 12
