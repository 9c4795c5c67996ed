"""Make demo.png, the README's picture, from the demo's simulated plates.

Run from the project's folder: python docs/images/demo.py
"""

from pathlib import Path

from crossplate.datasets import demo_plates
from crossplate.report import save_figure
from crossplate.study import StudySettings, run_study
from crossplate.study.files import embedding_of

result = run_study(demo_plates().table, StudySettings(target_batches=("plate2",)))
embedding = embedding_of(result)
assert embedding is not None
save_figure(embedding, Path(__file__).with_suffix(".png"))
