"""What a remedy needs to know of a network before it writes its code: looked at, never changed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from trainclinic.measure.shadow import generators_kept, order_kept, uncompiled
from trainclinic.setup import Setup
from trainclinic.treat.remedy import RefusedError

WEIGHTS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
#: activation modules by name → the functions that do the same, for networks that call functions
FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "Sigmoid": (torch.sigmoid, F.sigmoid, "sigmoid"),
    "Tanh": (torch.tanh, F.tanh, "tanh"),
    "ReLU": (torch.relu, F.relu, "relu"),
}


@dataclass(frozen=True)
class Call:
    """One call of a module without children in a forward pass.

    Attributes:
        name: of the module.
        module: itself; it is a copy's, for looking at only.
        given: shape of its first tensor.
        gives: shape of its output.
    """

    name: str
    module: nn.Module
    given: tuple[int, ...]
    gives: tuple[int, ...]


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
    found: list[Call] = []
    batch = first_batch(setup)
    try:
        model = copy.deepcopy(uncompiled(setup.model))
    except Exception as error:
        raise RefusedError(f"the model cannot be copied to be looked at ({type(error).__name__}: {error})") from error

    def see(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: Any, output: Any) -> None:
            if args and isinstance(args[0], Tensor) and isinstance(output, Tensor):
                found.append(Call(name, module, tuple(args[0].shape), tuple(output.shape)))

        return hook

    for name, module in model.named_modules():
        if not module._modules:
            module.register_forward_hook(see(name))
    with generators_kept(), torch.no_grad():
        try:
            if setup.step is not None:
                setup.step(model, batch)
            else:
                model(batch[0])
        except Exception as error:
            raise RefusedError(f"the model cannot be run on a batch ({type(error).__name__}: {error})") from error
    return tuple(found)


def hidden(found: Iterable[Call], kinds: tuple[type[nn.Module], ...]) -> list[Call]:
    """The first calls of modules of these kinds that some layer with weights follows."""
    found = list(found)
    last = max((index for index, call in enumerate(found) if isinstance(call.module, WEIGHTS)), default=-1)
    names: dict[str, Call] = {}
    for call in found[:last]:
        if isinstance(call.module, kinds):
            names.setdefault(call.name, call)
    return list(names.values())


def traced(setup: Setup) -> fx.GraphModule:
    """The model's graph, as `torch.fx.symbolic_trace` gives it.

    Raises:
        RefusedError: the model decides by its data which way to go, or the graph computes something else.
    """
    model = copy.deepcopy(uncompiled(setup.model))
    try:
        graph = fx.symbolic_trace(model)
    except Exception as error:
        raise RefusedError(f"its activation functions are called inside a forward that cannot be traced "
                           f"({type(error).__name__}); make them modules, such as nn.Sigmoid()") from error  # fmt: skip
    if any("training" in node.kwargs for node in graph.graph.nodes):
        raise RefusedError("its forward calls a function that depends on the mode, which a traced graph would fix; "
                           "make it a module, such as nn.Dropout()")  # fmt: skip
    batch = first_batch(setup)
    inputs = batch[0] if setup.step is None else None
    if inputs is None:
        raise RefusedError("with `step` it is not known what the model is called with, so that a traced graph of it "
                           "cannot be checked; make its activation functions modules")  # fmt: skip
    with generators_kept(), torch.no_grad():
        model.eval()
        graph.eval()
        if not torch.allclose(model(inputs), graph(inputs), equal_nan=True):
            raise RefusedError("its traced graph computes something else than the model")
    return graph


def functional(graph: fx.GraphModule, kind: str) -> list[str]:
    """Names of the nodes that call this activation function between layers with weights."""
    nodes = list(graph.graph.nodes)
    modules = dict(graph.named_modules())
    weights = [
        index for index, node in enumerate(nodes)
        if node.op == "call_module" and isinstance(modules[node.target], WEIGHTS)
    ]  # fmt: skip
    last = weights[-1] if weights else -1
    return [node.name for node in nodes[: max(0, last)] if node.target in FUNCTIONS[kind]]


def class_names(modules: Iterable[nn.Module]) -> str:
    """Such as "3 Sigmoid and 1 Tanh"."""
    counts: dict[str, int] = {}
    for module in modules:
        counts[type(module).__name__] = counts.get(type(module).__name__, 0) + 1
    return " and ".join(f"{count} {name}" for name, count in counts.items())


# -- what several remedies ask, and the code that they share


def trainable(remedy: str, found: Iterable[Call]) -> list[str]:
    """Names of these layers.

    Raises:
        RefusedError: there are none, or their weights are frozen, shared, or computed from others.
    """
    found = list(found)
    if not found:
        raise RefusedError(f"{remedy}: there are no hidden layers with weights that are called as modules")
    for call in found:
        if getattr(call.module, "parametrizations", None) is not None:
            raise RefusedError(f"{remedy}: the weight of {call.name} is computed from others (parametrized); remove "
                               "the parametrization first")  # fmt: skip
        if not call.module.weight.requires_grad:
            raise RefusedError(f"{remedy}: the weight of {call.name} is frozen: it was trained before, and is kept")
    return [call.name for call in found]


def activation_names(setup: Setup, found: Iterable[Call]) -> set[str]:
    """Classes of the activation functions between layers with weights; of functions, where the graph can be traced."""
    found = list(found)
    kinds = tuple(kind for name in nn.modules.activation.__all__ if isinstance(kind := getattr(nn, name, None), type))
    names = {type(call.module).__name__ for call in hidden(found, kinds)}
    if not names:
        try:
            graph = traced(setup)
        except RefusedError:
            return set()
        names = {kind for kind in FUNCTIONS if functional(graph, kind)}
    return names


def initialized(layers: list[str], how: str) -> str:
    """Code that draws the weights of these layers anew with one line, and sets their biases to 0."""
    return (
        f"for name in {layers!r}:\n"
        "    layer = model.get_submodule(name)\n"
        f"    {how}\n"
        "    if layer.bias is not None:\n"
        "        nn.init.zeros_(layer.bias)\n"
    )


def normalized(norms: dict[str, str]) -> str:
    """Code that puts a norm behind each of these layers, and its parameters into the optimizer."""
    lines = "\n".join(f"    {name!r}: {norm}," for name, norm in norms.items())
    return (
        "norms = {\n" + lines + "\n}\n"
        "for name, norm in norms.items():\n"
        "    layer = model.get_submodule(name)\n"
        "    norm.to(layer.weight.device, layer.weight.dtype)\n"
        "    model.set_submodule(name, nn.Sequential(layer, norm))\n"
        'optimizer.add_param_group({"params": [p for norm in norms.values() for p in norm.parameters()], '
        '"weight_decay": 0.0})\n'
    )


def replaced(modules: dict[str, str]) -> str:
    """Code that puts new modules in the place of others, also in the optimizer's groups."""
    lines = "\n".join(f"    {name!r}: {module}," for name, module in modules.items())
    return (
        "modules = {\n" + lines + "\n}\n"
        "for name, module in modules.items():\n"
        "    old = model.get_submodule(name)\n"
        "    module.to(next(model.parameters()).device)\n"
        "    model.set_submodule(name, module)\n"
        "    new = {id(before): now for before, now in zip(old.parameters(), module.parameters())}\n"
        "    for group in optimizer.param_groups:\n"
        '        group["params"] = [new.get(id(parameter), parameter) for parameter in group["params"]]\n'
    )
