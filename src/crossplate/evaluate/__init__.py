"""What predictions are worth, what a batch effect amounts to, and what simple methods reach."""

from crossplate.evaluate.accuracy_coverage import (
    AccuracyCoverage,
    CoveragePoint,
    accuracy_coverage,
)
from crossplate.evaluate.baselines import (
    SingleFeature,
    best_single_feature,
    fit_predict,
    zscore_logistic_regression,
)
from crossplate.evaluate.batch_effect import BatchEffect, MmdSummary, PairEffect, batch_effect
from crossplate.evaluate.comparison import scores_at_both_levels, scores_beside_baselines
from crossplate.evaluate.scores import Scores, score
from crossplate.evaluate.subjects import by_subject, score_subjects, subject_labels

__all__ = [
    "AccuracyCoverage",
    "BatchEffect",
    "CoveragePoint",
    "MmdSummary",
    "PairEffect",
    "Scores",
    "SingleFeature",
    "accuracy_coverage",
    "batch_effect",
    "best_single_feature",
    "by_subject",
    "fit_predict",
    "score",
    "score_subjects",
    "scores_at_both_levels",
    "scores_beside_baselines",
    "subject_labels",
    "zscore_logistic_regression",
]
