"""Snapshot: what a Setup's steps change, so that it can be put back."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from trainclinic.setup import Setup

_PLAIN = (bool, int, float, str, type(None), Tensor)
_OF_MODULES = ("_parameters", "_modules", "_buffers")


class Snapshot:
    """Parameters, buffers, plain attributes of the modules of model and loss, and the optimizer's groups and state.

    They are put back in place, without `load_state_dict`: that knows no buffer which is not persistent and no state
    that a module keeps in an attribute, and casts what an optimizer holds.
    """

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        whole = nn.ModuleList([setup.model, *([setup.loss_fn] if isinstance(setup.loss_fn, nn.Module) else [])])
        self._modules = list(whole.modules())[1:]
        every = [*whole.parameters(), *(one for group in setup.optimizer.param_groups for one in group["params"])]
        self._parameters = [
            (one, None if is_lazy(one) else one.detach().clone(), one.requires_grad) for one in dict.fromkeys(every)
        ]
        self._buffers = [
            {name: None if one is None else one.detach().clone() for name, one in module._buffers.items()}
            for module in self._modules
        ]
        self._attributes = [
            {name: copy.deepcopy(value) for name, value in vars(module).items() if _is_plain(name, value)}
            for module in self._modules
        ]
        self._groups = [dict(group) for group in setup.optimizer.param_groups]
        self._state = {one: copy.deepcopy(state, {id(one): one}) for one, state in setup.optimizer.state.items()}

    def put_back(self) -> None:
        """As it was when this was made; gradients are none."""
        with torch.no_grad():
            for parameter, value, requires in self._parameters:
                if value is not None:
                    parameter.data.copy_(value)
                parameter.requires_grad_(requires)
                parameter.grad = None
            for module, buffers in zip(self._modules, self._buffers, strict=True):
                module._buffers.update({name: None if one is None else one.clone() for name, one in buffers.items()})
        for module, attributes in zip(self._modules, self._attributes, strict=True):
            for name, value in attributes.items():
                setattr(module, name, copy.deepcopy(value))
        optimizer = self._setup.optimizer
        for group, known in zip(optimizer.param_groups, self._groups, strict=True):
            group.clear()
            group.update(known)
        optimizer.state.clear()
        optimizer.state.update({one: copy.deepcopy(state, {id(one): one}) for one, state in self._state.items()})


def _is_plain(name: str, value: Any) -> bool:
    if name in _OF_MODULES or isinstance(value, nn.Parameter):
        return False
    if isinstance(value, list | tuple):
        return all(_is_plain("", one) for one in value)
    return isinstance(value, _PLAIN) and not (isinstance(value, Tensor) and value.grad_fn is not None)
