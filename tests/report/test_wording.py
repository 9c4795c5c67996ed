import pytest

from crossplate.report.wording import (
    alike,
    clipped,
    count_of,
    decimal,
    listed,
    shortened,
    two_digits,
)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.87, 0.83], ["0.87", "0.83"]),
        ([0.871, 0.874], ["0.871", "0.874"]),
        ([0.87, 0.87], ["0.87", "0.87"]),
        ([0.9985], ["0.999"]),
        ([0.99999], ["1.0000"]),
        ([1.0, 0.0], ["1.00", "0.00"]),
        ([0.002, 0.5], ["0.002", "0.500"]),
    ],
)
def test_compared_values_show_their_difference_and_never_perfection(values, texts):
    assert alike(values) == texts


def test_missing_numbers_are_a_dash_and_zero_has_no_sign():
    assert [decimal(value) for value in (None, float("nan"), -0.0001)] == ["–", "–", "0.000"]
    assert decimal(-0.25, 2) == "-0.25"


def test_counts_and_lists_read_well():
    assert count_of(1, "sample") == "1 sample"
    assert count_of(1053, "sample") == "1,053 samples"
    assert count_of(2, "batch") == "2 batches"
    assert count_of(2, "class") == "2 classes"
    assert [listed(list("abc"[:n])) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert shortened(["a", "b"], 2, "batch") == "a and b"
    assert shortened(["a", "b", "c", "d"], 2, "batch") == "a, b and 2 further batches"


def test_long_texts_are_clipped_to_one_line():
    assert clipped("a\n  b", 3) == "a b"
    assert clipped("abcdef", 4) == "abc…"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (0.0, "0"),
        (0.05, "0.050"),
        (0.0012345, "0.0012"),
        (0.00012, "1.2e-4"),
        (1.25e-12, "1.2e-12"),
        (-0.5, "-0.50"),
        (1.0, "1.0"),
        (123.4, "123"),
    ],
)
def test_numbers_that_may_be_tiny_have_two_digits(value, text):
    assert two_digits(value) == text
