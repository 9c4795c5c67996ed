"""scikit-learn's own checks, on the default and on the paper's settings."""

import pytest
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

from crossplate import JointClassifier

QUICK = [
    JointClassifier(n_members=1),
    JointClassifier(preset="paper", epochs=60, learning_rate=3e-3),
]


@parametrize_with_checks(QUICK)
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.slow
def test_the_default_passes_every_check():
    check_estimator(JointClassifier(), on_skip=None)
