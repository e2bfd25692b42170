"""Parts: what counts as a change of a model."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from trainclinic.measure.parts import Parts


def _model() -> nn.Sequential:
    shared = nn.Linear(4, 4)
    return nn.Sequential(shared, nn.ReLU(), shared, nn.Sequential(nn.LazyLinear(2)))


def _freeze(model: nn.Sequential) -> None:
    for parameter in model.parameters():
        parameter.requires_grad_(False)


def _set_weight(model: nn.Sequential) -> None:
    model[0].weight = nn.Parameter(torch.zeros(4, 4))


CHANGES: dict[str, Callable[[nn.Sequential], object]] = {
    "a layer is added": lambda model: model.append(nn.Linear(2, 2)),
    "a layer is replaced by its like": lambda model: model.__setitem__(1, nn.ReLU()),
    "a layer is taken out": lambda model: model.__delitem__(1),
    "a weight is exchanged": _set_weight,
    "a lazy layer gets its shape": lambda model: model(torch.zeros(3, 4)),
    "a part is compiled in place": lambda model: model[3].compile(),
    "a parametrization is set": lambda model: nn.utils.parametrizations.weight_norm(model[0]),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch.compile brings in torch.jit
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen_once(change: str) -> None:
    model = _model()
    parts = Parts(model)
    assert not parts.changed()
    CHANGES[change](model)
    assert parts.changed()
    assert not parts.changed()


@pytest.mark.parametrize("nothing", [_freeze, lambda model: model.eval(), lambda model: model.double()])
def test_modes_freezing_and_types_are_no_change(nothing: Callable[[nn.Sequential], object]) -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    parts = Parts(model)
    nothing(model)
    assert not parts.changed()


def test_a_model_that_holds_itself_ends() -> None:
    model = _model()
    model[1].up = model
    assert not Parts(model).changed()
