"""The simulator keeps its promises: known truth, each effect alone, seeds, difficulty."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from crossplate.datasets import Plates, demo_plates, make_plates
from crossplate.errors import InputError

EFFECTS = ("level", "mass", "scale", "noise", "saturation", "offset", "detection", "stretch")
OFF = dict.fromkeys(EFFECTS, 0.0)
SMALL = {"n_subjects": (12, 9), "n_features": 30, "n_informative": 6, "class_shares": (0.5, 1 / 3)}
SEEDS = pytest.mark.parametrize("seed", [0, 1, 2])


def small(seed: int = 0, **settings: object) -> Plates:
    return make_plates(**{**SMALL, "random_state": seed, **settings})  # type: ignore[arg-type]


def log_ratio(plates: Plates) -> pd.DataFrame:
    return np.log(plates.table.features) - np.log(plates.clean)


def per_sample(effect: pd.DataFrame, plates: Plates) -> np.ndarray:
    return effect.loc[plates.table.batch].to_numpy()


@pytest.fixture(scope="module")
def paper_like() -> Plates:
    return make_plates()


def test_defaults_have_the_size_of_the_papers_plates(paper_like: Plates) -> None:
    table = paper_like.table
    people = pd.DataFrame(
        {"subject": table.subject, "batch": table.batch, "label": table.label}
    ).drop_duplicates()
    assert people["subject"].is_unique
    counts = pd.crosstab(people["batch"], people["label"])
    assert counts["SLE"].to_dict() == {"plate1": 94, "plate2": 120, "plate3": 92}
    assert counts["control"].to_dict() == {"plate1": 107, "plate2": 92, "plate3": 93}
    assert table.n_features == 814
    spectra = table.subject.value_counts()
    assert spectra.max() == 5
    assert spectra.min() >= 1
    assert (spectra == 5).mean() > 0.95
    assert len(paper_like.informative) == 40


def test_names(paper_like: Plates) -> None:
    table = paper_like.table
    assert all(re.fullmatch(r"mz_\d{3,4}\.\d{4}", name) for name in table.features.columns)
    mz = np.array([float(name[3:]) for name in table.features.columns])
    assert (np.diff(mz) > 0).all()
    assert mz[0] >= 100
    assert mz[-1] <= 1000
    assert table.features.index[0] == "P1_S001_R1"
    for sample, subject, batch in zip(
        table.features.index, table.subject, table.batch, strict=True
    ):
        assert sample.startswith(f"{subject}_R")
        assert subject.startswith(f"P{batch.removeprefix('plate')}_S")
    assert "simulated" in table.notices[0]


def test_clean_has_the_rows_and_columns_of_the_table(paper_like: Plates) -> None:
    assert paper_like.clean.index.equals(paper_like.table.features.index)
    assert paper_like.clean.columns.equals(paper_like.table.features.columns)
    assert (paper_like.clean.to_numpy() > 0).all()


@SEEDS
def test_without_batch_effects_the_table_is_clean(seed: int) -> None:
    plates = small(seed, **OFF)
    pd.testing.assert_frame_equal(plates.table.features, plates.clean, check_exact=True)


@SEEDS
def test_pure_scale_shifts_each_log_feature_by_a_constant_a_plate(seed: int) -> None:
    plates = small(seed, **{**OFF, "scale": 0.5})
    shift = log_ratio(plates)
    spread = shift.groupby(plates.table.batch.to_numpy()).agg(np.ptp)
    assert spread.to_numpy().max() < 1e-9
    np.testing.assert_allclose(
        shift, per_sample(plates.batch_effects["log_scale"], plates), atol=1e-9
    )
    assert plates.batch_effects["log_scale"].to_numpy().std() == pytest.approx(0.5, rel=0.4)


@SEEDS
def test_shift_and_stretch_are_an_affine_map_of_each_log_feature(seed: int) -> None:
    plates = small(seed, **{**OFF, "scale": 0.5, "stretch": 0.3})
    logs, clean = np.log(plates.table.features), np.log(plates.clean)
    centre = clean.mean()
    for plate, rows in logs.groupby(plates.table.batch.to_numpy()):
        shift, stretch = (
            plates.batch_effects[f"log_{name}"].loc[plate] for name in ("scale", "stretch")
        )
        assert stretch.std() == pytest.approx(0.3, rel=0.5)
        expected = centre + shift + np.exp(stretch) * (clean.loc[rows.index] - centre)
        np.testing.assert_allclose(rows, expected, atol=1e-9)


@SEEDS
def test_pure_level_shifts_all_features_of_a_plate_alike(seed: int) -> None:
    plates = small(seed, **{**OFF, "level": 0.5})
    for plate, rows in log_ratio(plates).groupby(plates.table.batch.to_numpy()):
        level = plates.batch_effects["plate"].loc[plate, "log_level"]
        assert level != 0
        np.testing.assert_allclose(rows, level, atol=1e-9)


@SEEDS
def test_pure_mass_effect_is_smooth_in_mz(seed: int) -> None:
    plates = small(seed, **{**OFF, "mass": 0.3}, n_features=400)
    shift = log_ratio(plates).groupby(plates.table.batch.to_numpy()).mean()
    np.testing.assert_allclose(shift.std(axis=1, ddof=0), 0.3, rtol=1e-9)
    mz = np.array([float(name[3:]) for name in shift.columns])
    for trend in shift.to_numpy():
        smooth = np.polynomial.Polynomial.fit(mz, trend, 8)(mz)
        np.testing.assert_allclose(trend, smooth, atol=0.02)


@SEEDS
def test_pure_offset_adds_a_background(seed: int) -> None:
    plates = small(seed, **{**OFF, "offset": 0.3})
    added = plates.table.features - plates.clean
    assert (added.to_numpy() > 0).all()
    np.testing.assert_allclose(
        added, per_sample(plates.batch_effects["offset"], plates), atol=1e-9, rtol=1e-9
    )


@SEEDS
def test_pure_saturation_takes_most_from_the_highest(seed: int) -> None:
    plates = small(seed, **{**OFF, "saturation": 0.2})
    # 1/y = 1/x + k: the inverse intensities move by the plate's constant.
    moved = 1 / plates.table.features - 1 / plates.clean
    k = plates.batch_effects["plate"]["saturation"].loc[plates.table.batch].to_numpy()
    np.testing.assert_allclose(moved, np.tile(k[:, None], moved.shape[1]), rtol=1e-6)
    lost = 1 - (plates.table.features / plates.clean).to_numpy().ravel()
    assert np.corrcoef(np.argsort(np.argsort(plates.clean.to_numpy().ravel())), lost)[0, 1] > 0.5


@SEEDS
def test_detection_limit_makes_zeros_of_the_lowest_and_nothing_else(seed: int) -> None:
    plates = small(seed, **{**OFF, "detection": 0.3})
    limit = plates.batch_effects["plate"]["detection_limit"].loc[plates.table.batch].to_numpy()
    below = plates.clean.to_numpy() < limit[:, None]
    values = plates.table.features.to_numpy()
    assert below.any()
    assert (values[below] == 0).all()
    np.testing.assert_array_equal(values[~below], plates.clean.to_numpy()[~below])


@SEEDS
def test_no_zeros_without_a_detection_limit(seed: int) -> None:
    assert (small(seed, detection=0.0).table.features.to_numpy() > 0).all()
    assert (small(seed, detection=0.3).table.features.to_numpy() == 0).any()


@SEEDS
def test_noise_lies_along_a_plates_own_patterns(seed: int) -> None:
    plates = small(seed, **{**OFF, "noise": 1.0}, n_subjects=(60, 60), n_features=200)
    extra = log_ratio(plates)
    directions = []
    for _, rows in extra.groupby(plates.table.batch.to_numpy()):
        _, values, axes = np.linalg.svd(rows.to_numpy(), full_matrices=False)
        assert (values[:4] ** 2).sum() / (values**2).sum() > 0.8
        directions.append(axes[:4])
    overlap = np.linalg.svd(directions[0] @ directions[1].T, compute_uv=False)
    assert overlap.max() < 0.5
    sd = extra.groupby(plates.table.batch.to_numpy()).std().mean(axis=1)
    expected = plates.batch_effects["plate"]["noise_sd"] * np.sqrt(1 + 0.3**2)
    np.testing.assert_allclose(sd, expected, rtol=0.25)


@pytest.mark.parametrize("strength", sorted(OFF))
def test_one_strength_leaves_the_clean_data_and_other_effects_alone(strength: str) -> None:
    plain, changed = small(stretch=0.2), small(**{"stretch": 0.2, strength: 0.0})
    pd.testing.assert_frame_equal(plain.clean, changed.clean, check_exact=True)
    pd.testing.assert_frame_equal(plain.informative, changed.informative)
    name = {
        "level": "log_level",
        "mass": "log_mass",
        "scale": "log_scale",
        "noise": "noise_sd",
        "detection": "detection_limit",
        "stretch": "log_stretch",
    }.get(strength, strength)

    def by_name(plates: Plates) -> dict[str, np.ndarray]:
        effects = dict(plates.batch_effects)
        one_a_plate = effects.pop("plate")
        return {key: np.asarray(value) for key, value in {**effects, **one_a_plate}.items()}

    before, after = by_name(plain), by_name(changed)
    assert before.keys() == after.keys()
    for key, value in before.items():
        if key == name:
            assert value.any()
            assert not after[key].any()
        else:
            np.testing.assert_array_equal(value, after[key])


@SEEDS
@pytest.mark.parametrize("shares", [(0.5, 0.25), (0.1, 0.9), (0.0, 1.0)])
def test_class_shares_are_exact(seed: int, shares: tuple[float, float]) -> None:
    table = small(seed, n_subjects=(40, 20), class_shares=shares, share_incomplete=0.5).table
    people = table.label.groupby(table.subject).first()
    plate = table.batch.groupby(table.subject).first()
    share = (people == "SLE").groupby(plate).mean()
    assert share.to_dict() == {"plate1": shares[0], "plate2": shares[1]}


@SEEDS
def test_same_seed_same_data(seed: int) -> None:
    one, two, other = small(seed), small(seed), small(seed + 10)
    pd.testing.assert_frame_equal(one.table.features, two.table.features, check_exact=True)
    pd.testing.assert_series_equal(one.table.label, two.table.label)
    assert not np.array_equal(one.clean.to_numpy()[:20], other.clean.to_numpy()[:20])


@SEEDS
def test_replicates_are_more_alike_than_subjects(seed: int) -> None:
    plates = small(seed, n_subjects=(40,), class_shares=(0.5,), n_features=100)
    for frame in (plates.clean, plates.table.features):
        logs = np.log1p(frame)
        means = logs.groupby(plates.table.subject.to_numpy()).transform("mean")
        within = ((logs - means) ** 2).to_numpy().mean()
        between = ((means - logs.mean()) ** 2).to_numpy().mean()
        assert within < 0.3 * between


@SEEDS
def test_replicate_and_subject_variation_are_separate(seed: int) -> None:
    alike = small(seed, replicate_sd=0.0).clean
    subjects = [name.rsplit("_", 1)[0] for name in alike.index]
    assert alike.groupby(subjects).nunique().to_numpy().max() == 1
    same = np.log(
        small(seed, subject_sd=0.0, module_sd=0.0, effect_size=0.0, n_subjects=(200, 9)).clean
    )
    np.testing.assert_allclose(same.std(), 0.25, rtol=0.2)


@SEEDS
def test_effect_is_found_in_the_clean_data(seed: int) -> None:
    plates = small(
        seed, n_subjects=(400,), class_shares=(0.5,), n_features=60, n_informative=20, **OFF
    )
    logs = np.log(plates.clean).groupby(plates.table.subject).mean()
    ill = (plates.table.label.groupby(plates.table.subject).first() == "SLE").loc[logs.index]
    difference = logs[ill].mean() - logs[~ill].mean()
    error = np.sqrt(logs[ill].var() / ill.sum() + logs[~ill].var() / (~ill).sum())
    truth = plates.informative["effect"].reindex(difference.index).fillna(0.0)
    assert (np.abs(difference - truth) / error).max() < 4.5
    assert (plates.informative["effect"] > 0).sum() == 10
    assert (plates.informative["effect"] < 0).sum() == 10
    assert plates.informative["effect"].abs().between(0.5 * 0.55, 1.5 * 0.55).all()


@SEEDS
def test_modules_correlate_features(seed: int) -> None:
    def mean_correlation(module_sd: float) -> float:
        clean = small(
            seed, n_subjects=(200,), class_shares=(0.5,), n_modules=2, module_sd=module_sd
        ).clean
        return float(np.abs(np.corrcoef(np.log(clean).to_numpy().T)).mean())

    assert mean_correlation(1.0) > mean_correlation(0.0) + 0.1


@SEEDS
def test_confounding_ties_the_diagnosis_to_the_plate(seed: int) -> None:
    association = []
    for confounding in (0.0, 0.5, 1.0):
        table = small(
            seed, n_subjects=(60, 60), class_shares=(0.5, 0.5), confounding=confounding
        ).table
        counts = pd.crosstab(table.batch, table.label)
        association.append(
            chi2_contingency(counts, correction=False).statistic / counts.sum().sum()
        )
    assert association[0] == pytest.approx(0, abs=0.01)
    assert association[0] < association[1] < association[2]
    assert association[2] == pytest.approx(1)


def test_single_replicate_and_more_plates_than_the_paper() -> None:
    table = small(n_subjects=(5, 6, 7, 8), class_shares=None, max_replicates=1).table
    assert table.batches == ["plate1", "plate2", "plate3", "plate4"]
    assert table.n_samples == 26


@pytest.mark.parametrize(
    ("settings", "part"),
    [
        ({"class_shares": (0.5,)}, "1 values for 2 plates"),
        ({"class_shares": (0.5, 1.2)}, "between 0 and 1"),
        ({"confounding": -0.1}, "between 0 and 1"),
        ({"n_subjects": (), "class_shares": ()}, "n_subjects"),
        ({"n_subjects": (5, 0)}, "n_subjects"),
        ({"n_informative": 31}, "n_informative is 31"),
        ({"n_modules": 0}, "n_modules is 0"),
        ({"max_replicates": 0}, "max_replicates is 0"),
        ({"n_features": 0, "n_informative": 0}, "n_features is 0"),
        ({"scale": -1.0}, "scale is -1.0"),
        ({"noise": float("nan")}, "noise is nan"),
        ({"replicate_sd": float("inf")}, "replicate_sd is inf"),
        ({"share_incomplete": 2.0}, "share_incomplete is 2.0"),
    ],
)
def test_settings_out_of_range(settings: dict[str, object], part: str) -> None:
    with pytest.raises(InputError, match=re.escape(part)):
        small(**settings)


def test_demo_plates_are_small() -> None:
    table = demo_plates().table
    assert table.batches == ["plate1", "plate2"]
    assert table.subject.nunique() == 160
    assert table.n_features == 300
    people = table.label.groupby(table.subject).first()
    assert (people == "SLE").sum() == 40 + 36


def _accuracies(plates: Plates) -> tuple[float, float, float]:
    """Within a plate, across plates as they are, across plates z-scored each by itself."""
    table = plates.table
    batch, label = table.batch.to_numpy(), table.label.to_numpy().astype(str)
    logs = np.log1p(table.features.to_numpy())
    scaled = logs.copy()
    for name in table.batches:
        scaled[batch == name] = StandardScaler().fit_transform(logs[batch == name])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1))
    within, plain, z_scored = [], [], []
    for source in table.batches:
        here = batch == source
        folds = GroupKFold(5)
        within.append(
            cross_val_score(
                model, logs[here], label[here], groups=table.subject.to_numpy()[here], cv=folds
            ).mean()
        )
        plain.append(model.fit(logs[here], label[here]).score(logs[~here], label[~here]))
        z_scored.append(model.fit(scaled[here], label[here]).score(scaled[~here], label[~here]))
    return float(np.mean(within)), float(np.mean(plain)), float(np.mean(z_scored))


@pytest.mark.parametrize("seeds", [range(4), range(4, 8)])
def test_difficulty_is_as_the_notes_say(seeds: range) -> None:
    """On smaller plates with an effect made up for it; the notes' figures are of full size."""
    scores = [
        _accuracies(
            make_plates(
                n_subjects=(120, 120),
                class_shares=(0.47, 0.55),
                n_features=300,
                n_informative=30,
                effect_size=0.7,
                max_replicates=2,
                random_state=seed,
            )
        )
        for seed in seeds
    ]
    within, plain, z_scored = np.mean(scores, axis=0)
    assert 0.86 < within < 0.97
    assert 0.60 < plain < 0.83
    assert 0.78 < z_scored < 0.93
    assert plain + 0.04 < z_scored < within
