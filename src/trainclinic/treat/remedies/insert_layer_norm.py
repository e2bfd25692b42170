"""insert-layer-norm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from trainclinic.setup import Setup
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy
from trainclinic.treat.surgery import WEIGHTS, calls, hidden, normalized, trainable


@dataclass(frozen=True)
class InsertLayerNorm(Remedy):
    """Put LayerNorm behind every hidden layer, in front of its activation function.

    What it does:
        Each hidden Linear layer is followed by a LayerNorm of its width, each Conv layer by a GroupNorm of one group,
        which is the same for images; their scales and shifts join the optimizer's first group without weight decay.

    When it helps:
        Each sample gets mean 0 and variance 1 again in every layer, so that the signal neither shrinks nor grows with
        depth. It does not look at the batch: small batches, sequences and single samples are all the same to it.

    Side effects:
        What tells samples apart by their size alone is lost. It costs a little time in each layer.

    References:
        Ba, Kiros & Hinton 2016, "Layer normalization"; Wu & He 2018 (one group).
    """

    treats: ClassVar[dict[str, int]] = {
        "vanishing-gradient": 4, "saturated-activation": 5, "dead-relu": 6, "poor-initialization": 5,
        "exploding-gradient": 5,
    }  # fmt: skip

    def prescribe(self, setup: Setup) -> Prescription:
        """The layers by name, each with the norm that fits its output."""
        found = calls(setup)
        layers = trainable(self.id(), hidden(found, WEIGHTS))
        if any(isinstance(call.module, nn.LayerNorm | nn.GroupNorm | nn.RMSNorm) for call in found):
            raise RefusedError(f"{self.id()}: the network has such layers already")
        norms = {}
        for call in hidden(found, WEIGHTS):
            linear = isinstance(call.module, nn.Linear)
            norms[call.name] = f"nn.LayerNorm({call.gives[-1]})" if linear else f"nn.GroupNorm(1, {call.gives[1]})"
        return Prescription(f"LayerNorm behind {len(layers)} hidden layers", normalized(norms))
