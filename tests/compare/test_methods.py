"""Each method on a small task, and the correctors' surroundings."""

from dataclasses import replace

import numpy as np
import pytest

from crossplate.compare.aligning import correct, measured
from crossplate.compare.blind import blind_task
from crossplate.compare.methods import METHODS, OWN_CLASSIFIER, RANDOM
from crossplate.correct.registry import CORRECTORS, corrector_class
from crossplate.errors import InputError
from crossplate.evaluate import zscore_logistic_regression
from crossplate.scaling import PlateScaler

from .tables import QUICK, make_table

every_method = pytest.mark.parametrize("name", METHODS)


def aligned(name, task, seed=0):
    return METHODS[name](replace(task, seed=seed), **QUICK.get(name, {}))


def test_every_corrector_that_can_predict_is_a_method():
    assert set(METHODS) == set(CORRECTORS) - {"sva"} | {"joint", "remove-r"}
    assert set(METHODS) >= RANDOM | set(OWN_CLASSIFIER)


@every_method
@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_gives_all_rows_aligned_without_changing_the_task(name, missing):
    task = blind_task(make_table(1, missing=missing), "p1", "p2")
    before = task.x.copy()
    found = aligned(name, task)
    np.testing.assert_array_equal(task.x, before)
    assert found.z.shape == task.x.shape
    assert np.isfinite(found.z).all()
    assert (found.proba is not None) == (name in OWN_CLASSIFIER)
    if found.proba is not None:
        assert list(found.proba.columns) == ["SLE", "control"]
        np.testing.assert_allclose(found.proba.sum(axis=1), 1.0, atol=1e-9)
        assert len(found.proba) == task.target_rows.sum()
    else:
        source = found.z[task.source_rows]
        np.testing.assert_allclose(source.mean(axis=0), 0.0, atol=1e-9)
        np.testing.assert_allclose(source.std(axis=0), 1.0, atol=1e-9)


@every_method
def test_the_seed_decides_where_it_is_said_to(name):
    task = blind_task(make_table(2), "p1", "p2")
    first, again, other = (aligned(name, task, seed).z for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    if name not in RANDOM:
        np.testing.assert_array_equal(first, other)
    elif name not in {"fsva", "joint", "remove-r"}:  # with few subjects these do not need it
        assert not np.array_equal(first, other)


@pytest.mark.parametrize("name", ["centring", "ratio-g", "combat", "dwd", "coral", "ot"])
def test_the_target_is_mapped_onto_the_source(name):
    task = blind_task(make_table(3, n_subjects=40), "p2", "p1")
    before, _, _ = measured(task)
    after = aligned(name, task).z
    np.testing.assert_allclose(after[task.source_rows], before[task.source_rows], atol=1e-9)
    source = before[task.source_rows].mean(axis=0)
    gap, left = (np.linalg.norm(z[task.target_rows].mean(axis=0) - source) for z in (before, after))
    assert left < 0.35 * gap


def test_without_a_correction_only_the_scale_of_the_source_is_taken():
    task = blind_task(make_table(0), "p1", "p2")
    logs = np.log1p(task.x)
    source = logs[task.source_rows]
    expected = (logs - source.mean(axis=0)) / source.std(axis=0)
    np.testing.assert_allclose(aligned("none", task).z, expected, atol=1e-12)
    np.testing.assert_allclose(measured(task)[0], expected, atol=1e-12)


@pytest.mark.parametrize("missing", [0.0, 0.15])
def test_zscore_is_the_simple_method_of_every_report(missing):
    """The baseline here and that beside every study are one method."""
    task = blind_task(make_table(4, missing=missing), "p1", "p2")
    scaler = PlateScaler().fit(task.x, task.batch, task.source_rows)
    expected = zscore_logistic_regression(
        scaler.scale(task.x, task.batch), task.y, task.target_rows
    )
    found = zscore_logistic_regression(aligned("zscore", task).z, task.y, task.target_rows)
    # where gaps are filled, the source's deviation is taken with them or without
    tolerance = 1e-9 if missing == 0.0 else 0.05
    np.testing.assert_allclose(found, expected, atol=tolerance)


def test_ratios_are_taken_of_intensities_and_then_logged():
    task = blind_task(make_table(5), "p1", "p2")
    source, target = task.source_rows, task.target_rows
    means = [np.exp(np.log(task.x[rows]).mean(axis=0)) for rows in (source, target)]
    ratio = np.where(target[:, None], task.x / means[1] * means[0], task.x)
    logs = np.log1p(ratio)
    expected = (logs - logs[source].mean(axis=0)) / logs[source].std(axis=0)
    np.testing.assert_allclose(aligned("ratio-g", task).z, expected, atol=1e-9)


def test_ratios_pass_over_a_feature_without_a_positive_value_in_the_target():
    table = make_table(5)
    features = table.features.copy()
    features.loc[(table.batch == "p2").to_numpy(), "mz_3"] = 0.0
    task = blind_task(replace(table, features=features), "p1", "p2")
    z = aligned("ratio-g", task).z
    assert np.isfinite(z).all()
    assert len(set(z[task.target_rows, 3])) == 1


@pytest.mark.parametrize("name", [name for name in METHODS if name not in OWN_CLASSIFIER])
def test_labels_of_the_source_reach_the_one_corrector_that_learns_from_them(name, monkeypatch):
    task = blind_task(make_table(6), "p1", "p2")
    given = []
    kind = corrector_class(name)
    correct = kind.fit_transform

    def spied(self, X, y=None, **others):
        given.append(y)
        return correct(self, X, y, **others)

    monkeypatch.setattr(kind, "fit_transform", spied)
    aligned(name, task)
    if name == "fsva":
        np.testing.assert_array_equal(given[0], task.y)
        assert set(given[0][task.target_rows]) == {None}
    else:
        assert given == [None]


def test_settings_reach_the_method():
    task = blind_task(make_table(0), "p1", "p2")
    default, soft = correct("coral", task).z, correct("coral", task, shrinkage=100.0).z
    assert not np.allclose(default, soft)
    with pytest.raises(InputError, match="has no setting 'wrong'"):
        correct("coral", task, wrong=1)


def test_calibrated_rows_are_on_the_scale_of_the_measured_source():
    table = make_table(7, n_subjects=60)
    task = blind_task(table, "p1", "p2")
    before, _, _ = measured(task)
    after = METHODS["joint"](task, n_members=1).z
    gap, left = (
        np.linalg.norm(z[task.target_rows].mean(axis=0) - z[task.source_rows].mean(axis=0))
        for z in (before, after)
    )
    assert left < 0.35 * gap
    moved = np.abs(after - before)[task.source_rows].mean()
    assert moved < 0.5  # of a standard deviation: the source is what it was
