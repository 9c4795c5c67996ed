"""Largest deviation of each corrector from the stored outputs of its reference implementation.

Run from the project's folder, with the folder of the stored outputs:

    python benchmarks/golden.py GOLD

Prints the table of docs/design/correctors.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crossplate.correct.centring import MeanCentring
from crossplate.correct.combat import ComBat
from crossplate.correct.dwd import DWD, dwd_direction
from crossplate.correct.frozen_surrogates import freeze_study
from crossplate.correct.fsva import FSVA
from crossplate.correct.ratio_g import RatioG
from crossplate.correct.surrogate import effects_of, label_design
from crossplate.correct.sva import SVA

COMBAT: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "small_60x40": [
        ("parametric", {}),
        ("nonparametric", {"parametric": False}),
        ("mean_only", {"mean_only": True}),
        ("nonparametric_mean_only", {"parametric": False, "mean_only": True}),
        ("ref_b1", {"reference": "b1"}),
        ("ref_b1_nonparametric", {"reference": "b1", "parametric": False}),
        ("ref_b2_mean_only", {"reference": "b2", "mean_only": True}),
    ],
    "cytof_p1_300x2": [
        ("parametric", {}),
        ("nonparametric", {"parametric": False}),
        ("ref_day1", {"reference": "day1"}),
        ("ref_day2", {"reference": "day2"}),
    ],
}
COVARIATE = [
    ("covariate", {}),
    ("covariate_nonparametric", {"parametric": False}),
    ("covariate_ref_b1", {"reference": "b1"}),
]
STUDIES = [
    *(("sva_200x40", "set", "train", k) for k in (1, 2, 3)),
    *(("cytof_p1_300x2", "batch", "day1", k) for k in (1, 2)),
]
Deviation = tuple[str, str, float]


def rows_of(path: Path, name: str = "X_features_by_samples") -> pd.DataFrame:
    """A stored table with samples in rows."""
    return pd.read_csv(path / f"{name}.csv", index_col=0).T


def about(path: Path) -> pd.DataFrame:
    """What is known of the samples."""
    return pd.read_csv(path / "samples.csv", index_col=0)


def largest(found: Any, expected: Any) -> float:
    """Largest absolute difference."""
    return float(np.abs(np.asarray(found) - np.asarray(expected)).max())


def combat(gold: Path) -> Iterator[Deviation]:
    """ComBat, all settings."""
    for case, settings in COMBAT.items():
        x, batch = rows_of(gold / case).to_numpy(), about(gold / case)["batch"]
        for name, given in settings:
            found = ComBat(**given).fit_transform(x, batch=batch)
            yield "ComBat", "values", largest(found, rows_of(gold / case, f"combat_{name}"))
    path = gold / "small_60x40"
    x, samples = rows_of(path).to_numpy(), about(path)
    for name, given in COVARIATE:
        found = ComBat(**given).fit_transform(
            x, batch=samples["batch"], covariates=samples[["label"]].to_numpy()
        )
        yield "ComBat", "values, with a covariate", largest(found, rows_of(path, f"combat_{name}"))
    batch = samples["batch"].to_numpy()
    known, new = batch != "b3", batch == "b3"
    found = ComBat().fit(x[known], batch=batch[known]).transform(x[new], batch=batch[new])
    expected = rows_of(path, "bapred_combat_addon_b3")
    yield "ComBat", "values of a new batch", largest(found, expected)


def simple(gold: Path) -> Iterator[Deviation]:
    """Centring and Ratio_G, as a share of the values."""
    for case in ("small_60x40", "cytof_p1_300x2_raw"):
        x = rows_of(gold / case).to_numpy()
        model = MeanCentring().fit(x, batch=about(gold / case)["batch"])
        found = model.transform(x, batch=about(gold / case)["batch"]) - model.target_
        scale = np.abs(x).max(axis=0)
        expected = rows_of(gold / case, "bapred_meancenter").to_numpy()
        yield (
            "MeanCentring",
            "share of the feature's largest",
            largest(found / scale, expected / scale),
        )
    for case, name in (
        ("ratio_60x40", "bapred_ratio_g_without_f6"),
        ("cytof_p1_300x2_raw", "bapred_ratio_g"),
    ):
        expected = rows_of(gold / case, name)
        given = rows_of(gold / case)[expected.columns].to_numpy()
        found = RatioG().fit_transform(given, batch=about(gold / case)["batch"])
        ratio = np.divide(found, expected, out=np.ones_like(found), where=expected != 0.0)
        yield "RatioG", "share of the value", largest(ratio, 1.0)


def dwd(gold: Path) -> Iterator[Deviation]:
    """The direction and the rows."""
    for case, source in (("small_60x40", "b1"), ("cytof_p1_300x2", "day1")):
        path = gold / case
        names = pd.read_csv(path / "dwd_samples.csv", index_col=0).index
        x = rows_of(path).loc[names].to_numpy()
        batch = about(path)["batch"][names].to_numpy()
        expected = pd.read_csv(path / "dwd_direction.csv", index_col=0)["w"].to_numpy()
        found = dwd_direction(x[batch == source], x[batch != source])
        cosine = found @ expected / np.linalg.norm(expected)
        yield "DWD", "1 - cosine of the direction", max(1.0 - float(cosine), 0.0)
        rows = DWD(reference=source).fit_transform(x, batch=batch)
        stored = rows_of(path, "dwd_adjusted_target_to_source").loc[names]
        yield "DWD", "values", largest(rows, stored)


def surrogates(gold: Path) -> Iterator[Deviation]:
    """SVA and fSVA, end to end and given R's surrogate variables."""
    for case, column, training, k in STUDIES:
        path = gold / case
        samples = about(path)
        known = (samples[column] == training).to_numpy()
        x, labels = rows_of(path).to_numpy(), samples["label"].to_numpy(dtype=float)
        clean = rows_of(path, f"fsva_n{k}_db_train")
        found = SVA(n_surrogates=k).fit_transform(x[known], labels[known].astype(int))
        yield "SVA", "values, end to end", largest(found, clean)
        given = pd.read_csv(path / f"sva_irw_n{k}_sv.csv", index_col=0).to_numpy()
        chances = pd.read_csv(path / f"sva_irw_n{k}_pprob.csv", index_col=0)
        weights = (chances["pprob_gam"] * (1.0 - chances["pprob_b"])).to_numpy()
        effects = effects_of(given, x[known], label_design(labels[known].astype(int)))
        for method in ("fast", "exact"):
            new = rows_of(path, f"fsva_n{k}_{method}_new")
            loads = getattr(freeze_study(x[known], weights, given), method)(x[~known])
            yield (
                "FSVA",
                "values, given R's surrogate variables",
                largest(x[~known] - loads @ effects, new),
            )
            half = np.where(known, labels, np.nan)
            order = np.r_[np.flatnonzero(known), np.flatnonzero(~known)]
            whole = FSVA(n_surrogates=k, exact=method == "exact").fit_transform(
                x[order], half[order]
            )
            yield "FSVA", "values, end to end", largest(whole[known.sum() :], new)


def main() -> None:
    """Print the largest deviation of each kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gold", type=Path, help="folder of the stored outputs")
    gold = parser.parse_args().gold
    worst: dict[tuple[str, str], list[float]] = {}
    for part in (combat, simple, dwd, surrogates):
        for corrector, what, value in part(gold):
            worst.setdefault((corrector, what), []).append(value)
    for (corrector, what), values in worst.items():
        print(f"| {corrector} | {what} | {len(values)} | {max(values):.0e} |")


if __name__ == "__main__":
    main()
