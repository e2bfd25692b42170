"""Every file under `measure/signals` is one signal: named, with a unit, a docstring and a kind."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

import trainclinic
from trainclinic import catalog
from trainclinic.errors import CatalogError
from trainclinic.measure import signal as kinds

PACKAGE = "trainclinic.measure.signals"
KINDS = (kinds.OutputSignal, kinds.BackwardSignal, kinds.ActivationSignal, kinds.ParameterSignal, kinds.RunSignal)
DERIVED = {"backward_call_span", "dead_unit_fraction"}  # gathered over calls or steps by the layer probe itself
UNITS = {"1", "loss/1", "1/step", "decades"}
FILES = {path.stem for path in Path(kinds.__file__).with_name("signals").glob("*.py")} - {"__init__"}
PROMISED = {
    "gradient_rms", "backward_rms", "activation_rms", "activation_mean", "activation_derivative", "saturated_share",
    "dead_unit_fraction", "weight_rms", "weight_gain", "update_ratio", "gradient_cosine", "gradient_norm",
    "learning_rate", "output_mean", "output_std", "target_mean", "target_std", "output_spread",
    "batch_accuracy",
}  # fmt: skip


def test_the_catalogue_is_the_folder_and_holds_what_is_promised():
    found = catalog.entries(PACKAGE)
    assert {name.replace("-", "_") for name in found} == FILES
    assert FILES >= PROMISED


@pytest.mark.parametrize("name", sorted(FILES))
def test_signal(name):
    entry = catalog.entry(PACKAGE, name.replace("_", "-"))
    module = importlib.import_module(f"{PACKAGE}.{name}")
    assert entry.id() == name == module.__name__.rsplit(".", 1)[-1]
    assert entry.__name__ == "".join(part.capitalize() for part in name.split("_"))
    assert module.__doc__ == f"{name}."
    assert issubclass(entry, kinds.Signal)
    assert sum(issubclass(entry, kind) for kind in KINDS) == (0 if name in DERIVED else 1)
    assert entry.__doc__ is not None, "has its own docstring"
    assert re.fullmatch(r"[A-Z].{20,}[.:]", entry.summary()), entry.summary()
    assert "unit" in vars(entry)
    assert entry.unit in UNITS
    assert entry.summary() not in {other.summary() for other in catalog.entries(PACKAGE).values() if other is not entry}


def test_an_unknown_signal_is_refused_with_the_nearest():
    with pytest.raises(CatalogError, match="did you mean gradient-rms"):
        catalog.entry(PACKAGE, "gradient-rm")


def test_public_names():
    assert trainclinic.__all__ == sorted(trainclinic.__all__)
    for name in trainclinic.__all__:
        value = getattr(trainclinic, name)
        assert value.__doc__, name
