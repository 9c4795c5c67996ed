import json

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

from crossplate.errors import InputError
from crossplate.report import pca_embedding, tsne, tsne_embedding


def two_plates(seed, n=60, p=8):
    """Two batches far apart before and together after; two classes apart in both."""
    rng = np.random.default_rng(seed)
    batch = np.arange(n) % 2
    label = np.arange(n) // 2 % 2
    after = rng.normal(size=(n, p)) + 8.0 * label[:, None] * (np.arange(p) == 0)
    before = after + 8.0 * batch[:, None] * (np.arange(p) == 1)
    return before, after, batch.astype(str), label.astype(str)


def nearest(places, candidates):
    """Index of the nearest candidate to each place, itself left out where they are the same."""
    distance = cdist(places, candidates)
    if places is candidates:
        np.fill_diagonal(distance, np.inf)
    return distance.argmin(axis=1)


@pytest.mark.parametrize("seed", range(2))
def test_map_keeps_neighbourhoods_of_before_and_after(seed):
    before, after, batch, label = two_plates(seed)
    found = tsne_embedding(before, after, random_state=seed)
    first, second = np.array(found.tsne_before), np.array(found.tsne_after)
    assert np.mean(batch[nearest(first, first)] == batch) == 1.0
    assert np.mean(label[nearest(first, first)] == label) == 1.0
    assert np.mean(label[nearest(second, second)] == label) == 1.0
    assert 0.2 < np.mean(batch[nearest(second, second)] == batch) < 0.8


@pytest.mark.parametrize("seed", range(2))
def test_before_and_after_share_one_map(seed):
    before, after, batch, label = two_plates(seed)
    found = tsne_embedding(before, after, random_state=seed)
    first, second = np.array(found.tsne_before), np.array(found.tsne_after)
    # The first batch did not move, so each of its samples lies beside itself.
    still = np.flatnonzero(batch == "0")
    spread = np.concatenate([first, second]).std()
    assert np.linalg.norm(first[still] - second[still], axis=1).max() < 0.05 * spread
    # The second batch has come to the first one's samples of its own class.
    moved = batch == "1"
    assert np.mean(label[still][nearest(second[moved], first[still])] == label[moved]) == 1.0


@pytest.mark.parametrize("seed", range(2))
def test_same_seed_same_picture(seed):
    before, after, *_ = two_plates(seed, n=30)
    found = tsne_embedding(before, after, random_state=seed)
    assert tsne_embedding(before, after, random_state=seed) == found
    assert tsne_embedding(before, after, random_state=seed + 1).tsne_before != found.tsne_before


def test_pca_beside_it_is_the_one_of_pca_embedding():
    before, after, *_ = two_plates(0)
    found, expected = tsne_embedding(before, after), pca_embedding(before, after)
    np.testing.assert_allclose(found.pca_before, expected.before)
    np.testing.assert_allclose(found.pca_after, expected.after)
    np.testing.assert_allclose(found.explained, expected.explained)


@pytest.mark.parametrize("seed", range(5))
def test_subsample_keeps_every_class_of_every_batch(seed):
    n = 400
    x = np.random.default_rng(seed).normal(size=(n, 3))
    batch = np.where(np.arange(n) < 390, "large", "small")
    label = np.full(n, None, dtype=object)
    label[:100], label[100], label[399] = "common", "rare", "rare"
    found = tsne_embedding(x, x + 1.0, 40, batch=batch, label=label, random_state=seed)
    rows = np.array(found.rows)
    assert len(set(found.rows)) == len(found.tsne_before) == len(found.pca_after) == 40
    assert list(rows) == sorted(rows)
    shown = set(zip(batch[rows], label[rows], strict=True))
    assert shown == set(zip(batch, label, strict=True))
    assert found.notices == ("The map of samples shows 40 of 400 samples, drawn at random.",)
    # Apart from one of each of the five kinds, kinds are drawn in proportion.
    assert 0.5 < pd.isna(label[rows]).mean() < 0.9


def test_subsample_is_placed_as_a_table_of_these_rows_alone():
    before, after, batch, label = two_plates(0)
    found = tsne_embedding(before, after, 20, batch=batch, label=label)
    rows = list(found.rows)
    alone = tsne_embedding(before[rows], after[rows])
    assert alone.tsne_after == found.tsne_after
    assert alone.rows == tuple(range(20))
    assert alone.notices == ()


@pytest.mark.parametrize("n", [5, 6, 9])
def test_few_samples_have_a_map(n):
    before, after, *_ = two_plates(1, n=n)
    found = tsne_embedding(before, after)
    assert found.notices == ()
    assert np.isfinite([*found.tsne_before, *found.tsne_after]).all()
    assert found.tsne_before != found.pca_before


@pytest.mark.parametrize("n", [1, 4])
def test_too_few_samples_for_a_map_are_shown_by_pca_alone(n):
    before, after, *_ = two_plates(1, n=n)
    found = tsne_embedding(before, after)
    assert found.tsne_before == found.tsne_after == ()
    assert len(found.pca_before) == len(found.pca_after) == n
    assert found.notices == ("t-SNE of fewer than 5 samples shows nothing; PCA is shown alone.",)


def test_data_without_spread_is_one_point():
    found = tsne_embedding(np.ones((12, 3)), np.ones((12, 3)))
    assert found.tsne_before == ()
    assert set(found.pca_before) | set(found.pca_after) == {(0.0, 0.0)}
    assert found.explained == (0.0, 0.0)
    assert "all alike" in found.notices[0]


def test_many_samples_alike_and_one_feature_have_a_map():
    x = np.zeros((40, 1))
    x[0] = 1.0
    found = tsne_embedding(x, x)
    places = np.array([*found.tsne_before, *found.tsne_after])
    assert np.isfinite(places).all()
    assert [y for _, y in found.pca_before] == [0.0] * 40


def test_without_opentsne_pca_is_shown_alone(monkeypatch):
    monkeypatch.setattr(tsne, "find_spec", lambda name: None)
    before, after, *_ = two_plates(0)
    found = tsne_embedding(before, after)
    assert found.tsne_before == found.tsne_after == ()
    assert found.to_dict()["tsne_before"] == []
    assert len(found.pca_after) == len(before)
    assert found.notices == (
        "t-SNE needs the package openTSNE (pip install openTSNE); PCA is shown alone.",
    )


def test_dictionary_is_ready_for_json():
    before, after, *_ = two_plates(0, n=10)
    found = tsne_embedding(before, after)
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert set(plain) == {"tsne_before", "tsne_after", "pca_before", "pca_after", "rows"}
    assert plain["tsne_after"] == [list(point) for point in found.tsne_after]
    assert plain["rows"] == list(range(10))


@pytest.mark.parametrize(
    ("before", "after", "more", "message"),
    [
        (np.zeros((6, 2)), np.full((6, 2), np.nan), {}, "12 values of after .* row 0, column 0"),
        (np.zeros((6, 3)), np.zeros((6, 2)), {}, r"\(6, 3\) and after \(6, 2\)"),
        (np.zeros((0, 3)), np.zeros((0, 3)), {}, "at least one"),
        (np.zeros((6, 2)), np.zeros((6, 2)), {"label": ["a"]}, "label has 1 entries for 6"),
    ],
)
def test_bad_input_is_named(before, after, more, message):
    with pytest.raises(InputError, match=message):
        tsne_embedding(before, after, **more)
