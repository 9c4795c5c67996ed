"""``crossplate biomarkers``: features that distinguish the labels, batch by batch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossplate.cli.errors import plain_errors
from crossplate.cli.options import Metadata, Overwrite, SampleId, Subject

if TYPE_CHECKING:
    from crossplate.evaluate.biomarkers import Biomarkers
    from crossplate.evaluate.subject_values import SubjectValues
    from crossplate.table import SampleTable

BIOMARKERS_EXAMPLES = """\b
Example:
  crossplate biomarkers study.csv --batch plate --label diagnosis \\
      --subject patient --out biomarkers
"""
_FORMAT = 1
_PACKAGES = ("crossplate", "numpy", "pandas", "scikit-learn", "scipy")
_SHOWN = 10
_MEANINGS = {
    "biomarkers.csv": "all features in each batch: frequency, p, q, effect",
    "intersections.csv": "features that batches have in common",
    "agreement.csv": "how far two batches agree",
    "figures/": "box plots and intersections, SVG and PDF, with captions",
    "settings.json": "all settings and versions",
}

__all__ = ["BIOMARKERS_EXAMPLES", "biomarkers_command"]


def biomarkers_command(
    table: Annotated[
        str,
        typer.Argument(
            metavar="TABLE",
            help="One table with all batches: .csv, .tsv, .txt (also .gz), .xlsx, .parquet or "
            ".h5ad, samples in rows.",
        ),
    ],
    batch: Annotated[
        str,
        typer.Option(metavar="COLUMN", help="The batch (plate, day, site) of a sample."),
    ],
    label: Annotated[
        str,
        typer.Option(metavar="COLUMN", help="The diagnosis; samples without one are left out."),
    ],
    out: Annotated[str, typer.Option(metavar="FOLDER", help="Where the results go; a new folder.")],
    subject: Subject = None,
    sample_id: SampleId = None,
    metadata: Metadata = None,
    frequency: Annotated[
        float,
        typer.Option(
            metavar="SHARE", help="Half-samples whose model must hold a feature: more than this."
        ),
    ] = 0.9,
    p: Annotated[
        float, typer.Option("--p", metavar="P", help="The p-value of a feature: below this.")
    ] = 0.05,
    resamples: Annotated[
        int, typer.Option(metavar="N", help="Half-samples of the subjects of each batch.")
    ] = 100,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Same seed, same table: same biomarkers.")
    ] = 0,
    overwrite: Overwrite = None,
) -> None:
    """Find features that distinguish the labels in each batch, and in several.

    In each batch, sparse models are fitted to many random halves of the subjects. A feature is a
    candidate biomarker if more than --frequency of the models hold it, and if it differs between
    labels with a p-value below --p. Nothing is corrected for batch effects: what several batches
    find by themselves is compared.
    """
    given = {name: value for name, value in locals().items() if value is not None}
    with plain_errors():
        from crossplate.cli.progress import show_steps
        from crossplate.cli.workflow import check_places
        from crossplate.evaluate.biomarkers import find_biomarkers
        from crossplate.evaluate.subject_values import subject_values
        from crossplate.io import output_folder, read_table

        replace = bool(overwrite)
        check_places(out, replace, [table])
        with show_steps() as steps:
            steps.begin("Reading")
            samples = read_table(
                table,
                batch=batch,
                label=label,
                subject=subject,
                sample_id=sample_id,
                metadata=metadata or (),
            ).drop_uninformative()
            steps.begin("Selecting")
            found = find_biomarkers(
                samples,
                frequency=frequency,
                p=p,
                n_resamples=resamples,
                random_state=seed,
                progress=steps.count,
            )
            steps.begin("Writing")
            with output_folder(out, overwrite=replace) as folder:
                _write(found, subject_values(samples), folder, given)
        typer.echo(_summary(found, samples, out))


def _write(
    found: Biomarkers, values: SubjectValues, folder: Path, given: Mapping[str, Any]
) -> None:
    """Write tables, figures with captions, and settings."""
    from crossplate.io import write_frame
    from crossplate.report.biomarker_figures import (
        box_plot_caption,
        save_box_plots,
        save_upset,
        upset_caption,
    )

    write_frame(found.to_frame(), folder / "biomarkers.csv")
    write_frame(found.intersections_frame(), folder / "intersections.csv")
    if len(found.batches) > 1:
        write_frame(found.agreement, folder / "agreement.csv")
    (folder / "settings.json").write_text(_settings(given), encoding="utf-8")
    if not found.ranked():
        return
    figures = folder / "figures"
    figures.mkdir()
    save_box_plots(found, values, figures / "boxplots")
    captions = [f"**boxplots** {box_plot_caption(found)}"]
    if len(found.batches) > 1:
        save_upset(found, figures / "intersections")
        captions.append(f"**intersections** {upset_caption(found)}")
    (figures / "captions.md").write_text("\n\n".join(captions) + "\n", encoding="utf-8")


def _settings(given: Mapping[str, Any]) -> str:
    from datetime import UTC, datetime
    from importlib.metadata import version

    record = {
        "format": _FORMAT,
        "biomarkers": dict(given),
        "versions": {name: version(name) for name in _PACKAGES},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return json.dumps(record, indent=1) + "\n"


def _summary(found: Biomarkers, samples: SampleTable, out: str) -> str:
    """What was found in each batch and in several, and where the files are."""
    from crossplate.cli.summary import align, paragraph

    n_found = len(found.ranked())
    parts = [
        paragraph(
            f"{n_found} of {samples.n_features} features are candidate biomarkers in one batch or "
            f"more: in over {found.frequency:.0%} of {found.n_resamples} models of half of the "
            f"subjects, and p < {found.p:g}. The models are so small that about one false "
            "candidate is to be expected in a batch at most."
        ),
        "\n".join(align(_batch_rows(found))),
        *_pairs(found),
    ]
    if n_found:
        parts.append("\n".join(["Found in most batches, largest effects:", *_top(found)]))
    notices = [*samples.notices, *found.notices]
    if notices:
        parts.append("\n".join(["Notes:", *(paragraph(one, "  - ", "    ") for one in notices)]))
    names = {f"{path.name}/" if path.is_dir() else path.name for path in Path(out).iterdir()}
    lines = [f"  {name:17}  {what}" for name, what in _MEANINGS.items() if name in names]
    parts.append("\n".join([f"Written to {out}:", *lines]))
    return "\n\n".join(parts)


def _batch_rows(found: Biomarkers) -> list[list[str]]:
    rows = [["batch", "candidates", "with q < 0.05", "all with q < 0.05", "in a model"]]
    for name in found.batches:
        its = found.features[found.features["batch"] == name]
        significant = its["q"] < 0.05
        counts = its["selected"], its["selected"] & significant, significant
        row = [name, *(str(int(count.sum())) for count in counts)]
        rows.append([*row, str(found.n_in_model[name])])
    return rows


def _pairs(found: Biomarkers) -> list[str]:
    """Sentences about pairs of batches, the first few."""
    from crossplate.cli.summary import paragraph

    shown = [
        paragraph(
            f"{row['batch_a']} and {row['batch_b']} have {row['n_both']} in common "
            f"({row['expected_both']:.1f} expected by chance, p = {row['p_both']:.2g}); the "
            f"effects of {row['n_same_direction']} of the {row['n_either']} found in either have "
            "the same direction in both.",
            "  ",
            "    ",
        )
        for row in found.agreement.to_dict("records")
        if row["n_either"]
    ]
    if len(shown) > _SHOWN:
        shown = [*shown[:_SHOWN], f"  and {len(shown) - _SHOWN} more pairs, see agreement.csv"]
    return ["\n".join(shown)] if shown else []


def _top(found: Biomarkers) -> Sequence[str]:
    from crossplate.cli.summary import align

    rows = [["feature", "batches", "mean effect", "of", "least frequency", "largest q"]]
    for name in found.ranked()[:_SHOWN]:
        its = found.features[(found.features["feature"] == name) & found.features["selected"]]
        labels = sorted(set(its["effect_label"]))
        rows.append(
            [
                name,
                str(len(its)),
                f"{its['effect'].mean():+.2f}",
                "/".join(labels),
                f"{its['frequency'].min():.2f}",
                f"{its['q'].max():.2g}",
            ]
        )
    return align(rows)
