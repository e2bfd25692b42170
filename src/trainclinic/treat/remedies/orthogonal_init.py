"""orthogonal-init."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from trainclinic.measure.shadow import generators_kept, is_compiled
from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.activations import kind
from trainclinic.treat.loaders import undisturbed
from trainclinic.treat.passages import initialized
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, Stage
from trainclinic.treat.surgery import WEIGHTS, Call, calls, counted, drawn_anew

#: no orthogonal matrix can be drawn in half precision
HALF = "layer.weight.data.copy_(nn.init.orthogonal_(layer.weight.data.float()))"


@dataclass(frozen=True)
class OrthogonalInit(Remedy):
    """Draw orthogonal weights, and scale each hidden layer until its outputs have variance 1 on a real batch (LSUV).

    What it does:
        Each hidden Linear or Conv layer gets a random orthogonal matrix and biases of 0; then, from the first layer
        to the last, one training batch is passed through and the layer is divided by the standard deviation of its
        outputs, or of what becomes of them before the activation function gets them. The weights that lead a
        recurrent layer from one time step to the next get orthogonal matrices, too, one for each gate.

    When it helps:
        Whatever the activation functions, the inputs' scale and the order of the layers are: the signal has the same
        size in every layer. It needs no formula for the gain, and so it also mends what He and Glorot do not fit. An
        orthogonal recurrent matrix neither stretches nor shrinks, however many time steps apply it.

    Side effects:
        Weights that were loaded or trained before are lost. It passes as many batches as there are layers.

    References:
        Saxe et al. 2014 (orthogonal initialization); Mishkin & Matas 2016, "All you need is a good init" (LSUV).
    """

    treats: ClassVar[dict[str, int]] = {
        "poor-initialization": 2, "exploding-gradient": 2, "saturated-activation": 4, "vanishing-gradient": 5,
    }  # fmt: skip
    stage: ClassVar[Stage] = "initialization"

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """Against what grows through time only where there are recurrent weights."""
        return [] if finding.cause == "through time" and not _recurrent(setup.model) else [cls()]

    def prescribe(self, setup: Setup) -> Prescription:
        """The hidden layers by name, in the order of the forward pass, and the recurrent ones."""
        recurrent = _recurrent(setup.model)
        found, layers = self._hidden(setup, recurrent)
        changes, code = [], ""
        if recurrent:
            changes.append(f"{counted(len(recurrent), 'recurrent layer')} with orthogonal recurrent weights")
            code += (
                f"for name in {recurrent!r}:\n"
                "    layer = model.get_submodule(name)\n"
                "    for key, weight in layer.named_parameters():\n"
                '        if key.startswith("weight_hh"):\n'
                "            for gate in weight.data.split(layer.hidden_size):\n"
                "                gate.copy_(nn.init.orthogonal_(gate.float()))\n"
            )
        if layers:
            changes.append(f"{counted(len(layers), 'hidden layer')} orthogonal, scaled to outputs of variance 1")
            code += _scaled(setup, layers, _ahead(found, layers))
        return Prescription("; ".join(changes), code)

    def _hidden(self, setup: Setup, recurrent: list[str]) -> tuple[tuple[Call, ...], list[Call]]:
        """Every call, and those of the layers."""
        try:
            if setup.step is not None:
                raise RefusedError(f"{self.id()}: with `step` it is not known what the model is called with; he-init "
                                   "or glorot-init need no batch")  # fmt: skip
            if any(is_compiled(module) for module in setup.model.modules()):
                raise RefusedError(f"{self.id()}: a compiled network does not call the hooks that it needs; treat it "
                                   "before that is done")  # fmt: skip
            found = calls(setup)
            return found, drawn_anew(self.id(), found)
        except RefusedError:
            if recurrent:
                return (), []
            raise


def _recurrent(model: nn.Module) -> list[str]:
    """Names of the recurrent layers whose weights learn."""
    return [
        name for name, module in model.named_modules()
        if isinstance(module, nn.RNNBase | nn.RNNCellBase)
        and all(parameter.requires_grad for parameter in module.parameters())
    ]  # fmt: skip


def _ahead(found: tuple[Call, ...], layers: list[Call]) -> dict[str, str]:
    """Layer → the activation function it leads to, where something else, which is no norm, stands between the two."""
    often = Counter(call.name for call in found)
    ahead: dict[str, str] = {}
    for layer in layers:
        here, way = layer, 0
        while following := [call for call in found if call.source == here.name]:
            here, way = following[0], way + 1
            if len(following) > 1 or often[here.name] > 1:
                break
            if kind(here):
                ahead |= {layer.name: here.name} if way > 1 else {}
                break
            if not _multiplies(here):
                break
    return ahead


def _multiplies(call: Call) -> bool:
    """Whether it has nothing to learn, and does no more than multiply: a gate at 0 would ask for endless weights."""
    if isinstance(call.module, WEIGHTS) or next(call.module.parameters(), None) is not None:
        return False
    with generators_kept(), torch.no_grad():
        module, some = copy.deepcopy(call.module).eval(), torch.randn(call.given)
        try:
            once, twice = module(some), module(2 * some)
            return bool(once.std() > 1e-3 * some.std()) and torch.allclose(twice, 2 * once, rtol=1e-3, atol=1e-6)
        except Exception:
            return False  # it wants something else than real numbers


def _scaled(setup: Setup, layers: list[Call], ahead: dict[str, str]) -> str:
    """Code of the pass layer by layer."""
    names = [call.name for call in layers]
    half = any(call.module.weight.dtype in (torch.float16, torch.bfloat16) for call in layers)
    hook = "handle = layer.register_forward_hook(lambda module, args, output: seen.append(output.std()))\n"
    hook = f"    {hook}" if not ahead else (
        "    if name in ahead:\n"
        "        place = model.get_submodule(ahead[name])\n"
        "        handle = place.register_forward_pre_hook(lambda module, args: seen.append(args[0].std()))\n"
        "    else:\n"
        f"        {hook}"
    )  # fmt: skip
    return (
        initialized(names, HALF if half else "nn.init.orthogonal_(layer.weight)")
        + undisturbed(setup, "inputs = next(iter(train_loader))[0]\n")
        + (f"ahead = {ahead!r}  # the activation functions that get what becomes of a layer\n" if ahead else "")
        + f"for name in {names!r}:\n"
        "    layer, seen = model.get_submodule(name), []\n"
        + hook
        + "    with torch.no_grad():\n"
        "        model(inputs)\n"
        "        layer.weight /= seen[0].clamp(min=1e-8)\n"
        "    handle.remove()\n"
    )  # fmt: skip
