import json
from dataclasses import replace

import numpy as np
import pytest

from crossplate.errors import InputError
from crossplate.spectra.pipeline import SpectraPipeline
from crossplate.spectra.pipeline_file import FORMAT
from crossplate.spectra.pipeline_settings import preset_settings

# A pipeline as format 1 writes it; it must be readable for good.
FIRST_FORMAT = {
    "kind": "crossplate spectra pipeline",
    "format": 1,
    "crossplate": "0.1.0",
    "settings": {
        "mz_range": [2000.0, 10000.0],
        "most_clipped": 10,
        "transform": "sqrt",
        "smoothing": {"method": "savitzky-golay", "half_window": 10, "order": 3},
        "baseline": {
            "method": "snip",
            "iterations": 100,
            "half_window": 100,
            "stiffness": 10000000.0,
            "asymmetry": 0.001,
        },
        "normalisation": "pqn",
        "peaks": {"half_window": 20, "min_snr": 3.0, "position": "vertex"},
        "alignment": {
            "method": "lowess",
            "tolerance_ppm": 2000.0,
            "min_frequency": 0.9,
            "min_snr": 5.0,
            "min_matched": 0.5,
        },
        "binning": {"method": "strict", "tolerance_ppm": 2000.0},
        "min_frequency": 0.25,
    },
    "reference_mz": [2210.1, 4120.2, 8100.3],
    "feature_mz": [2210.1, 4120.2, 8100.3],
    "frequency": [1.0, 0.9, 1.0],
    "pqn_reference": [0.001, 0.002, 0.0015],
}


@pytest.mark.parametrize("normalisation", ["tic", "pqn"])
def test_loaded_pipeline_gives_the_same_bit_for_bit(simulate, tmp_path, normalisation):
    settings = replace(preset_settings("maldi-proteins"), normalisation=normalisation)
    spectra = [simulate(f"s{i}", i, shift_ppm=100.0 * i) for i in range(5)]
    pipeline = SpectraPipeline(settings).fit(spectra)
    pipeline.save(tmp_path / "pipeline.json")
    loaded = SpectraPipeline.load(tmp_path / "pipeline.json")
    assert loaded.settings == settings
    one, other = pipeline.transform(spectra), loaded.transform(spectra)
    np.testing.assert_array_equal(one.intensity, other.intensity)
    np.testing.assert_array_equal(one.aligned_mz, other.aligned_mz)
    np.testing.assert_array_equal(pipeline.features_.frequency, loaded.features_.frequency)


def test_first_format_is_read(simulate, tmp_path):
    path = tmp_path / "first.json"
    path.write_text(json.dumps(FIRST_FORMAT), encoding="utf-8")
    pipeline = SpectraPipeline.load(path)
    assert pipeline.settings.baseline.iterations == 100
    features = pipeline.transform([simulate("x", 1)])
    np.testing.assert_array_equal(features.found, True)
    # quotients bring the median feature to that of the reference
    ratio = features.intensity[0] / FIRST_FORMAT["pqn_reference"]
    assert np.median(ratio) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": FORMAT + 1}, "update crossplate"),
        ({"kind": "model"}, "no saved spectra pipeline"),
        ({"feature_mz": [3.0, 2.0, 4.0]}, "does not increase"),
        ({"feature_mz": []}, "does not increase"),
        ({"frequency": [1.0]}, "frequency is not a list of 3 numbers"),
        ({"pqn_reference": [1.0, None, 2.0]}, "pqn_reference"),
        ({"reference_mz": "none"}, "could not convert"),
        ({"settings": {"mz_range": [1.0, 2.0], "noise": "mad"}}, "unknown settings"),
    ],
)
def test_damaged_files_are_refused(tmp_path, change, message):
    path = tmp_path / "damaged.json"
    path.write_text(json.dumps({**FIRST_FORMAT, **change}), encoding="utf-8")
    with pytest.raises(InputError, match=message) as caught:
        SpectraPipeline.load(path)
    assert "damaged.json" in str(caught.value)


def test_what_is_no_pipeline_is_refused(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        SpectraPipeline.load(tmp_path / "nowhere.json")
    for text in ("{", "[1, 2]", "\x00"):
        (tmp_path / "x.json").write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=r"x\.json"):
            SpectraPipeline.load(tmp_path / "x.json")


def test_a_file_that_cannot_be_written_is_told(simulate, tmp_path):
    pipeline = SpectraPipeline(preset_settings("maldi-proteins")).fit([simulate("a", 0)])
    with pytest.raises(InputError, match="cannot write the pipeline"):
        pipeline.save(tmp_path / "no/such/folder.json")
