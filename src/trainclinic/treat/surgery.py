"""What a remedy needs to know of a network before it writes its code: looked at, never changed."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.lazy import LazyModuleMixin
from torch.utils._pytree import tree_leaves

from trainclinic.measure.distributed import unwrapped
from trainclinic.measure.shadow import (
    NoShadowError,
    generators_kept,
    is_compiled,
    order_kept,
    shadow_of,
    uncompiled,
)
from trainclinic.setup import Setup
from trainclinic.treat.operation import carried_out
from trainclinic.treat.remedy import Prescription, RefusedError

WEIGHTS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


@dataclass(frozen=True)
class Call:
    """One call of a module without children in a forward pass.

    Attributes:
        name: of the module.
        module: itself; it is a copy's, for looking at only.
        given: shape of its first tensor.
        gives: shape of its output.
        source: name of the module that made its first tensor, or "".
        final: whether its output is one of the model's.
        names: all that the module has: one that stands in several places has several.
        shared: other modules that hold the same weight.
    """

    name: str
    module: nn.Module
    given: tuple[int, ...]
    gives: tuple[int, ...]
    source: str = ""
    final: bool = False
    names: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()


def first_batch(setup: Setup) -> Any:
    """The first training batch; neither the global random numbers nor the loader's own are moved."""
    return first_batches(setup, 1)[0]


def first_batches(setup: Setup, count: int) -> list[Any]:
    """At most `count` training batches, at least one; no random numbers are moved.

    Raises:
        RefusedError: there is none.
    """
    with order_kept(setup.train_loader):
        found = list(islice(setup.train_loader, count))
    if not found:
        raise RefusedError("train_loader: expected batches, got none; give it data")
    return found


def calls(setup: Setup) -> tuple[Call, ...]:
    """Every call of a module without children, in the order of the forward pass of the first batch, on a copy.

    Raises:
        RefusedError: the model cannot be copied or run.
    """
    batch = first_batch(setup)
    lazy = [name for name, module in setup.model.named_modules() if isinstance(module, LazyModuleMixin)]
    if lazy:
        raise RefusedError(f"{lazy[0]} is lazy, and its size not known yet; pass a batch through the model before its "
                           "optimizer is built")  # fmt: skip
    model = _copied(setup.model)
    seen: list[tuple[nn.Module, Tensor, Tensor]] = []

    def see(module: nn.Module, args: Any, output: Any) -> None:
        if args and isinstance(args[0], Tensor) and isinstance(output, Tensor):
            seen.append((module, args[0], output))

    for module in model.modules():
        if not set(module._modules) - {"parametrizations"}:
            module.register_forward_hook(see)
    with generators_kept(), torch.no_grad():
        try:
            answer = setup.step(model, batch) if setup.step is not None else model(batch[0])
        except Exception as error:
            raise RefusedError(f"the model cannot be run on a batch ({type(error).__name__}: {error})") from error
    return tuple(_calls(model, seen, {id(leaf) for leaf in tree_leaves(answer)}))


def _copied(model: nn.Module) -> nn.Module:
    try:
        return copy.deepcopy(uncompiled(model))
    except Exception:  # such as a weight that is computed and kept, which only the shadow can do without
        try:
            return shadow_of(model)
        except NoShadowError as error:
            raise RefusedError(f"the model cannot be copied to be looked at: {error}") from error


def _calls(model: nn.Module, seen: list[tuple[nn.Module, Tensor, Tensor]], answers: set[int]) -> Iterable[Call]:
    names: dict[int, list[str]] = {}
    for name, module in model.named_modules(remove_duplicate=False):
        names.setdefault(id(module), []).append(name)
    holders: dict[int, set[int]] = {}
    for module in model.modules():
        for parameter in module._parameters.values():
            holders.setdefault(id(parameter), set()).add(id(module))
    made_by: dict[int, str] = {}
    for module, given, gives in seen:  # it keeps the tensors alive, so that their ids are theirs alone
        own = names[id(module)]
        if any("parametrizations" in name.split(".") for name in own):
            continue
        others = holders.get(id(module._parameters.get("weight")), set()) - {id(module)}
        yield Call(
            own[0], module, tuple(given.shape), tuple(gives.shape), made_by.get(id(given), ""), id(gives) in answers,
            tuple(own), tuple(names[other][0] for other in others),
        )  # fmt: skip
        made_by[id(gives)] = own[0]


def hidden(found: Iterable[Call], kinds: tuple[type[nn.Module], ...] = WEIGHTS) -> list[Call]:
    """The first calls of modules of these kinds that some layer with weights follows, and that give no answer."""
    found = list(found)
    names: dict[str, Call] = {}
    for call in found[: last_layer(found)]:
        if isinstance(call.module, kinds) and not call.final:
            names.setdefault(call.name, call)
    return list(names.values())


def last_layer(found: Iterable[Call]) -> int:
    """Place of the last call of a layer with weights; 0 where there is none."""
    return max((index for index, call in enumerate(found) if isinstance(call.module, WEIGHTS)), default=0)


def class_names(modules: Iterable[nn.Module]) -> str:
    """Such as "3 Sigmoid and 1 Tanh"."""
    counts: dict[str, int] = {}
    for module in modules:
        counts[type(module).__name__] = counts.get(type(module).__name__, 0) + 1
    return " and ".join(f"{count} {name}" for name, count in counts.items())


def counted(count: int, what: str) -> str:
    """Such as "3 hidden layers"."""
    return f"{count} {what}{'' if count == 1 else 's'}"


# -- what may be operated on


def drawn_anew(remedy: str, found: Iterable[Call]) -> list[Call]:
    """The hidden layers whose weights may be drawn anew; frozen ones are left out.

    Raises:
        RefusedError: there are none, or a weight is shared or computed from others.
    """
    layers = hidden(found)
    if not layers:
        raise RefusedError(f"{remedy}: there are no hidden layers with weights that are called as modules")
    for call in layers:
        if call.module._parameters.get("weight") is None:
            raise RefusedError(f"{remedy}: the weight of {call.name} is computed from others, as by weight_norm; "
                               "initialize before that is applied")  # fmt: skip
        outside = set(call.shared) - {layer.name for layer in layers}
        if outside:
            raise RefusedError(f"{remedy}: {call.name} shares its weight with {min(outside)}, which it would change, "
                               "too; initialize the two by hand")  # fmt: skip
    return _not_frozen(remedy, layers)


def followed(remedy: str, setup: Setup, found: Iterable[Call]) -> list[Call]:
    """The hidden layers behind which a norm may be put: those that have none yet, and are not frozen.

    Raises:
        RefusedError: there are none, or one may not be wrapped.
    """
    found = list(found)
    layers = hidden(found)
    if not layers:
        raise RefusedError(f"{remedy}: there are no hidden layers with weights that are called as modules")
    normalized = {call.source for call in found if isinstance(call.module, NORMS)}
    layers = [call for call in layers if call.name not in normalized]
    if not layers:
        raise RefusedError(f"{remedy}: every hidden layer has a normalization behind it already")
    check_rebuildable(remedy, setup, layers)
    if type(setup.optimizer).__name__ == "Muon":
        raise RefusedError(f"{remedy}: Muon takes matrices only; add the norms where the network is defined, and an "
                           "AdamW for their parameters")  # fmt: skip
    return _not_frozen(remedy, layers)


def check_rebuildable(remedy: str, setup: Setup, places: Iterable[Call]) -> None:
    """Whether other modules may stand in these places.

    Raises:
        RefusedError: not in this model, or not there.
    """
    model = setup.model
    if unwrapped(model) is not model or any(is_compiled(module) for module in model.modules()):
        raise RefusedError(f"{remedy}: the network is compiled or wrapped ({type(model).__name__}); treat it before "
                           "that is done")  # fmt: skip
    if isinstance(model, torch.jit.ScriptModule):
        raise RefusedError(f"{remedy}: the network is a ScriptModule, which is fixed; treat the module it was made of")
    for call in places:
        if len(call.names) > 1:
            raise RefusedError(f"{remedy}: {' and '.join(call.names)} are one {type(call.module).__name__}; give each "
                               "place its own")  # fmt: skip
        owner = model
        for part in call.name.split("."):
            if type(owner).__module__.startswith("torch.nn.modules") and not isinstance(owner, CONTAINERS):
                raise RefusedError(f"{remedy}: {call.name} belongs to a {type(owner).__name__}, which uses its parts "
                                   "in its own way; build it from single layers")  # fmt: skip
            owner = owner.get_submodule(part)


def rehearsed(remedy: str, setup: Setup, prescription: Prescription) -> Prescription:
    """The same; on a copy it was carried out, and a batch passed in both modes.

    Raises:
        RefusedError: the network cannot be run with it.
    """
    batch = first_batch(setup)
    with generators_kept(), torch.no_grad():
        try:
            model, optimizer = copy.deepcopy((setup.model, setup.optimizer))
            treated = carried_out(replace(setup, model=model, optimizer=optimizer), remedy, prescription.code)
            for training in (False, True):
                model = treated.model.train(training)
                _ = setup.step(model, batch) if setup.step is not None else model(batch[0])
        except Exception as error:
            raise RefusedError(f"{remedy}: the network cannot be run with it ({type(error).__name__}: {error}); change "
                               "it where it is defined") from error  # fmt: skip
    return prescription


def _not_frozen(remedy: str, layers: list[Call]) -> list[Call]:
    free = [call for call in layers if any(p.requires_grad for p in call.module.parameters() if p.ndim > 1)]
    if not free:
        raise RefusedError(f"{remedy}: the hidden layers are frozen: what they have learned is kept; thaw them, or "
                           "treat the part that learns")  # fmt: skip
    return free


def scaled_already(layers: Iterable[Call], deviation: Callable[[nn.Module], float]) -> bool:
    """Whether the weights differ from such a deviation by less than a factor of 10 over all these layers together.

    Biases of 1 and more count as another initialization.
    """
    decades = 0.0
    for call in layers:
        weight, bias = (call.module._parameters[name] for name in ("weight", "bias"))
        size = weight.detach().float().square().mean().sqrt()  # type: ignore[union-attr]
        decades += abs(math.log10(max(float(size), 1e-30) / deviation(call.module)))
        if bias is not None and float(bias.detach().abs().max()) >= 1:
            return False
    return decades < 1
