"""Matching of feature lists: made-up shifts are found, pairs are mutual, doubts are told."""

import numpy as np
import pandas as pd
import pytest

from crossplate.errors import InputError
from crossplate.spectra.matching import feature_mz, match_features, match_tables
from crossplate.table import SampleTable


def ions(rng: np.random.Generator, n: int) -> np.ndarray:
    """m/z from 100 to 1,000, at least 60 ppm apart."""
    steps = rng.exponential(1.0, n) + 60e-6 * n / np.log(10)
    place = np.cumsum(steps)
    return 100.0 * 10.0 ** ((place - place[0]) / (place[-1] - place[0]) * 0.999)


def table(name: str, features: list[str], values=None) -> SampleTable:
    index = [f"{name}_{row}" for row in range(2)]
    values = np.arange(2.0 * len(features)).reshape(2, -1) if values is None else values
    frame = pd.DataFrame(values, index=index, columns=features)
    return SampleTable.from_frame(frame, batch_name=name)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shift", [-45.0, 0.0, 8.0, 45.0])
def test_a_constant_shift_and_noise_are_seen_through(seed, shift):
    rng = np.random.default_rng(seed)
    true = ions(rng, 600)
    in_a, in_b = rng.random((2, 600)) < 0.8
    a = true[in_a]
    b = true[in_b] * (1 + shift * 1e-6) * (1 + rng.normal(0, 2e-6, in_b.sum()))
    order = rng.permutation(len(b))
    matching = match_features(a, b[order], ppm=10)
    expected = {(np.sum(in_a[:i]), np.sum(in_b[:i])) for i in np.flatnonzero(in_a & in_b)}
    found = {(i, order[j]) for i, j in matching.pairs.tolist()}
    assert len(found & expected) >= 0.99 * len(expected)
    assert len(found - expected) <= 0.01 * len(expected)
    assert abs(np.median(matching.shift) - shift) < 0.5


@pytest.mark.parametrize("seed", range(3))
def test_a_shift_that_varies_along_mz_is_followed(seed):
    rng = np.random.default_rng(seed)
    a = ions(rng, 500)
    drift = 20e-6 * np.sin(np.log(a))
    matching = match_features(a, a * (1 + drift), ppm=8)
    assert len(matching.pairs) >= 490
    assert np.array_equal(matching.pairs[:, 0], matching.pairs[:, 1])
    at = matching.pairs[:, 0]
    inner = (at > 30) & (at < 470)
    assert np.abs(matching.shift - drift[at] * 1e6)[inner].max() < 1.5


def test_pairs_are_one_to_one_and_the_rest_is_told():
    matching = match_features([100.0, 200.0, 300.0, 400.0], [400.0, 100.0005, 250.0], ppm=10)
    assert matching.pairs.tolist() == [[0, 1], [3, 0]]
    assert matching.unmatched_a.tolist() == [1, 2]
    assert matching.unmatched_b.tolist() == [2]
    assert not matching.ambiguous.any()


def test_of_two_within_the_tolerance_the_nearer_is_taken_and_the_doubt_told():
    a = [100.0, 200.0, 300.0, 400.0, 500.0]
    b = [100.0, 200.0, 300.0, 399.9993, 400.0026, 500.0]
    matching = match_features(a, b, ppm=10)
    assert matching.pairs.tolist() == [[0, 0], [1, 1], [2, 2], [3, 3], [4, 5]]
    assert matching.ambiguous.tolist() == [False, False, False, True, False]
    back = match_features(b, a, ppm=10)
    assert back.pairs[:, ::-1].tolist() == matching.pairs.tolist()
    assert back.ambiguous.tolist() == matching.ambiguous.tolist()


def test_shift_and_error_of_a_pair_make_up_its_difference():
    rng = np.random.default_rng(0)
    a = ions(rng, 300)
    b = a * (1 + 12e-6 + rng.normal(0, 2e-6, 300))
    matching = match_features(a, b)
    i, j = matching.pairs.T
    ratio = (1 + matching.shift * 1e-6) * (1 + matching.error * 1e-6)
    np.testing.assert_allclose(b[j], a[i] * ratio, rtol=1e-12)
    assert np.abs(matching.error).max() <= 10


def test_lists_with_nothing_in_common_have_no_pairs():
    matching = match_features([100.0, 200.0], [150.0, 250.0])
    assert matching.pairs.shape == (0, 2)
    assert matching.unmatched_a.tolist() == matching.unmatched_b.tolist() == [0, 1]


def test_one_feature_each():
    assert match_features([100.0], [100.0004]).pairs.tolist() == [[0, 0]]


@pytest.mark.parametrize(
    ("a", "b", "ppm", "said"),
    [
        ([], [1.0], 10, "first list of m/z is empty"),
        ([1.0], [1.0, 1.0], 10, "stands twice in the second list"),
        ([0.0], [1.0], 10, "first list is missing or not above 0"),
        ([1.0], [np.nan], 10, "second list is missing or not above 0"),
        ([1.0], [1.0], 0, "the tolerance is 0 ppm"),
        ([1.0], [1.0], np.nan, "the tolerance is nan ppm"),
    ],
)
def test_unusable_lists(a, b, ppm, said):
    with pytest.raises(InputError, match=said):
        match_features(a, b, ppm)


@pytest.mark.parametrize(
    ("name", "mz"),
    [("123.4", 123.4), ("mz_123.45", 123.45), ("X123.4", 123.4), ("m/z 57 Da", 57.0), ("M9.", 9)],
)
def test_numbers_in_feature_names(name, mz):
    assert feature_mz([name]).tolist() == [mz]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["1.0", "glucose"], "b2: the feature name 'glucose' is no m/z"),
        (["M123.4T56"], "'M123.4T56' is no m/z"),
        (["mz_0"], "'mz_0' is no m/z"),
        (["X5.5", "5.50"], "2 feature names hold m/z 5.5"),
    ],
)
def test_names_without_one_number(names, said):
    with pytest.raises(InputError, match=said):
        feature_mz(names, "b2")


def test_three_tables_get_the_names_and_the_order_of_the_first():
    first = table("p1", ["X300.0", "X100.0", "X200.0", "X400.0"])
    second = table("p2", ["100.0005", "200.001", "300.0", "999.0"])
    third = table("p3", ["mz_200.0", "mz_300.001", "mz_400.0", "mz_100.0"])
    matched, matchings = match_tables([first, second, third])
    for one in matched:
        assert list(one.features.columns) == ["X300.0", "X100.0", "X200.0"]
    assert matched[1].features.iloc[0].tolist() == [2.0, 0.0, 1.0]
    assert matched[2].features.iloc[0].tolist() == [1.0, 3.0, 0.0]
    frame = matchings[1].to_frame(first.features.columns, third.features.columns)
    assert dict(zip(frame["feature_a"], frame["feature_b"], strict=True)) == {
        "X100.0": "mz_100.0",
        "X200.0": "mz_200.0",
        "X300.0": "mz_300.001",
        "X400.0": "mz_400.0",
    }


def test_tables_that_cannot_be_matched():
    one = table("p1", ["100", "200"])
    with pytest.raises(InputError, match="takes at least two"):
        match_tables([one])
    with pytest.raises(InputError, match="no feature of batch p1 is found within 10 ppm"):
        match_tables([one, table("p2", ["150", "250"])])
    with pytest.raises(InputError, match="batch p2: the feature name 'sugar' is no m/z"):
        match_tables([one, table("p2", ["100", "sugar"])])


def test_ions_of_four_real_batches_agree_with_the_matched_table(real_tables):
    """Agreement: pairs (ion, batch) whose partner in batch 1 is that of the published matching.

    ``data.csv.gz`` holds 375 ions matched over seven batches by pooling their m/z. Which raw ion
    each of them is in a batch is told by its intensities, which are the same numbers.
    """
    folder = real_tables / "fiatof_ralps"
    reference = pd.read_csv(folder / "data.csv.gz", index_col=0)
    ions = [name for name in reference.columns if name.startswith("mz_")]
    tables, true = [], []
    for number in range(1, 5):
        raw = pd.read_csv(folder / f"raw_batch{number}.csv.gz", index_col="sample_id")
        rows = reference.loc[reference["batch"] == number, ions]
        values = raw.loc[rows.index].to_numpy(float)
        name_of = dict(zip(map(tuple, values.T.tolist()), raw.columns, strict=True))
        tables.append(SampleTable(raw, pd.Series(str(number), index=raw.index)))
        true.append([name_of[ion] for ion in map(tuple, rows.to_numpy(float).T.tolist())])
    matched, matchings = match_tables(tables, ppm=10)
    right = wrong = 0
    for raw, names, matching in zip(tables[1:], true[1:], matchings, strict=True):
        frame = matching.to_frame(tables[0].features.columns, raw.features.columns)
        partner = dict(zip(frame["feature_a"], frame["feature_b"], strict=True))
        right += sum(partner.get(a) == b for a, b in zip(true[0], names, strict=True))
        wrong += sum(partner.get(a, b) != b for a, b in zip(true[0], names, strict=True))
    assert len(ions) == 375
    assert right >= 0.98 * 3 * len(ions)  # 1,123 of 1,125
    assert wrong == 0
    assert np.isin(true[0], matched[0].features.columns).mean() >= 0.98  # 373 of 375
