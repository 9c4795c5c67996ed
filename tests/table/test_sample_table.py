"""Tests of crossplate.table: what a data frame becomes, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from crossplate.errors import InputError
from crossplate.table import SampleTable, combine_tables

NAN = float("nan")


def small_frame(**columns: object) -> pd.DataFrame:
    """Four samples, two features; columns given are added or replaced."""
    base = {
        "sample_id": ["s1", "s2", "s3", "s4"],
        "dx": ["case", "control", None, "case"],
        "X1": [1.0, 2.0, 3.0, 4.0],
        "X2": [4.0, NAN, 6.0, 7.5],
    }
    return pd.DataFrame({**base, **columns})


def table_of(frame: pd.DataFrame, **options: object) -> SampleTable:
    options.setdefault("batch_name", "b1")
    return SampleTable.from_frame(frame, source_name="plate.csv", **options)


def test_a_plain_frame_is_sorted_into_its_parts() -> None:
    table = table_of(small_frame(plate=[7, 7, 8, 8], note=["a", "b", "c", None]), label="dx")
    assert table.n_samples == 4
    assert table.n_features == 2
    assert list(table.features.columns) == ["X1", "X2"]
    assert table.features.index.name == "sample_id"
    assert list(table.features.index) == ["s1", "s2", "s3", "s4"]
    assert (table.features.dtypes == np.float64).all()
    assert np.isnan(table.features.loc["s2", "X2"])
    assert table.batches == ["b1"]
    assert table.label is not None
    assert list(table.label) == ["case", "control", None, "case"]
    assert table.labelled.tolist() == [True, True, False, True]
    assert table.subject is None
    assert table.metadata["plate"].tolist() == [7, 7, 8, 8]
    assert table.metadata["plate"].dtype == np.int64
    assert table.metadata["note"].tolist()[:3] == ["a", "b", "c"]
    assert any("plate" in text and "rename" in text for text in table.notices)
    assert any("note" in text and "metadata" in text for text in table.notices)


def test_batch_label_and_subject_come_from_named_columns() -> None:
    frame = small_frame(run=["b", "a", "b", "a"], who=[1.0, 1.0, 2.0, 2.0])
    table = SampleTable.from_frame(frame, batch="run", label="dx", subject="who")
    assert table.batches == ["b", "a"]
    assert table.subject is not None
    assert table.subject.tolist() == ["1", "1", "2", "2"]
    assert table.metadata.columns.tolist() == []
    assert table.notices == ()


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([1.0, 0.0, NAN, 1.0], ["1", "0", None, "1"]),
        ([1, 0, 0, 1], ["1", "0", "0", "1"]),
        (["1.0", "0.0", "", "1"], ["1", "0", None, "1"]),
        (["01", "NA", "nan", " x "], ["01", None, None, "x"]),
        ([True, False, None, True], ["True", "False", None, "True"]),
        (["null", "N/A", "NaN", "1.5"], [None, None, None, "1.5"]),
    ],
)
def test_labels_are_text_and_missing_ones_are_unlabelled(
    cells: list[object], expected: list[str | None]
) -> None:
    table = table_of(small_frame(dx=cells), label="dx")
    assert table.label is not None
    assert table.label.tolist() == expected


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([1, 2, 3, 4], [1.0, 2.0, 3.0, 4.0]),
        ([True, False, True, True], [1.0, 0.0, 1.0, 1.0]),
        ([True, None, False, True], [1.0, NAN, 0.0, 1.0]),
        (["1", " 2.5 ", "", "1e3"], [1.0, 2.5, NAN, 1000.0]),
        (["NA", "N/A", "null", "-4"], [NAN, NAN, NAN, -4.0]),
        (pd.array([1, None, 3, 4], dtype="Int64"), [1.0, NAN, 3.0, 4.0]),
        (pd.array([0.5, None, 3, 4], dtype="Float64"), [0.5, NAN, 3.0, 4.0]),
        (np.array([1, 2, 3, 4], dtype=np.float32), [1.0, 2.0, 3.0, 4.0]),
        ([NAN, NAN, NAN, NAN], [NAN, NAN, NAN, NAN]),
        ([None, None, None, ""], [NAN, NAN, NAN, NAN]),
    ],
)
def test_numbers_of_every_type_become_features(cells: object, expected: list[float]) -> None:
    table = table_of(small_frame(X2=cells))
    np.testing.assert_array_equal(table.features["X2"].to_numpy(), expected)


@pytest.mark.parametrize(
    "name", ["age", "Injection_Order", "run order", "BMI", "sample.type", "ID2"]
)
def test_conventional_sample_columns_are_no_features(name: str) -> None:
    table = table_of(small_frame(**{name: [5, 6, 7, 8]}))
    if name == "ID2":
        assert name in table.features.columns
        return
    assert name not in table.features.columns
    assert table.metadata[name].tolist() == [5, 6, 7, 8]
    (notice,) = (text for text in table.notices if name in text)
    assert "plate.csv" in notice
    assert "rename" in notice


def test_columns_named_as_metadata_need_no_notice() -> None:
    table = table_of(small_frame(age=[50, 60, 70, 80], dose=[1, 2, 3, 4]), metadata=["age", "dose"])
    assert table.metadata.columns.tolist() == ["dx", "age", "dose"]
    assert not any("age" in text for text in table.notices)


def test_metadata_keeps_codes_with_leading_zeros_as_text() -> None:
    table = table_of(small_frame(replicate=["01", "02", "01", "02"], day=["1", "2", "1", "2"]))
    assert table.metadata["replicate"].tolist() == ["01", "02", "01", "02"]
    assert table.metadata["day"].tolist() == [1, 2, 1, 2]


def test_dates_are_metadata_not_nanoseconds() -> None:
    times = pd.to_datetime(["2022-01-01", "2022-01-02", None, "2022-01-04"])
    table = table_of(small_frame(when=times))
    assert "when" not in table.features.columns
    assert table.metadata["when"].iloc[1] == pd.Timestamp("2022-01-02")


def test_sample_columns_known_from_the_format_overrule_names_and_content() -> None:
    table = table_of(
        small_frame(age=[1.0, 2.0, 3.0, 4.0]), sample_columns=["sample_id", "dx", "X1"]
    )
    assert table.features.columns.tolist() == ["X2", "age"]
    assert table.metadata["X1"].tolist() == [1, 2, 3, 4]


# --- sample ids -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Sample", "SAMPLE NAME", "id", "sample_ID"])
def test_sample_ids_are_found_by_a_conventional_name(name: str) -> None:
    table = table_of(small_frame().rename(columns={"sample_id": name}))
    assert table.features.index.tolist() == ["s1", "s2", "s3", "s4"]
    assert name not in table.metadata.columns


def test_a_named_id_column_wins_and_numbers_become_text() -> None:
    table = table_of(small_frame(code=[10.0, 11.0, 12.0, 13.0]), sample_id="code")
    assert table.features.index.tolist() == ["10", "11", "12", "13"]
    assert table.metadata["sample_id"].tolist() == ["s1", "s2", "s3", "s4"]


def test_ids_are_made_from_the_batch_name_with_a_notice() -> None:
    table = table_of(small_frame().drop(columns="sample_id"), batch_name="day1")
    assert table.features.index.tolist() == [f"day1_row{k}" for k in (1, 2, 3, 4)]
    assert any("day1_row1" in text and "--sample-id" in text for text in table.notices)


def test_an_index_of_text_is_the_sample_ids() -> None:
    frame = small_frame().set_index("sample_id")
    assert table_of(frame).features.index.tolist() == ["s1", "s2", "s3", "s4"]


def test_an_index_of_numbers_left_by_filtering_is_not() -> None:
    table = table_of(small_frame().iloc[[1, 3]].drop(columns="sample_id"))
    assert table.features.index.tolist() == ["b1_row1", "b1_row2"]


def test_a_first_column_without_name_is_the_sample_ids() -> None:
    table = table_of(small_frame().rename(columns={"sample_id": ""}))
    assert table.features.index.tolist() == ["s1", "s2", "s3", "s4"]
    assert table.features.columns.tolist() == ["X1", "X2"]


def test_a_column_used_as_subject_is_not_taken_for_ids() -> None:
    frame = small_frame(sample=["p", "p", "q", "q"]).drop(columns="sample_id")
    table = table_of(frame, subject="sample")
    assert table.subject is not None
    assert table.subject.tolist() == ["p", "p", "q", "q"]
    assert table.features.index[0] == "b1_row1"


def test_subjects_may_serve_as_ids_too() -> None:
    table = table_of(small_frame(), subject="sample_id", sample_id="sample_id")
    assert table.subject is not None
    assert table.subject.tolist() == table.features.index.tolist()


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "options", "words"),
    [
        (
            {"sample_id": ["a", "b", "b", "a"]},
            {},
            ["plate.csv", "'b'", "ids repeated: 2", "--sample-id"],
        ),
        ({"sample_id": ["a", None, "", "d"]}, {}, ["row 2", "sample id", "2 such"]),
        ({}, {"batch_name": None, "batch": "plat"}, ["plate.csv", "'plat'", "--batch"]),
        ({}, {"label": "DX "}, ["'DX '", "--label", "did you mean 'dx'"]),
        ({}, {"subject": "patient"}, ["'patient'", "--subject", "'sample_id', 'dx', 'X1'"]),
        ({}, {"sample_id": "sampel_id"}, ["'sampel_id'", "did you mean 'sample_id'"]),
        ({}, {"metadata": ["aeg"]}, ["'aeg'", "--metadata"]),
        ({}, {"batch": "dx"}, ["batch", "not both"]),
        ({}, {"batch_name": None}, ["batch", "neither"]),
        ({}, {"label": "dx", "subject": "dx"}, ["'dx'", "two purposes"]),
        (
            {"run": ["x", None, "y", "nan"]},
            {"batch": "run", "batch_name": None},
            ["plate.csv", "row 2", "'run'", "batch is missing", "2 such"],
        ),
        (
            {"who": ["p", "q", "", "r"]},
            {"subject": "who"},
            ["row 3", "'who'", "subject is missing"],
        ),
        (
            {"X2": ["1.5", "<LOD", "2", "<LOD"]},
            {},
            ["plate.csv", "row 2", "'X2'", "'<LOD'", "2 such cells", "--metadata 'X2'"],
        ),
        ({"X2": ["1_000", "2", "3", "4"]}, {}, ["row 1", "'1_000'"]),
        ({"X2": ["True", "2", "3", "4"]}, {}, ["row 1", "'True'"]),
        ({"X2": ["1.5", "1,5", "2", "3"]}, {}, ["row 2", "'1,5'", "decimal comma"]),
        ({"X2": ["1,5", "2,5", "3,5", "4"]}, {}, ["row 1", "'1,5'", "decimal"]),
        ({"X2": ["1,5", "2,5", "3,5", "4,5"]}, {}, ["row 1", "'1,5'", "decimal"]),
        ({"X2": ["1.234,5", "2", "3", "4"]}, {}, ["'1.234,5'", "decimal"]),
        (
            {"X2": [1.0, np.inf, -np.inf, 2.0]},
            {},
            ["plate.csv", "row 2", "'X2'", "infinite", "2 such"],
        ),
        ({"X2": ["1", "2", "-inf", "3"]}, {}, ["row 3", "'X2'", "infinite"]),
        ({"X1": list("abcd"), "X2": list("efgh")}, {}, ["plate.csv", "no column", "4"]),
    ],
)
def test_unusable_frames_are_refused_with_place_and_remedy(
    columns: dict[str, object], options: dict[str, object], words: list[str]
) -> None:
    with pytest.raises(InputError) as caught:
        table_of(small_frame(**columns), **options)
    message = str(caught.value)
    for word in words:
        assert word in message
    assert "\n" not in message


def test_a_repeated_column_name_is_refused() -> None:
    frame = small_frame(X3=1.0).set_axis(["sample_id", "dx", "X1", "X1", "dx"], axis=1)
    with pytest.raises(InputError, match=r"plate\.csv.*'dx' stands 2 times.*names repeated: 2"):
        table_of(frame)


def test_a_column_with_values_but_no_name_is_refused() -> None:
    frame = small_frame(X3=1.0).rename(columns={"X3": None})
    with pytest.raises(InputError, match=r"column 5 has values but no name"):
        table_of(frame)


@pytest.mark.parametrize("frame", [pd.DataFrame(), pd.DataFrame({"X1": []}), small_frame()[:0]])
def test_a_frame_without_rows_or_columns_is_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(InputError, match=r"plate\.csv has (no columns|column names but no rows)"):
        table_of(frame)


def test_wholly_empty_rows_and_columns_are_left_out_and_rows_keep_their_names() -> None:
    frame = small_frame(empty=None).rename(columns={"empty": ""})
    frame.loc[1, :] = None
    table = table_of(frame)
    assert table.features.index.tolist() == ["s1", "s3", "s4"]
    assert any("1 wholly empty row" in text for text in table.notices)
    frame["X2"] = [1.0, NAN, np.inf, 2.0]
    with pytest.raises(InputError, match="row 3"):
        table_of(frame)


def test_a_sample_without_any_value_is_kept_and_told() -> None:
    table = table_of(small_frame(X1=[1, NAN, 2, 3]))
    assert table.n_samples == 4
    assert any("1 sample without a value" in text for text in table.notices)


def test_an_absent_label_column_is_fine_for_a_new_plate() -> None:
    table = table_of(small_frame().drop(columns="dx"), label="dx", label_required=False)
    assert table.label is not None
    assert not table.labelled.any()
    assert table.label.tolist() == [None] * 4
    assert any("'dx'" in text and "unlabelled" in text for text in table.notices)


# --- the table's own methods ----------------------------------------------------------------------


def test_select_keeps_all_parts_in_step() -> None:
    frame = small_frame(who=["p", "q", "r", "s"], age=[1, 2, 3, 4])
    chosen = table_of(frame, label="dx", subject="who").select([False, True, False, True])
    assert chosen.features.index.tolist() == ["s2", "s4"]
    assert chosen.label is not None
    assert chosen.label.tolist() == ["control", "case"]
    assert chosen.subject is not None
    assert chosen.subject.tolist() == ["q", "s"]
    assert chosen.metadata["age"].tolist() == [2, 4]
    assert chosen.batch.tolist() == ["b1", "b1"]


@pytest.mark.parametrize("mask", [[True, False], [0, 1, 0, 1]])
def test_select_refuses_what_is_no_mask(mask: list[object]) -> None:
    with pytest.raises(ValueError, match="mask must be boolean"):
        table_of(small_frame()).select(mask)


def test_notices_are_not_repeated() -> None:
    table = table_of(small_frame()).with_notices("one", "two").with_notices("two", "three")
    assert table.notices[-3:] == ("one", "two", "three")


def test_parts_that_disagree_are_refused() -> None:
    table = table_of(small_frame())
    with pytest.raises(InputError, match="batch and features must have the same index"):
        SampleTable(features=table.features, batch=table.batch.iloc[:-1])
    doubled = table.features.set_axis(["s1", "s1", "s3", "s4"], axis=0)
    with pytest.raises(InputError, match=r"sample ids must be unique.*'s1'"):
        SampleTable(features=doubled, batch=table.batch.set_axis(doubled.index))
    with pytest.raises(InputError, match=r"batch of sample 's1' is missing"):
        SampleTable(features=table.features, batch=table.batch.mask([True, False, False, False]))


def test_check_batches_names_a_batch_of_one() -> None:
    frame = small_frame(run=["a", "a", "b", "a"])
    table = SampleTable.from_frame(frame, batch="run")
    with pytest.raises(InputError, match=r"'b' has only 1 sample \(batches that small: 1 of 2"):
        table.check_batches()
    table.select(table.batch == "a").check_batches()


def test_uninformative_features_are_dropped_with_a_notice() -> None:
    frame = small_frame(
        run=["a", "a", "b", "b"],
        none=[NAN] * 4,
        flat=[2.0] * 4,
        step=[1.0, 1.0, 9.0, 9.0],
        gaps=[1.0, NAN, 9.0, NAN],
        half=[NAN, NAN, 9.0, 8.0],
    )
    table = SampleTable.from_frame(frame, batch="run").drop_uninformative()
    assert table.features.columns.tolist() == ["X1", "X2", "half"]
    assert any("1 of 7 features had no value" in t and "none" in t for t in table.notices)
    assert any(
        "3 of 7 features did not vary" in t and "flat, step, gaps" in t for t in table.notices
    )


def test_informative_features_are_left_alone() -> None:
    table = table_of(small_frame())
    assert table.drop_uninformative() is table


def test_nothing_but_uninformative_features_is_refused() -> None:
    table = table_of(small_frame(X1=[1.0] * 4, X2=[NAN] * 4))
    with pytest.raises(InputError, match="none of the 2 features"):
        table.drop_uninformative()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_uninformative_features_agree_with_pandas(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 2, size=(9, 40)).astype(float)
    values[rng.random(values.shape) < 0.4] = NAN
    batch = np.repeat(["a", "b", "c"], 3)
    frame = pd.DataFrame(values, columns=[f"X{k}" for k in range(40)])
    grouped = frame.groupby(batch)
    varies = (grouped.max() > grouped.min()).any()
    table = SampleTable.from_frame(frame.assign(batch=batch), batch="batch").drop_uninformative()
    assert table.features.columns.tolist() == varies.index[varies].tolist()
    assert 0 < varies.sum() < 40


# --- combining ------------------------------------------------------------------------------------


def two_tables(**second: object) -> list[SampleTable]:
    first = table_of(small_frame(age=[1, 2, 3, 4]), batch_name="day1", label="dx")
    frame = pd.DataFrame(
        {
            "X3": [0.5, 0.25],
            "X2": [20.0, 21.0],
            "sample_id": ["t1", "t2"],
            "X1": [10.0, NAN],
            "sex": ["f", "m"],
            **second,
        }
    )
    other = SampleTable.from_frame(
        frame, source_name="other.csv", batch_name="day2", label="dx", label_required=False
    )
    return [first, other]


def test_features_are_matched_by_name_not_by_position() -> None:
    combined = combine_tables(two_tables())
    assert combined.features.columns.tolist() == ["X1", "X2"]
    assert combined.features.loc["t1"].tolist() == [10.0, 20.0]
    assert np.isnan(combined.features.loc["t2", "X1"])
    assert combined.batch.tolist() == ["day1"] * 4 + ["day2"] * 2
    assert combined.label is not None
    assert combined.label.tolist() == ["case", "control", None, "case", None, None]
    assert combined.features.index.name == "sample_id"


def test_metadata_of_all_tables_is_kept() -> None:
    combined = combine_tables(two_tables())
    assert combined.metadata["age"].tolist()[:4] == [1, 2, 3, 4]
    assert combined.metadata["age"].isna().tolist() == [False] * 4 + [True] * 2
    assert combined.metadata["sex"].tolist()[4:] == ["f", "m"]


def test_missing_and_extra_features_are_counted() -> None:
    first, other = two_tables()
    lacking = SampleTable(features=other.features.drop(columns="X1"), batch=other.batch)
    for rule, names in (("common", ["X2"]), ("source", ["X1", "X2"])):
        combined = combine_tables([first, lacking], features=rule)
        assert combined.features.columns.tolist() == names
        (notice,) = (text for text in combined.notices if "day2" in text)
        assert "lacks 1 of the 2 features" in notice
        assert "X1" in notice
        assert "has 1 extra feature (X3)" in notice
    assert combined.features.loc[["t1", "t2"], "X1"].isna().all()
    with pytest.raises(
        InputError, match=r"day2 lacks 1 of the 2 .*X1.*1 extra feature .*X3.*--feat"
    ):
        combine_tables([first, lacking], features="error")


def test_equal_features_in_another_order_are_no_difference() -> None:
    first, other = two_tables()
    same = SampleTable(features=other.features[["X2", "X1"]], batch=other.batch)
    combined = combine_tables([first, same], features="error")
    assert combined.features.columns.tolist() == ["X1", "X2"]
    assert combined.notices == first.notices


def test_notices_of_the_tables_are_kept() -> None:
    first, other = two_tables()
    combined = combine_tables([first, other])
    assert set(first.notices) | set(other.notices) <= set(combined.notices)


def test_one_table_alone_is_combined_too() -> None:
    (first, _) = two_tables()
    pd.testing.assert_frame_equal(combine_tables([first]).features, first.features)


def test_unlabelled_tables_stay_without_labels() -> None:
    tables = [table_of(small_frame()), table_of(small_frame(sample_id=list("abcd")))]
    assert combine_tables(tables).label is None


def test_ids_repeated_over_tables_are_refused() -> None:
    with pytest.raises(
        InputError, match=r"'s2' stands in batch day1 and in batch day2 \(ids repeated: 1"
    ):
        combine_tables(two_tables(sample_id=["t1", "s2"]))
    with pytest.raises(InputError, match="names must differ between plates, or the metadata give"):
        combine_tables(two_tables(sample_id=["t1", "s2"]))


def test_tables_without_common_features_are_refused() -> None:
    first, other = two_tables()
    strange = SampleTable(features=other.features.add_prefix("mz_"), batch=other.batch)
    with pytest.raises(InputError, match=r"day2 has no feature in common.*'mz_X3' against 'X1'"):
        combine_tables([first, strange])


def test_tables_that_share_only_in_pairs_are_refused() -> None:
    first, other = two_tables()
    second = SampleTable(features=other.features[["X1"]], batch=other.batch)
    third = SampleTable(
        features=other.features[["X2"]].set_axis(["u1", "u2"]),
        batch=other.batch.set_axis(["u1", "u2"]),
    )
    with pytest.raises(InputError, match="no feature is common to all 3 tables"):
        combine_tables([first, second, third])
    assert combine_tables([first, second, third], features="source").n_features == 2


def test_batches_of_one_name_are_refused_where_each_file_is_a_batch() -> None:
    tables = [
        table_of(small_frame(), batch_name="plate"),
        table_of(small_frame(sample_id=list("abcd")), batch_name="plate"),
    ]
    with pytest.raises(InputError, match="two files have the same batch name 'plate'"):
        combine_tables(tables, distinct_batches=True)
    assert combine_tables(tables).batches == ["plate"]


def test_subjects_are_needed_in_all_tables_or_none() -> None:
    frames = [small_frame(who=list("pqrs")), small_frame(sample_id=list("abcd"), who=list("pqrs"))]
    both = [table_of(frame, subject="who") for frame in frames]
    combined = combine_tables(both)
    assert combined.subject is not None
    assert combined.subject.tolist() == list("pqrspqrs")
    with pytest.raises(InputError, match="has no subjects"):
        combine_tables([both[0], table_of(frames[1], batch_name="b2", metadata=["who"])])


def test_no_tables_at_all_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="at least one"):
        combine_tables([])
