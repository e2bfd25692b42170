"""What training on several processes puts around a model, and what one rank holds of it.

Nothing here communicates. A collective that one rank enters and another does not stops the training for good, and a
watch may be on one rank alone, or have given up on one. So a rank records what it holds itself, and `ranks.py` adds it
up when the files of all ranks are read (docs/decisions/0007).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import distributed as dist
from torch import nn
from torch.nn.parallel import DataParallel, DistributedDataParallel

from trainclinic.ranks import rank_path

_WRAPPED = ("module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")  # where a wrapper keeps it
_FLAT = "FullyShardedDataParallel"  # the older way: what a rank holds of one parameter cannot be told
_ORDINARY = {torch.Tensor, nn.Parameter, type(None)}


def world() -> tuple[int, int]:
    """Rank and number of processes; (0, 1) where `torch.distributed` is not initialised."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def own_path(path: str | Path | None) -> Path | None:
    """The file of this process: `run.clinic` of one process alone, `run.rank0.clinic`, … of several."""
    if path is None:
        return None
    rank, size = world()
    return Path(path) if size == 1 else rank_path(Path(path), rank)


def local(tensor: Any) -> Any:
    """What this rank holds of a DTensor, an ordinary tensor; anything else as it is."""
    if type(tensor) in _ORDINARY:  # nearly always: asked at every step
        return tensor
    to_local = getattr(type(tensor), "to_local", None)
    if to_local is None:
        return tensor
    with torch.no_grad():
        return to_local(tensor)


# -- names, as they are without any wrapper


def unwrapped(model: nn.Module) -> nn.Module:
    """The network inside DistributedDataParallel, torch.compile and their like."""
    while True:
        inside = next((model._modules[name] for name in _WRAPPED if _wraps(model, name)), None)
        if inside is None:
            return model
        model = inside


def plain_name(model: nn.Module, name: str) -> str:
    """The name of a part or parameter of `model`, without what wrappers put in between."""
    if not any(word in name for word in _WRAPPED):
        return name
    parts = []
    module: Any = model
    for part in name.split("."):
        if not _wraps(module, part):
            parts.append(part)
        module = getattr(module, part, None)
    return ".".join(parts)


def _wraps(module: Any, part: str) -> bool:
    if part not in _WRAPPED or not isinstance(module, nn.Module) or part not in module._modules:
        return False
    return part != "module" or isinstance(module, DistributedDataParallel | DataParallel)


def own_class(module: nn.Module) -> type[nn.Module]:
    """Its class; `fully_shard` and `replicate` put one of their own in front."""
    for kind in type(module).__mro__:
        if not kind.__module__.startswith("torch.distributed."):
            return kind
    return type(module)


# -- parameters


def named_parameters(model: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """Name → parameter, as the optimizer holds it: a shard, also while the gathered weight stands in its place."""
    shards = {id(getattr(param._module_info.module, param._module_info.param_name)): param.sharded_param
              for param in _fsdp_params(model)}  # fmt: skip
    return [
        (plain_name(model, name), shards.get(id(parameter), parameter)) for name, parameter in model.named_parameters()
    ]


def gathered(model: nn.Module) -> set[int]:
    """Ids of the weights that `fully_shard` gathers for forward and backward: leaves of the graph, in no optimizer."""
    return {id(param._unsharded_param) for param in _fsdp_params(model) if hasattr(param, "_unsharded_param")}


def _fsdp_params(model: nn.Module) -> Iterator[Any]:
    for module in model.modules():
        if hasattr(type(module), "_get_fsdp_state"):
            state = module._get_fsdp_state()  # type: ignore[operator]
            groups = getattr(state, "_fsdp_param_groups", None) or [state._fsdp_param_group]
            for group in groups:
                yield from group.fsdp_params if group is not None else ()


# -- facts


def describe(model: nn.Module) -> dict[str, Any] | None:
    """Rank, number of processes, way of training, and what this rank holds of each sharded parameter.

    Returns:
        None for one process. `sharded` is name → [elements here, elements in all]; 0 in all means unknown.
    """
    rank, size = world()
    if size == 1:
        return None
    kind = _kind(model)
    held = [(name, local(parameter).numel(), parameter.numel()) for name, parameter in named_parameters(model)]
    if kind == _FLAT:
        sharded = {name: [here, 0] for name, here, _ in held}
    else:
        sharded = {name: [here, everywhere] for name, here, everywhere in held if here != everywhere}
    return {"rank": rank, "world_size": size, "kind": kind, "sharded": sharded, "started": time.time()}


def _kind(model: nn.Module) -> str:
    kinds = {type(module).__name__ for module in model.modules()}
    for name in (_FLAT, "DistributedDataParallel"):
        if name in kinds:
            return name
    if any(hasattr(type(module), "_get_fsdp_state") for module in model.modules()):
        return "fully_shard"
    return "DTensor" if any(local(parameter) is not parameter for parameter in model.parameters()) else ""
