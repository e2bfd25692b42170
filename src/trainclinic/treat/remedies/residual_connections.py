"""residual-connections."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.activations import kind
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy
from trainclinic.treat.surgery import NORMS, Call, calls, check_rebuildable, hidden, rehearsed

FEWEST = 3  # blocks: with fewer, depth is not what is wrong


@dataclass(frozen=True)
class ResidualConnections(Remedy):
    """Lead the signal round every hidden layer that keeps its width: x + f(x) in the place of f(x).

    What it does:
        A hidden Linear or Conv layer, its norm and the activation function behind it become one block, whose input is
        added to its output; the output is scaled with 1/√(number of blocks), so that the sum does not grow with depth.

    When it helps:
        The derivative of x + f(x) is 1 + f'(x): however small f' is, a gradient passes. Very deep networks need it,
        also those with normalization.

    Side effects:
        The features of a layer are no longer its own alone. Layers that change the width stay as they are.

    References:
        He et al. 2016, "Deep residual learning"; Zhang, Dauphin & Ma 2019 (scale without normalization).
    """

    treats: ClassVar[dict[str, int]] = {"vanishing-gradient": 7}

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """A block that is dead stays dead beside its detour."""
        return [] if finding.cause == "dead block" else [cls()]

    def prescribe(self, setup: Setup) -> Prescription:
        """The modules of each block by name."""
        blocks = _blocks(calls(setup))
        if len(blocks) < FEWEST:
            raise RefusedError(f"{self.id()}: it needs {FEWEST} hidden layers that keep their width, each with an "
                               f"activation module of its own behind it, and finds {len(blocks)}; write x + f(x) in "
                               "the forward")  # fmt: skip
        check_rebuildable(self.id(), setup, [call for block in blocks for call in block])
        lines = "".join(f"    {[call.name for call in block]!r},\n" for block in blocks)
        code = (
            "class Residual(nn.Module):\n"
            "    def __init__(self, block, scale):\n"
            "        super().__init__()\n"
            "        self.block, self.scale = block, scale\n\n"
            "    def forward(self, x):\n"
            "        return x + self.scale * self.block(x)\n\n\n"
            f"blocks = [\n{lines}]\n"
            "for names in blocks:\n"
            "    block = nn.Sequential(*[model.get_submodule(name) for name in names])\n"
            f"    model.set_submodule(names[0], Residual(block, {len(blocks) ** -0.5:.4f}))\n"
            "    for name in names[1:]:\n"
            "        model.set_submodule(name, nn.Identity())\n"
        )
        change = f"residual connections round {len(blocks)} hidden layers"
        return rehearsed(self.id(), setup, Prescription(change, code))


def _blocks(found: tuple[Call, ...]) -> list[list[Call]]:
    """Layer, perhaps a norm, activation function: each the only one that follows the one before, and called once."""
    names = [call.name for call in found]
    follow: dict[str, list[Call]] = {}
    for call in found:
        follow.setdefault(call.source, []).append(call)
    blocks = []
    for layer in hidden(found):
        block = [layer]
        while len(follow.get(block[-1].name, [])) == 1 and not (len(block) > 1 and kind(block[-1])):
            after = follow[block[-1].name][0]
            if not (isinstance(after.module, NORMS) or kind(after)):
                break
            block.append(after)
        alone = all(len(call.names) == names.count(call.name) == 1 for call in block)
        if kind(block[-1]) and alone and layer.given == block[-1].gives:
            blocks.append(block)
    return blocks
