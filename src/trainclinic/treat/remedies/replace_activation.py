"""replace-activation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.activations import DYING, SQUASHING, activations, functional, traced
from trainclinic.treat.passages import initialized
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, setting
from trainclinic.treat.surgery import Call, calls, check_rebuildable, class_names, drawn_anew, last_layer, rehearsed

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
        A module of one's own counts by what it does: flat on both sides. Functions called in the forward are replaced
        in the graph that `torch.fx` traces.

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
        if finding.problem == "dead-relu":
            return [cls("LeakyReLU"), cls("GELU")]
        if finding.cause in ("initialization too small", "dead block"):
            return []
        cls("ReLU").prescribe(setup)  # refuses where nothing is squashed: the others would put themselves for a ReLU
        return [cls("ReLU"), cls("GELU"), cls("SELU")]

    def prescribe(self, setup: Setup) -> Prescription:
        """The places by name, and the layers that are initialized anew."""
        found = calls(setup)
        sought = (SQUASHING,) if self.activation == "ReLU" else (SQUASHING, DYING)
        layers = [call.name for call in drawn_anew(self.id(), found)]
        modules = next((there for kinds in sought if (there := activations(found, kinds))), [])
        if modules:
            self._check(setup, modules, found[last_layer(found) :])
            what, code = class_names(call.module for call in modules), self._in_modules(modules)
        else:
            what, code = self._in_functions(setup, sought)
        change = f"{what} replaced by {self.activation}, with its initialization"
        code += initialized(layers, INIT[self.activation])
        return rehearsed(self.id(), setup, Prescription(change, code))

    def _check(self, setup: Setup, modules: list[Call], behind: tuple[Call, ...]) -> None:
        """Each place may have its own function, so that one module in several places is no hindrance."""
        check_rebuildable(self.id(), setup, [replace(call, names=(call.name,)) for call in modules])
        last = {call.name for call in behind} & {call.name for call in modules}
        if last:
            raise RefusedError(f"{self.id()}: {min(last)} is called behind the last layer, too, where it belongs to "
                               "the output; give that place a module of its own")  # fmt: skip

    def _in_modules(self, modules: list[Call]) -> str:
        names = [name for call in modules for name in call.names]
        return f"for name in {names!r}:\n    model.set_submodule(name, {MODULE[self.activation]})\n"

    def _in_functions(self, setup: Setup, sought: tuple[tuple[str, ...], ...]) -> tuple[str, str]:
        check_rebuildable(self.id(), setup, ())
        graph = traced(setup)
        for kinds in sought:
            nodes = functional(graph, kinds)
            if nodes:
                what = " and ".join(kind.lower() for kind in kinds if functional(graph, [kind]))
                return f"{len(nodes)} {what}", (
                    "import torch.fx\n\n"
                    "model = torch.fx.symbolic_trace(model)  # the same weights, with a forward that can be rewritten\n"
                    "for node in model.graph.nodes:\n"
                    f"    if node.name in {nodes!r}:\n"
                    f'        node.op, node.target = "call_function", {FUNCTION[self.activation]}\n'
                    "        node.args, node.kwargs = (node.all_input_nodes[0],), {}\n"
                    "model.recompile()\n"
                )  # fmt: skip
        names = ", ".join(kind for kinds in sought for kind in kinds)
        raise RefusedError(f"{self.id()}: there is no {names} between layers with weights")
