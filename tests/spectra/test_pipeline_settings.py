import json
from dataclasses import replace

import pytest

from crossplate.errors import InputError
from crossplate.spectra.pipeline_settings import PRESETS, SpectraSettings, preset_settings


@pytest.mark.parametrize("preset", PRESETS)
def test_settings_survive_json(preset):
    settings = preset_settings(preset)
    assert SpectraSettings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings


def test_presets_cover_their_ranges():
    assert preset_settings("maldi-metabolites").mz_range == (100.0, 1000.0)
    assert preset_settings("maldi-proteins").mz_range == (2000.0, 20000.0)
    with pytest.raises(InputError, match="choose one of maldi-metabolites, maldi-proteins"):
        preset_settings("maldi")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mz_range": (1000.0, 100.0)}, "lower end first"),
        ({"most_clipped": -1}, "most_clipped"),
        ({"min_frequency": 2.0}, "between 0 and 1"),
        ({"transform": "root"}, "transform is 'root'; choose one of none, sqrt, log"),
        ({"normalisation": "sum"}, "normalisation"),
    ],
)
def test_values_out_of_range_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        replace(PRESETS["maldi-proteins"], **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"smoothness": 3}, "unknown settings of the spectra: smoothness"),
        ({"baseline": {"method": "snap"}}, "method of baseline is 'snap'"),
        ({"baseline": {"rounds": 3}}, "cannot be used"),
        ({"mz_range": 5}, "cannot be used"),
        ({"peaks": {"half_window": -1}}, "half_window >= 1"),
    ],
)
def test_what_from_dict_cannot_use_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        SpectraSettings.from_dict({**PRESETS["maldi-proteins"].to_dict(), **change})
