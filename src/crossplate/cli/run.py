"""``crossplate run``: learn from labelled plates, diagnose the others, write the results."""

from crossplate.cli.errors import plain_errors
from crossplate.cli.options import (
    Batch,
    Config,
    Epochs,
    Features,
    Full,
    Label,
    Log,
    Members,
    Metadata,
    Out,
    Overwrite,
    Preset,
    SampleId,
    Seed,
    Source,
    SourceBatch,
    Subject,
    Table,
    Target,
    TargetBatch,
)

RUN_EXAMPLES = """\b
Example, one file a plate:
  crossplate run --source plate1.csv --target plate2.csv \\
      --label diagnosis --subject patient --out result

\b
Example, one table with the plate in a column:
  crossplate run study.xlsx --batch plate --target-batch 3 \\
      --label diagnosis --out result

\b
Repeat it, here with another seed:
  crossplate run --config result/settings.json --seed 1 --out again
"""

__all__ = ["RUN_EXAMPLES", "run_command"]


def run_command(
    table: Table = None,
    source: Source = None,
    target: Target = None,
    batch: Batch = None,
    source_batch: SourceBatch = None,
    target_batch: TargetBatch = None,
    label: Label = None,
    subject: Subject = None,
    sample_id: SampleId = None,
    metadata: Metadata = None,
    features: Features = None,
    out: Out = None,
    overwrite: Overwrite = None,
    preset: Preset = None,
    seed: Seed = None,
    members: Members = None,
    epochs: Epochs = None,
    log: Log = None,
    full: Full = None,
    config: Config = None,
) -> None:
    """Learn from labelled plates and diagnose the others.

    Name either --source and --target files, or one TABLE with --batch. In a TABLE, labelled
    batches are learned from and the others diagnosed, unless --source-batch or --target-batch
    says otherwise. --label and --out are always needed. Columns of numbers that are not named
    here are features.
    """
    given = locals().copy()
    config = given.pop("config")
    with plain_errors():
        from crossplate.cli.plates import read_plates
        from crossplate.cli.progress import show_steps
        from crossplate.cli.settings import merge_options
        from crossplate.cli.workflow import check_places, print_summary, run_and_write

        options = merge_options(given, config)
        check_places(options.out, options.overwrite, options.input_files())
        with show_steps() as steps:
            steps.begin("Reading")
            plates, study = read_plates(options)
            done = run_and_write(plates, study, options, steps, overwrite=options.overwrite)
        print_summary(done, options.out)
