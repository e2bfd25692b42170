"""insert-batch-norm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from trainclinic.setup import Setup
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy
from trainclinic.treat.surgery import WEIGHTS, calls, hidden, normalized, trainable

NORMS = (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
KINDS = {2: "BatchNorm1d", 3: "BatchNorm1d", 4: "BatchNorm2d", 5: "BatchNorm3d"}  # by dimensions of the output
SMALLEST_BATCH = 16  # samples; below, the statistics of a batch are too noisy (Wu & He 2018)


@dataclass(frozen=True)
class InsertBatchNorm(Remedy):
    """Put BatchNorm behind every hidden layer, in front of its activation function.

    What it does:
        Each hidden Linear or Conv layer is followed by a BatchNorm of its width, whose scale and shift join the
        optimizer's first group without weight decay. Where the forward calls the layer, the norm runs with it.

    When it helps:
        Each channel gets mean 0 and variance 1 again in every layer, so that the signal neither shrinks nor grows with
        depth, units do not saturate, and the scale of inputs and weights matters less.

    Side effects:
        The output of a sample depends on its batch in training; train and eval mode differ; beyond some 30 plain layers
        the gradient grows by a factor of 1.2 in each. With small batches its statistics are too noisy.

    References:
        Ioffe & Szegedy 2015; Yang et al. 2019 (depth); Wu & He 2018 (small batches).
    """

    treats: ClassVar[dict[str, int]] = {
        "vanishing-gradient": 3, "saturated-activation": 3, "dead-relu": 4, "poor-initialization": 4,
        "exploding-gradient": 4,
    }  # fmt: skip

    def prescribe(self, setup: Setup) -> Prescription:
        """The layers by name, each with the norm that fits its output."""
        found = calls(setup)
        if any(isinstance(call.module, NORMS) for call in found):
            raise RefusedError(f"{self.id()}: the network has normalization layers already")
        layers = trainable(self.id(), hidden(found, WEIGHTS))
        norms = {}
        for call in hidden(found, WEIGHTS):
            rank = len(call.gives)
            if isinstance(call.module, nn.Linear) and rank != 2:
                raise RefusedError(f"{self.id()}: {call.name} gives outputs of {rank} dimensions, over which a batch "
                                   "norm would mix positions; insert-layer-norm fits")  # fmt: skip
            if call.gives[0] < SMALLEST_BATCH:
                raise RefusedError(f"{self.id()}: batches of {call.gives[0]} are too small for it; insert-layer-norm "
                                   "fits")  # fmt: skip
            norms[call.name] = f"nn.{KINDS[rank]}({call.gives[1]})"
        return Prescription(f"BatchNorm behind {len(layers)} hidden layers", normalized(norms))
