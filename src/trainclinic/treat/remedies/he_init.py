"""he-init."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trainclinic.setup import Setup
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy
from trainclinic.treat.surgery import WEIGHTS, activation_names, calls, hidden, initialized, trainable

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
        "poor-initialization": 1, "vanishing-gradient": 2, "exploding-gradient": 1, "dead-relu": 3,
    }  # fmt: skip
    stage: ClassVar = "initialization"

    def prescribe(self, setup: Setup) -> Prescription:
        """The hidden layers by name."""
        found = calls(setup)
        layers = trainable(self.id(), hidden(found, WEIGHTS))
        kinds = activation_names(setup, found)
        if not kinds & RECTIFIERS:
            there = f"only {', '.join(sorted(kinds))}" if kinds else "no activation function that could be seen"
            raise RefusedError(f"{self.id()}: it is for ReLU and its kin, and between the layers there is {there}; "
                               "glorot-init is for tanh")  # fmt: skip
        code = initialized(layers, 'nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")')
        return Prescription(f"{len(layers)} hidden layers initialized after He", code)
