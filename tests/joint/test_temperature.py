"""The committee's temperature: what it does to probabilities, and where it comes from."""

from copy import copy
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import log_softmax

from crossplate import JointClassifier
from crossplate.joint import protocols
from crossplate.joint.protocols import predict_held_out
from crossplate.joint.settings import JointSettings
from crossplate.joint.source_fit import fit_source
from crossplate.joint.temperature import (
    CAUTION,
    SPREAD,
    fit_temperature,
    tempered,
    tempered_mean,
)

from .conftest import make_rows

SETTINGS = JointSettings(balance=1.0).sized(60, 12)


def drawn(seed, n=60, p=12, distance=1.5, shares=(0.5, 0.5)):
    rng = np.random.default_rng(seed)
    codes = rng.choice(len(shares), n, p=shares)
    centres = np.eye(p)[: len(shares)] * distance
    return rng.normal(size=(n, p)) + centres[codes], codes


@pytest.mark.parametrize("temperature", [0.2, 0.7, 1.0, 3.0])
def test_calls_stay_and_log_odds_are_divided(temperature):
    p = np.random.default_rng(0).dirichlet(np.ones(4), size=200)
    found = tempered(p, temperature)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    np.testing.assert_array_equal(found.argmax(axis=1), p.argmax(axis=1))
    odds = np.log(found[:, 1:] / found[:, :1])
    np.testing.assert_allclose(odds, np.log(p[:, 1:] / p[:, :1]) / temperature)
    sure = tempered(np.array([[1.0, 0.0], [1e-300, 1.0]]), temperature)
    np.testing.assert_allclose(sure, [[1.0, 0.0], [0.0, 1.0]], atol=1e-30)
    members = np.stack([p, p[:, ::-1]])
    np.testing.assert_allclose(
        tempered_mean(members, temperature), tempered((p + p[:, ::-1]) / 2, temperature)
    )


def source_of(z, codes, ridge=None):
    settings = replace(SETTINGS, ridge=ridge)
    return fit_source(z, codes, np.zeros(len(z), dtype=int), None, settings, np.zeros(z.shape[1]))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shares", [(0.7, 0.3), (0.5, 0.3, 0.2)])
def test_agrees_with_a_search_over_cross_validated_scores(seed, shares):
    z, codes = drawn(seed, n=90, shares=shares)
    source = source_of(z, codes)
    scores = source.scores
    if len(shares) == 2:
        scores = np.column_stack([np.zeros(90), scores])
    weights = (1 / np.bincount(codes))[codes]
    tried = np.linspace(np.log(0.05), np.log(20), 4000)
    losses = [
        90
        * np.average(
            -log_softmax(np.exp(t) * scores, axis=1)[np.arange(90), codes], weights=weights
        )
        + (t / SPREAD) ** 2 / 2
        for t in tried
    ]
    expected = 1 / (CAUTION * np.exp(tried[np.argmin(losses)]))
    assert fit_temperature(source) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("seed", range(3))
def test_clear_classes_make_sure_and_unclear_ones_unsure(seed):
    told, clear = drawn(seed, distance=6.0)
    noise = np.random.default_rng(seed).permutation(clear)
    assert fit_temperature(source_of(told, clear, ridge=10.0)) < 0.9
    assert fit_temperature(source_of(told, noise, ridge=10.0)) > 2.0


def test_left_at_one_where_there_is_nothing_to_go_by():
    assert fit_temperature(None) == 1.0


def test_large_studies_and_the_paper_keep_theirs():
    for n, preset in ((600, "default"), (60, "paper")):
        rows = make_rows(n=n, p=8)
        model = JointClassifier(preset=preset, n_members=1, epochs=2, random_state=0)
        assert model.fit(rows.X, rows.y, batch=rows.batch).temperature_ == 1.0


def test_the_committee_has_its_temperature():
    rows = make_rows(n=30)
    model = JointClassifier(n_members=2, epochs=5, random_state=0)
    model.fit(rows.X, rows.y, batch=rows.batch)
    assert model.temperature_ != 1.0
    raw = copy(model)
    raw.temperature_ = 1.0
    given = {"X": rows.X, "batch": rows.batch}
    expected = tempered(raw.predict_proba(**given), model.temperature_)
    np.testing.assert_allclose(model.predict_proba(**given), expected)
    np.testing.assert_array_equal(model.predict(**given), raw.predict(**given))


def test_held_out_rows_have_the_temperature_of_their_fold(monkeypatch):
    rows = make_rows(n=30)
    model = JointClassifier(n_members=1, epochs=2, random_state=0)
    plain = predict_held_out(model, rows.X, rows.y, batch=rows.batch)[1]
    monkeypatch.setattr(protocols, "fit_temperature", lambda source: 4.0)
    found = predict_held_out(model, rows.X, rows.y, batch=rows.batch)[1]
    source = rows.batch == "plate A"
    assert found[source].max(axis=1).mean() < plain[source].max(axis=1).mean()
    np.testing.assert_array_equal(found[source].argmax(axis=1), plain[source].argmax(axis=1))
