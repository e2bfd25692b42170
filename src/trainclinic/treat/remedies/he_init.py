"""he-init."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.activations import activation_names
from trainclinic.treat.passages import initialized
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, Stage
from trainclinic.treat.surgery import calls, counted, drawn_anew, scaled_already

RECTIFIERS = {"ReLU", "ReLU6", "LeakyReLU", "PReLU", "ELU", "GELU", "SiLU", "Mish", "Hardswish", "Softplus"}


@dataclass(frozen=True)
class HeInit(Remedy):
    """Draw the hidden weights anew so that a ReLU network keeps the scale of its signal from layer to layer.

    What it does:
        Each hidden Linear or Conv layer gets normal weights of variance 2 / fan_in, and biases of 0. The last layer
        stays as it is.

    When it helps:
        ReLU sets half of its inputs to 0, so a layer has to double the variance to keep it. PyTorch's own
        initialization has a sixth of that: it loses 0.39 decades of the gradient in each layer, which tells beyond
        ten layers.

    Side effects:
        Weights that were loaded or trained before are lost. The first losses are higher than with small weights.

    References:
        He et al. 2015, "Delving deep into rectifiers".
    """

    treats: ClassVar[dict[str, int]] = {
        "poor-initialization": 1, "exploding-gradient": 1, "dead-relu": 1, "vanishing-gradient": 2,
    }  # fmt: skip
    stage: ClassVar[Stage] = "initialization"

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """Recurrent weights are none of its business."""
        return [] if finding.cause == "through time" else [cls()]

    def prescribe(self, setup: Setup) -> Prescription:
        """The hidden layers by name."""
        found = calls(setup)
        layers = drawn_anew(self.id(), found)
        kinds = activation_names(setup, found)
        if not kinds & RECTIFIERS:
            there = f"only {', '.join(sorted(kinds))}" if kinds else "no activation function that could be seen"
            raise RefusedError(f"{self.id()}: it is for ReLU and its kin, and between the layers there is {there}; "
                               "glorot-init is for tanh")  # fmt: skip
        if scaled_already(layers, _deviation):
            raise RefusedError(f"{self.id()}: the hidden weights have such a scale already; if they are the cause, it "
                               "is not by their size")  # fmt: skip
        names = [call.name for call in layers]
        code = initialized(names, 'nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")')
        return Prescription(f"{counted(len(names), 'hidden layer')} initialized after He", code)


def _deviation(layer: Any) -> float:
    return math.sqrt(2 / layer.weight[0].numel())
