"""96 raw bacterial spectra, four species of eight isolates in three replicates."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from crossplate.spectra.pipeline import SpectraPipeline
from crossplate.spectra.pipeline_settings import preset_settings
from crossplate.spectra.replicates import (
    ReplicateSettings,
    failed_spectra,
    replicate_correlation,
    replicate_mass_error,
    stable_features,
)
from crossplate.spectra.spectrum import Spectrum

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def metadata(real_spectra):
    return pd.read_csv(real_spectra / "species4/metadata.csv", index_col="sample_id")


@pytest.fixture(scope="module")
def spectra(real_spectra, metadata):
    def read(name):
        table = pd.read_csv(real_spectra / f"species4/spectra/{name}.csv.gz")
        return Spectrum.of(table["mz"], table["intensity"], name)

    return [read(name) for name in metadata.index]


@pytest.fixture(scope="module")
def pipeline():
    return SpectraPipeline(preset_settings("maldi-proteins"))


@pytest.fixture(scope="module")
def features(pipeline, spectra):
    return pipeline.fit_transform(spectra)


def test_species_are_told_apart_between_isolates(features, metadata):
    assert features.exclusions == ()
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    accuracy = cross_val_score(
        model, features.intensity, metadata["label"], groups=metadata["subject_id"],
        cv=GroupKFold(8),
    )  # fmt: skip
    np.testing.assert_array_equal(accuracy, 1.0)


def test_species_of_isolates_that_the_pipeline_has_not_seen(pipeline, spectra, metadata):
    names = np.unique(metadata["subject_id"])
    first = metadata["subject_id"].isin(names[::2]).to_numpy()
    plate = [spectrum for spectrum, known in zip(spectra, first, strict=True) if known]
    new = [spectrum for spectrum, known in zip(spectra, first, strict=True) if not known]
    fitted = SpectraPipeline(pipeline.settings)
    learned, looked_up = fitted.fit_transform(plate), fitted.transform(new)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(learned.intensity, metadata["label"][first])
    assert model.score(looked_up.intensity, metadata["label"][~first]) == 1.0


def test_alignment_halves_the_mass_error(pipeline, features, metadata):
    isolate, species = (metadata[name].to_numpy(str) for name in ("subject_id", "label"))
    reference = pipeline.features_.reference_mz
    nearest = np.abs(reference[:, np.newaxis] / features.feature_mz - 1.0).min(axis=0)
    clear = nearest < 3e-4
    assert clear.sum() > 0.8 * len(reference)

    def halved(groups, columns):
        before = replicate_mass_error(features.measured_mz[:, columns], groups)
        after = replicate_mass_error(features.aligned_mz[:, columns], groups)
        return after / before

    assert halved(isolate, clear) < 0.5
    assert halved(species, np.ones_like(clear)) < 0.5
    # between replicates of one plate weak peaks are placed no better than their noise allows
    assert halved(isolate, np.ones_like(clear)) < 0.7
    quality = features.quality_frame()
    assert quality["error_after_ppm"].median() < 0.3 * quality["error_before_ppm"].median()


def test_replicates_are_alike(features, metadata):
    isolate = metadata["subject_id"].to_numpy(str)
    snr = features.quality_frame()["snr"].to_numpy()
    limits = ReplicateSettings()
    assert np.nanmin(replicate_correlation(features.intensity, isolate)) > 0.9
    assert not failed_spectra(features.intensity, snr, isolate, limits).any()
    assert stable_features(features.intensity, isolate, limits).mean() > 0.95
