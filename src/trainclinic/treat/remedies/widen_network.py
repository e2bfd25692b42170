"""widen-network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from torch import nn

from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.activations import kind
from trainclinic.treat.passages import replaced
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, setting
from trainclinic.treat.surgery import Call, calls, check_rebuildable, counted, drawn_anew, rehearsed

AFFINE: dict[type[nn.Module], str] = {nn.BatchNorm1d: "affine", nn.LayerNorm: "elementwise_affine"}
PASSING = (nn.Dropout, nn.AlphaDropout, nn.Identity, nn.Flatten)  # neither has a width nor weights


@dataclass(frozen=True)
class WidenNetwork(Remedy):
    """Give every hidden layer more units.

    What it does:
        In a chain of Linear layers, each called with what the one before gives, every hidden width is multiplied;
        BatchNorm1d and LayerNorm between them follow. The new layers are initialized as PyTorch does, and take the
        place of the old ones in the optimizer.

    When it helps:
        A network that cannot even fit its training data, though its gradients are sound and its learning rate is
        right, has too few units for the task.

    Side effects:
        The time of a step grows with the square of the factor, and so does what can be learned by heart. Weights that
        were loaded or trained before are lost.

    References:
        Hornik 1991 (capacity and width); Zagoruyko & Komodakis 2016, "Wide residual networks".
    """

    factor: float = setting(4.0, "1", low=1.01, high=64)

    treats: ClassVar[dict[str, int]] = {"underfitting": 1}

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """Somewhat wider, then much."""
        return [cls(4.0), cls(16.0)]

    def prescribe(self, setup: Setup) -> Prescription:
        """The new layers by name; only for a chain, where each one's input is known."""
        found = calls(setup)
        linear = [call for call in found if isinstance(call.module, nn.Linear)]
        layers = drawn_anew(self.id(), found)
        if len(layers) != len(linear) - 1 or not _is_chain(found[found.index(linear[0]) :]):
            raise RefusedError(f"{self.id()}: it is for a chain of Linear layers, each called once with what the one "
                               f"before gives; widen {type(setup.model).__name__} where it is defined")  # fmt: skip
        made: dict[str, str] = {}
        given = 0
        for call in found:
            made |= self._wider(call, given, last=call is linear[-1])
            if isinstance(call.module, nn.Linear):
                given = round(call.module.out_features * self.factor)
        check_rebuildable(self.id(), setup, [call for call in found if call.name in made])
        change = f"{counted(len(layers), 'hidden layer')} {self.factor:g} times as wide"
        return rehearsed(self.id(), setup, Prescription(change, replaced(made)))

    def _wider(self, call: Call, given: int, *, last: bool) -> dict[str, str]:
        """`given`: units that come in, 0 before the first layer."""
        module = call.module
        if isinstance(module, nn.Linear):
            units = module.out_features if last else round(module.out_features * self.factor)
            bias = "" if module.bias is not None else ", bias=False"
            return {call.name: f"nn.Linear({given or module.in_features}, {units}{bias})"}
        if isinstance(module, nn.BatchNorm1d | nn.LayerNorm) and given:
            affine = "" if module.weight is not None else f", {AFFINE[type(module)]}=False"
            return {call.name: f"nn.{type(module).__name__}({given}{affine})"}
        if given and not isinstance(module, PASSING) and kind(call) in ("", "PReLU"):
            raise RefusedError(f"{self.id()}: it does not know how {type(module).__name__} ({call.name}) grows "
                               "with the layers around it; widen the network where it is defined")  # fmt: skip
        return {}


def _is_chain(found: tuple[Call, ...]) -> bool:
    return all(after.source == before.name for before, after in pairwise(found))
