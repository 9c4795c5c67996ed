"""Tables of the report as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from crossplate.report.wording import count_of, decimal

# text: left; count: whole number; score: three decimals; small: two digits, however small;
# number: written already, right.
Kind = Literal["text", "count", "score", "small", "number"]
Cell = str | int | float | None

# Rows that are written into a page as text; a page that runs its script shows all of a table.
MAX_ROWS = 1000
# Most rows of a table; the files have all.
MOST_ROWS = 20_000

OWN = "crossplate"
NOT_CALLED = "not called"
COMMONEST = "always the commonest class"
METHOD_NAMES = {
    OWN: OWN,
    "zscore_logistic_regression": "per-batch z-score + logistic regression",
    "best_single_feature": "best single feature",
}
SCORE_NAMES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "f1": "F1",
    "mcc": "MCC",
    "roc_auc": "ROC AUC",
    "brier": "Brier score",
}


@dataclass(frozen=True)
class Column:
    """Heading of a column and how its cells are written."""

    name: str
    kind: Kind = "text"


@dataclass(frozen=True)
class Table:
    """A table: caption above, notes below; the first column names the row."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()

    def column(self, name: str) -> list[Cell]:
        """Cells of the first column of that name."""
        place = [column.name for column in self.columns].index(name)
        return [row[place] for row in self.rows]


def method_name(method: str, scores: Mapping[str, Any]) -> str:
    """Name of a method in words, with the feature where it uses one only."""
    name = METHOD_NAMES.get(method, method.replace("_", " "))
    return f"{name} ({scores['feature']})" if "feature" in scores else name


def commonest_class(scores: Mapping[str, Any]) -> tuple[str, float]:
    """Commonest true class among the scored rows, and its share."""
    name = max(scores["counts"], key=scores["counts"].__getitem__)
    return name, scores["counts"][name] / scores["n"]


def score_table(level: Mapping[str, Any], noun: str) -> Table:
    """All methods side by side on the same rows.

    Parameters
    ----------
    level
        ``metrics["sample_level"]`` or ``metrics["subject_level"]``: `Scores.to_dict` by method.
    noun
        What is scored: ``"sample"`` or ``"subject"``.
    """
    own = level[OWN]
    rows: list[tuple[Cell, ...]] = [
        (method_name(method, scores), *(scores.get(score) for score in SCORE_NAMES))
        for method, scores in level.items()
    ]
    name, share = commonest_class(own)
    present = sum(1 for n in own["counts"].values() if n > 0)
    rows.append((f"{COMMONEST} ({name})", share, 1 / present, None, 0.0, None, None))
    positive = own.get("positive_class")
    f1 = "the mean over classes" if positive is None else f"that of class {positive}"
    return Table(
        caption=f"Scores on {count_of(own['n'], noun)}",
        columns=(Column("Method"), *(Column(name, "score") for name in SCORE_NAMES.values())),
        rows=tuple(rows),
        notes=(f"Brier score: lower is better; all others: higher. F1 is {f1}.",),
    )


def confusion_table(scores: Mapping[str, Any], noun: str) -> Table:
    """True against called classes, counted."""
    matrix = scores["confusion_matrix"]
    classes = [str(name) for name in matrix["classes"]]
    counts = matrix["rows_true_columns_predicted"]
    return Table(
        caption=f"True class (rows) and called class (columns), {noun}s counted",
        columns=(Column("True class"), *(Column(f"called {name}", "count") for name in classes)),
        rows=tuple((name, *row) for name, row in zip(classes, counts, strict=True)),
    )


def batch_effect_table(effects: Mapping[str, Mapping[str, Any]]) -> Table | None:
    """MMD between batches beside MMD inside a batch; None when no pair was measured.

    Parameters
    ----------
    effects
        Name of the data → `BatchEffect.to_dict`, as in ``metrics["batch_effect"]``.
    """
    rows: list[tuple[Cell, ...]] = []
    for data, effect in effects.items():
        pairs = effect["pairs"]
        rows += [_effect_row(data, " – ".join(pair["batches"]), pair) for pair in pairs]
        if len(pairs) > 1:
            rows.append(_effect_row(data, "mean of all pairs", effect))
    if not rows:
        return None
    return Table(
        caption="Distance between batches before and after calibration",
        columns=(
            Column("Data"),
            Column("Batches"),
            Column("Between batches", "number"),
            Column("Within a batch", "number"),
            Column("Ratio", "number"),
            Column("Unbiased MMD²", "number"),
            Column("Rows drawn", "count"),
        ),
        rows=tuple(rows),
        notes=_effect_notes(effects),
    )


def _effect_row(data: str, batches: str, entry: Mapping[str, Any]) -> tuple[Cell, ...]:
    across, inside = entry["across"], entry["in_batch"]
    ratio = across["root_biased"] / inside["root_biased"] if inside["root_biased"] > 0 else None
    return (
        data,
        batches,
        f"{across['root_biased']:.3f} ± {across['root_biased_sd']:.3f}",
        f"{inside['root_biased']:.3f} ± {inside['root_biased_sd']:.3f}",
        decimal(ratio, 1),
        f"{across['unbiased']:.4f} ± {across['unbiased_sd']:.4f}",
        entry.get("n_rows"),
    )


def _effect_notes(effects: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    draws = ", ".join(
        f"{data}: {effect['n_draws']} draws, widths "
        + (", ".join(f"{width:.3g}" for width in effect["bandwidths"]) or "none")
        for data, effect in effects.items()
    )
    notes = [
        "Root of the biased squared maximum mean discrepancy (MMD), mean ± standard deviation "
        "over random draws of rows. Within a batch: two random halves of one batch, which is "
        "what remains without any batch effect. Read each row against its own value within a "
        "batch. Data as measured and calibrated are on one scale; latent codes are not, and the "
        "classes of the samples that were learned from are drawn apart in them.",
        f"Sum of Gaussian kernels ({draws}).",
    ]
    small = sorted({name for effect in effects.values() for name in effect["too_small"]})
    if small:
        notes.append(f"Left out, with fewer than four samples: {', '.join(small)}.")
    return tuple(notes)


def class_names(frame: pd.DataFrame) -> list[str]:
    """Classes of a table of predictions or subjects, in the order of its ``p_`` columns."""
    columns = [str(name) for name in frame.columns]
    after = columns[columns.index("predicted") + 1 :]
    # The last column is the spread (of a class named "std" the column comes before it).
    return [name.removeprefix("p_") for name in after[:-1] if name.startswith("p_")]


def calls_table(frame: pd.DataFrame, file_name: str) -> Table:
    """One row a subject or sample: what it was called and how surely.

    Parameters
    ----------
    frame
        Predictions or subjects, as they are written to ``file_name``.
    """
    classes = class_names(frame)
    columns = [Column(str(frame.index.name or "sample_id").replace("_", " "))]
    names = [str(name) for name in frame.columns]
    columns += [_calls_column(name, classes) for name in names[:-1]]
    columns.append(_calls_column(names[-1], []))
    shown = frame.iloc[:MOST_ROWS]
    rows = tuple(
        tuple(_cell(value) for value in (index, *values))
        for index, values in zip(shown.index, shown.itertuples(index=False, name=None), strict=True)
    )
    notes = []
    if len(frame) > len(shown):
        notes.append(
            f"The first {len(shown):,} of {len(frame):,} rows; {file_name} has all of them."
        )
    return Table(f"Calls, as in {file_name}", tuple(columns), rows, tuple(notes))


def _calls_column(name: str, classes: list[str]) -> Column:
    plain = {
        "predicted": Column("called"),
        "n_samples": Column("samples", "count"),
        "spread": Column("spread of samples", "score"),
        "p_std": Column("spread of members", "score"),
    }
    if name.startswith("p_") and name.removeprefix("p_") in classes:
        return Column(f"p({name.removeprefix('p_')})", "score")
    return plain.get(name, Column(name.replace("_", " ")))


def _cell(value: Any) -> Cell:
    if pd.isna(value):
        return None
    plain = value.item() if hasattr(value, "item") else value
    return plain if isinstance(plain, str | int | float) else str(plain)


def batch_table(predictions: pd.DataFrame) -> Table:
    """Calls counted by target batch, samples."""
    names = [str(name) for name in predictions["predicted"].unique()]
    # A column of its own for samples that were left open.
    classes = list(dict.fromkeys([*class_names(predictions), *names]))
    batches = pd.Series(predictions["batch"].to_numpy()).astype(str)
    called = pd.Series(predictions["predicted"].to_numpy()).astype(str)
    rows: list[tuple[Cell, ...]] = []
    for batch in batches.unique():
        counts = called[batches == batch].value_counts().to_dict()
        rows.append((batch, sum(counts.values()), *(counts.get(name, 0) for name in classes)))
    return Table(
        caption="Calls by batch, samples counted",
        columns=(
            Column("Batch"),
            Column("Samples", "count"),
            *(
                Column(name if name == NOT_CALLED else f"called {name}", "count")
                for name in classes
            ),
        ),
        rows=tuple(rows),
    )
