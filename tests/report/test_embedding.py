import numpy as np
import pandas as pd
import pytest

from crossplate.errors import InputError
from crossplate.report import pca_embedding


@pytest.mark.parametrize("seed", range(3))
def test_axes_are_those_of_before_and_after_pooled(seed):
    rng = np.random.default_rng(seed)
    before = rng.normal(size=(40, 6)) * [5, 3, 1, 1, 1, 1]
    after = rng.normal(size=(40, 6)) + 1.0
    found = pca_embedding(before, after)
    pooled = np.concatenate([before, after])
    centred = pooled - pooled.mean(axis=0)
    _, singular, axes = np.linalg.svd(centred, full_matrices=False)
    expected = centred @ axes[:2].T
    points = np.array([*found.before, *found.after])
    np.testing.assert_allclose(np.abs(points), np.abs(expected), atol=1e-8)
    np.testing.assert_allclose(found.explained, singular[:2] ** 2 / (singular**2).sum())


def test_equal_data_lie_on_the_same_points():
    x = np.random.default_rng(0).normal(size=(30, 4))
    found = pca_embedding(x, x.copy())
    np.testing.assert_allclose(found.before, found.after, atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_too_many_rows_are_drawn_with_their_batch_and_label(seed):
    x = np.arange(100, dtype=float)[:, None] * [1.0, 0.0]
    batch = [f"b{i}" for i in range(100)]
    label = [f"c{i}" if i % 2 else None for i in range(100)]
    found = pca_embedding(x, x + 1.0, 30, batch=batch, label=label, random_state=seed)
    assert found.n_total == 100
    assert len(found.before) == len(found.after) == len(set(found.batch)) == 30
    rows = np.array([int(name[1:]) for name in found.batch])
    assert found.label == tuple(label[row] for row in rows)
    # The first axis is the row number up to sign and origin.
    place = np.array(found.before)[:, 0]
    assert abs(np.corrcoef(place, rows)[0, 1]) == pytest.approx(1.0)
    again = pca_embedding(x, x + 1.0, 30, batch=batch, label=label, random_state=seed)
    assert again == found


def test_few_rows_are_all_kept_in_order():
    x = np.random.default_rng(0).normal(size=(5, 3))
    found = pca_embedding(x, x, batch=list("abcde"))
    assert found.batch == tuple("abcde")
    assert found.label is None
    assert found.n_total == 5


def test_missing_labels_of_all_kinds_are_unknown():
    x = np.random.default_rng(0).normal(size=(4, 3))
    found = pca_embedding(x, x, label=pd.Series(["a", None, np.nan, pd.NA], dtype=object))
    assert found.label == ("a", None, None, None)
    assert pca_embedding(x, x, label=[None] * 4).label is None


def test_one_feature_has_one_axis():
    found = pca_embedding([[0.0], [2.0]], [[0.0], [2.0]])
    assert [y for _, y in (*found.before, *found.after)] == [0.0] * 4
    assert abs(found.before[1][0] - found.before[0][0]) == pytest.approx(2.0)
    assert found.explained == (pytest.approx(1.0), 0.0)


def test_data_without_spread_is_one_point():
    found = pca_embedding(np.ones((3, 2)), np.ones((3, 2)))
    assert set(found.before) | set(found.after) == {(0.0, 0.0)}
    assert found.explained == (0.0, 0.0)


@pytest.mark.parametrize(
    ("before", "after", "more", "message"),
    [
        (np.zeros((2, 3)), np.zeros((3, 3)), {}, r"\(2, 3\) and after \(3, 3\)"),
        (np.zeros((0, 3)), np.zeros((0, 3)), {}, "at least one"),
        (np.zeros((2, 2)), [[0, 0], [0, np.nan]], {}, "1 values of after .* row 1, column 1"),
        (np.zeros((2, 2)), np.zeros((2, 2)), {"batch": ["a"]}, "batch has 1 entries for 2"),
        (np.zeros((2, 2)), np.zeros((2, 2)), {"label": ["a"] * 3}, "label has 3 entries for 2"),
    ],
)
def test_bad_input_is_named(before, after, more, message):
    with pytest.raises(InputError, match=message):
        pca_embedding(before, after, **more)
