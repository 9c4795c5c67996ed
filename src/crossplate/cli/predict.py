"""``crossplate predict``: diagnose a plate that arrives after the training."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossplate.cli.errors import plain_errors
from crossplate.cli.options import (
    Batch,
    BatchName,
    Label,
    ModelFolder,
    NewTable,
    Overwrite,
    SampleId,
    Subject,
)
from crossplate.errors import InputError

if TYPE_CHECKING:
    from crossplate.joint.classifier import JointClassifier
    from crossplate.table import SampleTable

PREDICT_EXAMPLES = """\b
Example, with the folder that crossplate run wrote:
  crossplate predict result plate4.csv --subject patient --out plate4
"""

__all__ = ["PREDICT_EXAMPLES", "model_folder", "predict_command"]


def predict_command(
    model_dir: ModelFolder,
    new_table: NewTable,
    out: Annotated[str, typer.Option(metavar="FOLDER", help="Where the results go; a new folder.")],
    batch: Batch = None,
    batch_name: BatchName = None,
    label: Label = None,
    subject: Subject = None,
    sample_id: SampleId = None,
    overwrite: Overwrite = None,
) -> None:
    """Diagnose a plate that arrives after the training.

    A new plate is put on the model's scale with its own statistics, so give the whole plate and
    not single samples, unless crossplate adapt has taken it into the model before. What is less
    sure than the run's own calls had to be is not called. Labels are not needed; where there are
    some, they are used for scores.
    """
    with plain_errors():
        from crossplate.cli.progress import show_steps
        from crossplate.cli.workflow import Written, check_places, print_summary, write_result
        from crossplate.io import read_table

        replace = bool(overwrite)
        check_places(out, replace, (model_dir, new_table))
        with show_steps() as steps:
            steps.begin("Reading")
            table = read_table(
                new_table,
                batch=batch,
                batch_name=batch_name,
                label=label,
                subject=subject,
                sample_id=sample_id,
            )
            steps.begin("Predicting")
            from crossplate.joint.saved import load
            from crossplate.study import evaluate_plate, predict_plate
            from crossplate.study.files import calling_beside

            folder = model_folder(model_dir)
            model = load(folder)
            if batch is None and batch_name is None:
                _check_new(model, table, new_table)
            result = predict_plate(model, table)
            steps.begin("Writing")
            run = {
                "model_dir": model_dir,
                "new_table": new_table,
                "batch": batch,
                "batch_name": batch_name,
                "label": label,
                "subject": subject,
                "sample_id": sample_id,
            }
            done = Written(result, evaluate_plate(result, calling_beside(folder)))
            given = {name: word for name, word in run.items() if word is not None}
            write_result(done, out, replace, given)
        print_summary(done, out)


def model_folder(path: str) -> Path:
    """Folder of the model, where it or the folder of its run is given."""
    folder = Path(path)
    return folder / "model" if (folder / "model").is_dir() else folder


def _check_new(model: "JointClassifier", table: "SampleTable", path: str) -> None:
    """Refuse a file whose name alone makes it one of the plates the model knows."""
    (name,) = table.batches
    if name in model.batches_:
        how = "adapted to" if name in model.adapted_batches_ else "trained on"
        raise InputError(
            f"{path} would be batch '{name}', which the model was {how} and whose statistics "
            "it would use; name it with --batch-name (the same name if it is the same plate)"
        )
