"""replace-activation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, setting
from trainclinic.treat.surgery import FUNCTIONS, WEIGHTS, calls, functional, hidden, initialized, traced, trainable

SQUASHING = (nn.Sigmoid, nn.Tanh, nn.Hardsigmoid, nn.Hardtanh, nn.Softsign, nn.LogSigmoid)
DYING = (nn.ReLU, nn.ReLU6)
MODULE = {"ReLU": "nn.ReLU()", "LeakyReLU": "nn.LeakyReLU(0.01)", "GELU": "nn.GELU()", "SELU": "nn.SELU()"}
FUNCTION = {"ReLU": "F.relu", "LeakyReLU": "F.leaky_relu", "GELU": "F.gelu", "SELU": "F.selu"}
INIT = {
    "ReLU": 'nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")',
    "LeakyReLU": 'nn.init.kaiming_normal_(layer.weight, a=0.01, nonlinearity="leaky_relu")',
    "GELU": 'nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")',
    "SELU": 'nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")',  # variance 1 / fan_in: LeCun's
}


@dataclass(frozen=True)
class ReplaceActivation(Remedy):
    """Put an activation function that passes the gradient on in the place of one that flattens it.

    What it does:
        Every sigmoid, tanh and their kin between layers with weights becomes the new function, and so does a ReLU where
        units are dead; the layers in front of them get the initialization that the new function needs: He for ReLU,
        LeakyReLU and GELU, LeCun for SELU. What follows the last layer with weights belongs to the loss and stays.
        Functions called in the forward are replaced in the graph that `torch.fx` traces.

    When it helps:
        The derivative of the sigmoid is at most 1/4 and that of tanh falls off on both sides, so that the gradient
        shrinks with every layer. ReLU's is 0 or 1. LeakyReLU and GELU have no unit that stays silent for ever.

    Side effects:
        Activations are no longer bounded: a learning rate that was harmless can be too high. The initial weights are
        drawn anew, so that pretrained ones are lost.

    References:
        Nair & Hinton 2010; Maas et al. 2013 (LeakyReLU); He et al. 2015 (initialization); Hendrycks & Gimpel 2016
        (GELU); Klambauer et al. 2017 (SELU).
    """

    activation: str = setting("ReLU", "1", choices=tuple(MODULE))

    treats: ClassVar[dict[str, int]] = {"vanishing-gradient": 1, "saturated-activation": 2, "dead-relu": 2}
    ladder: ClassVar[bool] = True  # which one suits depends on depth and data, and a short run shows it

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """Against dead units those functions that cannot die; SELU only where the others were not enough."""
        names = ("LeakyReLU", "GELU") if finding.problem == "dead-relu" else ("ReLU", "GELU", "SELU")
        return [cls(name) for name in names]

    def prescribe(self, setup: Setup) -> Prescription:
        """The places by name, and the layers that are initialized anew."""
        found = calls(setup)
        sought = (SQUASHING,) if self.activation == "ReLU" else (SQUASHING, DYING)
        modules = next((there for kinds in sought if (there := hidden(found, kinds))), [])
        layers = trainable(self.id(), hidden(found, WEIGHTS))
        if modules:
            what = " and ".join(sorted({type(call.module).__name__ for call in modules}))
            count, code = len(modules), self._in_modules([call.name for call in modules])
        else:
            what, count, code = self._in_functions(setup, [kind.__name__ for kinds in sought for kind in kinds])
        return Prescription(f"{count} {what} replaced by {self.activation}, with its initialization",
                            code + initialized(layers, INIT[self.activation]))  # fmt: skip

    def _in_modules(self, names: list[str]) -> str:
        return f"for name in {names!r}:\n    model.set_submodule(name, {MODULE[self.activation]})\n"

    def _in_functions(self, setup: Setup, kinds: list[str]) -> tuple[str, int, str]:
        graph = traced(setup)
        for kind in kinds:
            nodes = functional(graph, kind) if kind in FUNCTIONS else []
            if nodes:
                return kind.lower(), len(nodes), (
                    "import torch.fx\n\n"
                    "model = torch.fx.symbolic_trace(model)  # the same weights, with a forward that can be rewritten\n"
                    "for node in model.graph.nodes:\n"
                    f"    if node.name in {nodes!r}:\n"
                    f'        node.op, node.target, node.kwargs = "call_function", {FUNCTION[self.activation]}, {{}}\n'
                    "model.recompile()\n"
                )  # fmt: skip
        raise RefusedError(f"{self.id()}: there is no {', '.join(kinds)} between layers with weights")
