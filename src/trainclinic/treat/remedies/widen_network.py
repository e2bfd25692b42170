"""widen-network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, setting
from trainclinic.treat.surgery import Call, calls, replaced, trainable

PASSING = (nn.Dropout, nn.Identity, nn.Flatten)  # neither has a width nor weights
ACTIVATIONS = tuple(
    kind for name in nn.modules.activation.__all__
    if name not in ("MultiheadAttention", "Softmax", "LogSoftmax", "Softmax2d", "Softmin", "GLU", "PReLU")
    and isinstance(kind := getattr(nn, name), type)
)  # fmt: skip


@dataclass(frozen=True)
class WidenNetwork(Remedy):
    """Give every hidden layer more units.

    What it does:
        In a chain of Linear layers each hidden width is multiplied; BatchNorm1d and LayerNorm between them follow.
        The new layers are initialized as PyTorch does, and take the place of the old ones in the optimizer.

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

    treats: ClassVar[dict[str, int]] = {"underfitting": 1, "poor-initialization": 9, "dead-relu": 9}

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """Only where capacity is what is missing."""
        return [cls(4.0), cls(16.0)] if finding.problem == "underfitting" else []

    def prescribe(self, setup: Setup) -> Prescription:
        """The new layers by name; only for a chain, where each one's input is known."""
        found = calls(setup)
        linear = [call for call in found if isinstance(call.module, nn.Linear)]
        names = trainable(self.id(), linear[:-1])
        if not isinstance(setup.model, nn.Sequential) or len(set(names)) < len(names):
            raise RefusedError(f"{self.id()}: it is for a plain nn.Sequential; widen "
                               f"{type(setup.model).__name__} where it is defined")  # fmt: skip
        made: dict[str, str] = {}
        given = 0
        for call in found:
            made |= self._wider(call, given, last=call is linear[-1])
            if isinstance(call.module, nn.Linear):
                given = round(call.module.out_features * self.factor)
        return Prescription(f"{len(names)} hidden layers {self.factor:g} times as wide", replaced(made))

    def _wider(self, call: Call, given: int, *, last: bool) -> dict[str, str]:
        """`given`: units that come in, 0 before the first layer."""
        module = call.module
        if isinstance(module, nn.Linear):
            units = module.out_features if last else round(module.out_features * self.factor)
            bias = "" if module.bias is not None else ", bias=False"
            return {call.name: f"nn.Linear({given or module.in_features}, {units}{bias})"}
        if isinstance(module, nn.BatchNorm1d | nn.LayerNorm) and given:
            return {call.name: f"nn.{type(module).__name__}({given})"}
        if not isinstance(module, (*PASSING, *ACTIVATIONS)):
            raise RefusedError(f"{self.id()}: it does not know how {type(module).__name__} ({call.name}) grows "
                               "with the layers around it; widen the network where it is defined")  # fmt: skip
        return {}
