"""``crossplate permute``: what is reached when the labels learned from mean nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossplate.cli.errors import plain_errors
from crossplate.cli.options import (
    Batch,
    Config,
    Epochs,
    Features,
    Label,
    Log,
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
from crossplate.errors import InputError

if TYPE_CHECKING:
    from crossplate.cli.settings import RunOptions

PERMUTE_EXAMPLES = """\b
Example, the run whose folder is result:
  crossplate permute --config result/settings.json --out permuted

\b
Example, one file a plate:
  crossplate permute --source plate1.csv --target plate2.csv \\
      --label diagnosis --subject patient --out permuted
"""
_FORMAT = 1
_SCORES = ("balanced_accuracy", "accuracy")
_PACKAGES = ("crossplate", "numpy", "scikit-learn", "torch")

__all__ = ["PERMUTE_EXAMPLES", "permute_command"]


def permute_command(
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
    epochs: Epochs = None,
    log: Log = None,
    config: Config = None,
    permutations: Annotated[
        int, typer.Option(metavar="N", help="Shuffles; with 100 the smallest p-value is 0.0099.")
    ] = 100,
    score: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Of the target: 'balanced_accuracy', or 'accuracy' as in the paper.",
        ),
    ] = "balanced_accuracy",
) -> None:
    """Test whether a run does better than by chance.

    The labels of the source are shuffled among the subjects of each batch, a network is trained on
    each shuffle, and all are scored on the target beside one that had the true labels. Tables and
    their options are those of crossplate run; the target needs labels, for the scores.
    """
    given = locals().copy()
    config, n_permutations, score = (
        given.pop(name) for name in ("config", "permutations", "score")
    )
    with plain_errors():
        from crossplate.cli.plates import read_plates
        from crossplate.cli.progress import show_steps
        from crossplate.cli.settings import merge_options
        from crossplate.cli.workflow import check_places
        from crossplate.io import output_folder

        if score not in _SCORES:
            raise InputError(f"--score is '{score}'; it is one of {', '.join(_SCORES)}")
        if n_permutations < 1:
            raise InputError(f"--permutations is {n_permutations}; give at least 1")
        options = merge_options(given, config)
        check_places(options.out, options.overwrite, options.input_files())
        with show_steps() as steps:
            steps.begin("Reading")
            plates, study = read_plates(options)
            steps.begin("Preparing")
            from crossplate.study.running import prepared
            from crossplate.study.thorough import permuted

            samples, rows = prepared(plates, study)
            found = permuted(
                study.classifier(steps.epoch),
                samples,
                rows,
                n_permutations=n_permutations,
                score=score,
            )
            steps.begin("Writing")
            with output_folder(options.out, overwrite=options.overwrite) as folder:
                _write(found, options, folder)
        typer.echo(_summary(found, int((~rows & samples.labelled).sum()), options.out))


def _write(found: dict[str, Any], options: RunOptions, folder: Path) -> None:
    from datetime import UTC, datetime
    from importlib.metadata import version

    record = {
        "format": _FORMAT,
        "run": options.to_dict(),
        "permute": {name: found[name] for name in ("n_permutations", "score")},
        "versions": {name: version(name) for name in _PACKAGES},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    for name, values in (("permutation", found), ("settings", record)):
        text = json.dumps(values, indent=1, allow_nan=False) + "\n"
        (folder / f"{name}.json").write_text(text, encoding="utf-8")


def _summary(found: dict[str, Any], n_samples: int, out: str) -> str:
    """What was reached with true and with shuffled labels, and where the figures are."""
    from crossplate.cli.summary import paragraph

    null, name = found["null"], found["score"].replace("_", " ")
    n = found["n_permutations"]
    above = sum(one >= found["observed"] for one in null)
    parts = [
        paragraph(
            f"With the true labels one network reaches {name} {found['observed']:.3f} on "
            f"{n_samples} target samples; with shuffled labels {sum(null) / n:.3f} on average "
            f"({min(null):.3f} to {max(null):.3f}), and {above} of {n} shuffles reach as much: "
            f"p = {found['p_value']:.2g}."
        )
    ]
    if above == 0:
        parts.append(paragraph(f"No smaller p-value is possible with {n} shuffles."))
    files = [
        "  permutation.json  the scores of all shuffles",
        "  settings.json     all settings and versions",
    ]
    parts.append("\n".join([f"Written to {out}:", *files]))
    return "\n\n".join(parts)
