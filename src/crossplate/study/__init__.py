"""One study from table to result.

This is where the rooms meet: the command line and the Python API call :func:`run_study`,
:func:`evaluate_study`, :func:`predict_plate` and :func:`crossplate.study.files.write_study`;
nothing else trains, scores or writes.
"""

from crossplate.study.evaluation import FullEvaluation, evaluate_plate, evaluate_study
from crossplate.study.running import StudyResult, predict_plate, run_study, study_of
from crossplate.study.settings import StudySettings

__all__ = [
    "FullEvaluation",
    "StudyResult",
    "StudySettings",
    "evaluate_plate",
    "evaluate_study",
    "predict_plate",
    "run_study",
    "study_of",
]
