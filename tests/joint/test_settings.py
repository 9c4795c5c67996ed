"""What is left open is decided by the size of a study."""

import pytest

from crossplate.joint.settings import PRESETS


@pytest.mark.parametrize(
    ("n_labelled", "n_features", "linear", "residual", "centred"),
    [
        (20, 400, 1.0, True, True),
        (120, 400, 0.8, True, True),
        (120, 20, 0.8, True, False),
        (1000, 25, 0.0, False, False),
    ],
)
def test_sized(n_labelled, n_features, linear, residual, centred):
    settings = PRESETS["default"].sized(n_labelled, n_features)
    assert settings.linear_share == linear
    assert (settings.residual, settings.centre_rows) == (residual, centred)
    assert (settings.compress_values, settings.compress_rows) == (residual, centred)
    assert settings.offset == residual
    assert (settings.beta, settings.validation_share) == ((0, 0) if residual else (1, 0.1))


def test_what_is_given_stays():
    given = PRESETS["paper"].sized(20, 400)
    assert given == PRESETS["paper"]


@pytest.mark.parametrize("n_labelled", [20, 1000])
def test_sized_settings_survive_json(n_labelled):
    settings = PRESETS["default"].sized(n_labelled, 25)
    assert type(settings).from_dict(settings.to_dict()) == settings
