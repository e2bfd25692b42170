"""Which activation functions a network has between its layers: as modules, of whose making ever, and as functions."""

from __future__ import annotations

import copy
import operator
from collections.abc import Iterable
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional as F

from trainclinic.measure.shadow import generators_kept, uncompiled
from trainclinic.setup import Setup
from trainclinic.treat.remedy import RefusedError
from trainclinic.treat.surgery import WEIGHTS, Call, first_batch, hidden

#: activation modules by name → the functions and methods that do the same, for networks that call functions
FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "Sigmoid": (torch.sigmoid, torch.sigmoid_, F.sigmoid, "sigmoid", "sigmoid_"),
    "Tanh": (torch.tanh, torch.tanh_, F.tanh, "tanh", "tanh_"),
    "Hardsigmoid": (F.hardsigmoid,),
    "Hardtanh": (F.hardtanh, F.hardtanh_),
    "Softsign": (F.softsign,),
    "LogSigmoid": (F.logsigmoid,),
    "ReLU": (torch.relu, torch.relu_, F.relu, F.relu_, "relu", "relu_"),
    "ReLU6": (F.relu6,),
    "LeakyReLU": (F.leaky_relu, F.leaky_relu_),
    "ELU": (F.elu, F.elu_),
    "SELU": (torch.selu, torch.selu_, F.selu),
    "GELU": (F.gelu,),
    "SiLU": (F.silu,),
    "Mish": (F.mish,),
    "Hardswish": (F.hardswish,),
    "Softplus": (F.softplus,),
}
SQUASHING = ("Sigmoid", "Tanh", "Hardsigmoid", "Hardtanh", "Softsign", "LogSigmoid")
DYING = ("ReLU", "ReLU6")
FAR = (-60.0, -50.0, 50.0, 60.0)  # where every squashing function is flat


def kind(call: Call) -> str:
    """Name of the activation function that is called, such as "Tanh"; "" for anything else.

    A module of the user's own that has no parameters and keeps the shape is judged by what it does: flat on both sides
    it counts as a Tanh, flat on the left and rising on the right as a ReLU.
    """
    for base in type(call.module).__mro__:
        if base.__module__ == nn.modules.activation.__name__ and base.__name__ in (*FUNCTIONS, "PReLU"):
            return base.__name__
    module = call.module
    of_torch = type(module).__module__.startswith("torch.")
    if of_torch or call.given != call.gives or any(True for _ in (*module.parameters(), *module.buffers())):
        return ""
    with generators_kept(), torch.no_grad():
        try:
            low, left, right, high = (module(torch.full(call.given, value)).float().mean().item() for value in FAR)
        except Exception:
            return ""  # it wants something else than real numbers
    flat = 0.01 * (right - left)
    if not right > left or abs(left - low) > flat:
        return ""
    return "Tanh" if high - right <= flat else "ReLU"


def activations(found: Iterable[Call], kinds: Iterable[str]) -> list[Call]:
    """The first calls of activation modules of these kinds that some layer with weights follows."""
    return [call for call in hidden(found, (nn.Module,)) if kind(call) in kinds]


def activation_names(setup: Setup, found: Iterable[Call]) -> set[str]:
    """Kinds of the activation functions between layers with weights; of functions, where the graph can be traced."""
    names = {kind(call) for call in hidden(found, (nn.Module,))} - {""}
    try:
        graph = traced(setup)
    except RefusedError:
        return names
    return names | {name for name in FUNCTIONS if functional(graph, [name])}


def traced(setup: Setup) -> fx.GraphModule:
    """The model's graph, as `torch.fx.symbolic_trace` gives it.

    Raises:
        RefusedError: the model decides by its data or mode which way to go, or the graph computes something else.
    """
    model = copy.deepcopy(uncompiled(setup.model))
    try:
        other = fx.symbolic_trace(copy.deepcopy(model).train(not model.training))
        graph = fx.symbolic_trace(model)
    except Exception as error:
        raise RefusedError(f"its activation functions are called inside a forward that cannot be traced "
                           f"({type(error).__name__}); make them modules, such as nn.Sigmoid()") from error  # fmt: skip
    if graph.code != other.code:
        raise RefusedError("its forward does something else in training than in evaluation, which a traced graph would "
                           "fix; make it a module, such as nn.Dropout()")  # fmt: skip
    if setup.step is not None:
        raise RefusedError("with `step` it is not known what the model is called with, so that a traced graph of it "
                           "cannot be checked; make its activation functions modules")  # fmt: skip
    inputs = first_batch(setup)[0]
    with generators_kept(), torch.no_grad():
        model.eval()
        graph.eval()
        try:
            torch.testing.assert_close(graph(inputs), model(inputs), equal_nan=True)
        except Exception as error:
            raise RefusedError("its traced graph computes something else than the model; make its activation functions "
                               "modules") from error  # fmt: skip
    return graph


def functional(graph: fx.GraphModule, kinds: Iterable[str]) -> list[str]:
    """Names of the nodes that call such an activation function between layers with weights, not to gate a signal."""
    nodes = list(graph.graph.nodes)
    modules = dict(graph.named_modules())
    weights = [
        index for index, node in enumerate(nodes)
        if node.op == "call_module" and isinstance(modules[node.target], WEIGHTS)
    ]  # fmt: skip
    targets = [target for name in kinds for target in FUNCTIONS[name]]
    between = nodes[: weights[-1] if weights else 0]
    return [node.name for node in between if node.target in targets and not any(_gates(user) for user in node.users)]


def _gates(node: fx.Node) -> bool:
    """Whether two signals are multiplied there, as in x · σ(y)."""
    return node.target in (operator.mul, torch.mul, "mul") and len(node.all_input_nodes) == 2
