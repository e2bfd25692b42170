"""The shadow: an eager copy of a model that can be run without the training noticing.

It shares the parameters' memory, detached, and has buffers, attributes and random numbers of its own. Two need it: a
compiled model, whose layers no hook can see, and the replay of a step that went wrong.
"""

from __future__ import annotations

import contextlib
import copy
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from trainclinic.measure.distributed import unwrapped

_HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)
_LARGEST = 10_000  # entries; a longer list or dict in a module is data: it is shared, not copied


class NoShadowError(Exception):
    """The model cannot be copied; the message says why."""


def shadow_of(model: nn.Module) -> nn.Module:
    """An eager copy of `model`: same parameters (shared memory, detached), buffers cloned, hooks of others left out.

    Raises:
        NoShadowError: a part cannot be copied, or would reach back into the original when it runs.
    """
    model = unwrapped(model)
    memo: dict[int, Any] = {}
    modules = list(model.modules())
    for module in modules:
        if "forward" in vars(module) and not is_compiled(module):
            raise NoShadowError(f"the forward of {type(module).__name__} was replaced on the object itself")
        _memorize(module, memo)
    try:
        for module in reversed(modules):  # inner ones first
            if uncompiled(module) is not module:
                memo[id(module)] = copy.deepcopy(uncompiled(module), memo)
        shadow: nn.Module = copy.deepcopy(model, memo)
    except Exception as error:  # whatever a user's object raises when it is copied
        raise NoShadowError(f"{type(model).__name__} cannot be copied ({type(error).__name__}: {error})") from error
    for module in shadow.modules():
        _leave_out_hooks(module)
    return shadow


def _memorize(module: nn.Module, memo: dict[int, Any]) -> None:
    """What `deepcopy` is to take for the module's tensors, and for what it had better not copy."""
    for parameter in module._parameters.values():
        if parameter is not None and id(parameter) not in memo:
            # `.data` and not `.detach()`: what is written to the one is not counted as written to the other
            memo[id(parameter)] = nn.Parameter(parameter.data, parameter.requires_grad)
    attributes = {name: value for name, value in vars(module).items() if name not in ("_parameters", "_modules")}
    for value in attributes.values():
        if isinstance(value, list | dict | set) and len(value) > _LARGEST:
            memo[id(value)] = value
            continue
        for leaf in tree_leaves(value):
            if isinstance(leaf, Tensor) and id(leaf) not in memo:  # a stored activation is no leaf of its graph
                memo[id(leaf)] = leaf.detach().clone().requires_grad_(leaf.requires_grad)


def _leave_out_hooks(module: nn.Module) -> None:
    """Only PyTorch's own stay, such as weight_norm's: another's would do twice what it does."""
    for name in _HOOKS:
        table: dict[int, Any] = vars(module).get(name) or {}
        for key in [key for key, hook in table.items() if not _is_of_torch(hook)]:
            del table[key]


def _is_of_torch(hook: Any) -> bool:
    owner = getattr(hook, "__module__", None) or type(hook).__module__
    return str(owner).startswith("torch.")


def uncompiled(module: nn.Module) -> nn.Module:
    """The module that `torch.compile` was given, or the module itself."""
    while "_orig_mod" in vars(module).get("_modules", ()):
        module = module._modules["_orig_mod"]  # type: ignore[assignment]
    return module


def is_compiled(module: nn.Module) -> bool:
    """Whether its call is a compiled one."""
    return vars(module).get("_compiled_call_impl") is not None or "_orig_mod" in module._modules


def seed_generators(seed: int) -> None:
    """Seed every global generator, torch's, NumPy's and Python's: they are the ones that user code draws from."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the global one
    torch.manual_seed(seed)


@contextlib.contextmanager
def generators_kept() -> Iterator[None]:
    """Whatever random numbers are drawn inside, outside it is as if none had been: torch, NumPy, Python."""
    states = random.getstate(), np.random.get_state()  # noqa: NPY002 - the global one is the one that user code draws from
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()  # type: ignore[no-untyped-call]
    with torch.random.fork_rng(devices=list(devices)):
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])  # noqa: NPY002


@contextlib.contextmanager
def order_kept(loader: Any) -> Iterator[None]:
    """`generators_kept`, and so for a loader's own generators: batches drawn inside move none of those drawn later."""
    owners = (loader, getattr(loader, "sampler", None))
    found = [getattr(owner, "generator", None) for owner in owners]
    states = [(one, one.get_state()) for one in found if isinstance(one, torch.Generator)]
    with generators_kept():
        try:
            yield
        finally:
            for generator, state in states:
                generator.set_state(state)


def detached(arguments: Any, *, clone: bool = True) -> Any:
    """The same arguments with every tensor cut from its graph, and cloned: a model may write into its input."""

    def cut(leaf: Any) -> Any:
        if not isinstance(leaf, Tensor):
            return leaf
        free = leaf.detach().clone() if clone else leaf.detach()
        return free.requires_grad_(leaf.requires_grad)

    return tree_map(cut, arguments)


def tensors_with_gradient(output: Any) -> list[Tensor]:
    """Every tensor of a model's output that can be differentiated, in order."""
    return [leaf for leaf in tree_leaves(_opened(output)) if isinstance(leaf, Tensor) and leaf.requires_grad]


def _opened(output: Any) -> Any:
    """An object that is no container of Python's, such as a dataclass, as its attributes."""
    if isinstance(output, Tensor | list | tuple | dict) or not hasattr(output, "__dict__"):
        return output
    return dict(vars(output))
