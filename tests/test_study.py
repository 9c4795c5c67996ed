"""A whole study on small simulated plates: what it learns from, what it says, what it refuses."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from crossplate import InputError, make_plates
from crossplate.study import StudySettings, predict_plate, run_study
from crossplate.study.files import write_study
from crossplate.table import SampleTable

QUICK = StudySettings(target_batches=("plate2",), epochs=60, n_members=2)


def small_plates(seed=0, **parameters):
    given = {
        "n_subjects": (40, 36),
        "class_shares": (0.5, 0.5),
        "n_features": 60,
        "n_informative": 20,
        "effect_size": 1.0,
        "max_replicates": 2,
        "random_state": seed,
    }
    return make_plates(**given | parameters).table


@pytest.fixture(scope="module")
def table():
    return small_plates()


@pytest.fixture(scope="module")
def result(table):
    return run_study(table, QUICK)


def with_labels(table, labels):
    return dataclasses.replace(table, label=pd.Series(labels, table.features.index, dtype=object))


def test_predictions_have_the_promised_columns(table, result):
    target = table.batch == "plate2"
    assert list(result.predictions.index) == list(table.features.index[target])
    assert list(result.predictions.columns) == [
        "batch", "subject", "predicted", "p_SLE", "p_control", "p_std",
    ]  # fmt: skip
    proba = result.predictions[["p_SLE", "p_control"]]
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)
    likeliest = proba.idxmax(axis=1).str.removeprefix("p_")
    assert (result.predictions["predicted"] == likeliest).all()
    members = result.model.member_proba(table.features[target], batch=table.batch[target])
    spread = members.std(axis=0)[np.arange(target.sum()), proba.to_numpy().argmax(axis=1)]
    np.testing.assert_allclose(result.predictions["p_std"], spread)


def test_subjects_are_the_median_of_their_samples(result):
    medians = result.predictions.groupby("subject")[["p_SLE", "p_control"]].median()
    medians = medians.div(medians.sum(axis=1), axis=0).loc[result.subjects.index]
    np.testing.assert_allclose(result.subjects[["p_SLE", "p_control"]], medians)
    counts = result.predictions["subject"].value_counts().loc[result.subjects.index]
    assert (result.subjects["n_samples"] == counts).all()


@pytest.mark.parametrize("seed", range(2))
def test_target_labels_never_reach_the_training(table, result, seed):
    rng = np.random.default_rng(seed)
    labels = table.label.to_numpy().copy()
    target = (table.batch == "plate2").to_numpy()
    subjects = table.subject[target].unique()
    drawn = dict(zip(subjects, rng.choice(["SLE", "control"], len(subjects)), strict=True))
    labels[target] = [drawn[name] for name in table.subject[target]]
    shuffled = run_study(with_labels(table, labels), QUICK)
    labels[target] = None
    hidden = run_study(with_labels(table, labels), QUICK)
    for other in (shuffled, hidden):
        pd.testing.assert_frame_equal(other.predictions, result.predictions, check_exact=True)
    assert hidden.metrics["scored_on"] is None
    assert hidden.metrics["sample_level"] is None
    assert shuffled.metrics["sample_level"]["crossplate"]["accuracy"] < 0.75


def test_metrics_stand_beside_the_simple_methods(table, result):
    metrics = result.metrics
    assert metrics["scored_on"] == "target labels, unused in training"
    for level in ("sample_level", "subject_level"):
        assert set(metrics[level]) == {
            "crossplate",
            "zscore_logistic_regression",
            "best_single_feature",
        }
    truth = table.label[table.batch == "plate2"]
    accuracy = (result.predictions["predicted"] == truth).mean()
    assert metrics["sample_level"]["crossplate"]["accuracy"] == pytest.approx(accuracy)
    assert accuracy > 0.8
    assert metrics["counts"]["source"] == {"plate1": int((table.batch == "plate1").sum())}
    assert (
        metrics["counts"]["labelled"]
        == table.label[table.batch == "plate1"].value_counts().to_dict()
    )
    effect = metrics["batch_effect"]
    assert effect["after"]["across"]["unbiased"] < 0.3 * effect["before"]["across"]["unbiased"]
    json.dumps(metrics, allow_nan=False)


def test_calibrated_data_are_the_measurements_on_the_source_scale(table, result):
    calibrated = result.calibrated.iloc[:, 1:]
    assert list(calibrated.columns) == list(table.features.columns)
    target = (table.batch == "plate2").to_numpy()
    logs = np.log1p(table.features), np.log1p(calibrated)
    gaps = [np.abs(log[target].mean() - log[~target].mean()).mean() for log in logs]
    assert gaps[1] < 0.2 * gaps[0]
    kept = [
        np.corrcoef(a[target], b[target])[0, 1]
        for a, b in zip(*(x.to_numpy().T for x in logs), strict=True)
    ]
    assert np.median(kept) > 0.9


def test_same_seed_same_study(table, result):
    again = run_study(table, QUICK)
    pd.testing.assert_frame_equal(again.predictions, result.predictions, check_exact=True)
    other = run_study(table, dataclasses.replace(QUICK, seed=1))
    assert not other.predictions["p_SLE"].equals(result.predictions["p_SLE"])


def test_unlabelled_batches_are_the_target_without_asking(table, result):
    labels = np.where(table.batch == "plate2", None, table.label)
    implicit = run_study(with_labels(table, labels), dataclasses.replace(QUICK, target_batches=()))
    pd.testing.assert_frame_equal(implicit.predictions, result.predictions, check_exact=True)


def test_order_of_the_features_changes_the_calls_by_rounding_only(table, result):
    mirrored = dataclasses.replace(table, features=table.features.iloc[:, ::-1])
    back = predict_plate(result.model, mirrored.select((table.batch == "plate2").to_numpy()))
    pd.testing.assert_frame_equal(back.predictions, result.predictions, check_exact=True)


def test_a_plate_that_arrives_later(result):
    later = small_plates(n_subjects=(40, 36, 30), class_shares=(0.5, 0.5, 0.5))
    plate = later.select((later.batch == "plate3").to_numpy())
    new = predict_plate(result.model, plate)
    assert new.predictions["batch"].unique().tolist() == ["plate3"]
    assert new.metrics["subject_level"]["crossplate"]["accuracy"] > 0.75
    assert new.calibrated.shape == (plate.n_samples, plate.n_features + 1)
    fewer = dataclasses.replace(plate, features=plate.features.iloc[:, 5:].assign(extra=1.0))
    notices = predict_plate(result.model, fewer).notices
    assert any("5 of the model's 60 features" in text for text in notices)
    assert any("1 features that the model does not know" in text for text in notices)


def test_a_few_negative_values_that_keep_logs_from_being_taken_are_told(table):
    def notices(subtracted, **settings):
        features = table.features - subtracted
        study = dataclasses.replace(QUICK, epochs=2, **settings)
        return " ".join(run_study(dataclasses.replace(table, features=features), study).notices)

    values = table.features.to_numpy()
    few, many = np.quantile(values[values > 0.0], 0.03), np.quantile(values, 0.5)
    n = int((values < few).sum())
    assert 0 < n < 0.1 * values.size
    assert f"{n} cells ({100 * n / values.size:.2g}%) are negative, so no log" in notices(few)
    assert "negative" not in notices(0.0)
    assert "negative" not in notices(many)
    assert "negative" not in notices(few, log="never")


def test_missing_cells_and_dropped_features_are_told(table):
    features = table.features.copy()
    features.iloc[3, 4] = np.nan
    features.iloc[:, 7] = 2.0
    notices = run_study(
        dataclasses.replace(table, features=features), dataclasses.replace(QUICK, epochs=2)
    ).notices
    assert any("1 missing cells" in text for text in notices)
    assert any("1 of 60 features did not vary" in text for text in notices)


def test_target_labels_of_other_classes_are_told_and_not_scored(table):
    target = (table.batch == "plate2").to_numpy()
    quick = dataclasses.replace(QUICK, epochs=2)
    labels = table.label.to_numpy().copy()
    labels[target & (labels == "SLE")] = "RA"
    some = run_study(with_labels(table, labels), quick)
    assert any("labels RA of the target" in text for text in some.notices)
    assert some.metrics["sample_level"]["crossplate"]["n_unknown_class"] > 0
    labels[target] = "RA"
    none = run_study(with_labels(table, labels), quick)
    assert none.metrics["scored_on"] is None
    assert any("labels RA of the target" in text for text in none.notices)


def test_negative_values_are_named_where_logs_are_asked_for(table):
    features = table.features.copy()
    features.iloc[5, 2] = -3.0
    negative = dataclasses.replace(table, features=features)
    place = f"sample '{features.index[5]}', feature '{features.columns[2]}': the value -3"
    with pytest.raises(InputError, match=place):
        run_study(negative, dataclasses.replace(QUICK, log="always"))


def test_a_collapsed_classifier_is_told(table):
    silent = dataclasses.replace(QUICK, gamma=0.0, epochs=1)
    result = run_study(table, silent)
    assert result.metrics["collapsed"]
    assert any("all 70" in text or "target samples are called" in text for text in result.notices)


def test_subjects_on_both_sides_and_wrong_units_are_told(table):
    same = table.subject.str.replace("P2_", "P1_")
    label = table.label.groupby(same).transform("first")
    shared = dataclasses.replace(table, subject=same, label=label)
    notices = run_study(shared, dataclasses.replace(QUICK, epochs=1)).notices
    assert any("36 subjects" in text and "source and target" in text for text in notices)
    features = table.features.copy()
    features[table.batch == "plate2"] *= 1e4
    notices = run_study(
        dataclasses.replace(table, features=features), dataclasses.replace(QUICK, epochs=1)
    ).notices
    assert any("same units" in text for text in notices)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target_batches": ("plate9",)}, "no batch 'plate9'"),
        ({"target_batches": ()}, "none is left to predict"),
        ({"target_batches": ("plate1", "plate2")}, "all labelled batches are named as targets"),
        ({"source_batches": ("plate2",)}, "named as source and as target"),
    ],
)
def test_batches_that_cannot_be_meant(table, settings, message):
    with pytest.raises(InputError, match=message):
        run_study(table, dataclasses.replace(QUICK, **settings))


def test_labels_that_cannot_be_learned_from(table):
    with pytest.raises(InputError, match=r"none of the .* samples has a label"):
        run_study(with_labels(table, np.full(table.n_samples, None)), QUICK)
    mixed = table.label.to_numpy().copy()
    mixed[0] = "control" if mixed[0] == "SLE" else "SLE"
    with pytest.raises(InputError, match=str(table.subject.iloc[0])):
        run_study(with_labels(table, mixed), QUICK)
    clash = table.label.replace("SLE", "std")
    with pytest.raises(InputError, match="class named 'std'"):
        run_study(with_labels(table, clash), dataclasses.replace(QUICK, epochs=1))


def test_files_of_a_study(result, tmp_path):
    write_study(result, tmp_path, run={"label": "label"})
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        "predictions.csv", "subjects.csv", "calibrated.csv", "latent.csv", "metrics.json",
        "settings.json", "model", "report.html", "figures",
    }  # fmt: skip
    path = tmp_path / "predictions.csv"
    read = pd.read_csv(path, index_col="sample_id", float_precision="round_trip")
    pd.testing.assert_frame_equal(read, result.predictions, check_exact=True, check_dtype=False)
    settings = json.loads((tmp_path / "settings.json").read_text())
    assert settings["format"] == 1
    assert settings["run"] == {"label": "label"}
    assert settings["study"]["target_batches"] == ["plate2"]
    assert settings["model"]["n_members"] == 2
    assert {"crossplate", "torch", "python"} <= set(settings["versions"])


def test_losses_are_written_where_something_was_trained(table, tmp_path):
    settings = dataclasses.replace(QUICK, preset="paper", epochs=2)
    write_study(run_study(table, settings), tmp_path, run={})
    history = pd.read_csv(tmp_path / "history.csv")
    assert history["member"].tolist() == [0, 1, 0, 1]
    assert np.isfinite(history["total"]).all()


def test_a_plate_without_any_feature_of_the_model_is_refused():
    rng = np.random.default_rng(0)
    index = pd.Index([f"s{i}" for i in range(20)], name="sample_id")
    features = pd.DataFrame(rng.normal(size=(20, 3)), index, ["a", "b", "c"])
    batch = pd.Series(np.repeat(["x", "y"], 10), index)
    table = SampleTable(
        features, batch, pd.Series(["u", "v"] * 5 + [None] * 10, index, dtype=object)
    )
    model = run_study(table, StudySettings(epochs=1, n_members=1)).model
    other = dataclasses.replace(table, features=features.set_axis(["d", "e", "f"], axis=1))
    with pytest.raises(InputError, match="none of the model's 3 features"):
        predict_plate(model, other)
