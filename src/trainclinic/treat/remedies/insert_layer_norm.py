"""insert-layer-norm."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.passages import normalized
from trainclinic.treat.remedy import Prescription, Remedy
from trainclinic.treat.surgery import calls, counted, followed, rehearsed


@dataclass(frozen=True)
class InsertLayerNorm(Remedy):
    """Put LayerNorm behind every hidden layer, in front of its activation function.

    What it does:
        Each hidden Linear layer is followed by a LayerNorm of its width, each Conv layer by a GroupNorm of one group,
        which is the same for images; their scales and shifts join the optimizer in the layers' groups.

    When it helps:
        Each sample gets mean 0 and variance 1 again in every layer, so that the signal neither shrinks nor grows with
        depth. It does not look at the batch: small batches, sequences and single samples are all the same to it.

    Side effects:
        What tells samples apart by their size alone is lost. It costs a little time in each layer.

    References:
        Ba, Kiros & Hinton 2016, "Layer normalization"; Wu & He 2018 (one group).
    """

    treats: ClassVar[dict[str, int]] = {
        "vanishing-gradient": 4, "saturated-activation": 5, "dead-relu": 4, "poor-initialization": 4,
        "exploding-gradient": 5,
    }  # fmt: skip

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """Inside a recurrent layer there is no place for it."""
        return [] if finding.cause == "through time" else [cls()]

    def prescribe(self, setup: Setup) -> Prescription:
        """The layers by name, each with the norm that fits its output."""
        layers = followed(self.id(), setup, calls(setup))
        norms = {
            call.name: f"nn.LayerNorm({call.gives[-1]})" if isinstance(call.module, nn.Linear)
            else f"nn.GroupNorm(1, {call.gives[1]})"
            for call in layers
        }  # fmt: skip
        change = f"LayerNorm behind {counted(len(layers), 'hidden layer')}"
        return rehearsed(self.id(), setup, Prescription(change, normalized(norms)))
