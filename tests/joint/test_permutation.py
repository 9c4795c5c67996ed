"""The permutation test: labels shuffled by subject, a level it keeps, and an effect it finds."""

import numpy as np
import pytest

from crossplate import InputError, JointClassifier
from crossplate.joint.permutation import PermutationResult, permutation_test

from .conftest import make_rows

QUICK = JointClassifier(epochs=20, n_members=2, random_state=0)


def test_an_effect_is_found():
    rows = make_rows(distance=4.0)
    result = permutation_test(
        QUICK, rows.X, rows.y, rows.truth, batch=rows.batch, n_permutations=19
    )
    assert result.observed > 0.9
    assert result.p_value <= 0.1  # a shuffle may come close by chance, two may not
    assert abs(result.shuffled.mean() - 0.5) < 0.2
    assert len(result.shuffled) == 19


def test_without_an_effect_p_values_are_spread_over_the_whole_range():
    p_values = []
    for seed in range(20):
        rows = make_rows(seed, n=20, p=3, distance=1e-9)
        model = JointClassifier(epochs=3, random_state=seed)
        result = permutation_test(
            model, rows.X, rows.y, rows.truth, batch=rows.batch, n_permutations=19
        )
        p_values.append(result.p_value)
    assert 0.3 < np.mean(p_values) < 0.75
    assert np.mean(np.array(p_values) <= 0.1) < 0.4


def test_target_truth_does_not_reach_the_training():
    rows = make_rows(distance=3.0)
    arguments = (QUICK, rows.X, rows.y)
    kwargs = {"batch": rows.batch, "n_permutations": 5, "score": "accuracy"}
    found = permutation_test(*arguments, rows.truth, **kwargs)
    flipped = np.where(rows.truth == "control", "disease", "control").astype(object)
    turned = permutation_test(*arguments, flipped, **kwargs)
    np.testing.assert_allclose(turned.shuffled, 1.0 - found.shuffled)
    assert turned.observed == pytest.approx(1.0 - found.observed)


def test_p_value_counts_ties_and_itself():
    assert PermutationResult("accuracy", 0.8, np.array([0.5, 0.8, 0.9, 0.4])).p_value == 3 / 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"truth": np.full(120, None)}, "no unlabelled row has a known truth"),
        ({"score": "auc"}, "score must be one of accuracy, balanced_accuracy"),
        ({"n_permutations": 0}, "at least 1"),
        ({"subject": np.full(120, "one")}, "subject 'one' has samples with different labels"),
    ],
)
def test_bad_input(rows, change, message):
    given = {"truth": rows.truth, "batch": rows.batch, "n_permutations": 2} | change
    with pytest.raises(InputError, match=message):
        permutation_test(QUICK, rows.X, rows.y, given.pop("truth"), **given)
