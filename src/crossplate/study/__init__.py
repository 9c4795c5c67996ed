"""One study from table to result.

This is where the rooms meet: the command line and the Python API call :func:`run_study`,
:func:`predict_plate` and :func:`crossplate.study.files.write_study`; nothing else trains, scores or
writes.
"""

from crossplate.study.running import StudyResult, predict_plate, run_study
from crossplate.study.settings import StudySettings

__all__ = ["StudyResult", "StudySettings", "predict_plate", "run_study"]
