"""Names of the correctors, as the command line and saved files give them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from crossplate.errors import InputError

if TYPE_CHECKING:
    # The command line lists the names in its help, which must not wait for scikit-learn.
    from crossplate.correct.base import Corrector

CORRECTORS: Mapping[str, str] = MappingProxyType(
    {
        "none": "crossplate.correct.no_correction:NoCorrection",
        "zscore": "crossplate.correct.batch_zscore:BatchZScore",
        "centring": "crossplate.correct.centring:MeanCentring",
        "ratio-g": "crossplate.correct.ratio_g:RatioG",
        "combat": "crossplate.correct.combat:ComBat",
        "dwd": "crossplate.correct.dwd:DWD",
        "sva": "crossplate.correct.sva:SVA",
        "fsva": "crossplate.correct.fsva:FSVA",
        "mmd-resnet": "crossplate.correct.mmd_resnet:MMDResNet",
        "normae": "crossplate.correct.normae:NormAE",
        "coral": "crossplate.correct.coral:CORAL",
        "ot": "crossplate.correct.optimal_transport:OptimalTransport",
    }
)
"""Name on the command line → where the class is, ``module:Class``; loaded when first used."""

READ_LABELS = frozenset({"sva", "fsva"})
"""Correctors that learn from labels."""
NEED_ALL_LABELS = frozenset({"sva"})
"""Correctors that need the label of every sample, and so cannot serve a prediction."""

ON_LOG_SCALE = "crossplate.correct.log_scale:OnLogScale"

__all__ = ["CORRECTORS", "NEED_ALL_LABELS", "READ_LABELS", "corrector_class", "make_corrector"]


def corrector_class(name: str) -> type[Corrector]:
    """Class of a corrector.

    Parameters
    ----------
    name
        A name of ``CORRECTORS``, or the name of a class (``"ComBat"``, ``"OnLogScale"``).

    Raises
    ------
    InputError
        There is no such corrector.
    """
    places = dict(CORRECTORS)
    places.update({place.partition(":")[2]: place for place in (*places.values(), ON_LOG_SCALE)})
    if name not in places:
        raise InputError(f"no corrector is named {name!r}; choose from {', '.join(CORRECTORS)}")
    module, _, of_class = places[name].partition(":")
    found: type[Corrector] = getattr(import_module(module), of_class)
    return found


def make_corrector(name: str, **params: Any) -> Corrector:
    """Corrector by name, not yet fitted.

    Parameters
    ----------
    name
        A name of ``CORRECTORS``.
    params
        Its settings, such as ``reference``.

    Raises
    ------
    InputError
        There is no such corrector, or it has no such setting.
    """
    made = corrector_class(name)
    known = made._get_param_names()
    unknown = sorted(set(params) - set(known))
    if unknown:
        raise InputError(
            f"corrector {name!r} has no setting {unknown[0]!r}; "
            f"it takes {', '.join(known) or 'none'}"
        )
    return made(**params)
