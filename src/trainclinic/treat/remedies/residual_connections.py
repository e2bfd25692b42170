"""residual-connections."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from torch import nn

from trainclinic.setup import Setup
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy
from trainclinic.treat.surgery import WEIGHTS, Call, calls

FEWEST = 3  # blocks: with fewer, depth is not what is wrong


@dataclass(frozen=True)
class ResidualConnections(Remedy):
    """Lead the signal round every hidden layer that keeps its width: x + f(x) in the place of f(x).

    What it does:
        A hidden Linear or Conv layer and the activation function behind it become one block, whose input is added to
        its output; the output is scaled with 1/√(number of blocks), so that the sum does not grow with depth.

    When it helps:
        The derivative of x + f(x) is 1 + f'(x): however small f' is, a gradient passes. Very deep networks need it,
        also those with normalization.

    Side effects:
        The features of a layer are no longer its own alone. Layers that change the width stay as they are.

    References:
        He et al. 2016, "Deep residual learning"; Zhang, Dauphin & Ma 2019 (scale without normalization).
    """

    treats: ClassVar[dict[str, int]] = {"vanishing-gradient": 7, "exploding-gradient": 7}

    def prescribe(self, setup: Setup) -> Prescription:
        """Pairs of a layer and its activation function by name."""
        pairs = self._pairs(calls(setup))
        if len(pairs) < FEWEST:
            raise RefusedError(f"{self.id()}: it needs {FEWEST} hidden layers of equal width with an activation module "
                               f"behind each, and finds {len(pairs)}")  # fmt: skip
        code = (
            "class Residual(nn.Module):\n"
            "    def __init__(self, block, scale):\n"
            "        super().__init__()\n"
            "        self.block, self.scale = block, scale\n\n"
            "    def forward(self, x):\n"
            "        return x + self.scale * self.block(x)\n\n\n"
            f"for layer, activation in {pairs!r}:\n"
            "    block = nn.Sequential(model.get_submodule(layer), model.get_submodule(activation))\n"
            f"    model.set_submodule(layer, Residual(block, {len(pairs) ** -0.5:.4f}))\n"
            "    model.set_submodule(activation, nn.Identity())\n"
        )
        return Prescription(f"residual connections round {len(pairs)} hidden layers", code)

    def _pairs(self, found: tuple[Call, ...]) -> list[tuple[str, str]]:
        counts: dict[str, int] = {}
        for call in found:
            counts[call.name] = counts.get(call.name, 0) + 1
        last = max((index for index, call in enumerate(found) if isinstance(call.module, WEIGHTS)), default=0)
        return [
            (layer.name, activation.name)
            for layer, activation in pairwise(found[:last])
            if isinstance(layer.module, WEIGHTS)
            and type(activation.module).__module__ == nn.modules.activation.__name__
            and layer.given == layer.gives == activation.gives
            and counts[layer.name] == counts[activation.name] == 1
        ]
