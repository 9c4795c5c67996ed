"""What holds for every corrector of the registry, and the table of inputs at the edge."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from crossplate import InputError
from crossplate.correct.log_scale import OnLogScale
from crossplate.correct.no_correction import NoCorrection

from .methods import NAMES, quick
from .plates import make_plates

every_corrector = pytest.mark.parametrize("name", NAMES)

# They find hidden variation from rows and labels and do not read the batches.
BLIND_TO_BATCHES = {"sva", "fsva"}
# They are trained on mini-batches of rows by number: another order trains other networks.
NETWORKS = {"mmd-resnet", "normae"}
# It restores every row from a code, those of the reference too.
RESTORES = {"normae"}

NOT_MEANT = {"SVA": {"check_fit_idempotent": "transforms rows that were not in fit"}}


def onto_p1(name, **params):
    """The corrector with batch p1 as reference, if it takes one."""
    if takes_reference(name):
        params["reference"] = "p1"
    return quick(name, **params)


def takes_reference(name):
    return "reference" in quick(name).get_params()


def study(seed=0, **shape):
    """Rows, batches and labels that the first two features show."""
    x, batch = make_plates(seed, **shape)
    y = np.arange(len(x)) % 2
    x[:, :2] += 2.0 * y[:, None]
    return x, batch, y


@parametrize_with_checks(
    [*(quick(name) for name in NAMES), OnLogScale(NoCorrection()), OnLogScale(quick("combat"))],
    expected_failed_checks=lambda estimator: NOT_MEANT.get(type(estimator).__name__, {}),
)
def test_scikit_learn_check(estimator, check):
    check(estimator)


CASES = {}


def case(label):
    """Give a function that makes (rows, batches) a line in the table."""

    def keep(make):
        CASES[label] = make
        return make

    return keep


@case("missing values")
def _():
    return make_plates(0, missing=0.1)


@case("constant feature")
def _():
    x, batch = make_plates(1)
    x[:, 2] = 1.0 / 3.0
    return x, batch


@case("feature constant in one batch")
def _():
    x, batch = make_plates(2)
    x[batch == "p2", 2] = 0.1
    x[batch == "p1", 3] = 0.1
    return x, batch


@case("batch of one sample")
def _():
    return make_plates(3, (14, 11, 1))


@case("single batch")
def _():
    return make_plates(4, (20,))


@case("negative values")
def _():
    x, batch = make_plates(5)
    return x - 5.0, batch


@case("all-zero samples")
def _():
    x, batch = make_plates(6)
    for name in ("p1", "p2", "p3"):
        x[np.flatnonzero(batch == name)[:2]] = 0.0
    return x, batch


@case("no samples")
def _():
    x, batch = make_plates(0)
    return x[:0], batch[:0]


@case("20 × 5,000")
def _():
    return make_plates(7, (11, 9), p=5000)


@case("100,000 × 25")
def _():
    return make_plates(8, (60_000, 40_000), p=25)


RIGHT = "right"
NO_GAPS = "error: does not accept missing values"
ONE_ROW = "error: batch 'p3' has one row"
NO_ROWS = r"error: Found array with 0 sample\(s\)"

# What every method makes of every case: a right result, or an error with this message.
TABLE = {
    "missing values": {
        "none": RIGHT, "zscore": RIGHT, "centring": RIGHT, "ratio-g": RIGHT, "combat": RIGHT,
        "dwd": NO_GAPS, "sva": NO_GAPS, "fsva": NO_GAPS, "mmd-resnet": NO_GAPS,
        "normae": NO_GAPS, "coral": NO_GAPS, "ot": NO_GAPS,
    },
    "constant feature": dict.fromkeys(NAMES, RIGHT),
    "feature constant in one batch": dict.fromkeys(NAMES, RIGHT),
    "batch of one sample": {
        "none": RIGHT, "zscore": ONE_ROW, "centring": ONE_ROW, "ratio-g": ONE_ROW,
        "combat": RIGHT, "dwd": RIGHT, "sva": RIGHT, "fsva": RIGHT, "mmd-resnet": ONE_ROW,
        "normae": RIGHT, "coral": ONE_ROW, "ot": ONE_ROW,
    },
    "single batch": dict.fromkeys(NAMES, RIGHT),
    "negative values": dict.fromkeys(NAMES, RIGHT) | {
        "ratio-g": "error: 2 features have no positive value in batch 'p1'"
    },
    "all-zero samples": dict.fromkeys(NAMES, RIGHT),
    "no samples": dict.fromkeys(NAMES, NO_ROWS),
    "20 × 5,000": dict.fromkeys(NAMES, RIGHT),
    "100,000 × 25": dict.fromkeys(NAMES, RIGHT),
}  # fmt: skip
SLOW = {("100,000 × 25", name) for name in ("sva", "fsva", "mmd-resnet", "normae", "ot")}


def table_entries():
    for label, line in TABLE.items():
        for name, outcome in line.items():
            marks = [pytest.mark.slow] if (label, name) in SLOW else []
            yield pytest.param(label, name, outcome, id=f"{label}-{name}", marks=marks)


def test_the_table_is_complete():
    assert set(TABLE) == set(CASES)
    assert all(sorted(line) == NAMES for line in TABLE.values())


@pytest.mark.parametrize(("label", "name", "outcome"), list(table_entries()))
def test_inputs_at_the_edge(label, name, outcome):
    x, batch = CASES[label]()
    y = np.arange(len(x)) % 2
    given = x.copy()
    corrector = onto_p1(name)
    if outcome != RIGHT:
        with pytest.raises(ValueError, match=outcome.removeprefix("error: ")):
            corrector.fit(x, y, batch=batch)
        return
    found = corrector.fit(x, y, batch=batch).transform(x, batch=batch)
    np.testing.assert_array_equal(x, given)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(np.isfinite(found), np.isfinite(x))
    assert distance_of_batches(found, batch) <= distance_of_batches(x, batch) + 1e-9
    if takes_reference(name) and name not in RESTORES:
        # Ratio_G lifts the values that have no logarithm, in the reference too
        kept = (batch == "p1")[:, None] & (x > 0.0 if name == "ratio-g" else np.isfinite(x))
        np.testing.assert_array_equal(found[kept], x[kept])
    if label == "constant feature" and name not in NETWORKS:
        assert np.ptp(found[:, 2]) <= 1e-12
    if label == "single batch" and name not in BLIND_TO_BATCHES:
        np.testing.assert_array_equal(found, x)
        assert not np.shares_memory(found, x)


def distance_of_batches(x, batch):
    """Mean over the features of how far the batches' means lie apart."""
    means = np.array([np.nanmean(x[batch == name], axis=0) for name in np.unique(batch)])
    return np.ptp(means, axis=0).mean()


@every_corrector
def test_rows_without_batches_are_one_batch(name):
    x, _, y = study(sizes=(20,))
    alone = quick(name).fit(x, y)
    named = quick(name).fit(x, y, batch=["only"] * len(x))
    np.testing.assert_array_equal(alone.transform(x), named.transform(x))


@every_corrector
def test_rows_of_a_fitted_batch_are_corrected_one_by_one(name):
    x, batch, y = study()
    corrector = onto_p1(name).fit(x, y, batch=batch)
    whole = corrector.transform(x, batch=batch)
    for row in (0, 7, 30):
        one = corrector.transform(x[[row]], batch=batch[[row]])
        np.testing.assert_allclose(one[0], whole[row], rtol=1e-5 if name in NETWORKS else 1e-9)


@every_corrector
def test_a_new_batch_is_corrected_or_refused(name):
    x, batch, y = study()
    fitted = batch != "p3"
    corrector = onto_p1(name).fit(x[fitted], y[fitted], batch=batch[fitted])
    if name not in BLIND_TO_BATCHES and not corrector.takes_new_batches:
        with pytest.raises(InputError, match="batch 'p3' was not in fit"):
            corrector.transform(x, batch=batch)
        return
    if name == "sva":
        with pytest.raises(InputError, match="were not in fit, and SVA cannot correct new"):
            corrector.transform(x, batch=batch)
        return
    found = corrector.transform(x, batch=batch)
    assert np.isfinite(found).all()
    before = corrector.transform(x[fitted], batch=batch[fitted])
    np.testing.assert_allclose(found[fitted], before, rtol=1e-9)
    assert distance_of_batches(found, batch) <= distance_of_batches(x, batch)


@every_corrector
def test_the_same_seed_gives_the_same_result(name):
    x, batch, y = study(1)
    one, other = (onto_p1(name).fit_transform(x, y, batch=batch) for _ in range(2))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("seed", range(2))
@every_corrector
def test_the_order_of_rows_plays_no_part(name, seed):
    x, batch, y = study(seed, p=40)
    order = np.random.default_rng(seed).permutation(len(x))
    fixed = {"n_surrogates": 2} if name in BLIND_TO_BATCHES else {}
    corrector = onto_p1(name, **fixed).fit(x, y, batch=batch)
    found = corrector.transform(x, batch=batch)
    if name not in NETWORKS:
        corrector = onto_p1(name, **fixed).fit(x[order], y[order], batch=batch[order])
    mixed = corrector.transform(x[order], batch=batch[order])
    np.testing.assert_allclose(mixed, found[order], rtol=0, atol=1e-5)


@every_corrector
def test_tables_go_in_and_come_out_with_their_names(name):
    x, batch, y = study()
    names = [f"m/z {500 + i}.1" for i in range(x.shape[1])]
    frame = pd.DataFrame(x, index=[f"s{i}" for i in range(len(x))], columns=names)
    corrector = onto_p1(name).set_output(transform="pandas")
    # the batch as a column with an index of its own: rows go by position
    found = corrector.fit(frame, y, batch=pd.Series(batch)).transform(frame, batch=batch.tolist())
    assert found.index.tolist() == frame.index.tolist()
    assert found.columns.tolist() == names
    assert corrector.get_feature_names_out().tolist() == names
    plain = onto_p1(name).fit(x, y, batch=batch).transform(x, batch=batch)
    np.testing.assert_array_equal(found, plain)


@every_corrector
def test_in_a_pipeline_batch_is_routed(name):
    x, batch, y = study()
    labels = np.array(["case", "control"])[y]
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(onto_p1(name), LogisticRegression())
        found = pipeline.fit(x, labels, batch=batch).predict(x, batch=batch)
    corrected = onto_p1(name).fit_transform(x, labels, batch=batch)
    expected = LogisticRegression().fit(corrected, labels).predict(corrected)
    np.testing.assert_array_equal(found, expected)


@every_corrector
def test_an_unknown_reference_is_refused_in_fit(name):
    if not takes_reference(name):
        with pytest.raises(InputError, match="has no setting 'reference'"):
            quick(name, reference="p9")
        return
    x, batch, y = study()
    made = quick(name, reference="p9")
    for batches in (batch, None):
        with pytest.raises(InputError, match="reference batch 'p9' is not among the batches"):
            made.fit(x, y, batch=batches)


@every_corrector
def test_several_batches_need_their_names_again(name):
    x, batch, y = study()
    corrector = onto_p1(name).fit(x, y, batch=batch)
    if name in BLIND_TO_BATCHES:
        assert corrector.transform(x).shape == x.shape
        return
    with pytest.raises(InputError, match="batch is needed to tell the rows' batches apart"):
        corrector.transform(x)
