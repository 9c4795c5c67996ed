"""Options that several commands share, and the help text of each."""

from typing import Annotated

import typer

__all__ = [
    "Batch",
    "BatchName",
    "Config",
    "Epochs",
    "Features",
    "Full",
    "Label",
    "Log",
    "Members",
    "Metadata",
    "ModelFolder",
    "NewTable",
    "Out",
    "Overwrite",
    "Preset",
    "SampleId",
    "Seed",
    "Source",
    "SourceBatch",
    "Subject",
    "Table",
    "Target",
    "TargetBatch",
]

# Absent options are None, so that those of a settings file can take their place.
Table = Annotated[
    str | None,
    typer.Argument(
        metavar="TABLE",
        show_default=False,
        help="One table with all batches: .csv, .tsv, .txt (also .gz), .xlsx, .parquet or .h5ad, "
        "samples in rows. Needs --batch.",
    ),
]
Source = Annotated[
    list[str] | None,
    typer.Option(metavar="FILE", help="A labelled plate; repeat the option for several."),
]
Target = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE",
        help="A plate to diagnose; repeat the option for several. Its labels, if any, are used "
        "for scores only.",
    ),
]
Batch = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="The batch (plate, day, site) of a sample in the table."),
]
ModelFolder = Annotated[
    str,
    typer.Argument(
        metavar="MODEL_DIR",
        help="The folder that crossplate run or adapt wrote, or model/ in it.",
    ),
]
NewTable = Annotated[
    str, typer.Argument(metavar="NEW_TABLE", help="The new plate, samples in rows.")
]
BatchName = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Name of the plate, where the table is one (default: the file's name).",
    ),
]
SourceBatch = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="A batch of TABLE to learn from; can be repeated."),
]
TargetBatch = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="A batch of TABLE to diagnose; can be repeated."),
]
Label = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="The diagnosis; an empty cell is an unlabelled sample."),
]
Subject = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN", help="The subject a sample was taken from, for results per subject."
    ),
]
SampleId = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN", help="The sample ids (default: sample_id, sample, sample name or id)."
    ),
]
Metadata = Annotated[
    list[str] | None,
    typer.Option(metavar="COLUMN", help="A column that is no feature; can be repeated."),
]
Features = Annotated[
    str | None,
    typer.Option(
        metavar="RULE",
        help="Where files differ in features: keep the 'common' ones (default), those of the first "
        "'source', or stop with an 'error'.",
    ),
]
Out = Annotated[
    str | None, typer.Option(metavar="FOLDER", help="Where the results go; a new folder.")
]
Overwrite = Annotated[
    bool | None,
    typer.Option("--overwrite", help="Replace a folder that crossplate wrote."),
]
Preset = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="'default', or 'paper' for the settings of Niu et al. (slow)."
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(metavar="N", help="Same seed, same files: same predictions (default 0)."),
]
Members = Annotated[
    int | None,
    typer.Option(metavar="N", help="Models whose mean is the prediction (default 5; paper 1)."),
]
Epochs = Annotated[
    int | None,
    typer.Option(metavar="N", help="Passes over the data (default: by its size; paper 2000)."),
]
Log = Annotated[
    str | None,
    typer.Option(
        metavar="WHEN",
        help="Take logs: 'auto' (default: where they make the data less skewed), 'always' or "
        "'never' (paper).",
    ),
]
Full = Annotated[
    bool | None,
    typer.Option(
        "--full",
        help="Evaluate all: shuffled labels, each batch on itself, all pairs of batches, "
        "biomarkers, features the model relies on (many times as long).",
    ),
]
Config = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Take these options from a .toml file, or from the settings.json of an earlier run; "
        "those given here win.",
    ),
]
