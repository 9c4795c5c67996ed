"""scikit-learn's own checks, on the default and on the paper's settings."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from crossplate import JointClassifier


@parametrize_with_checks(
    [JointClassifier(n_members=2), JointClassifier(preset="paper", epochs=60, learning_rate=3e-3)]
)
def test_scikit_learn_check(estimator, check):
    check(estimator)
